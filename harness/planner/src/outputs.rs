//! How outputs are read: the model's words over the recipe's, the request's thresholds over both.

use crate::{environment::Environment, error::PlanError, request::RunRequest};
use dyno_core::{
    DecoderContext, DecoderKind, DecoderOverlay, DecoderSpec, InputSpec, IoSpec, LabelMap, Layout,
    PredictionKind, TensorInfo, Warning, WarningCode,
};

/// The decoder of the run.
///
/// # Errors
/// When nothing names its row, the row does not exist, or thresholds make no sense for it.
pub(crate) fn decoder(
    request: &RunRequest,
    environment: &Environment<'_>,
    model: &str,
    own: Option<&DecoderOverlay>,
    recipe: Option<&DecoderSpec>,
) -> Result<(DecoderSpec, &'static dyn DecoderKind), PlanError> {
    let incomplete = |source| PlanError::Overlay {
        model: model.to_owned(),
        source,
    };
    let mut spec = match own {
        Some(own) => own.over(recipe),
        None => DecoderOverlay::default().over(recipe),
    }
    .map_err(incomplete)?;
    let kind = environment.tables.decoder(&spec.kind)?;
    let named = request.thresholds;
    if named.is_silent() {
        return Ok((spec, kind));
    }
    for (what, value) in [("--score", named.score), ("--iou", named.iou)] {
        if let Some(value) = value.filter(|v| !(0.0..=1.0).contains(v)) {
            return Err(PlanError::usage(
                format!("{what} {value} is not between 0 and 1"),
                "",
            ));
        }
    }
    if kind.predicts() != PredictionKind::Detections {
        return Err(PlanError::usage(
            format!("decoder `{}` has no thresholds", spec.kind),
            "--score and --iou are for detections",
        ));
    }
    let no_score = || {
        PlanError::usage(
            format!(
                "neither `{model}` nor a recipe names a score for decoder `{}`",
                spec.kind
            ),
            "name one with --score",
        )
    };
    let evaluate = named.over(spec.evaluate).ok_or_else(no_score)?;
    // Without thresholds of its own a timed run has those of accuracy.
    let deploy = spec.deploy.and_then(|deploy| named.over(Some(deploy)));
    spec.evaluate = Some(evaluate);
    spec.deploy = deploy;
    Ok((spec, kind))
}

/// That overlapping boxes all stay, where they do.
pub(crate) fn not_suppressed(spec: &DecoderSpec, kind: &dyn DecoderKind) -> Option<Warning> {
    let keeps_all = |t: &Option<dyno_core::Thresholds>| t.is_none_or(|t| t.iou.is_none());
    let sets = [
        (keeps_all(&spec.evaluate), "evaluate"),
        (spec.deploy.is_some() && keeps_all(&spec.deploy), "deploy"),
    ];
    let silent: Vec<&str> = sets
        .iter()
        .filter(|(all, _)| *all)
        .map(|(_, n)| *n)
        .collect();
    (kind.suppresses() && !silent.is_empty()).then(|| Warning {
        code: WarningCode::NotSuppressed,
        detail: format!(
            "decoder `{}` gets no IoU in {}: overlapping boxes of one object all stay",
            spec.kind,
            silent.join(" and ")
        ),
    })
}

/// Looks for the described inputs, and builds the decoder as the run will.
///
/// # Errors
/// When the model has no input of a name, or the decoder does not read these outputs, or another
/// number of classes.
pub(crate) fn check(
    model: &str,
    spec: &DecoderSpec,
    kind: &dyn DecoderKind,
    inputs: &[InputSpec],
    io: &IoSpec,
    labels: (&LabelMap, &str),
) -> Result<(), PlanError> {
    let there = |name: &String| io.inputs.iter().any(|i| i.name == *name);
    let named = inputs.iter().filter_map(|i| i.name.as_ref());
    if let Some(missing) = named.into_iter().find(|name| !there(name)) {
        let names: Vec<String> = io.inputs.iter().map(|i| format!("`{}`", i.name)).collect();
        return Err(PlanError::usage(
            format!("the description of `{model}` names an input `{missing}`"),
            format!("the model has {}", names.join(", ")),
        ));
    }
    let Some(network_size) = network_size(inputs, io) else {
        return Ok(());
    };
    for thresholds in [spec.evaluate, spec.deploy.or(spec.evaluate)] {
        let built = kind.build(&DecoderContext {
            spec,
            thresholds,
            io,
            network_size,
            labels: labels.0,
        });
        built.map_err(|source| PlanError::Decode {
            model: model.to_owned(),
            labels: if labels.0.is_empty() {
                "no list of classes".to_owned()
            } else {
                format!("the {} classes of `{}`", labels.0.len(), labels.1)
            },
            source,
        })?;
    }
    Ok(())
}

/// Width and height of the first image input in pixels.
fn network_size(inputs: &[InputSpec], io: &IoSpec) -> Option<[u32; 2]> {
    let input = inputs.iter().find(|i| !i.preprocess.is_empty())?;
    let info: &TensorInfo = match &input.name {
        Some(name) => io.inputs.iter().find(|i| i.name == *name)?,
        None => io.inputs.first()?,
    };
    let shape = info.fixed_shape()?;
    let [_, a, b, c] = shape.as_slice() else {
        return None;
    };
    let (height, width) = match input.layout {
        Layout::Nchw => (b, c),
        Layout::Nhwc => (a, b),
    };
    Some([u32::try_from(*width).ok()?, u32::try_from(*height).ok()?])
}
