//! From a request to a plan: everything is decided here, and nothing below reads requests,
//! environment or defaults.

use crate::{
    ask::{self, Asking},
    environment::{Answer, Environment},
    error::PlanError,
    labels, measure, model, refuse,
    request::RunRequest,
};
use dyno_core::{
    Bindings, Dataset, DatasetFacts, DatasetRequest, ExecutionPlan, Plan, PlanSpec, Warning,
};
use dyno_registry::ResolvedModel;
use std::path::PathBuf;

/// Samples of a run without a data set: enough that no cache of a CPU holds the inputs of a
/// detector.
const STAND_IN_SAMPLES: u32 = 16;

/// A plan, and what it came from.
#[derive(Debug, Clone)]
pub struct Planned {
    /// The plan; its run folder is empty until the run begins.
    pub plan: Plan,
    /// The model.
    pub model: ResolvedModel,
    /// The data set.
    pub dataset: DatasetFacts,
    /// What the engine said of the model.
    pub answer: Answer,
    /// What a reader of the record must know.
    pub warnings: Vec<Warning>,
}

/// Plans a run.
///
/// # Errors
/// When model, data set, recipe or engine are not to be had, contradict each other, or do not fit
/// together; when results may not be written where they were asked to go.
pub fn plan(request: &RunRequest, environment: &Environment<'_>) -> Result<Planned, PlanError> {
    refuse::contradictions(request)?;
    let resolved = model::find(request, environment)?;
    let backend = ask::engine(request, environment, resolved.framework)?;
    let asking = Asking::new(request, environment, backend, &resolved);
    if !request.import.is_empty() && !asking.imported() {
        return Err(PlanError::usage(
            format!(
                "--import means nothing here: `{}` reads {} itself",
                backend.id(),
                resolved.framework
            ),
            "leave it out, or choose another engine with --backend",
        ));
    }
    let (dataset_request, dataset) = dataset(request, environment, &asking)?;
    let facts = dataset.facts().clone();
    let described = if request.dataset.is_some() {
        model::describe(request, environment, &resolved, &asking)?
    } else {
        model::unread(&resolved)?
    };
    let accuracy = match described.predicts {
        Some(predicts) if request.only.accuracy() => {
            let model = &resolved.reference;
            let plan = measure::accuracy(request, environment, model, predicts, &facts)?;
            labels::share(model, &described.labels, &facts)?;
            Some(plan)
        }
        _ => None,
    };
    let sample_set =
        environment
            .samples
            .select(&dataset_request, dataset.as_ref(), request.samples)?;
    let performance = if request.only.latency() {
        measure::performance(request, environment.cores, sample_set.count)?
    } else {
        Vec::new()
    };
    let answer = asking.answer()?.clone();
    let spec = PlanSpec {
        model: described.plan,
        sample_set: sample_set.id.clone(),
        samples: request.samples,
        execution: ExecutionPlan {
            backend: backend.id().to_owned(),
            device: request.device.clone(),
            precision: request.precision,
            settings: request.settings.clone(),
            shapes: request.shapes.clone(),
            import: answer.import.clone(),
        },
        accuracy,
        performance,
    };
    let bindings = Bindings {
        files: resolved.files.clone(),
        labels: described.labels,
        dataset: dataset_request,
        sample_set,
        division: measure::division(request, environment.cores),
        run_folder: PathBuf::new(),
        cache_dir: environment.cache_dir.map(Into::into),
        engine_timeout_ns: request.engine_timeout_ns,
    };
    let planned = Planned {
        plan: Plan::new(spec, bindings),
        model: resolved,
        dataset: facts,
        answer,
        warnings: described.warnings,
    };
    refuse::write_back(request, backend, &planned)?;
    Ok(planned)
}

/// The data set of the request, or one that stands in for it.
fn dataset(
    request: &RunRequest,
    environment: &Environment<'_>,
    asking: &Asking<'_>,
) -> Result<(DatasetRequest, Box<dyn Dataset>), PlanError> {
    let mut wanted = match &request.dataset {
        Some(text) => environment.samples.parse(text)?,
        None => environment.samples.stand_in(
            &asking.answer()?.io.inputs,
            &request.inputs,
            request.samples.unwrap_or(STAND_IN_SAMPLES),
            request.seed,
        )?,
    };
    if !wanted.path.as_os_str().is_empty()
        && let Ok(absolute) = std::path::absolute(&wanted.path)
    {
        wanted.path = absolute;
    }
    let dataset = environment.tables.dataset(&wanted.kind)?.open(&wanted)?;
    Ok((wanted, dataset))
}
