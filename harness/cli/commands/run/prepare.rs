//! From a request to a plan, with everything checked that can be known before anything is measured.

use super::Options;
use crate::{
    child,
    context::Context,
    engines::{InChild, InProcess},
    exit, output,
    samples::Taker,
    say,
    tables::TABLES,
};
use dyno_core::{Metric, MetricContext, PredictionKind};
use dyno_planner::{Engines, Environment, Planned, RunRequest, plan};
use dyno_reports::{Available, ScoreNames};

/// A request with its plan.
pub(super) struct Prepared {
    pub(super) request: RunRequest,
    pub(super) planned: Planned,
}

/// What can be known to be wrong before anything is read.
///
/// # Errors
/// With the first of it.
pub(super) fn check(
    requests: &[RunRequest],
    options: &Options,
    context: &Context,
) -> anyhow::Result<()> {
    for path in [&options.out, &options.export_predictions]
        .into_iter()
        .flatten()
    {
        output::check_place(path)?;
    }
    if !options.side_by_side && !options.dry_run {
        context.reporter()?;
    }
    let without_accuracy = requests.iter().any(|r| !r.only.accuracy());
    if options.export_predictions.is_some() && (requests.len() > 1 || without_accuracy) {
        return Err(exit::usage(
            "--export-predictions is for one model and needs its accuracy run",
            "",
        ));
    }
    if options.side_by_side && requests.iter().any(|r| r.write.is_some()) {
        return Err(exit::usage(
            "--write does not go with several values: a manifest shows one of them",
            "run the one that it should show",
        ));
    }
    Ok(())
}

/// Plans one run, and says what its reader must know.
///
/// # Errors
/// When there is no plan.
pub(crate) fn planned(
    request: &RunRequest,
    options: &Options,
    context: &Context,
) -> anyhow::Result<Planned> {
    let cache = context.hash_cache();
    let samples = Taker(&cache);
    let in_child;
    let engines: &dyn Engines = if options.isolate {
        in_child = InChild(child::worker(options.include_host)?);
        &in_child
    } else {
        &InProcess
    };
    let home = std::env::home_dir();
    let planned = plan(
        request,
        &Environment {
            tables: &TABLES,
            search_path: &context.search_path,
            home: home.as_deref(),
            cores: dyno_machine::cores(),
            cache_dir: Some(&context.settings.cache_dir.value),
            backend: context.settings.backend.as_ref().map(|b| b.value.as_str()),
            engines,
            samples: &samples,
        },
    )?;
    if !context.quiet {
        for warning in &planned.warnings {
            say::warning(&format!("{}: {}", warning.code, warning.detail));
        }
    }
    Ok(planned)
}

/// Plans one run and checks what is expected of it.
///
/// # Errors
/// When there is no plan, an expectation names a number that this run will not have, or the results
/// cannot be kept.
pub(super) fn one(
    request: &RunRequest,
    options: &Options,
    context: &Context,
) -> anyhow::Result<Prepared> {
    let planned = planned(request, options, context)?;
    if !options.judging.expectations.is_empty() {
        let available = available(&planned)?;
        for expectation in &options.judging.expectations {
            expectation.check(&available)?;
        }
    }
    super::folder::check_root(&context.settings.runs_dir.value)?;
    Ok(Prepared {
        request: request.clone(),
        planned,
    })
}

/// The numbers that this run will have.
fn available(planned: &Planned) -> anyhow::Result<Available> {
    let spec = &planned.plan.spec;
    let scores = match &spec.accuracy {
        None => None,
        Some(accuracy) => {
            let classes = &planned.dataset.labels;
            let mut metrics: Vec<Box<dyn Metric>> = Vec::new();
            for named in &accuracy.metrics {
                metrics.push(TABLES.metric(&named.name)?.build(&MetricContext {
                    labels: classes,
                    parameters: &named.parameters,
                })?);
            }
            let metrics = metrics.iter().map(AsRef::as_ref);
            Some(ScoreNames::of_metrics(metrics, classes)?)
        }
    };
    let timed = !spec.performance.is_empty();
    Ok(Available {
        scores,
        scenarios: spec.performance.iter().map(|p| p.scenario).collect(),
        percentiles: if timed {
            dyno_load::PERCENTILES.to_vec()
        } else {
            Vec::new()
        },
    })
}

/// What the decoder of a plan says of a sample; `None` when nobody reads the outputs.
pub(super) fn predicts(planned: &Planned) -> Option<PredictionKind> {
    let kind = &planned.plan.spec.model.decoder.kind;
    TABLES
        .decoder(kind)
        .ok()
        .map(dyno_core::DecoderKind::predicts)
}
