//! The model half of a plan: manifest, `dyno.json` and recipe made one.

use crate::{commands::run::RunArgs, context::Context, exit, tables::TABLES};
use anyhow::Context as _;
use dyno_core::{
    Dataset, ExecutionPlan, FileRole, IoSpec, LabelMap, LabelPlan, ModelContent, ModelFile,
    ModelPlan, ModelSource, PlanFile, Purpose, SessionConfig, canonical_sha256, lookup,
};
use dyno_registry::{ResolveOptions, ResolvedModel};
use dyno_vision::Recipe;

/// Resolves the model and completes what it does not say from a recipe.
///
/// # Errors
/// When the model is not found or not described well enough; the hint names recipes that would fit.
pub(crate) fn describe(
    reference: &str,
    args: &RunArgs,
    execution: &ExecutionPlan,
    dataset: &dyn Dataset,
    context: &Context,
) -> anyhow::Result<(ResolvedModel, ModelPlan, LabelMap)> {
    let framework = args
        .framework
        .as_deref()
        .map(str::parse)
        .transpose()
        .map_err(|e: dyno_core::UnknownFramework| exit::usage(e.to_string(), ""))?;
    let options = ResolveOptions {
        framework,
        home: std::env::home_dir(),
        ..ResolveOptions::default()
    };
    let mut resolved = dyno_registry::resolve(reference, &context.search_path, &options)?;
    if let Some(path) = &args.config_file {
        resolved.files.retain(|f| f.role != FileRole::Config);
        resolved.files.push(ModelFile {
            role: FileRole::Config,
            content: ModelContent::Path(path.clone()),
        });
    }
    let mut spec = resolved.spec.clone();
    let named = match (&args.recipe, &spec.recipe) {
        (Some(flag), Some(file)) if flag != file => {
            return Err(exit::usage(
                format!("--recipe says `{flag}`, the model's own description says `{file}`"),
                "leave --recipe out, or change the description",
            ));
        }
        (flag, file) => flag.clone().or_else(|| file.clone()),
    };
    // A decoder of the model's own (classification by purpose, or an architecture) needs no recipe.
    let complete = spec.decoder.is_some() && spec.inputs.iter().any(|i| !i.preprocess.is_empty());
    let mut assumed = false;
    let mut labels_source = spec.labels.clone();
    if complete && let (Some(flag), true) = (&args.recipe, spec.recipe.is_none()) {
        // Nothing of the recipe would be used, and the record would name it all the same.
        return Err(exit::usage(
            format!(
                "`{reference}` describes its own preprocessing and decoder, so --recipe {flag} has nothing to add"
            ),
            "leave --recipe out, or change the description",
        ));
    }
    if !complete {
        let io = open_io(&resolved, execution, &spec.outputs)?;
        let recipe = if let Some(name) = &named {
            dyno_vision::recipe(name)?
        } else {
            assumed = true;
            assume(reference, &io)?
        };
        let filled = recipe
            .resolve(&io)
            .with_context(|| format!("recipe `{}` does not fit `{reference}`", recipe.name))?;
        spec.recipe = Some(recipe.name.to_owned());
        // Where the model speaks, it is right; a recipe that was named on the command line for a
        // bare model has nothing to contradict.
        if !spec.inputs.iter().any(|i| !i.preprocess.is_empty()) {
            spec.inputs = filled.inputs;
        }
        let conflicts: Vec<String> = spec
            .inputs
            .iter()
            .flat_map(|i| resolved.blob.conflicts(&i.preprocess))
            .collect();
        if !conflicts.is_empty() {
            return Err(exit::usage(
                format!(
                    "the manifest of `{reference}` and recipe `{}` contradict each other: {}",
                    recipe.name,
                    conflicts.join("; ")
                ),
                "correct one of the two",
            ));
        }
        spec.decoder = spec.decoder.or(Some(filled.decoder));
        spec.purpose = spec.purpose.or(Some(filled.purpose));
        labels_source = labels_source.or(filled.labels);
    }
    let decoder = spec.decoder.clone().ok_or_else(|| {
        exit::usage(
            format!("`{reference}` does not say how its outputs are read"),
            "give it a recipe: --recipe NAME (`dyno recipes`)",
        )
    })?;
    let purpose = spec.purpose.or(resolved.purpose).ok_or_else(|| {
        exit::usage(
            format!("`{reference}` does not say what it is for"),
            "set `purpose` in its dyno.json",
        )
    })?;
    let (labels, label_plan) = labels(&resolved, args, labels_source, purpose, dataset)?;
    let plan = ModelPlan {
        reference: resolved.reference.clone(),
        framework: resolved.framework,
        files: hash_files(&resolved)?,
        purpose,
        recipe: spec.recipe,
        recipe_assumed: assumed,
        inputs: spec.inputs,
        outputs: spec.outputs,
        decoder,
        labels: label_plan,
        references: spec.reference,
        origin: spec.origin,
    };
    Ok((resolved, plan, labels))
}

/// Inputs and outputs of the model as the engine of this run sees them.
fn open_io(
    resolved: &ResolvedModel,
    execution: &ExecutionPlan,
    outputs: &[String],
) -> anyhow::Result<IoSpec> {
    let backend = lookup("backend", TABLES.backends, &execution.backend)?;
    let files = resolved
        .files
        .iter()
        .filter(|f| matches!(f.role, FileRole::Model | FileRole::Config))
        .cloned()
        .collect();
    let source = ModelSource {
        framework: resolved.framework,
        files,
    };
    let config = SessionConfig {
        device: execution.device.clone(),
        precision: execution.precision,
        shapes: execution.shapes.clone(),
        outputs: outputs.to_vec(),
        settings: execution.settings.clone(),
        ..SessionConfig::default()
    };
    Ok(backend.open(&source, &config)?.io().clone())
}

/// The only recipe that fits, or an error with those that might.
fn assume(reference: &str, io: &IoSpec) -> anyhow::Result<&'static Recipe> {
    let fitting = dyno_vision::matching_recipes(io);
    match fitting.as_slice() {
        [one] => Ok(one),
        [] => {
            let outputs: Vec<String> = io
                .outputs
                .iter()
                .map(|o| {
                    format!(
                        "{} [{}]",
                        o.name,
                        o.shape
                            .iter()
                            .map(ToString::to_string)
                            .collect::<Vec<_>>()
                            .join("x")
                    )
                })
                .collect();
            // Outputs of a classifier tell nothing of its preprocessing, so none is taken; those
            // that could be meant are named.
            let possible: Vec<&str> = dyno_vision::RECIPES
                .iter()
                .filter(|r| r.resolve(io).is_ok())
                .map(|r| r.name)
                .collect();
            let named = if possible.is_empty() {
                String::new()
            } else {
                format!(" (its input would fit: {})", possible.join(", "))
            };
            Err(exit::usage(
                format!(
                    "no recipe fits the outputs of `{reference}`: {}",
                    outputs.join(", ")
                ),
                format!(
                    "name one with --recipe{named}, or describe the model in a dyno.json (`dyno models configure`)"
                ),
            ))
        }
        several => {
            let names: Vec<&str> = several.iter().map(|r| r.name).collect();
            Err(exit::usage(
                format!(
                    "`{reference}` says nothing of its preprocessing, and several recipes would fit"
                ),
                format!("--recipe with one of: {}", names.join(", ")),
            ))
        }
    }
}

fn labels(
    resolved: &ResolvedModel,
    args: &RunArgs,
    source: Option<String>,
    purpose: Purpose,
    dataset: &dyn Dataset,
) -> anyhow::Result<(LabelMap, Option<LabelPlan>)> {
    let (labels, source) = if let Some(text) = &args.labels {
        (named_labels(text)?, text.clone())
    } else if let Some((source, labels)) = &resolved.labels {
        (labels.clone(), source.clone())
    } else if let Some(name) = source {
        (named_labels(&name)?, name)
    } else if dataset.facts().purpose.is_none() {
        // Nobody is compared with anybody: class numbers will do.
        return Ok((LabelMap::default(), None));
    } else {
        return Err(exit::usage(
            format!(
                "`{}` does not name its classes, so its {purpose:?} cannot be judged",
                resolved.reference
            ),
            format!("--labels FILE, or one of: {}", LabelMap::BUILTIN.join(", ")),
        ));
    };
    if labels.is_empty() {
        return Err(exit::usage(
            format!("the label list `{source}` is empty"),
            "",
        ));
    }
    let file_name = std::path::Path::new(&source)
        .file_name()
        .map_or_else(|| source.clone(), |n| n.to_string_lossy().into_owned());
    let plan = LabelPlan {
        source: file_name,
        count: labels.len() as u32,
        sha256: canonical_sha256(&labels)?,
    };
    Ok((labels, Some(plan)))
}

/// A well-known list, or a file with one label a line.
fn named_labels(text: &str) -> anyhow::Result<LabelMap> {
    if let Some(map) = LabelMap::builtin(text) {
        return Ok(map);
    }
    let hint = format!(
        "a file with one label a line, or one of: {}",
        LabelMap::BUILTIN.join(", ")
    );
    let content = std::fs::read_to_string(text)
        .map_err(|e| exit::usage(format!("cannot read the label file `{text}`: {e}"), hint))?;
    Ok(LabelMap::from_names(
        content
            .lines()
            .map(|l| l.trim().to_owned())
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .skip_while(String::is_empty)
            .collect::<Vec<_>>()
            .into_iter()
            .rev(),
    ))
}

fn hash_files(resolved: &ResolvedModel) -> anyhow::Result<Vec<PlanFile>> {
    let mut files = Vec::new();
    for file in &resolved.files {
        let ModelContent::Path(path) = &file.content else {
            continue;
        };
        let (sha256, size_bytes) = dyno_evidence::hash_file(path)?;
        let name = path
            .file_name()
            .map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        files.push(PlanFile {
            role: file.role,
            name,
            sha256,
            size_bytes,
        });
    }
    Ok(files)
}
