//! The threads of an accuracy run, and the gate that they start from together.
//!
//! Every thread says once that it is ready, or why not; whoever made them counts these words and
//! then opens the gate, for work or for the end. A thread that cannot be made, that fails or that
//! panics keeps nobody waiting.

use super::{
    Job,
    unit::{LoadedUnit, Loader, Runner, UnitDone},
};
use crate::{error::RunError, guard::guarded};
use crossbeam_channel::{Receiver, Sender, unbounded};
use dyno_core::TensorSet;
use std::sync::{Condvar, Mutex, PoisonError};

/// Where threads wait until all are ready.
#[derive(Default)]
pub(super) struct Gate {
    /// Whether there is work; `None` as long as it is shut.
    state: Mutex<Option<bool>>,
    opened: Condvar,
}

impl Gate {
    pub(super) fn open(&self, work: bool) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = Some(work);
        self.opened.notify_all();
    }

    fn pass(&self) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = self
            .opened
            .wait_while(state, |state| state.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        *state == Some(true)
    }
}

/// What a thread says.
pub(super) enum Word {
    /// Once: it can work, or why not.
    Ready(Result<(), RunError>),
    /// A unit is done.
    Done(UnitDone),
    /// It cannot go on.
    Failed(RunError),
}

/// Number of a unit with its tensors.
pub(super) type Queued = (usize, LoadedUnit);

/// What a thread does.
pub(super) enum Role {
    /// Takes a sample all the way.
    Fused,
    /// Runs what others prepare, and gives the tensors back.
    Serve(Receiver<Queued>, Sender<TensorSet>),
    /// Prepares for others.
    Feed(Sender<Queued>, Receiver<TensorSet>),
}

/// Says [`Word::Ready`] once, whatever happens.
struct Report<'a>(Option<&'a Sender<Word>>);

impl Report<'_> {
    fn say(&mut self, ready: Result<(), RunError>) {
        if let Some(words) = self.0.take() {
            // Whoever listens has gone only when the run ends.
            let _ = words.send(Word::Ready(ready));
        }
    }
}

impl Drop for Report<'_> {
    fn drop(&mut self) {
        self.say(Err(RunError::Internal(
            "a thread of the run ended before it was ready".to_owned(),
        )));
    }
}

/// The life of a thread.
pub(super) fn live(job: &Job<'_>, number: u32, role: Role, words: &Sender<Word>, gate: &Gate) {
    let mut report = Report(Some(words));
    let result = guarded(
        || format!("in thread {number} of the accuracy run"),
        || match role {
            Role::Fused => fused(job, number, words, gate, &mut report),
            Role::Serve(queued, give_back) => {
                serve(job, number, &queued, give_back, words, gate, &mut report)
            }
            Role::Feed(queue, spare) => feed(job, number, &queue, spare, gate, &mut report),
        },
    );
    job.idle(number);
    if let Err(error) = result {
        if report.0.is_some() {
            report.say(Err(error));
        } else {
            let _ = words.send(Word::Failed(error));
        }
    }
}

fn fused(
    job: &Job<'_>,
    number: u32,
    words: &Sender<Word>,
    gate: &Gate,
    report: &mut Report<'_>,
) -> Result<(), RunError> {
    let (give_back, spare) = unbounded();
    let mut runner = Runner::warm(job.shared, give_back)?;
    let mut loader = Loader::new(job.shared, spare)?;
    report.say(Ok(()));
    if !gate.pass() {
        return Ok(());
    }
    while let Some((_, unit)) = job.take() {
        let done = job.at_work(number, unit, || {
            let loaded = loader.load(unit)?;
            runner.run(loaded, unit)
        })?;
        if words.send(Word::Done(done)).is_err() {
            break;
        }
    }
    Ok(())
}

fn serve(
    job: &Job<'_>,
    number: u32,
    queued: &Receiver<Queued>,
    give_back: Sender<TensorSet>,
    words: &Sender<Word>,
    gate: &Gate,
    report: &mut Report<'_>,
) -> Result<(), RunError> {
    let mut runner = Runner::warm(job.shared, give_back)?;
    report.say(Ok(()));
    if !gate.pass() {
        return Ok(());
    }
    for (at, loaded) in queued {
        let Some(unit) = job.work.get(at) else {
            continue;
        };
        let done = job.at_work(number, unit, || runner.run(loaded, unit))?;
        job.idle(number);
        if words.send(Word::Done(done)).is_err() {
            break;
        }
    }
    Ok(())
}

fn feed(
    job: &Job<'_>,
    number: u32,
    queue: &Sender<Queued>,
    spare: Receiver<TensorSet>,
    gate: &Gate,
    report: &mut Report<'_>,
) -> Result<(), RunError> {
    let mut loader = Loader::new(job.shared, spare)?;
    report.say(Ok(()));
    if !gate.pass() {
        return Ok(());
    }
    while let Some((at, unit)) = job.take() {
        let loaded = job.at_work(number, unit, || loader.load(unit))?;
        job.idle(number);
        // Every slot has failed, and has said so.
        if queue.send((at, loaded)).is_err() {
            break;
        }
    }
    Ok(())
}
