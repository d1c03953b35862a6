//! The performance half of a run: samples prepared beforehand, queries issued by the load
//! generator.

mod target;

use crate::{error::RunError, open, prepare::chain, tables::Tables};
use dyno_core::{
    Artifact, BoundNs, Dataset, Event, LatencyNs, Measurement, MeasurementKind, MemoryBytes,
    PerformancePlan, PerformanceResult, Plan, Scenario, StageNs, ThresholdSet, Timed, Validity,
    ValidityCode, Warning, WarningCode,
};
use dyno_evidence::RunFolder;
use dyno_load::{Code, LoadError, MonotonicClock, Outcome, Phase, Progress, Settings, Target};
use dyno_stats::{ESTIMATOR, UNSTEADY_SPREAD};
use std::{
    sync::{Arc, atomic::AtomicBool},
    time::{Duration, Instant},
};
use target::{Inline, Pool, Slot, library, stage};

/// Windows that a run is cut into to see whether it was steady.
const WINDOWS: u32 = 3;
/// How often an unsteady measurement is made anew before it is given out as it is. perf_analyzer
/// tries ten windows; what counts is that the number of attempts stands in the record, and that the
/// last one is given out, not the best.
const TRIALS: u32 = 3;
/// A query that takes longer means that the engine hangs.
const QUERY_TIMEOUT: Duration = Duration::from_mins(10);

/// Runs one measurement of the plan. `None` when it was interrupted before anything was measured.
///
/// # Errors
/// When the model cannot be opened, no sample can be prepared, or no query succeeds.
#[expect(
    clippy::too_many_arguments,
    reason = "what a worker has, handed through"
)]
pub(crate) fn run(
    plan: &Plan,
    performance: &PerformancePlan,
    number: u32,
    tables: &Tables,
    dataset: &dyn Dataset,
    folder: &RunFolder,
    sink: &(dyn Fn(Event) + Sync),
    stop: &AtomicBool,
) -> Result<Option<PerformanceResult>, RunError> {
    let set = ThresholdSet::Deploy;
    let slots = if performance.scenario == Scenario::SingleStream {
        1
    } else {
        performance.slots.max(1)
    };
    let batch = performance.batch.max(1);
    // Without it the mark would be that of the accuracy run before, so there is no figure then.
    let peak_is_ours = dyno_machine::reset_peak();
    let start = Instant::now();
    let mut first = open::pipeline(plan, tables, performance.threads, batch, set)?;
    let load_ns = start.elapsed().as_nanos() as u64;
    let execution = open::execution(first.session.facts(), slots, plan.spec.execution.precision);
    let samples = &plan.bindings.sample_set.samples;
    let entries = Arc::new(library(
        dataset,
        samples,
        performance.library_size,
        batch,
        performance.timed,
        &mut first.preparer,
    )?);
    let mut slots_open = vec![Slot::new(first, Arc::clone(&entries), performance.timed)?];
    for _ in 1..slots {
        let pipeline = open::pipeline(plan, tables, performance.threads, batch, set)?;
        slots_open.push(Slot::new(
            pipeline,
            Arc::clone(&entries),
            performance.timed,
        )?);
    }
    let mut target: Box<dyn Target> = if slots == 1 {
        Box::new(Inline::new(slots_open.remove(0)))
    } else {
        Box::new(Pool::new(slots_open)?)
    };
    let settings = Settings {
        scenario: match performance.scenario {
            Scenario::SingleStream => dyno_load::Scenario::SingleStream,
            Scenario::Offline => dyno_load::Scenario::Offline,
        },
        warmup_queries: performance.warmup_queries,
        min_queries: performance.min_queries,
        min_duration: Duration::from_nanos(performance.min_duration_ns),
        max_duration: Duration::from_nanos(performance.max_duration_ns),
        library_size: entries.len() as u32,
        batch,
        seed: performance.seed,
        windows: WINDOWS,
        max_window_spread: UNSTEADY_SPREAD,
        query_timeout: QUERY_TIMEOUT,
    };
    let warn = |detail: String| {
        sink(Event::Warned(Warning {
            code: WarningCode::Engine,
            detail,
        }))
    };
    let Some((outcome, trials, first_ns)) =
        steady(|| attempt(&settings, target.as_mut(), stop, sink), &warn)?
    else {
        return Ok(None);
    };
    if outcome.failed > 0 {
        let first = outcome
            .first_failure
            .as_deref()
            .unwrap_or("nobody said why");
        warn(format!(
            "performance measurement {number}: {} of {} queries failed, the first: {first}",
            outcome.failed,
            outcome.failed + outcome.completed
        ));
    }
    let memory = MemoryBytes {
        peak: peak_is_ours.then(dyno_machine::peak_memory_bytes).flatten(),
        steady: dyno_machine::current_memory_bytes(),
    };
    result(
        plan,
        performance,
        number,
        execution,
        &outcome,
        (load_ns, first_ns),
        trials,
        memory,
        folder,
    )
    .map(Some)
}

/// Measures until it was steady or tried often enough: the last outcome, the number of outcomes,
/// and the time of the very first query. A later trial that is interrupted or fails does not take
/// away what an earlier one measured; `None` when there is nothing but an interruption.
fn steady(
    mut attempt: impl FnMut() -> Result<Outcome, LoadError>,
    warn: &dyn Fn(String),
) -> Result<Option<(Outcome, u32, u64)>, RunError> {
    let mut best: Option<(Outcome, u32, u64)> = None;
    loop {
        best = match (attempt(), best) {
            (Err(LoadError::Interrupted), earlier) => return Ok(earlier),
            (Err(error), None) => return Err(RunError::Load(chain(&error))),
            (Err(error), Some(earlier)) => {
                warn(format!(
                    "trial {} of an unsteady measurement failed, the one before it is given: {}",
                    earlier.1 + 1,
                    chain(&error)
                ));
                return Ok(Some(earlier));
            }
            (Ok(outcome), Some(earlier)) if outcome.partial() => return Ok(Some(earlier)),
            (Ok(outcome), earlier) => {
                let (trials, first_ns) = earlier
                    .map_or((1, outcome.first_query_ns), |(_, trials, first_ns)| {
                        (trials + 1, first_ns)
                    });
                if outcome.codes != [Code::Unsteady] || trials == TRIALS {
                    return Ok(Some((outcome, trials, first_ns)));
                }
                Some((outcome, trials, first_ns))
            }
        };
    }
}

fn attempt(
    settings: &Settings,
    target: &mut dyn Target,
    stop: &AtomicBool,
    sink: &(dyn Fn(Event) + Sync),
) -> Result<Outcome, LoadError> {
    let mut progress = |p: Progress| {
        let stage = if p.phase == Phase::WarmUp {
            "warm-up"
        } else {
            "performance"
        };
        sink(Event::Progress {
            stage: stage.to_owned(),
            done: u64::from(p.per_mille),
            total: 1000,
        });
    };
    dyno_load::run(settings, target, &MonotonicClock, stop, &mut progress)
}

fn code(code: Code) -> ValidityCode {
    match code {
        Code::TooFewQueries => ValidityCode::TooFewQueries,
        Code::TooShort => ValidityCode::TooShort,
        Code::Unsteady => ValidityCode::Unsteady,
        Code::Partial => ValidityCode::Partial,
        Code::QueryFailed => ValidityCode::QueryFailed,
    }
}

#[expect(clippy::too_many_arguments, reason = "the parts of one measurement")]
fn result(
    plan: &Plan,
    performance: &PerformancePlan,
    number: u32,
    execution: dyno_core::Execution,
    outcome: &Outcome,
    (load_ns, first_ns): (u64, u64),
    trials: u32,
    memory_bytes: MemoryBytes,
    folder: &RunFolder,
) -> Result<PerformanceResult, RunError> {
    let histogram = outcome
        .histogram_base64()
        .map_err(|e| RunError::Load(chain(&e)))?;
    let histogram = folder.put("histogram", "hdr", histogram.as_bytes())?;
    let raw = serde_json::to_vec(&outcome.latencies_ns).map_err(dyno_core::CanonicalError::from)?;
    let raw = folder.put("latencies", "json", &raw)?;
    let artifacts: Vec<Artifact> = vec![histogram.clone(), raw.clone()];
    let summary = &outcome.summary;
    let stage = |at: usize| summary.stages.get(at).copied().flatten();
    let end_to_end = performance.timed == Timed::EndToEnd;
    let (latency, bound) = (&summary.latency, &summary.bound);
    let kind = MeasurementKind::Performance {
        scenario: performance.scenario,
        timed: performance.timed,
        threshold_set: ThresholdSet::Deploy,
        thresholds: open::thresholds(plan, ThresholdSet::Deploy),
        sample_set: plan.bindings.sample_set.id.clone(),
        n: outcome.completed,
        estimator: ESTIMATOR.to_owned(),
        latency_ns: LatencyNs {
            min: latency.min,
            mean: latency.mean,
            p50: latency.p50,
            p90: latency.p90,
            p99: latency.p99,
            max: latency.max,
        },
        bound_ns: BoundNs {
            p90: bound.p90,
            p99: bound.p99,
        },
        throughput_per_s: outcome.throughput_per_s,
        // The time that the throughput is over.
        duration_ns: outcome.duration_ns.saturating_sub(outcome.progress_ns),
        slots: outcome.slots as u32,
        stages_ns: StageNs {
            decode_image: stage(stage::DECODE_IMAGE).filter(|_| end_to_end),
            preprocess: stage(stage::PREPROCESS).filter(|_| end_to_end),
            host_to_device: stage(stage::HOST_TO_DEVICE).unwrap_or_default(),
            engine: stage(stage::ENGINE).unwrap_or_default(),
            device_to_host: stage(stage::DEVICE_TO_HOST).unwrap_or_default(),
            decode_outputs: stage(stage::DECODE_OUTPUTS),
        },
        load_ns,
        first_ns,
        memory_bytes,
        window_spread: summary.window_spread,
        trials,
        outliers: summary.outliers,
        histogram: Some(histogram.sha256),
        raw: Some(raw.sha256),
    };
    let validity = Validity::from_codes(outcome.codes.iter().map(|c| code(*c)).collect());
    Ok(PerformanceResult {
        number,
        measurement: Measurement {
            execution,
            kind,
            validity,
        },
        artifacts,
    })
}

#[cfg(test)]
mod tests;
