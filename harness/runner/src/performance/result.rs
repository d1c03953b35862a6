//! The numbers of a measurement as the record has them.

use super::{
    compare::Comparison,
    disturbance::foreign,
    run::warn,
    trials::{Trial, Trials},
    work::{STAGES, Shared},
};
use crate::{context::Context, error::RunError, open, prepare::chain};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use dyno_core::{
    Artifact, Execution, LatencyNs, Measurement, MeasurementResult, MemoryBytes, Percentile,
    PerformanceDone, PerformancePlan, PerformanceResult, Scenario, Series, Stage, ThresholdSet,
    Validity, ValidityCode, WarningCode,
};
use dyno_load::Outcome;
use dyno_stats::ESTIMATOR;
use hdrhistogram::{
    Histogram,
    serialization::{Serializer, V2DeflateSerializer},
};

/// Longest histogram that a record holds: a record of several measurements has 64 kB.
const HISTOGRAM_BYTES: usize = 8 << 10;

/// A measurement that has run.
pub(super) struct Finished<'a> {
    pub(super) number: u32,
    pub(super) execution: Execution,
    pub(super) shared: &'a Shared,
    pub(super) trials: Trials,
    pub(super) load_ns: u64,
    pub(super) memory: MemoryBytes,
}

/// Writes raw latencies and says what was measured.
///
/// # Errors
/// When a file cannot be written.
pub(super) fn done(
    context: &Context<'_>,
    plan: &PerformancePlan,
    finished: Finished<'_>,
) -> Result<PerformanceDone, RunError> {
    let Finished {
        number,
        execution,
        shared,
        trials,
        load_ns,
        memory,
    } = finished;
    let library = &shared.library;
    let mut artifacts = Vec::with_capacity(trials.all.len());
    let mut told = Vec::with_capacity(trials.all.len());
    for trial in &trials.all {
        let raw = serde_json::to_vec(&trial.outcome.latencies_ns)
            .map_err(dyno_core::CanonicalError::from)?;
        let raw = context.folder.put("latencies", "json", &raw)?;
        told.push(of_trial(trial, &raw));
        artifacts.push(raw);
    }
    let at = trials.chosen();
    let (Some(chosen), Some(first)) = (trials.all.get(at), trials.all.first()) else {
        return Err(RunError::Internal(
            "a measurement without trials".to_owned(),
        ));
    };
    warnings(context, number, &trials, chosen);
    let mut codes = chosen.codes();
    if library.failures.len() > plan.max_errors as usize {
        codes.push(ValidityCode::TooManyErrors);
    }
    if let Some(words) = shared.comparison.as_ref().and_then(Comparison::differences) {
        codes.push(ValidityCode::OutputsDiffer);
        warn(
            context,
            WarningCode::Engine,
            format!("performance measurement {number}: {words}"),
        );
    }
    let outcome = &chosen.outcome;
    let summary = &outcome.summary;
    let sample_set = context.plan.bindings.sample_set.id.clone();
    let (threshold_set, thresholds) = match open::thresholds(context.plan, ThresholdSet::Deploy) {
        Some(thresholds) => (Some(ThresholdSet::Deploy), Some(thresholds)),
        None => (None, None),
    };
    let series = Series::performance(
        &context.plan.spec.model,
        &execution,
        thresholds,
        &sample_set,
        context.machine,
        plan,
    );
    let result = PerformanceResult {
        scenario: Scenario {
            name: plan.scenario,
            rate_per_s: None,
            bound_ns: None,
            samples_per_query: shared.batch as u32,
        },
        timed: plan.timed,
        profile: plan.profile.clone(),
        sample_set,
        library_count: library.count,
        library_sha256: library.sha256.clone(),
        failed: library.failures.len() as u64,
        n: outcome.completed,
        estimator: ESTIMATOR.to_owned(),
        latency_ns: latency(outcome),
        percentiles: percentiles(outcome),
        stages: stages(outcome),
        throughput_per_s: outcome.throughput_per_s,
        duration_ns: outcome.duration_ns,
        trials: told,
        trial: at as u32,
        disturbance: Some(chosen.watched.disturbance),
        autocorrelation: summary.autocorrelation,
        effective_n: Some(summary.effective_n),
        load_ns,
        first_ns: first.outcome.first_query_ns,
        memory_bytes: memory,
        window_spread: summary.spread.greatest(),
        outliers: summary.outliers,
        outputs_compared: shared.comparison.as_ref().map(Comparison::compared),
        energy_j: None,
        processes: Vec::new(),
        histogram: histogram(outcome)?,
        raw: told_raw(&artifacts, at),
    };
    let measurement = Measurement {
        subject: 0,
        machines: vec![0],
        started_utc: first.started_utc.clone(),
        // After the accuracy half, where there is one.
        order: number + u32::from(context.plan.spec.accuracy.is_some()),
        execution,
        series_sha256: series.sha256()?,
        series,
        threshold_set,
        thresholds,
        sensors: chosen.sensors.clone(),
        result: MeasurementResult::Performance(Box::new(result)),
        validity: Validity::from_codes(codes),
    };
    Ok(PerformanceDone {
        number,
        measurement,
        artifacts,
        failures: library.failures.clone(),
    })
}

fn told_raw(artifacts: &[Artifact], at: usize) -> Option<String> {
    artifacts.get(at).map(|a| a.sha256.clone())
}

fn warnings(context: &Context<'_>, number: u32, trials: &Trials, chosen: &Trial) {
    if let Some(words) = trials.retried(number) {
        warn(context, WarningCode::Retried, words);
    }
    let outcome = &chosen.outcome;
    if outcome.failed > 0 {
        let first = outcome.first_failure.as_deref();
        let words = format!(
            "performance measurement {number}: {} of {} queries failed, the first: {}",
            outcome.failed,
            outcome.failed + outcome.completed,
            first.unwrap_or("nobody said why")
        );
        warn(context, WarningCode::Engine, words);
    }
    if let Some(words) = foreign(&chosen.watched) {
        let words = format!("performance measurement {number}: {words} while time was taken");
        warn(context, WarningCode::ForeignLoad, words);
    }
}

fn latency(outcome: &Outcome) -> LatencyNs {
    let latency = outcome.summary.latency;
    LatencyNs {
        min: latency.min,
        mean: latency.mean,
        max: latency.max,
    }
}

fn percentiles(outcome: &Outcome) -> Vec<Percentile> {
    let all = outcome.summary.percentiles.iter();
    all.map(|p| Percentile {
        p: p.p,
        ns: p.ns,
        bound_ns: p.bound_ns,
        needs: p.needs,
    })
    .collect()
}

fn stages(outcome: &Outcome) -> Vec<Stage> {
    let known = STAGES.iter().zip(&outcome.summary.stages);
    known
        .filter_map(|(name, stage)| {
            stage.map(|stage| Stage {
                name: (*name).to_owned(),
                p50_ns: stage.p50_ns,
                mean_ns: stage.mean_ns,
            })
        })
        .collect()
}

fn of_trial(trial: &Trial, raw: &Artifact) -> dyno_core::Trial {
    let outcome = &trial.outcome;
    dyno_core::Trial {
        n: outcome.completed,
        duration_ns: outcome.duration_ns,
        throughput_per_s: outcome.throughput_per_s,
        latency_ns: latency(outcome),
        percentiles: percentiles(outcome),
        window_spread: outcome.summary.spread.greatest(),
        disturbance: Some(trial.watched.disturbance),
        codes: trial.codes(),
        raw: Some(raw.sha256.clone()),
    }
}

/// The histogram in base64, with two digits where three take too much room, absent where even those
/// do: the raw latencies are an artifact.
fn histogram(outcome: &Outcome) -> Result<Option<String>, RunError> {
    let words = |e: &dyn std::fmt::Debug| RunError::Load(format!("the histogram: {e:?}"));
    let fine = outcome
        .histogram_base64()
        .map_err(|e| RunError::Load(chain(&e)))?;
    if fine.len() <= HISTOGRAM_BYTES {
        return Ok(Some(fine));
    }
    let mut coarse = Histogram::<u64>::new(2).map_err(|e| words(&e))?;
    for value in outcome.histogram.iter_recorded() {
        coarse
            .record_n(value.value_iterated_to(), value.count_at_value())
            .map_err(|e| words(&e))?;
    }
    let mut bytes = Vec::new();
    V2DeflateSerializer::new()
        .serialize(&coarse, &mut bytes)
        .map_err(|e| words(&e))?;
    let text = STANDARD.encode(bytes);
    Ok((text.len() <= HISTOGRAM_BYTES).then_some(text))
}
