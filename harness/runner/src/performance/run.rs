//! One performance measurement of the plan, from opening the model to its trials.

use super::{
    compare::Comparison,
    disturbance::disturbed,
    expected::expected,
    library,
    result::{self, Finished},
    trials::{self, Trial},
    work::{EndToEnd, Shared, SlotWork},
};
use crate::{
    accuracy::Measured,
    context::{Context, now_utc},
    error::RunError,
    open,
    prepare::{Preparer, orientation},
};
use dyno_core::{
    Event, Execution, MemoryBytes, Model, PerformanceDone, PerformancePlan, SampleFailure,
    ScenarioName, ThresholdSet, Timed, WarningCode,
};
use dyno_load::{
    Controls, Edge, Heartbeat, LoadError, MonotonicClock, Phase, Progress, Scenario, Settings,
};
use dyno_machine::{Sensors, Snapshot};
use dyno_stats::UNSTEADY_SPREAD;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

/// Windows that a run is cut into to see whether it was steady.
const WINDOWS: u32 = 3;

/// Runs measurement `number` of the plan. `measured` is what the accuracy half of the same plan did.
/// `None` when it was interrupted before anything was measured.
///
/// # Errors
/// When the model cannot be opened, a thread cannot be made, no sample can be prepared, the bytes
/// of one are not those of the plan, no query succeeds, or a query is overdue.
pub(crate) fn run(
    context: &Context<'_>,
    number: u32,
    plan: &PerformancePlan,
    measured: Option<&Measured>,
) -> Result<Option<PerformanceDone>, RunError> {
    let scenario = scenario(plan.scenario)?;
    let slots = match scenario {
        Scenario::SingleStream => 1,
        Scenario::Offline => plan.slots.max(1),
    };
    let batch = plan.batch.max(1);
    // Without it the mark would be that of the accuracy run before, so there is no figure then.
    let peak_is_ours = dyno_machine::reset_peak();
    let start = Instant::now();
    let how = open::Open {
        threads: plan.threads,
        batch,
        slots,
    };
    let opened = open::model(context, how)?;
    let load_ns = start.elapsed().as_nanos() as u64;
    let model = opened.model;
    let requested = context.plan.spec.execution.precision;
    let execution = Execution::new(model.facts(), slots, requested, opened.import);
    let new_preparer = || {
        Preparer::new(
            &context.plan.spec.model.inputs,
            model.io(),
            batch,
            orientation(context.dataset),
        )
    };
    let library = library::load(context, plan, model.as_ref(), &new_preparer)?;
    tell_failures(context, &library.failures);
    let shared = Arc::new(shared(context, plan, model.as_ref(), library, measured)?);
    let mut works = Vec::with_capacity(slots as usize);
    for _ in 0..slots {
        works.push(work(context, plan, model.as_ref(), &shared, &new_preparer)?);
    }
    let in_hand: Vec<Arc<AtomicU32>> = works.iter().map(|w| Arc::clone(&w.in_hand)).collect();
    let settings = settings(context, plan, scenario, &shared);
    let heartbeat = Heartbeat::default();
    let names = Arc::clone(&shared);
    let watched = context.watchdog.load(heartbeat.clone(), move |query| {
        let entry = in_hand.get(query.slot).map(|e| e.load(Ordering::Relaxed));
        format!(
            "in query {} of performance measurement {number}, with {}",
            query.query,
            entry.map_or_else(String::new, |e| names.names(e))
        )
    });
    let trials = trials::measure(|| attempt(context, &settings, &mut works, &heartbeat));
    drop(watched);
    // With several slots the load generator notices as well, but knows no sample.
    if let Some(overdue) = context.watchdog.late() {
        return Err(overdue.into());
    }
    let Some(trials) = trials? else {
        return Ok(None);
    };
    let memory = MemoryBytes {
        peak: peak_is_ours.then(dyno_machine::peak_memory_bytes).flatten(),
        steady: dyno_machine::current_memory_bytes(),
    };
    drop(works);
    let finished = Finished {
        number,
        execution,
        shared: &shared,
        trials,
        load_ns,
        memory,
    };
    result::done(context, plan, finished).map(Some)
}

fn scenario(name: ScenarioName) -> Result<Scenario, RunError> {
    match name {
        ScenarioName::SingleStream => Ok(Scenario::SingleStream),
        ScenarioName::Offline => Ok(Scenario::Offline),
        ScenarioName::MultiStream | ScenarioName::Server | ScenarioName::Unknown => Err(
            RunError::Plan(format!("scenario `{name}` cannot be measured")),
        ),
    }
}

/// Where there is an accuracy half, it has told of them already.
fn tell_failures(context: &Context<'_>, failures: &[SampleFailure]) {
    if context.plan.spec.accuracy.is_none() {
        for failure in failures {
            (context.sink)(Event::SampleFailed(failure.clone()));
        }
    }
}

fn shared(
    context: &Context<'_>,
    plan: &PerformancePlan,
    model: &dyn Model,
    library: library::Library,
    measured: Option<&Measured>,
) -> Result<Shared, RunError> {
    let samples = crate::sample::Samples::new(context.plan, context.dataset);
    let positions: std::collections::BTreeSet<usize> = library
        .entries
        .iter()
        .flat_map(|e| e.positions.iter().copied())
        .collect();
    let comparison = match (measured, &context.plan.spec.accuracy) {
        (Some(measured), Some(accuracy)) => {
            let threads = context.plan.bindings.division.threads();
            let same = (threads, accuracy.batch.max(1)) == (plan.threads, plan.batch.max(1));
            let expected = expected(context, measured, &positions, same)?;
            let (seed, warmup) = (plan.seed, plan.warmup_queries);
            Some(Comparison::new(expected, seed, warmup))
        }
        _ => None,
    };
    Ok(Shared {
        library,
        timed: plan.timed,
        batch: plan.batch.max(1) as usize,
        outputs: model.io().outputs.clone(),
        ids: positions.iter().map(|at| (*at, samples.id(*at))).collect(),
        comparison,
    })
}

fn work(
    context: &Context<'_>,
    plan: &PerformancePlan,
    model: &dyn Model,
    shared: &Arc<Shared>,
    new_preparer: &dyn Fn() -> Result<Preparer, RunError>,
) -> Result<SlotWork, RunError> {
    let preparer = new_preparer()?;
    let size = preparer.network_size();
    let decoder = |set| open::decoder(context, model.io(), size, set);
    let slot = context.engine(|| "while it made a slot".to_owned(), || Ok(model.slot()?))?;
    let (deploy, evaluate) = (
        decoder(ThresholdSet::Deploy)?,
        decoder(ThresholdSet::Evaluate)?,
    );
    let end_to_end = if plan.timed == Timed::EndToEnd {
        let set = context.engine(
            || "while it gave memory for tensors".to_owned(),
            || preparer.new_set(model),
        )?;
        Some(EndToEnd {
            preparer,
            set,
            geometries: Vec::with_capacity(shared.batch),
        })
    } else {
        None
    };
    Ok(SlotWork {
        shared: Arc::clone(shared),
        slot,
        decoder: deploy,
        evaluate,
        end_to_end,
        predictions: Vec::new(),
        in_hand: Arc::new(AtomicU32::new(0)),
    })
}

fn settings(
    context: &Context<'_>,
    plan: &PerformancePlan,
    scenario: Scenario,
    shared: &Shared,
) -> Settings {
    Settings {
        scenario,
        warmup_queries: plan.warmup_queries,
        min_queries: plan.min_queries,
        min_duration: Duration::from_nanos(plan.min_duration_ns),
        max_duration: Duration::from_nanos(plan.max_duration_ns),
        library_size: shared.library.entries.len() as u32,
        batch: shared.batch as u32,
        seed: plan.seed,
        windows: WINDOWS,
        max_window_spread: UNSTEADY_SPREAD,
        query_timeout: context.watchdog.limit(),
        stack_bytes: dyno_load::STACK_BYTES,
    }
}

/// One trial, with what went on in its window.
fn attempt(
    context: &Context<'_>,
    settings: &Settings,
    works: &mut Vec<SlotWork>,
    heartbeat: &Heartbeat,
) -> Result<Trial, LoadError> {
    let started_utc = now_utc();
    let mut sensors = Sensors::find();
    let mut edges = [Snapshot::default(), Snapshot::default()];
    let outcome = {
        let progress = |p: Progress| {
            let stage = if p.phase == Phase::WarmUp {
                "warm-up"
            } else {
                "performance"
            };
            (context.sink)(Event::Progress {
                stage: stage.to_owned(),
                done: u64::from(p.per_mille),
                total: 1000,
            });
        };
        let window = |edge| match edge {
            Edge::Start => {
                sensors.start();
                edges[0] = Snapshot::take();
            }
            Edge::End => {
                edges[1] = Snapshot::take();
                sensors.end();
            }
        };
        let mut controls = Controls::new(context.stop)
            .on_progress(progress)
            .on_window(window)
            .heartbeat(heartbeat.clone());
        dyno_load::run(settings, works, &MonotonicClock, &mut controls)?
    };
    let [start, end] = &edges;
    let watched = start.until(end, outcome.duration_ns);
    Ok(Trial {
        disturbed: disturbed(&watched, dyno_machine::cores()),
        outcome,
        watched,
        sensors: sensors.record(),
        started_utc,
    })
}

/// Tells a warning about a measurement.
pub(super) fn warn(context: &Context<'_>, code: WarningCode, detail: String) {
    (context.sink)(Event::Warned(dyno_core::Warning { code, detail }));
}
