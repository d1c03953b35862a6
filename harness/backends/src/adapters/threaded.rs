//! N engines, N slots, a thread each. An engine travels: the session holds it while its slot is
//! free, so that `output` is a plain borrow; `submit` sends it to its thread together with the
//! query, and the completion brings it back.
//!
//! A thread that parks between queries wakes 50 to 70 µs late on a virtual machine, and that delay
//! would be measured as latency. So a waiting slot spins first, long when a core is to spare and
//! shortly when every core has work, because there a spinning thread slows the engines down. The
//! waiting caller spins only shortly: completions carry the time at which they happened.

use crate::io::check_inputs;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError, bounded};
use dyno_core::{
    BackendError, Completion, Engine, ExecutionFacts, IoSpec, QueryToken, Session, TensorSet,
    TensorView,
};
use std::{
    hint::spin_loop,
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// How long an idle slot spins when a core is to spare: longer than any gap of a single stream,
/// decoding included.
const SPIN_SPARE: Duration = Duration::from_millis(50);
/// How long it spins when there is none.
const SPIN_BUSY: Duration = Duration::from_micros(20);
/// How long `wait` spins when a core is to spare.
const SPIN_WAIT: Duration = Duration::from_micros(200);
/// How often a parked `wait` looks whether the threads still live.
const LIVENESS: Duration = Duration::from_millis(200);

struct Job {
    engine: Box<dyn Engine>,
    inputs: Arc<TensorSet>,
    token: QueryToken,
}

struct Done {
    engine: Box<dyn Engine>,
    completion: Completion,
}

struct Slot {
    /// Present while no query is under way.
    engine: Option<Box<dyn Engine>>,
    /// Its last completion was not fetched yet, or the query is under way.
    busy: bool,
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

struct Threaded {
    io: IoSpec,
    facts: ExecutionFacts,
    slots: Vec<Slot>,
    done: Receiver<Done>,
    spin: Duration,
}

/// A session with one slot an engine, each in its own thread.
///
/// # Errors
/// When `engines` is empty or a thread cannot be started.
pub fn threaded(engines: Vec<Box<dyn Engine>>) -> Result<Box<dyn Session>, BackendError> {
    let Some(first) = engines.first() else {
        return Err(BackendError::Usage(
            "a session needs at least one engine".to_owned(),
        ));
    };
    let (io, facts) = (first.io().clone(), first.facts());
    let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let spare = cores > engines.len().saturating_mul(facts.threads.max(1) as usize);
    let (spin_slot, spin) = if spare {
        (SPIN_SPARE, SPIN_WAIT)
    } else {
        (SPIN_BUSY, SPIN_BUSY)
    };
    let (done_tx, done) = bounded(engines.len());
    let slots = engines
        .into_iter()
        .enumerate()
        .map(|(index, engine)| {
            let (jobs, inbox) = bounded(1);
            let outbox = done_tx.clone();
            let thread = thread::Builder::new()
                .name(format!("dyno-slot-{index}"))
                .spawn(move || serve(index, &inbox, &outbox, spin_slot))
                .map_err(|e| {
                    BackendError::Usage(format!(
                        "the thread of slot {index} cannot be started: {e}"
                    ))
                })?;
            Ok(Slot {
                engine: Some(engine),
                busy: false,
                jobs: Some(jobs),
                thread: Some(thread),
            })
        })
        .collect::<Result<Vec<_>, BackendError>>()?;
    Ok(Box::new(Threaded {
        io,
        facts,
        slots,
        done,
        spin,
    }))
}

/// The thread of one slot.
fn serve(slot: usize, inbox: &Receiver<Job>, outbox: &Sender<Done>, spin: Duration) {
    while let Some(Job {
        mut engine,
        inputs,
        token,
    }) = next(inbox, spin)
    {
        let result = engine.run(&inputs);
        let at = Instant::now();
        // The session may count on being the only holder of the inputs once the query has
        // completed.
        drop(inputs);
        if outbox
            .send(Done {
                engine,
                completion: Completion {
                    slot,
                    token,
                    at,
                    result,
                },
            })
            .is_err()
        {
            return;
        }
    }
}

/// The next job: spins for a while, then parks. `None` when the session is gone.
fn next(inbox: &Receiver<Job>, spin: Duration) -> Option<Job> {
    let mut since = None;
    loop {
        match inbox.try_recv() {
            Ok(job) => return Some(job),
            Err(TryRecvError::Disconnected) => return None,
            Err(TryRecvError::Empty) => {}
        }
        if since.get_or_insert_with(Instant::now).elapsed() >= spin {
            return inbox.recv().ok();
        }
        spin_loop();
    }
}

impl Threaded {
    fn take(&mut self, done: Done, completions: &mut Vec<Completion>) {
        if let Some(slot) = self.slots.get_mut(done.completion.slot) {
            slot.engine = Some(done.engine);
            slot.busy = false;
        }
        completions.push(done.completion);
    }

    fn under_way(&self) -> bool {
        self.slots.iter().any(|s| s.busy)
    }

    /// A thread that ended while the session lives has panicked, and its query will never complete.
    fn check_threads(&self) -> Result<(), BackendError> {
        match self
            .slots
            .iter()
            .position(|s| s.busy && s.thread.as_ref().is_none_or(JoinHandle::is_finished))
        {
            // A thread that sent its result and then ended is not possible: it ends only when the
            // session does.
            Some(index) if self.done.is_empty() => Err(BackendError::Usage(format!(
                "the thread of slot {index} ended before its query did: the engine panicked"
            ))),
            _ => Ok(()),
        }
    }
}

impl Session for Threaded {
    fn io(&self) -> &IoSpec {
        &self.io
    }

    fn slots(&self) -> usize {
        self.slots.len()
    }

    fn blocking(&self) -> bool {
        false
    }

    fn submit(
        &mut self,
        slot: usize,
        inputs: &Arc<TensorSet>,
        token: QueryToken,
    ) -> Result<(), BackendError> {
        let count = self.slots.len();
        let entry = self.slots.get_mut(slot).ok_or_else(|| {
            BackendError::Usage(format!("there is no slot {slot}: the session has {count}"))
        })?;
        check_inputs(&self.io, inputs)?;
        let (Some(engine), Some(jobs)) = (entry.engine.take(), entry.jobs.as_ref()) else {
            return Err(BackendError::Usage(format!(
                "slot {slot} is not free: its query is under way"
            )));
        };
        if let Err(refused) = jobs.send(Job {
            engine,
            inputs: Arc::clone(inputs),
            token,
        }) {
            entry.engine = Some(refused.into_inner().engine);
            return Err(BackendError::Usage(format!(
                "the thread of slot {slot} is gone: its engine panicked"
            )));
        }
        entry.busy = true;
        Ok(())
    }

    fn wait(
        &mut self,
        timeout: Duration,
        completions: &mut Vec<Completion>,
    ) -> Result<(), BackendError> {
        let before = completions.len();
        let mut began = None;
        loop {
            while let Ok(done) = self.done.try_recv() {
                self.take(done, completions);
            }
            if completions.len() > before || timeout.is_zero() || !self.under_way() {
                return Ok(());
            }
            let elapsed = began.get_or_insert_with(Instant::now).elapsed();
            if elapsed >= timeout {
                return self.check_threads();
            }
            if elapsed < self.spin {
                spin_loop();
                continue;
            }
            match self
                .done
                .recv_timeout(LIVENESS.min(timeout.saturating_sub(elapsed)))
            {
                Ok(done) => self.take(done, completions),
                Err(RecvTimeoutError::Timeout) => self.check_threads()?,
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(BackendError::Usage(
                        "every thread of the session ended: the engines panicked".to_owned(),
                    ));
                }
            }
        }
    }

    fn output(&self, slot: usize, index: usize) -> TensorView<'_> {
        #[expect(
            clippy::expect_used,
            reason = "the trait allows a panic for a slot whose query has not completed"
        )]
        self.slots[slot]
            .engine
            .as_ref()
            .expect("the query of this slot has completed")
            .output(index)
    }

    fn facts(&self) -> ExecutionFacts {
        self.facts.clone()
    }
}

impl Drop for Threaded {
    fn drop(&mut self) {
        for slot in &mut self.slots {
            slot.jobs = None;
        }
        for slot in &mut self.slots {
            if let Some(thread) = slot.thread.take() {
                // A panic of an engine was reported when it happened.
                let _ = thread.join();
            }
        }
    }
}
