//! What the load generator drives: an open model with its samples and decoder.
//!
//! One slot runs in the issuer's thread; several slots are threads, each with a session of its own.
//! Decoding of outputs happens where the session ran, never in the issuing thread of another slot.

use crate::{error::RunError, guard, open::Pipeline, prepare::Preparer};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};
use dyno_core::{
    Completion, Dataset, Geometry, Prediction, QueryToken, Sample, SampleIndex, TensorSet,
    TensorView, Timed,
};
use dyno_load::{Done, Stages, Target, TargetError};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// Positions of the stages.
pub(super) mod stage {
    pub(in crate::performance) const DECODE_IMAGE: usize = 0;
    pub(in crate::performance) const PREPROCESS: usize = 1;
    pub(in crate::performance) const HOST_TO_DEVICE: usize = 2;
    pub(in crate::performance) const ENGINE: usize = 3;
    pub(in crate::performance) const DEVICE_TO_HOST: usize = 4;
    pub(in crate::performance) const DECODE_OUTPUTS: usize = 5;
}

/// One entry of the library: a batch of samples.
pub(super) enum Entry {
    /// Tensors, ready for the engine.
    Prepared {
        set: Arc<TensorSet>,
        geometries: Vec<Geometry>,
    },
    /// Encoded images in memory.
    Encoded(Vec<Sample>),
}

/// Loads the library: prepared unless the whole way is timed. Samples that cannot be read are left
/// out; none left is an error.
pub(super) fn library(
    dataset: &dyn Dataset,
    samples: &[SampleIndex],
    size: u32,
    batch: u32,
    timed: Timed,
    preparer: &mut Preparer,
) -> Result<Vec<Entry>, RunError> {
    let mut first_error = None;
    let mut good: Vec<Sample> = Vec::new();
    // Whether a sample is good is found out once, here, and not while time is taken.
    let mut scratch = preparer.new_set()?;
    for index in samples {
        if good.len() >= size.max(1) as usize {
            break;
        }
        let loaded = dataset
            .load(*index)
            .map_err(|e| e.to_string())
            .and_then(|sample| preparer.prepare(&sample, 0, &mut scratch).map(|_| sample));
        match loaded {
            Ok(sample) => good.push(sample),
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    if good.is_empty() {
        return Err(RunError::Load(format!(
            "no sample can be prepared{}",
            first_error
                .map(|e| format!(", the first: {e}"))
                .unwrap_or_default()
        )));
    }
    let batch = batch.max(1) as usize;
    let count = good.len();
    let mut entries = Vec::new();
    for start in (0..count).step_by(batch) {
        // The last batch is filled up from the beginning.
        let chosen: Vec<Sample> = (0..batch)
            .filter_map(|i| good.get((start + i) % count).cloned())
            .collect();
        entries.push(match timed {
            Timed::EndToEnd => Entry::Encoded(chosen),
            Timed::Engine | Timed::Query => {
                let mut set = preparer.new_set()?;
                let mut geometries = Vec::with_capacity(batch);
                for (item, sample) in chosen.iter().enumerate() {
                    geometries.push(
                        preparer
                            .prepare(sample, item, &mut set)
                            .map_err(RunError::Load)?
                            .geometry,
                    );
                }
                Entry::Prepared {
                    set: Arc::new(set),
                    geometries,
                }
            }
        });
    }
    Ok(entries)
}

/// When a query ended, and how.
pub(super) type Answer = (Instant, Result<Stages, TargetError>);

/// What a slot of a [`Pool`] does with sample and token.
pub(super) type Run = Box<dyn FnMut(u32, u64) -> Answer + Send>;

/// How long a slot may take to end after the last query. One that takes longer hangs, and is left
/// to itself.
const END_TIMEOUT: Duration = Duration::from_secs(1);

/// One open model that answers queries.
pub(super) struct Slot {
    pipeline: Pipeline,
    library: Arc<Vec<Entry>>,
    timed: Timed,
    set: Arc<TensorSet>,
    geometries: Vec<Geometry>,
    completions: Vec<Completion>,
    predictions: Vec<Prediction>,
}

impl Slot {
    pub(super) fn new(
        pipeline: Pipeline,
        library: Arc<Vec<Entry>>,
        timed: Timed,
    ) -> Result<Self, RunError> {
        let set = Arc::new(pipeline.preparer.new_set()?);
        Ok(Self {
            pipeline,
            library,
            timed,
            set,
            geometries: Vec::new(),
            completions: Vec::new(),
            predictions: Vec::new(),
        })
    }

    /// Runs one query to its end. A panic is a failed query.
    pub(super) fn query(&mut self, sample: u32, token: u64) -> Answer {
        match catch_unwind(AssertUnwindSafe(|| self.try_query(sample, token))) {
            Ok(Ok((at, stages))) => (at, Ok(stages)),
            Ok(Err(error)) => (Instant::now(), Err(error)),
            Err(payload) => (
                Instant::now(),
                Err(TargetError::new(format!(
                    "panic: {}",
                    guard::words(payload.as_ref())
                ))),
            ),
        }
    }

    fn try_query(&mut self, sample: u32, token: u64) -> Result<(Instant, Stages), TargetError> {
        let library = Arc::clone(&self.library);
        let entry = library
            .get(sample as usize)
            .ok_or_else(|| TargetError::new("the library has no such sample"))?;
        let mut stages = Stages::NONE;
        let (set, geometries) = match entry {
            Entry::Prepared { set, geometries } => (set, geometries.as_slice()),
            Entry::Encoded(samples) => {
                if Arc::get_mut(&mut self.set).is_none() {
                    self.set =
                        Arc::new(self.pipeline.preparer.new_set().map_err(TargetError::new)?);
                }
                let set = Arc::get_mut(&mut self.set)
                    .ok_or_else(|| TargetError::new("the tensors are still in use"))?;
                self.geometries.clear();
                let (mut decode, mut preprocess) = (0, 0);
                for (item, sample) in samples.iter().enumerate() {
                    let prepared = self
                        .pipeline
                        .preparer
                        .prepare(sample, item, set)
                        .map_err(TargetError::new)?;
                    self.geometries.push(prepared.geometry);
                    decode += prepared.times.decode_ns;
                    preprocess += prepared.times.preprocess_ns;
                }
                stages = stages
                    .with(stage::DECODE_IMAGE, decode)
                    .with(stage::PREPROCESS, preprocess);
                (&self.set, self.geometries.as_slice())
            }
        };
        let session = &mut self.pipeline.session;
        session
            .submit(0, set, QueryToken(token))
            .map_err(TargetError::new)?;
        self.completions.clear();
        while self.completions.is_empty() {
            session
                .wait(Duration::from_secs(1), &mut self.completions)
                .map_err(TargetError::new)?;
        }
        let completion = self
            .completions
            .pop()
            .ok_or_else(|| TargetError::new("the session completed nothing"))?;
        let engine = completion.result.map_err(TargetError::new)?;
        stages = stages
            .with(stage::HOST_TO_DEVICE, engine.host_to_device_ns)
            .with(stage::ENGINE, engine.engine_ns)
            .with(stage::DEVICE_TO_HOST, engine.device_to_host_ns);
        if self.timed == Timed::Engine {
            return Ok((completion.at, stages));
        }
        let start = Instant::now();
        self.predictions.clear();
        let views: Vec<TensorView<'_>> = (0..self.pipeline.outputs)
            .map(|i| session.output(0, i))
            .collect();
        self.pipeline
            .decoder
            .decode(&views, geometries, &mut self.predictions)
            .map_err(TargetError::new)?;
        let at = Instant::now();
        Ok((
            at,
            stages.with(stage::DECODE_OUTPUTS, (at - start).as_nanos() as u64),
        ))
    }
}

/// One slot, in the issuer's thread.
pub(super) struct Inline {
    slot: Slot,
    done: Vec<Done>,
}

impl Inline {
    pub(super) fn new(slot: Slot) -> Self {
        Self {
            slot,
            done: Vec::with_capacity(1),
        }
    }
}

impl Target for Inline {
    fn slots(&self) -> usize {
        1
    }
    fn blocking(&self) -> bool {
        true
    }
    fn submit(&mut self, slot: usize, sample: u32, token: u64) -> Result<(), TargetError> {
        let (at, result) = self.slot.query(sample, token);
        self.done.push(Done {
            slot,
            token,
            at,
            result,
        });
        Ok(())
    }
    fn wait(&mut self, _timeout: Duration, done: &mut Vec<Done>) -> Result<(), TargetError> {
        done.append(&mut self.done);
        Ok(())
    }
}

/// Several slots, each a thread with its own session.
pub(super) struct Pool {
    requests: Vec<Sender<(u32, u64)>>,
    answers: Receiver<Done>,
    threads: Vec<JoinHandle<()>>,
}

impl Pool {
    pub(super) fn new(slots: Vec<Slot>) -> Result<Self, RunError> {
        Self::of(
            slots
                .into_iter()
                .map(|mut slot| -> Run { Box::new(move |sample, token| slot.query(sample, token)) })
                .collect(),
        )
    }

    /// A thread for each of `slots`.
    pub(super) fn of(slots: Vec<Run>) -> Result<Self, RunError> {
        let (answer, answers) = unbounded();
        let mut pool = Self {
            requests: Vec::new(),
            answers,
            threads: Vec::new(),
        };
        for (index, mut slot) in slots.into_iter().enumerate() {
            let (request, requests) = bounded::<(u32, u64)>(1);
            let answer = answer.clone();
            let run = move || {
                for (sample, token) in requests {
                    let (at, result) = slot(sample, token);
                    if answer
                        .send(Done {
                            slot: index,
                            token,
                            at,
                            result,
                        })
                        .is_err()
                    {
                        return;
                    }
                }
            };
            let thread = std::thread::Builder::new()
                .name(format!("slot-{index}"))
                .spawn(run)
                .map_err(|e| RunError::Load(format!("cannot start a thread: {e}")))?;
            pool.requests.push(request);
            pool.threads.push(thread);
        }
        Ok(pool)
    }
}

impl Target for Pool {
    fn slots(&self) -> usize {
        self.requests.len()
    }
    fn blocking(&self) -> bool {
        false
    }
    fn submit(&mut self, slot: usize, sample: u32, token: u64) -> Result<(), TargetError> {
        let request = self
            .requests
            .get(slot)
            .ok_or_else(|| TargetError::new("no such slot"))?;
        request
            .send((sample, token))
            .map_err(|_| TargetError::new("the thread of the slot has ended"))
    }
    fn wait(&mut self, timeout: Duration, done: &mut Vec<Done>) -> Result<(), TargetError> {
        match self.answers.recv_timeout(timeout) {
            Ok(first) => done.push(first),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return Err(TargetError::new("the threads of all slots have ended"));
            }
        }
        // A slot whose thread panicked answers no more, and the others would hide it until the time
        // limit.
        if done.is_empty() && self.threads.iter().any(JoinHandle::is_finished) {
            return Err(TargetError::new("the thread of a slot has ended"));
        }
        done.extend(self.answers.try_iter());
        Ok(())
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.requests.clear();
        let start = Instant::now();
        while self.threads.iter().any(|t| !t.is_finished()) && start.elapsed() < END_TIMEOUT {
            std::thread::sleep(Duration::from_millis(1));
        }
        for thread in self.threads.drain(..).filter(JoinHandle::is_finished) {
            // A slot that panicked has already been missed by the load generator.
            let _ = thread.join();
        }
    }
}
