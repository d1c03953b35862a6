//! Opening what a plan names.

use super::model::{OpenedModel, model_source, open_model};
use crate::{context::Context, error::RunError, watchdog::Watchdog};
use dyno_core::{
    Dataset, Decoder, DecoderContext, IoSpec, NO_DECODER, OpenConfig, Plan, Tables, ThresholdSet,
    Thresholds,
};

/// How a model is opened, beside what the plan's spec says of the engine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Open {
    /// Threads of a slot.
    pub(crate) threads: u32,
    /// Samples of one run.
    pub(crate) batch: u32,
    /// Slots that will be made.
    pub(crate) slots: u32,
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

/// Opens the plan's model, under the watchdog. What was imported must be what the plan says.
///
/// # Errors
/// As [`open_model`]; [`RunError::Slots`] when the engine cannot have so many slots;
/// [`RunError::Changed`] when the importer makes something else than it did for the plan.
pub(crate) fn model(context: &Context<'_>, how: Open) -> Result<OpenedModel, RunError> {
    opened(context.plan, context.tables, context.watchdog, how)
}

/// As [`model`], where there is no run.
///
/// # Errors
/// As [`model`].
pub(crate) fn opened(
    plan: &Plan,
    tables: &Tables,
    watchdog: &Watchdog,
    how: Open,
) -> Result<OpenedModel, RunError> {
    let execution = &plan.spec.execution;
    let config = OpenConfig {
        device: execution.device.clone(),
        precision: execution.precision,
        threads: how.threads,
        batch: how.batch,
        slots: how.slots,
        shapes: execution.shapes.clone(),
        outputs: plan.spec.model.outputs.clone(),
        settings: execution.settings.clone(),
        import: execution
            .import
            .as_ref()
            .map(|i| i.options.clone())
            .unwrap_or_default(),
    };
    let opened = watchdog.call(
        || "while it opened the model".to_owned(),
        || {
            open_model(
                tables,
                &execution.backend,
                &model_source(plan),
                &config,
                plan.bindings.cache_dir.as_deref(),
            )
        },
    )??;
    if opened.import != execution.import {
        let words = |import: &Option<dyno_core::ImportFacts>| {
            import.as_ref().map_or_else(
                || "no import".to_owned(),
                |i| format!("{} with sha256 {}", i.words(), i.sha256),
            )
        };
        return Err(RunError::Changed {
            what: "import of the model".to_owned(),
            expected: words(&execution.import),
            found: words(&opened.import),
        });
    }
    match opened.model.max_slots() {
        Some(most) if (how.slots as usize) > most => Err(RunError::Slots {
            asked: how.slots,
            most,
        }),
        _ => Ok(opened),
    }
}

/// The decoder of the plan's model with the thresholds of `set`; `None` for a model whose outputs
/// nobody reads.
pub(crate) fn decoder(
    context: &Context<'_>,
    io: &IoSpec,
    network_size: [u32; 2],
    set: ThresholdSet,
) -> Result<Option<Box<dyn Decoder>>, RunError> {
    let plan = context.plan;
    let spec = &plan.spec.model.decoder;
    if spec.kind == NO_DECODER {
        return Ok(None);
    }
    let decoder = context.tables.decoder(&spec.kind)?.build(&DecoderContext {
        spec,
        thresholds: thresholds(plan, set),
        io,
        network_size,
        labels: &plan.bindings.labels,
    })?;
    Ok(Some(decoder))
}
