//! From the command line to a Plan: everything is decided here, and nothing below reads flags,
//! environment or defaults.

mod model;
mod profile;

pub(crate) use profile::Profile;

use crate::{commands::run::RunArgs, context::Context, exit, tables::TABLES};
use dyno_core::{
    AccuracyPlan, Bindings, Dataset, ExecutionPlan, Named, PerformancePlan, Pipeline, Plan,
    PlanSpec, Purpose, Scenario, lookup,
};
use dyno_registry::ResolvedModel;
use std::{collections::BTreeMap, path::PathBuf};

/// Samples a shard.
const SHARD_SIZE: u32 = 256;
/// Resamples of the bootstrap: the 2.5 % tails rest on 25 of them at each end.
const RESAMPLES: u32 = 1_000;

/// A plan, and the model that it came from.
pub(crate) struct Planned {
    /// The plan; its run folder is empty until the run begins.
    pub(crate) plan: Plan,
    /// The model.
    pub(crate) model: ResolvedModel,
}

/// `NAME=1x3x640x640`.
fn shapes(args: &RunArgs) -> anyhow::Result<BTreeMap<String, Vec<usize>>> {
    let mut shapes = BTreeMap::new();
    for text in &args.shape {
        let bad = || {
            exit::usage(
                format!("`--shape {text}` is not of the form NAME=1x3x640x640"),
                "",
            )
        };
        let (name, dims) = text.rsplit_once('=').ok_or_else(bad)?;
        let dims: Vec<usize> = dims
            .split('x')
            .map(|d| d.parse().ok().filter(|n| *n > 0))
            .collect::<Option<_>>()
            .ok_or_else(bad)?;
        shapes.insert(name.to_owned(), dims);
    }
    Ok(shapes)
}

/// `KEY=VALUE`.
fn settings(args: &RunArgs) -> anyhow::Result<BTreeMap<String, String>> {
    let pair = |text: &String| {
        let (key, value) = text.split_once('=').ok_or_else(|| {
            exit::usage(format!("`--set {text}` is not of the form KEY=VALUE"), "")
        })?;
        Ok((key.to_owned(), value.to_owned()))
    };
    args.set.iter().map(pair).collect()
}

/// Plans the run of one model.
///
/// # Errors
/// When model, dataset, recipe or engine are not to be had, contradict each other, or do not fit
/// together.
pub(crate) fn build(reference: &str, args: &RunArgs, context: &Context) -> anyhow::Result<Planned> {
    let backend = args
        .backend
        .clone()
        .unwrap_or_else(|| context.settings.backend.value.clone());
    lookup("backend", TABLES.backends, &backend)?;
    let execution = ExecutionPlan {
        backend,
        device: args.device.clone(),
        precision: args.precision,
        settings: settings(args)?,
        shapes: shapes(args)?,
    };
    let mut request = dyno_datasets::parse_request(&args.dataset)?;
    if !request.path.as_os_str().is_empty()
        && let Ok(absolute) = std::path::absolute(&request.path)
    {
        request.path = absolute;
    }
    let dataset = lookup("dataset", TABLES.datasets, &request.kind)?.open(&request)?;
    let (resolved, model, labels) =
        model::describe(reference, args, &execution, dataset.as_ref(), context)?;
    check_purposes(model.purpose, dataset.as_ref())?;
    let sample_set = crate::commands::datasets::select(dataset.as_ref(), args.samples, context)?;
    let profile = args.profile;
    let cores = dyno_machine::cores();
    let spec = PlanSpec {
        model,
        sample_set: sample_set.id.clone(),
        samples: args.samples,
        execution,
        accuracy: args
            .only
            .accuracy()
            .then(|| accuracy(args, dataset.as_ref(), cores))
            .transpose()?,
        performance: if args.only.latency() {
            performance(args, profile, cores, sample_set.count)
        } else {
            Vec::new()
        },
    };
    let files = resolved.files.clone();
    let plan = Plan {
        spec,
        bindings: Bindings {
            files,
            labels,
            dataset: request,
            sample_set,
            run_folder: PathBuf::new(),
        },
    };
    Ok(Planned {
        plan,
        model: resolved,
    })
}

fn check_purposes(purpose: Purpose, dataset: &dyn Dataset) -> anyhow::Result<()> {
    match dataset.facts().purpose {
        Some(p) if p == purpose => Ok(()),
        Some(p) => Err(exit::usage(
            format!("the model is for {purpose:?}, the dataset for {p:?}"),
            "`dyno datasets list` names the kinds of datasets",
        )),
        None => Ok(()),
    }
}

fn accuracy(args: &RunArgs, dataset: &dyn Dataset, cores: u32) -> anyhow::Result<AccuracyPlan> {
    let metrics: Vec<Named> = dataset
        .facts()
        .metrics
        .iter()
        .map(|name| Named {
            name: name.clone(),
            parameters: serde_json::Value::Null,
        })
        .collect();
    if metrics.is_empty() {
        return Err(exit::usage(
            format!(
                "a dataset of kind `{}` has no annotations, so there is no accuracy to measure",
                dataset.facts().kind
            ),
            "measure speed on it with `--only latency`",
        ));
    }
    let threads = args.threads.unwrap_or(1).max(1);
    let workers = args.workers.unwrap_or_else(|| (cores / threads).max(1));
    let pipeline = if args.preparing > 0 {
        Pipeline::Staged {
            preparing: args.preparing,
            sessions: workers,
            threads,
        }
    } else {
        Pipeline::Fused { workers, threads }
    };
    Ok(AccuracyPlan {
        metrics,
        batch: args.batch.unwrap_or(1).max(1),
        shard_size: args.shard_size.unwrap_or(SHARD_SIZE).max(1),
        resamples: RESAMPLES,
        seed: args.seed,
        max_errors: args.max_errors,
        pipeline,
    })
}

fn performance(args: &RunArgs, profile: Profile, cores: u32, count: u32) -> Vec<PerformancePlan> {
    let scenarios = if args.scenario.is_empty() {
        vec![Scenario::SingleStream]
    } else {
        args.scenario.clone()
    };
    let plan = |scenario: &Scenario| {
        let (threads, slots) = match scenario {
            Scenario::SingleStream => (args.threads.unwrap_or(cores).max(1), 1),
            // As many sessions of one thread as there are cores: on a CPU that beats one session of
            // many.
            Scenario::Offline => {
                let threads = args.threads.unwrap_or(1).max(1);
                (
                    threads,
                    args.workers
                        .unwrap_or_else(|| (cores / threads).max(1))
                        .max(1),
                )
            }
        };
        profile.plan(
            *scenario,
            args.timed,
            threads,
            args.batch.unwrap_or(1).max(1),
            slots,
            count,
            args.seed,
        )
    };
    scenarios.iter().map(plan).collect()
}
