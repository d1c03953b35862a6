//! The accuracy half of a run: every sample through the pipeline once, shard by shard.
//!
//! Two divisions of the machine ([`dyno_core::Pipeline`]). *Fused*: every thread owns a session and
//! takes samples all the way; for an engine that runs on the CPU there is nothing to overlap with,
//! so the fewest hand-overs win. *Staged*: preparing threads feed sessions through a bounded queue;
//! for an engine whose device is elsewhere, preparation hides behind it.

mod shards;
mod unit;

use crate::{error::RunError, guard::guarded, open, results::Times, tables::Tables};
use crossbeam_channel::{Receiver, Sender, bounded};
use dyno_core::{Dataset, Event, IoSpec, Pipeline as Division, Plan, QueryToken, ThresholdSet};
use dyno_evidence::RunFolder;
use shards::ShardWriter;
use std::{
    sync::{
        Arc, Barrier, Mutex, OnceLock,
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
/// When the model cannot be opened or a file of the run cannot be written. Samples that fail are
/// events.
pub(crate) fn run(
    plan: &Plan,
    tables: &Tables,
    dataset: &dyn Dataset,
    folder: &RunFolder,
    sink: &(dyn Fn(Event) + Sync),
    stop: &AtomicBool,
) -> Result<(), RunError> {
    let Some(accuracy) = &plan.spec.accuracy else {
        return Ok(());
    };
    let engine = OnceLock::new();
    let probe = || {
        let threads = match accuracy.pipeline {
            Division::Fused { threads, .. } | Division::Staged { threads, .. } => threads,
        };
        Ok(shards::executed_by(
            &open::pipeline(
                plan,
                tables,
                threads,
                accuracy.batch,
                ThresholdSet::Evaluate,
            )?
            .session
            .facts(),
        ))
    };
    let mut writer = ShardWriter::new(plan, accuracy, folder, &engine, probe)?;
    let work = units(
        plan,
        accuracy.batch.max(1) as usize,
        accuracy.shard_size.max(1) as usize,
        |shard| writer.is_done(shard),
    );
    writer.announce(sink);
    let next = AtomicUsize::new(0);
    // Not `stop`: that is the user's, and lives longer than this run.
    let failed = AtomicBool::new(false);
    let job = Job {
        plan,
        tables,
        dataset,
        work: &work,
        next: &next,
        stop,
        failed: &failed,
        engine: &engine,
        sink,
    };
    let (done, finished) = bounded::<Result<UnitDone, RunError>>(64);
    let started: Mutex<Option<Instant>> = Mutex::new(None);
    let mut times = Times::default();
    let mut end = Instant::now();
    let failure = std::thread::scope(|scope| {
        match accuracy.pipeline {
            Division::Fused { workers, threads } => {
                let workers = workers.clamp(1, work.len().max(1) as u32);
                let barrier = Arc::new(Barrier::new(workers as usize));
                for index in 0..workers {
                    let (job, done, barrier, started) =
                        (&job, done.clone(), Arc::clone(&barrier), &started);
                    scope.spawn(move || {
                        fused(
                            job,
                            index,
                            workers,
                            threads,
                            accuracy.batch,
                            &barrier,
                            started,
                            &done,
                        )
                    });
                }
            }
            Division::Staged {
                preparing,
                sessions,
                threads,
            } => {
                let sessions = sessions.max(1);
                let (queue, queued) = bounded(2 * sessions as usize);
                let io: Arc<Mutex<Option<IoSpec>>> = Arc::new(Mutex::new(None));
                let barrier = Arc::new(Barrier::new((sessions + preparing.max(1)) as usize));
                for index in 0..sessions {
                    let (job, done, barrier, started, queued, io) = (
                        &job,
                        done.clone(),
                        Arc::clone(&barrier),
                        &started,
                        queued.clone(),
                        Arc::clone(&io),
                    );
                    scope.spawn(move || {
                        serve(
                            job,
                            index,
                            sessions,
                            threads,
                            accuracy.batch,
                            &barrier,
                            started,
                            &io,
                            &queued,
                            &done,
                        )
                    });
                }
                for index in 0..preparing.max(1) {
                    let (job, done, barrier, queue, io) = (
                        &job,
                        done.clone(),
                        Arc::clone(&barrier),
                        queue.clone(),
                        Arc::clone(&io),
                    );
                    scope.spawn(move || {
                        feed(
                            job,
                            sessions + index,
                            accuracy.batch,
                            &barrier,
                            &io,
                            &queue,
                            &done,
                        )
                    });
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
                failed.store(true, Ordering::Relaxed);
                failure = Some(error);
            }
        }
        failure
    });
    // What was measured before a failure is told all the same; the failure is the error that
    // counts.
    let finished = writer.finish(sink);
    let wall = started
        .lock()
        .ok()
        .and_then(|s| *s)
        .map_or(0, |s| (end.max(s) - s).as_nanos() as u64);
    sink(Event::AccuracyDone {
        wall_ns: wall,
        engine_ns: times.engine_ns,
        host_ns: times.host_ns,
    });
    failure.map_or(finished, Err)
}

/// What every thread of the run shares.
struct Job<'a> {
    plan: &'a Plan,
    tables: &'a Tables,
    dataset: &'a dyn Dataset,
    work: &'a [Unit],
    next: &'a AtomicUsize,
    /// The user asks for the end.
    stop: &'a AtomicBool,
    /// A thread has failed.
    failed: &'a AtomicBool,
    /// What runs, once it is open.
    engine: &'a OnceLock<String>,
    sink: &'a (dyn Fn(Event) + Sync),
}

impl Job<'_> {
    /// The next unit and its position.
    fn take(&self) -> Option<(usize, &Unit)> {
        if self.stop.load(Ordering::Relaxed) || self.failed.load(Ordering::Relaxed) {
            return None;
        }
        let at = self.next.fetch_add(1, Ordering::Relaxed);
        Some((at, self.work.get(at)?))
    }

    fn ids(&self, unit: &Unit) -> Vec<String> {
        unit.samples
            .iter()
            .filter_map(|i| self.dataset.entries().get(i.index()))
            .map(|e| e.id.clone())
            .collect()
    }

    /// Works on a unit in thread `worker`, having said so.
    fn at_work<T>(
        &self,
        worker: u32,
        unit: &Unit,
        part: impl FnOnce() -> Result<T, RunError>,
    ) -> Result<T, RunError> {
        (self.sink)(Event::Working {
            worker,
            ids: self.ids(unit),
        });
        guarded(
            || format!("while it worked on `{}`", self.ids(unit).join("`, `")),
            part,
        )
    }

    fn idle(&self, worker: u32) {
        (self.sink)(Event::Working {
            worker,
            ids: Vec::new(),
        });
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
    while let Some((_, unit)) = job.take() {
        let result = job.at_work(index, unit, || {
            let loaded = loader.load(job.dataset, unit);
            let (unit, set) = runner.run(loaded, unit, QueryToken(unit.first as u64))?;
            loader.give_back(set);
            Ok(unit)
        });
        let failed = result.is_err();
        if done.send(result).is_err() || failed {
            return;
        }
    }
    job.idle(index);
}

/// [`open_warm_unguarded`], whose panic must not leave the others waiting at the barrier.
fn open_warm(
    job: &Job<'_>,
    index: u32,
    sessions: u32,
    threads: u32,
    batch: u32,
) -> Result<(Loader, Runner), RunError> {
    guarded(
        || "while it opened the model".to_owned(),
        || open_warm_unguarded(job, index, sessions, threads, batch),
    )
}

/// Opens a session, runs it once on zeros (engines allocate and compile late), and says what runs.
fn open_warm_unguarded(
    job: &Job<'_>,
    index: u32,
    sessions: u32,
    threads: u32,
    batch: u32,
) -> Result<(Loader, Runner), RunError> {
    let pipeline = open::pipeline(job.plan, job.tables, threads, batch, ThresholdSet::Evaluate)?;
    let facts = pipeline.session.facts();
    job.engine.get_or_init(|| shards::executed_by(&facts));
    if index == 0 {
        let execution = open::execution(facts, sessions, job.plan.spec.execution.precision);
        (job.sink)(Event::Opened { execution });
    }
    let (mut loader, mut runner) = (
        Loader::new(pipeline.preparer, job.plan)?,
        Runner::new(pipeline.session, pipeline.decoder, pipeline.outputs),
    );
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
        let Some(unit) = job.work.get(at) else {
            continue;
        };
        let result = job.at_work(index, unit, || {
            runner.run(loaded, unit, QueryToken(unit.first as u64))
        });
        let failed = result.is_err();
        if done.send(result.map(|(unit, _)| unit)).is_err() || failed {
            return;
        }
        job.idle(index);
    }
}

fn feed(
    job: &Job<'_>,
    index: u32,
    batch: u32,
    barrier: &Barrier,
    io: &Mutex<Option<IoSpec>>,
    queue: &Sender<Loaded>,
    done: &Sender<Result<UnitDone, RunError>>,
) {
    barrier.wait();
    // No session could be opened: whoever failed has said so.
    let Some(io) = io.lock().ok().and_then(|io| io.clone()) else {
        return;
    };
    let loader = || {
        crate::prepare::Preparer::new(&job.plan.spec.model.inputs, &io, batch)
            .and_then(|p| Loader::new(p, job.plan))
    };
    let mut loader = match guarded(|| "while it made the preprocessing".to_owned(), loader) {
        Ok(loader) => loader,
        Err(error) => {
            let _ = done.send(Err(error));
            return;
        }
    };
    while let Some((at, unit)) = job.take() {
        match job.at_work(index, unit, || Ok(loader.load(job.dataset, unit))) {
            Ok(loaded) => {
                job.idle(index);
                if queue.send((at, loaded)).is_err() {
                    return;
                }
            }
            Err(error) => {
                let _ = done.send(Err(error));
                return;
            }
        }
    }
}
