//! From the plan's samples to shards.

use super::{
    shards::ShardWriter,
    threads::{Gate, Role, Word, live},
    unit::{Shared, Unit},
};
use crate::{
    context::Context, error::RunError, guard::guarded, open, performance, results::Times,
    sample::Samples,
};
use crossbeam_channel::{bounded, unbounded};
use dyno_core::{
    Division, Event, Execution, ExecutionFacts, ImportFacts, ShardOrigin, Warning, WarningCode,
};
use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    thread::{Builder, Scope},
    time::Instant,
};

/// Samples of the set whose input tensors are hashed.
pub(crate) const HASHED_SAMPLES: usize = 8;

/// What a run of the accuracy half did.
#[derive(Debug, Clone)]
pub(crate) struct Measured {
    /// Shards that it measured itself, not taken over from an earlier run.
    pub(crate) shards: BTreeSet<u32>,
}

/// Stack of a thread by its number.
type Stack<'s> = &'s dyn Fn(u32) -> usize;

/// Runs what is not yet in the run folder. `None` when the plan has no accuracy half.
///
/// # Errors
/// When the model cannot be opened, a thread cannot be made, the bytes of a sample are not those of
/// the plan, or a file of the run cannot be written. Samples that fail are events.
pub(crate) fn run(context: &Context<'_>) -> Result<Option<Measured>, RunError> {
    run_with(context, &|_| dyno_load::STACK_BYTES)
}

pub(super) fn run_with(
    context: &Context<'_>,
    stack: Stack<'_>,
) -> Result<Option<Measured>, RunError> {
    let plan = context.plan;
    let Some(accuracy) = &plan.spec.accuracy else {
        return Ok(None);
    };
    let division = plan.bindings.division;
    let batch = accuracy.batch.max(1);
    let how = open::Open {
        threads: division.threads(),
        batch,
        slots: division.slots(),
    };
    let opened = open::model(context, how)?;
    let facts = opened.model.facts();
    let origin = origin(&facts, opened.import.as_ref(), context);
    let requested = plan.spec.execution.precision;
    (context.sink)(Event::Opened {
        execution: Execution::new(facts, how.slots, requested, opened.import),
    });
    let mut writer = ShardWriter::new(context, accuracy, origin)?;
    let work = writer.units(batch as usize);
    writer.announce();
    let compared = performance::library_positions(context);
    let shared = Shared {
        context,
        model: opened.model.as_ref(),
        samples: Samples::new(plan, context.dataset),
        batch,
        hashed: 0..HASHED_SAMPLES.min(plan.bindings.sample_set.samples.len()),
        compared: &compared,
        turned: AtomicU64::new(0),
    };
    let job = Job {
        shared: &shared,
        work: &work,
        next: AtomicUsize::new(0),
        failed: AtomicBool::new(false),
    };
    let mut ran = Ran::default();
    // With nothing left to do there is no need of threads.
    let failure = if work.is_empty() {
        None
    } else {
        drive(&job, division, stack, &mut writer, &mut ran).err()
    };
    warn_of_orientation(&shared);
    // What was measured before a failure is told all the same; the failure is the error that
    // counts.
    let finished = writer.finish();
    (context.sink)(Event::AccuracyDone {
        wall_ns: ran.wall_ns,
        engine_ns: ran.times.engine_ns,
        host_ns: ran.times.host_ns,
    });
    failure.map_or(finished, Err)?;
    Ok(Some(Measured {
        shards: work.iter().map(|unit| unit.shard).collect(),
    }))
}

fn warn_of_orientation(shared: &Shared<'_>) {
    let turned = shared.turned.load(Ordering::Relaxed);
    if turned > 0 {
        let detail = format!(
            "{turned} pictures carry an EXIF orientation that was not applied: annotations are taken to refer to stored pixels (`exif=apply` in the data set's request turns them)"
        );
        (shared.context.sink)(Event::Warned(Warning {
            code: WarningCode::Orientation,
            detail,
        }));
    }
}

/// Who measures, as shards name it.
fn origin(
    facts: &ExecutionFacts,
    import: Option<&ImportFacts>,
    context: &Context<'_>,
) -> ShardOrigin {
    ShardOrigin {
        library: facts.library.clone(),
        providers: facts.providers.iter().map(|p| p.name.clone()).collect(),
        precision: facts.precision.clone(),
        import: import.map(|i| format!("{} {} {}", i.id, i.version, i.sha256)),
        tool_commit: context.tool.commit.clone(),
        cpu: context.machine.cpu.clone(),
    }
}

/// What the threads did.
#[derive(Default)]
struct Ran {
    times: Times,
    wall_ns: u64,
}

/// The threads that a division of the machine asks for, at most as many as there is work.
fn roles(division: Division, units: usize) -> Vec<Role> {
    match division {
        Division::Fused { workers, .. } => {
            let workers = (workers.max(1) as usize).min(units);
            (0..workers).map(|_| Role::Fused).collect()
        }
        Division::Staged { preparing, .. } => {
            let slots = (division.slots() as usize).min(units);
            let (queue, queued) = bounded(2 * slots);
            let (give_back, spare) = unbounded();
            let serve = (0..slots).map(|_| Role::Serve(queued.clone(), give_back.clone()));
            let feeders = (preparing.max(1) as usize).min(units);
            let feed = (0..feeders).map(|_| Role::Feed(queue.clone(), spare.clone()));
            serve.chain(feed).collect()
        }
    }
}

/// Makes the threads and gathers what they say.
fn drive(
    job: &Job<'_>,
    division: Division,
    stack: Stack<'_>,
    writer: &mut ShardWriter<'_>,
    ran: &mut Ran,
) -> Result<(), RunError> {
    let gate = Gate::default();
    let (say, words) = bounded::<Word>(64);
    std::thread::scope(|scope| {
        let roles = roles(division, job.work.len());
        let wanted = roles.len() as u32;
        let mut failure = None;
        let mut made = 0;
        for role in roles {
            let (say, gate) = (say.clone(), &gate);
            let number = made;
            let thread = move || live(job, number, role, &say, gate);
            match spawn(scope, number, stack(number), thread) {
                Ok(()) => made += 1,
                Err(source) => {
                    failure = Some(RunError::Threads {
                        made,
                        wanted,
                        source,
                    });
                    break;
                }
            }
        }
        drop(say);
        for _ in 0..made {
            if let Ok(Word::Ready(Err(error))) = words.recv() {
                failure.get_or_insert(error);
            }
        }
        let started = Instant::now();
        gate.open(failure.is_none());
        // Threads block on a full channel, so it is drained to the end whatever happens.
        for word in &words {
            let result = match word {
                Word::Ready(ready) => ready,
                Word::Failed(error) => Err(error),
                Word::Done(_) if failure.is_some() => Ok(()),
                Word::Done(unit) => {
                    ran.wall_ns = started.elapsed().as_nanos() as u64;
                    ran.times.add(&unit.times);
                    writer.add(unit.shard, unit.results)
                }
            };
            if let Err(error) = result {
                job.failed.store(true, Ordering::Relaxed);
                failure.get_or_insert(error);
            }
        }
        failure.map_or(Ok(()), Err)
    })
}

fn spawn<'scope>(
    scope: &'scope Scope<'scope, '_>,
    number: u32,
    stack: usize,
    thread: impl FnOnce() + Send + 'scope,
) -> std::io::Result<()> {
    Builder::new()
        .name(format!("accuracy-{number}"))
        .stack_size(stack)
        .spawn_scoped(scope, thread)
        .map(|_| ())
}

/// What every thread of the run shares.
pub(super) struct Job<'a> {
    pub(super) shared: &'a Shared<'a>,
    pub(super) work: &'a [Unit],
    next: AtomicUsize,
    /// A thread has failed. Not the user's flag, which lives longer than this run.
    failed: AtomicBool,
}

impl Job<'_> {
    /// The next unit and its position.
    pub(super) fn take(&self) -> Option<(usize, &Unit)> {
        if self.shared.context.stopped() || self.failed.load(Ordering::Relaxed) {
            return None;
        }
        let at = self.next.fetch_add(1, Ordering::Relaxed);
        Some((at, self.work.get(at)?))
    }

    fn ids(&self, unit: &Unit) -> Vec<String> {
        let samples = self.shared.samples;
        unit.positions.clone().map(|at| samples.id(at)).collect()
    }

    /// Works on a unit in thread `worker`, having said so.
    pub(super) fn at_work<T>(
        &self,
        worker: u32,
        unit: &Unit,
        part: impl FnOnce() -> Result<T, RunError>,
    ) -> Result<T, RunError> {
        let ids = self.ids(unit);
        (self.shared.context.sink)(Event::Working { worker, ids });
        guarded(
            || format!("while it worked on `{}`", self.ids(unit).join("`, `")),
            part,
        )
    }

    pub(super) fn idle(&self, worker: u32) {
        (self.shared.context.sink)(Event::Working {
            worker,
            ids: Vec::new(),
        });
    }
}
