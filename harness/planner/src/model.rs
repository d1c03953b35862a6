//! The model half of a plan: manifest, `dyno.json`, recipe and request made one.

use crate::{
    ask::{self, Asking},
    environment::Environment,
    error::PlanError,
    labels,
    outputs::{self, not_suppressed},
    recipe::{self, Filled, has_steps},
    request::RunRequest,
};
use dyno_core::{
    DecoderKind, DecoderSpec, FileRole, InputSpec, LabelMap, ModelContent, ModelFile, ModelPlan,
    NO_DECODER, PredictionKind, Warning, WarningCode,
};
use dyno_registry::{Description, ResolveOptions, ResolvedModel, resolve};

/// The model half.
pub(crate) struct Described {
    pub(crate) plan: ModelPlan,
    pub(crate) labels: LabelMap,
    /// What its decoder says of a sample; absent when nobody reads its outputs.
    pub(crate) predicts: Option<PredictionKind>,
    pub(crate) warnings: Vec<Warning>,
}

/// Finds the model, with the second file that the request names.
///
/// # Errors
/// When it is not there or its description contradicts itself.
pub(crate) fn find(
    request: &RunRequest,
    environment: &Environment<'_>,
) -> Result<ResolvedModel, PlanError> {
    let options = ResolveOptions {
        framework: request.framework,
        home: environment.home.map(Into::into),
        ..ResolveOptions::default()
    };
    let mut model = resolve(&request.model, environment.search_path, &options)?;
    if let Some(path) = &request.config_file {
        model.files.retain(|f| f.role != FileRole::Config);
        model.files.push(ModelFile {
            role: FileRole::Config,
            content: ModelContent::Path(path.clone()),
        });
    }
    for file in &mut model.files {
        // A plan is read in other folders than the one it was made in.
        if let ModelContent::Path(path) = &mut file.content
            && let Ok(absolute) = std::path::absolute(&*path)
        {
            *path = absolute;
        }
    }
    Ok(model)
}

/// How pixels become inputs and outputs become words.
struct Reading {
    filled: Option<Filled>,
    inputs: Vec<InputSpec>,
    decoder: DecoderSpec,
    kind: &'static dyn DecoderKind,
}

fn reading(
    request: &RunRequest,
    environment: &Environment<'_>,
    model: &ResolvedModel,
    asking: &Asking<'_>,
) -> Result<Reading, PlanError> {
    let spec = &model.spec;
    let filled = recipe::fill(request, environment, model, asking)?;
    let says = filled.as_ref().map(|f| &f.says);
    // Only where nobody else does is the engine asked what the files themselves say.
    let import = if filled.is_none() {
        asking.says()?
    } else {
        None
    };
    // Where the model speaks, it is right.
    let inputs = match (says, import.and_then(|i| i.inputs.as_ref())) {
        _ if has_steps(&spec.inputs) => spec.inputs.clone(),
        (Some(says), _) => says.inputs.clone(),
        (None, Some(inputs)) => inputs.clone(),
        (None, None) => spec.inputs.clone(),
    };
    if let Some(filled) = &filled {
        no_conflicts(model, &filled.name, &inputs)?;
    }
    let (decoder, kind) = outputs::decoder(
        request,
        environment,
        &model.reference,
        spec.decoder.as_ref(),
        says.map(|s| &s.decoder)
            .or_else(|| import.and_then(|i| i.decoder.as_ref())),
    )?;
    // Another decoder than that of the heads that were cut reads what the framework itself gives.
    let head = asking.says()?.and_then(|i| i.decoder.as_ref());
    if head.is_some_and(|head| head.kind != decoder.kind) {
        asking.put_heads_in()?;
    }
    Ok(Reading {
        filled,
        inputs,
        decoder,
        kind,
    })
}

/// A model as a run of this request would take it: what `dyno models check` compares with a record.
///
/// # Errors
/// When no run could take it, or the engine gives no answer.
pub fn describe_model(
    model: &ResolvedModel,
    request: &RunRequest,
    environment: &Environment<'_>,
) -> Result<Description, PlanError> {
    let backend = ask::engine(request, environment, model.framework)?;
    let asking = Asking::new(request, environment, backend, model);
    let reading = reading(request, environment, model, &asking)?;
    Ok(Description {
        inputs: reading.inputs,
        outputs: read_outputs(model, &asking, &reading.decoder)?,
        decoder: reading.decoder,
    })
}

/// Outputs in the order in which the decoder reads them: the model's words, else those of its
/// import, where the decoder is that of the heads that were cut.
fn read_outputs(
    model: &ResolvedModel,
    asking: &Asking<'_>,
    decoder: &DecoderSpec,
) -> Result<Vec<String>, PlanError> {
    let import = asking.says()?;
    let is_heads = import
        .and_then(|i| i.decoder.as_ref())
        .is_some_and(|head| head.kind == decoder.kind);
    Ok(match import {
        Some(import) if model.spec.outputs.is_empty() && is_heads => import.outputs.clone(),
        _ => model.spec.outputs.clone(),
    })
}

/// A model whose outputs are read, for a data set.
///
/// # Errors
/// When it is not described well enough, or descriptions contradict each other.
pub(crate) fn describe(
    request: &RunRequest,
    environment: &Environment<'_>,
    model: &ResolvedModel,
    asking: &Asking<'_>,
) -> Result<Described, PlanError> {
    let spec = &model.spec;
    let Reading {
        filled,
        inputs,
        decoder,
        kind,
    } = reading(request, environment, model, asking)?;
    let says = filled.as_ref().map(|f| &f.says);
    let (labels, label_plan) =
        labels::labels(request, model, says.and_then(|s| s.labels.as_deref()))?;
    // Whatever the description says: shapes and classes that do not fit are known before anything
    // is measured. Opening costs a few hundredths of what the run takes.
    let source = label_plan.as_ref().map_or("", |l| l.source.as_str());
    outputs::check(
        &model.reference,
        &decoder,
        kind,
        &inputs,
        &asking.answer()?.io,
        (&labels, source),
    )?;
    let mut warnings: Vec<Warning> = not_suppressed(&decoder, kind).into_iter().collect();
    if let Some(filled) = filled.as_ref().filter(|f| f.assumed) {
        warnings.push(Warning {
            code: WarningCode::RecipeAssumed,
            detail: format!(
                "nobody named a recipe, and `{}` is the only one that fits",
                filled.name
            ),
        });
    }
    let purpose = spec
        .purpose
        .or(model.purpose)
        .or(says.map(|s| s.purpose))
        .or(asking.says()?.and_then(|i| i.purpose));
    Ok(Described {
        plan: ModelPlan {
            purpose,
            recipe: filled.as_ref().map(|f| f.name.clone()),
            recipe_assumed: filled.as_ref().is_some_and(|f| f.assumed),
            inputs,
            outputs: read_outputs(model, asking, &decoder)?,
            decoder,
            labels: label_plan,
            references: spec.reference.clone(),
            ..bare(model)?
        },
        labels,
        predicts: Some(kind.predicts()),
        warnings,
    })
}

/// A model that is timed without a data set: inputs are as the engine wants them, nobody reads its
/// outputs.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn unread(model: &ResolvedModel) -> Result<Described, PlanError> {
    Ok(Described {
        plan: bare(model)?,
        labels: LabelMap::default(),
        predicts: None,
        warnings: Vec::new(),
    })
}

/// What is true of the model however it is measured.
fn bare(model: &ResolvedModel) -> Result<ModelPlan, PlanError> {
    Ok(ModelPlan {
        reference: model.reference.clone(),
        framework: model.framework,
        files: model.plan_files()?,
        purpose: model.purpose,
        recipe: None,
        recipe_assumed: false,
        inputs: Vec::new(),
        outputs: model.spec.outputs.clone(),
        decoder: DecoderSpec {
            kind: NO_DECODER.to_owned(),
            parameters: serde_json::Value::Null,
            evaluate: None,
            deploy: None,
        },
        labels: None,
        references: Vec::new(),
        origin: model.spec.origin.clone(),
    })
}

/// The vendor's manifest and the recipe agree where both speak.
fn no_conflicts(
    model: &ResolvedModel,
    recipe: &str,
    inputs: &[InputSpec],
) -> Result<(), PlanError> {
    let conflicts: Vec<String> = inputs
        .iter()
        .flat_map(|i| model.blob.conflicts(&i.preprocess))
        .collect();
    if conflicts.is_empty() {
        return Ok(());
    }
    Err(PlanError::usage(
        format!(
            "the manifest of `{}` and recipe `{recipe}` contradict each other: {}",
            model.reference,
            conflicts.join("; ")
        ),
        "correct one of the two",
    ))
}
