//! The classes of the model, and whether the data set knows any of them.

use crate::{error::PlanError, request::RunRequest};
use dyno_core::{DatasetFacts, LabelMap, LabelPlan, canonical_sha256, match_labels};
use dyno_registry::{ResolvedModel, read_labels};
use std::path::Path;

/// Names that a message lists of each side.
const LISTED: usize = 5;

/// The model's classes: those of the request, else its own, else the recipe's. Where nobody judges
/// anything, it may have none.
///
/// # Errors
/// When a list is named that does not exist or is empty, or accuracy is measured and nobody names
/// the classes.
pub(crate) fn labels(
    request: &RunRequest,
    model: &ResolvedModel,
    recipe: Option<&str>,
) -> Result<(LabelMap, Option<LabelPlan>), PlanError> {
    let (labels, source) = if let Some(text) = &request.labels {
        (named(text)?, text.clone())
    } else if let Some((source, labels)) = &model.labels {
        (labels.clone(), source.clone())
    } else if let Some(name) = model.spec.labels.as_deref().or(recipe) {
        (named(name)?, name.to_owned())
    } else if request.only.accuracy() {
        return Err(PlanError::usage(
            format!(
                "`{}` does not name its classes, so what it says cannot be judged",
                model.reference
            ),
            format!("--labels FILE, or one of: {}", LabelMap::BUILTIN.join(", ")),
        ));
    } else {
        return Ok((LabelMap::default(), None));
    };
    if labels.is_empty() {
        return Err(PlanError::usage(
            format!("the label list `{source}` is empty"),
            "",
        ));
    }
    // A record holds no path.
    let source = Path::new(&source)
        .file_name()
        .map_or_else(|| source.clone(), |n| n.to_string_lossy().into_owned());
    let plan = LabelPlan {
        source,
        count: labels.len() as u32,
        sha256: canonical_sha256(&labels)?,
    };
    Ok((labels, Some(plan)))
}

/// A well-known list, or a file with one label a line.
fn named(text: &str) -> Result<LabelMap, PlanError> {
    if let Some(map) = LabelMap::builtin(text) {
        return Ok(map);
    }
    let path = Path::new(text);
    if !path.is_file() {
        return Err(PlanError::usage(
            format!("there is no label file `{text}`"),
            format!(
                "a file with one label a line, or one of: {}",
                LabelMap::BUILTIN.join(", ")
            ),
        ));
    }
    Ok(read_labels(path)?)
}

/// Refuses a model and a data set that share no class: every score would be 0.
///
/// # Errors
/// With the first names of both.
pub(crate) fn share(
    model: &str,
    labels: &LabelMap,
    dataset: &DatasetFacts,
) -> Result<(), PlanError> {
    let matched = match_labels(labels, &dataset.labels).map_err(|e| {
        PlanError::usage(
            e.to_string(),
            "the model's classes stand in its label file, or in the one that --labels names",
        )
    })?;
    if matched.model_to_dataset.iter().any(Option::is_some) {
        return Ok(());
    }
    let names = |map: &LabelMap| {
        let mut names: Vec<&str> = map
            .labels
            .iter()
            .take(LISTED)
            .map(|l| l.name.as_str())
            .collect();
        if map.len() > LISTED {
            names.push("…");
        }
        names.join(", ")
    };
    Err(PlanError::usage(
        format!(
            "`{model}` and `{}` share no class: the model has {}, the data set {}",
            dataset.name.name,
            names(labels),
            names(&dataset.labels)
        ),
        "name the model's classes with --labels, or take the data set that it is for",
    ))
}
