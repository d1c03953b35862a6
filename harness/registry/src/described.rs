//! What a model says of itself against what a record was measured with.

use crate::ResolvedModel;
use dyno_core::{
    CanonicalError, DecoderSpec, InputSpec, ModelPlan, ModelSpec, OverlayError, Record,
    canonical_sha256,
};

/// A model as a run would take it: nothing left to a recipe.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    /// The inputs with their steps.
    pub inputs: Vec<InputSpec>,
    /// Outputs to fetch; empty for all.
    pub outputs: Vec<String>,
    /// How they are read, with all thresholds.
    pub decoder: DecoderSpec,
}

/// Describes a model as a run would take it, with the engine that a record names; `None` when that
/// needs something that is not at hand.
///
/// The error says why no run could take it.
pub type Describe<'a> = &'a dyn Fn(&ResolvedModel, &Record) -> Result<Option<Description>, String>;

/// How a description compares.
#[derive(Clone)]
pub(crate) enum Compared {
    Same,
    /// In what it differs.
    Differs(String),
    /// What cannot be compared here.
    Unchecked(String),
}

fn text<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// The inputs in which two lists differ first.
fn inputs_differ(was: &[InputSpec], now: &[InputSpec]) -> Option<String> {
    let pairs = (0..now.len().max(was.len())).map(|i| (i, was.get(i), now.get(i)));
    let (i, before, after) = pairs.into_iter().find(|(_, a, b)| a != b)?;
    Some(format!(
        "input {i} was {}, is {}",
        text(&before),
        text(&after)
    ))
}

fn outputs_differ(was: &[String], now: &[String]) -> Option<String> {
    (was != now).then(|| format!("the outputs were {}, are {}", text(&was), text(&now)))
}

fn decoder_differs(was: &DecoderSpec, now: &DecoderSpec) -> Option<String> {
    (was != now).then(|| format!("the decoder was {}, is {}", text(was), text(now)))
}

/// The model now against the plan of a record: the steps, outputs, decoder and thresholds that a
/// run would take, whatever recipe they come from.
pub(crate) fn compare(model: &ResolvedModel, record: &Record, describe: Describe<'_>) -> Compared {
    let was = &record.plan.spec.model;
    let differs = match describe(model, record) {
        Ok(Some(now)) => inputs_differ(&was.inputs, &now.inputs)
            .or_else(|| outputs_differ(&was.outputs, &now.outputs))
            .or_else(|| decoder_differs(&was.decoder, &now.decoder)),
        Ok(None) => return compare_spoken(&model.spec, was),
        Err(reason) => Some(match (&was.recipe, &model.spec.recipe) {
            (Some(recipe), None) => format!(
                "{reason}; it was measured with recipe `{recipe}`: `dyno models configure --recipe {recipe}` names it"
            ),
            _ => reason,
        }),
    };
    differs.map_or(Compared::Same, Compared::Differs)
}

/// The same without a recipe at hand: what the model says itself is compared, and what it leaves to
/// the recipe cannot be.
fn compare_spoken(now: &ModelSpec, was: &ModelPlan) -> Compared {
    // As a plan is made: the inputs are the model's own as soon as one of them says its
    // preprocessing.
    let speaks = now.inputs.iter().any(|i| !i.preprocess.is_empty());
    let own_kind = now.decoder.as_ref().and_then(|d| d.kind.as_deref());
    if now.recipe.is_none() && (own_kind.is_none() || (was.recipe.is_some() && !speaks)) {
        return Compared::Differs(match &was.recipe {
            Some(recipe) => format!(
                "measured with recipe `{recipe}`, which the model does not name: `dyno models configure --recipe {recipe}` names it"
            ),
            None => format!(
                "the decoder was {}, the model names none",
                text(&was.decoder)
            ),
        });
    }
    let inputs = (speaks || now.recipe.is_none()).then(|| inputs_differ(&was.inputs, &now.inputs));
    let decoder = now.decoder.as_ref().map(|overlay| {
        let below = now.recipe.is_some().then_some(&was.decoder);
        match overlay.over(below) {
            Ok(decoder) => decoder_differs(&was.decoder, &decoder),
            Err(e @ (OverlayError::NoKind | OverlayError::NoScore { .. })) => Some(e.to_string()),
        }
    });
    let differs = inputs
        .flatten()
        .or_else(|| outputs_differ(&was.outputs, &now.outputs))
        .or_else(|| decoder.flatten());
    match (differs, &now.recipe) {
        (Some(differs), _) => Compared::Differs(differs),
        (None, None) => Compared::Same,
        (None, Some(recipe)) => Compared::Unchecked(format!(
            "what recipe `{recipe}` fills in is not compared: no engine at hand says what inputs the model has"
        )),
    }
}

/// The classes now against those of the record. A model that names none has those of its recipe.
pub(crate) fn labels_changed(
    model: &ResolvedModel,
    was: &ModelPlan,
) -> Result<Option<String>, CanonicalError> {
    let Some(plan) = &was.labels else {
        return Ok(None);
    };
    let Some((source, labels)) = &model.labels else {
        return Ok(model.spec.recipe.is_none().then(|| {
            format!(
                "measured with the labels of `{}`, the model names none",
                plan.source
            )
        }));
    };
    let changed = canonical_sha256(labels)? != plan.sha256;
    Ok(changed.then(|| {
        format!(
            "the {} labels of `{}` were others than the {} of `{source}` now",
            plan.count,
            plan.source,
            labels.len()
        )
    }))
}
