//! The accuracy half of a run: every sample through the pipeline once, shard by shard.
//!
//! Two divisions of the machine ([`dyno_core::Pipeline`]). *Fused*: every thread owns a session and takes samples all the way;
//! for an engine that runs on the CPU there is nothing to overlap with, so the fewest hand-overs win. *Staged*: preparing
//! threads feed sessions through a bounded queue; for an engine whose device is elsewhere, preparation hides behind it.

mod shards;
mod unit;

use crate::{error::RunError, open, results::Times, tables::Tables};
use crossbeam_channel::{Receiver, Sender, bounded};
use dyno_core::{Dataset, Event, IoSpec, Pipeline as Division, Plan, QueryToken, ThresholdSet};
use dyno_evidence::RunFolder;
use shards::ShardWriter;
use std::{
    sync::{
        Arc, Barrier, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Instant,
};
use unit::{Loader, Runner, Unit, UnitDone, units};

/// Samples of the set whose input tensors are hashed.
pub(crate) const HASHED_SAMPLES: usize = 8;

/// Runs what is not yet in the run folder.
///
/// # Errors
/// When the model cannot be opened or a file of the run cannot be written. Samples that fail are events.
pub(crate) fn run(
    plan: &Plan,
    tables: &Tables,
    dataset: &dyn Dataset,
    folder: &RunFolder,
    sink: &(dyn Fn(Event) + Sync),
    stop: &AtomicBool,
) -> Result<(), RunError> {
    let Some(accuracy) = &plan.spec.accuracy else { return Ok(()) };
    let mut writer = ShardWriter::new(plan, accuracy, folder)?;
    let work = units(plan, accuracy.batch.max(1) as usize, accuracy.shard_size.max(1) as usize, |shard| writer.is_done(shard));
    writer.announce(sink);
    let next = AtomicUsize::new(0);
    let job = Job { plan, tables, dataset, work: &work, next: &next, stop, sink };
    let (done, finished) = bounded::<Result<UnitDone, RunError>>(64);
    let started: Mutex<Option<Instant>> = Mutex::new(None);
    let mut times = Times::default();
    let mut end = Instant::now();
    std::thread::scope(|scope| -> Result<(), RunError> {
        match accuracy.pipeline {
            Division::Fused { workers, threads } => {
                let workers = workers.clamp(1, work.len().max(1) as u32);
                let barrier = Arc::new(Barrier::new(workers as usize));
                for index in 0..workers {
                    let (job, done, barrier, started) = (&job, done.clone(), Arc::clone(&barrier), &started);
                    scope.spawn(move || fused(job, index, workers, threads, accuracy.batch, &barrier, started, &done));
                }
            }
            Division::Staged { preparing, sessions, threads } => {
                let sessions = sessions.max(1);
                let (queue, queued) = bounded(2 * sessions as usize);
                let io: Arc<Mutex<Option<IoSpec>>> = Arc::new(Mutex::new(None));
                let barrier = Arc::new(Barrier::new((sessions + preparing.max(1)) as usize));
                for index in 0..sessions {
                    let (job, done, barrier, started, queued, io) = (&job, done.clone(), Arc::clone(&barrier), &started, queued.clone(), Arc::clone(&io));
                    scope.spawn(move || serve(job, index, sessions, threads, accuracy.batch, &barrier, started, &io, &queued, &done));
                }
                for _ in 0..preparing.max(1) {
                    let (job, done, barrier, queue, io) = (&job, done.clone(), Arc::clone(&barrier), queue.clone(), Arc::clone(&io));
                    scope.spawn(move || feed(job, accuracy.batch, &barrier, &io, &queue, &done));
                }
            }
        }
        drop(done);
        // Senders block on a full channel, so it is drained to the end whatever happens.
        let mut failure = None;
        for message in &finished {
            if failure.is_some() {
                continue;
            }
            let added = message.and_then(|unit| {
                end = Instant::now();
                times.add(&unit.times);
                writer.add(unit.shard, unit.results, sink)
            });
            if let Err(error) = added {
                stop.store(true, Ordering::Relaxed);
                failure = Some(error);
            }
        }
        if let Some(error) = failure {
            return Err(error);
        }
        Ok(())
    })?;
    writer.finish(sink)?;
    let wall = started.lock().ok().and_then(|s| *s).map_or(0, |s| (end.max(s) - s).as_nanos() as u64);
    sink(Event::AccuracyDone { wall_ns: wall, engine_ns: times.engine_ns, host_ns: times.host_ns });
    Ok(())
}

/// What every thread of the run shares.
struct Job<'a> {
    plan: &'a Plan,
    tables: &'a Tables,
    dataset: &'a dyn Dataset,
    work: &'a [Unit],
    next: &'a AtomicUsize,
    stop: &'a AtomicBool,
    sink: &'a (dyn Fn(Event) + Sync),
}

impl Job<'_> {
    fn take(&self) -> Option<&Unit> {
        if self.stop.load(Ordering::Relaxed) {
            return None;
        }
        self.work.get(self.next.fetch_add(1, Ordering::Relaxed))
    }
}

fn start_clock(barrier: &Barrier, started: &Mutex<Option<Instant>>) {
    if barrier.wait().is_leader()
        && let Ok(mut started) = started.lock()
    {
        *started = Some(Instant::now());
    }
}

#[expect(clippy::too_many_arguments, reason = "a thread's entry point")]
fn fused(
    job: &Job<'_>,
    index: u32,
    sessions: u32,
    threads: u32,
    batch: u32,
    barrier: &Barrier,
    started: &Mutex<Option<Instant>>,
    done: &Sender<Result<UnitDone, RunError>>,
) {
    let opened = open_warm(job, index, sessions, threads, batch);
    start_clock(barrier, started);
    let (mut loader, mut runner) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            let _ = done.send(Err(error));
            return;
        }
    };
    while let Some(unit) = job.take() {
        let loaded = loader.load(job.dataset, unit);
        let result = runner.run(loaded, unit, QueryToken(unit.first as u64));
        let failed = result.is_err();
        if done
            .send(result.map(|(unit, set)| {
                loader.give_back(set);
                unit
            }))
            .is_err()
            || failed
        {
            return;
        }
    }
}

/// Opens a session, runs it once on zeros (engines allocate and compile late), and says what runs.
fn open_warm(job: &Job<'_>, index: u32, sessions: u32, threads: u32, batch: u32) -> Result<(Loader, Runner), RunError> {
    let pipeline = open::pipeline(job.plan, job.tables, threads, batch, ThresholdSet::Evaluate)?;
    if index == 0 {
        let execution = open::execution(pipeline.session.facts(), sessions, job.plan.spec.execution.precision);
        (job.sink)(Event::Opened { execution });
    }
    let (mut loader, mut runner) = (Loader::new(pipeline.preparer, job.plan)?, Runner::new(pipeline.session, pipeline.decoder, pipeline.outputs));
    runner.warm_up(&mut loader)?;
    Ok((loader, runner))
}

type Loaded = (usize, unit::LoadedUnit);

#[expect(clippy::too_many_arguments, reason = "a thread's entry point")]
fn serve(
    job: &Job<'_>,
    index: u32,
    sessions: u32,
    threads: u32,
    batch: u32,
    barrier: &Barrier,
    started: &Mutex<Option<Instant>>,
    io: &Mutex<Option<IoSpec>>,
    queued: &Receiver<Loaded>,
    done: &Sender<Result<UnitDone, RunError>>,
) {
    let opened = open_warm(job, index, sessions, threads, batch);
    if let (Ok((_, runner)), Ok(mut io)) = (&opened, io.lock()) {
        io.get_or_insert_with(|| runner.io().clone());
    }
    start_clock(barrier, started);
    let mut runner = match opened {
        Ok((_, runner)) => runner,
        Err(error) => {
            let _ = done.send(Err(error));
            return;
        }
    };
    for (at, loaded) in queued {
        let Some(unit) = job.work.get(at) else { continue };
        let result = runner.run(loaded, unit, QueryToken(unit.first as u64));
        let failed = result.is_err();
        if done.send(result.map(|(unit, _)| unit)).is_err() || failed {
            return;
        }
    }
}

fn feed(job: &Job<'_>, batch: u32, barrier: &Barrier, io: &Mutex<Option<IoSpec>>, queue: &Sender<Loaded>, done: &Sender<Result<UnitDone, RunError>>) {
    barrier.wait();
    // No session could be opened: whoever failed has said so.
    let Some(io) = io.lock().ok().and_then(|io| io.clone()) else { return };
    let loader = crate::prepare::Preparer::new(&job.plan.spec.model.inputs, &io, batch).and_then(|p| Loader::new(p, job.plan));
    let mut loader = match loader {
        Ok(loader) => loader,
        Err(error) => {
            let _ = done.send(Err(error));
            return;
        }
    };
    while !job.stop.load(Ordering::Relaxed) {
        let at = job.next.fetch_add(1, Ordering::Relaxed);
        let Some(unit) = job.work.get(at) else { return };
        let loaded = loader.load(job.dataset, unit);
        if queue.send((at, loaded)).is_err() {
            return;
        }
    }
}
