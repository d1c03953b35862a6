//! Opening what a plan names: dataset, engine, decoder.

use crate::{error::RunError, prepare::Preparer, tables::Tables};
use dyno_core::{
    Dataset, Decoder, DecoderContext, Execution, ExecutionFacts, FileRole, ModelFile, ModelSource,
    Plan, Precision, Session, SessionConfig, ThresholdSet, Thresholds,
};

/// The model's files as an engine gets them (labels and colours are not for engines).
pub fn model_source(plan: &Plan) -> ModelSource {
    let files: Vec<ModelFile> = plan
        .bindings
        .files
        .iter()
        .filter(|f| matches!(f.role, FileRole::Model | FileRole::Config))
        .cloned()
        .collect();
    ModelSource {
        framework: plan.spec.model.framework,
        files,
    }
}

/// An open model with everything that stands around it. One per thread.
pub(crate) struct Pipeline {
    pub(crate) session: Box<dyn Session>,
    pub(crate) preparer: Preparer,
    pub(crate) decoder: Box<dyn Decoder>,
    pub(crate) outputs: usize,
}

/// The thresholds of a set; `evaluate` stands in for a missing `deploy` and the reverse never.
pub(crate) fn thresholds(plan: &Plan, set: ThresholdSet) -> Option<Thresholds> {
    let decoder = &plan.spec.model.decoder;
    match set {
        ThresholdSet::Evaluate => decoder.evaluate,
        ThresholdSet::Deploy => decoder.deploy.or(decoder.evaluate),
    }
}

/// Opens the plan's dataset and checks that it still has the plan's samples.
pub(crate) fn dataset(plan: &Plan, tables: &Tables) -> Result<Box<dyn Dataset>, RunError> {
    let request = &plan.bindings.dataset;
    let dataset = tables.dataset(&request.kind)?.open(request)?;
    let found = dataset.entries().len();
    match plan
        .bindings
        .sample_set
        .samples
        .iter()
        .map(|s| s.index())
        .max()
    {
        Some(expected) if expected >= found => Err(RunError::DatasetChanged { expected, found }),
        _ => Ok(dataset),
    }
}

/// Opens the plan's model.
pub(crate) fn pipeline(
    plan: &Plan,
    tables: &Tables,
    threads: u32,
    batch: u32,
    set: ThresholdSet,
) -> Result<Pipeline, RunError> {
    let execution = &plan.spec.execution;
    let backend = tables.backend(&execution.backend)?;
    let config = SessionConfig {
        device: execution.device.clone(),
        precision: execution.precision,
        threads,
        batch,
        slots: 1,
        shapes: execution.shapes.clone(),
        outputs: plan.spec.model.outputs.clone(),
        settings: execution.settings.clone(),
    };
    let session = backend.open(&model_source(plan), &config)?;
    let preparer = Preparer::new(&plan.spec.model.inputs, session.io(), batch)?;
    let spec = &plan.spec.model.decoder;
    let decoder = tables.decoder(&spec.kind)?.build(&DecoderContext {
        spec,
        thresholds: thresholds(plan, set),
        io: session.io(),
        network_size: preparer.network_size(),
        labels: &plan.bindings.labels,
    })?;
    let outputs = session.io().outputs.len();
    Ok(Pipeline {
        session,
        preparer,
        decoder,
        outputs,
    })
}

/// What ran, for the record.
pub(crate) fn execution(facts: ExecutionFacts, sessions: u32, requested: Precision) -> Execution {
    Execution {
        backend: facts.backend,
        library: facts.library,
        device: facts.device,
        provider: facts.provider,
        precision: facts.precision,
        threads: facts.threads,
        sessions,
        batch: facts.batch,
        settings: facts.settings,
        requested,
    }
}
