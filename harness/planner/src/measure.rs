//! What is measured: metrics, the accuracy run and its division of the machine, timed runs.

use crate::{environment::Environment, error::PlanError, profile::Dimensions, request::RunRequest};
use dyno_core::{
    AccuracyPlan, AnnotationKind, DatasetFacts, Division, Named, PerformancePlan, PredictionKind,
    ScenarioName,
};

/// Resamples of the bootstrap: the 2.5 % tails rest on 25 of them at each end.
const RESAMPLES: u32 = 1_000;

/// The accuracy run: the data set's metrics that can judge what the decoder says.
///
/// # Errors
/// When there is none, with what each side knows.
pub(crate) fn accuracy(
    request: &RunRequest,
    environment: &Environment<'_>,
    model: &str,
    predicts: PredictionKind,
    dataset: &DatasetFacts,
) -> Result<AccuracyPlan, PlanError> {
    let speed = "measure speed on it with --only latency";
    if dataset.annotation == AnnotationKind::None {
        return Err(PlanError::usage(
            format!(
                "`{}` has no annotations, so there is no accuracy to measure",
                dataset.name.name
            ),
            speed,
        ));
    }
    let mut metrics = Vec::new();
    for name in &dataset.metrics {
        let metric = environment.tables.metric(name)?;
        if metric.accepts(predicts, dataset.annotation) {
            metrics.push(Named {
                name: name.clone(),
                parameters: serde_json::Value::Null,
            });
        }
    }
    if metrics.is_empty() {
        let says = match predicts {
            PredictionKind::Ranking => "ranks classes",
            PredictionKind::Detections => "gives boxes",
        };
        let knows = match dataset.annotation {
            AnnotationKind::None => "nothing",
            AnnotationKind::Class => "a class a picture",
            AnnotationKind::Objects => "objects with boxes",
        };
        return Err(PlanError::usage(
            format!(
                "no metric of `{}` can judge `{model}`: the model {says}, the data set knows {knows}",
                dataset.name.name
            ),
            format!("`dyno datasets list` names the kinds of data sets; {speed}"),
        ));
    }
    Ok(AccuracyPlan {
        metrics,
        batch: request.batch.max(1),
        shard_size: request.shard_size.max(1),
        resamples: RESAMPLES,
        seed: request.seed,
        max_errors: request.max_errors,
    })
}

/// How the accuracy run divides this machine: slots of one thread beat one slot of many on a CPU.
pub(crate) fn division(request: &RunRequest, cores: u32) -> Division {
    let threads = request.threads.unwrap_or(1).max(1);
    let workers = slots(request, cores, threads);
    if request.preparing > 0 {
        Division::Staged {
            preparing: request.preparing,
            slots: workers,
            threads,
        }
    } else {
        Division::Fused { workers, threads }
    }
}

fn slots(request: &RunRequest, cores: u32, threads: u32) -> u32 {
    let fitting = || cores.checked_div(threads).unwrap_or(1);
    request.workers.unwrap_or_else(fitting).max(1)
}

/// The timed runs, one a scenario.
///
/// # Errors
/// For a scenario that cannot be measured.
pub(crate) fn performance(
    request: &RunRequest,
    cores: u32,
    samples: u32,
) -> Result<Vec<PerformancePlan>, PlanError> {
    let standard = [ScenarioName::SingleStream];
    let scenarios: &[ScenarioName] = if request.scenarios.is_empty() {
        &standard
    } else {
        &request.scenarios
    };
    let plan = |scenario: &ScenarioName| {
        let (threads, slots) = match scenario {
            ScenarioName::SingleStream => (request.threads.unwrap_or(cores).max(1), 1),
            ScenarioName::Offline => {
                let threads = request.threads.unwrap_or(1).max(1);
                (threads, slots(request, cores, threads))
            }
            ScenarioName::MultiStream | ScenarioName::Server | ScenarioName::Unknown => {
                return Err(PlanError::usage(
                    format!("scenario {scenario} cannot be measured"),
                    "there are: single-stream, offline",
                ));
            }
        };
        Ok(request.profile.plan(Dimensions {
            scenario: *scenario,
            timed: request.timed,
            threads,
            batch: request.batch.max(1),
            slots,
            samples,
            seed: request.seed,
            max_errors: request.max_errors,
        }))
    };
    scenarios.iter().map(plan).collect()
}
