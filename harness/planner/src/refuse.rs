//! What must not happen, refused before anything runs.

use crate::{error::PlanError, plan::Planned, profile::Profile, request::RunRequest};
use dyno_core::Backend;

/// Contradictions of the request itself, before anything is read.
///
/// # Errors
/// The first of them.
pub(crate) fn contradictions(request: &RunRequest) -> Result<(), PlanError> {
    if request.dataset.is_none() {
        if request.only.accuracy() {
            return Err(PlanError::usage(
                "accuracy needs a data set",
                "--dataset KIND:PATH (`dyno datasets list`), or --only latency to time the model on random inputs",
            ));
        }
        for (given, what) in [
            (request.recipe.is_some(), "--recipe"),
            (request.labels.is_some(), "--labels"),
            (!request.thresholds.is_silent(), "--score and --iou"),
            (request.write.is_some(), "--write"),
        ] {
            if given {
                return Err(PlanError::usage(
                    format!("{what} means nothing without a data set: no output is read"),
                    "--dataset KIND:PATH",
                ));
            }
        }
    } else if !request.inputs.is_empty() {
        return Err(PlanError::usage(
            "--input does not go with a data set, which has inputs of its own",
            "leave one of the two out",
        ));
    }
    Ok(())
}

/// Numbers that a manifest may not show.
///
/// # Errors
/// With what stands against it.
pub(crate) fn write_back(
    request: &RunRequest,
    backend: &dyn Backend,
    planned: &Planned,
) -> Result<(), PlanError> {
    let Some(_) = request.write else {
        return Ok(());
    };
    let model = &planned.plan.spec.model;
    if !backend.computes() {
        return Err(PlanError::usage(
            format!(
                "--write needs an engine that computes: `{}` measures nothing of the model",
                backend.id()
            ),
            "choose another with --backend",
        ));
    }
    if model.recipe_assumed {
        return Err(PlanError::usage(
            "--write needs a recipe that somebody named: this one was assumed",
            format!("--recipe {}", model.recipe.as_deref().unwrap_or("NAME")),
        ));
    }
    let described = "the manifest would show numbers that it does not explain";
    if request.labels.is_some() {
        return Err(PlanError::usage(
            format!("--write does not go with --labels: {described}"),
            "set `labels` in the model's dyno.json (`dyno models configure`)",
        ));
    }
    if !request.thresholds.is_silent() {
        return Err(PlanError::usage(
            format!("--write does not go with --score and --iou: {described}"),
            "set the thresholds of `decoder` in the model's dyno.json (`dyno models configure`)",
        ));
    }
    if request.only.latency() && request.profile == Profile::Quick {
        return Err(PlanError::usage(
            "--write needs a latency of profile normal or longer: a second is too short for a number that stands alone",
            "--profile normal, or --only accuracy",
        ));
    }
    Ok(dyno_registry::check_writable(&planned.model)?)
}
