//! A recipe as a row, as data, and as it applies to one model.
//!
//! In a recipe's file a size of `[0, 0]` stands for the model's own input size. [`Recipe::resolve`]
//! replaces it, and takes element type and layout from the model, so that what comes out is
//! complete and can be printed.

use crate::{decoders::DECODERS, error::VisionError};
use dyno_core::{
    CropSize, DType, DecoderContext, DecoderSpec, Dimension, InputSpec, IoSpec, LabelMap, Layout,
    PreprocessStep, Purpose, TensorInfo, UnknownName, lookup, nearest,
};
use serde::{Deserialize, Serialize};

/// A row of [`RECIPES`](crate::RECIPES).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recipe {
    /// Kebab-case name, unique in the table.
    pub name: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// Its file: a [`RecipeSpec`] in JSON.
    pub text: &'static str,
}

/// What a recipe's file says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecipeSpec {
    /// What such models are for.
    pub purpose: Purpose,
    /// A `u8` input of the model takes pixels as they are, and `normalize` is for its
    /// floating-point twin only.
    #[serde(default)]
    pub u8_input_is_raw: bool,
    /// The inputs; a size of `[0, 0]` is the model's own.
    pub inputs: Vec<InputSpec>,
    /// The decoder with both sets of thresholds.
    pub decoder: DecoderSpec,
    /// A well-known list of labels, where such models usually have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<String>,
}

/// A recipe applied to one model: complete, nothing left to guess.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResolvedRecipe {
    /// What the model is for.
    pub purpose: Purpose,
    /// The inputs with name, element type, layout, shape (batch 1) and steps.
    pub inputs: Vec<InputSpec>,
    /// The decoder.
    pub decoder: DecoderSpec,
    /// The well-known labels; absent when the recipe names none, or the decoder refuses the outputs
    /// with as many classes as the list has.
    pub labels: Option<String>,
}

/// The recipe called `name`.
///
/// # Errors
/// [`VisionError::UnknownRecipe`] with the names that exist and the nearest of them.
pub fn recipe(name: &str) -> Result<&'static Recipe, VisionError> {
    let unknown = || UnknownName {
        what: "recipe",
        name: name.to_owned(),
        known: super::RECIPES.iter().map(|r| r.name.to_owned()).collect(),
        nearest: nearest(name, super::RECIPES.iter().map(|r| r.name)),
    };
    super::RECIPES
        .iter()
        .find(|r| r.name == name)
        .ok_or_else(|| unknown().into())
}

/// The detection recipes whose decoder reads these outputs, labels included. Where exactly one
/// fits, a planner may assume it and say so.
pub fn matching_recipes(io: &IoSpec) -> Vec<&'static Recipe> {
    let fits = |r: &&Recipe| {
        let Ok(spec) = r.spec() else { return false };
        let Ok(resolved) = r.resolve(io) else {
            return false;
        };
        // A list of labels that was given up means another number of classes, so perhaps another
        // kind of model altogether.
        spec.purpose == Purpose::ObjectDetection
            && spec.labels == resolved.labels
            && Recipe::decoder_fits(&resolved, io, resolved.labels.as_deref())
    };
    super::RECIPES.iter().filter(fits).collect()
}

/// Width, height and layout of an image input; both extents must be numbers.
fn image_size(input: &TensorInfo, layout: Layout) -> Result<([u32; 2], Layout), String> {
    let shape = || {
        format!(
            "[{}]",
            input
                .shape
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(", ")
        )
    };
    let [_, a, b, c] = input.shape.as_slice() else {
        return Err(format!(
            "input `{}` is no image: its shape is {}",
            input.name,
            shape()
        ));
    };
    let channels = |d: &Dimension| matches!(d, Dimension::Fixed(1 | 3));
    let layout = match (channels(a), channels(c)) {
        (true, false) => Layout::Nchw,
        (false, true) => Layout::Nhwc,
        _ => layout,
    };
    let (height, width) = match layout {
        Layout::Nchw => (b, c),
        Layout::Nhwc => (a, b),
    };
    let number = |d: &Dimension| {
        if let Dimension::Fixed(n) = d {
            u32::try_from(*n).ok().filter(|n| *n > 0)
        } else {
            None
        }
    };
    match (number(width), number(height)) {
        (Some(w), Some(h)) => Ok(([w, h], layout)),
        _ => Err(format!(
            "the model leaves the size of input `{}` open ({}): give a shape",
            input.name,
            shape()
        )),
    }
}

/// Puts the model's own size where a step says `[0, 0]`.
fn with_size(step: &PreprocessStep, own: [u32; 2]) -> PreprocessStep {
    let mut step = step.clone();
    match &mut step {
        PreprocessStep::Resize { size, .. }
        | PreprocessStep::Letterbox { size, .. }
        | PreprocessStep::CenterCrop(CropSize::Size(size))
            if *size == [0, 0] =>
        {
            *size = own;
        }
        _ => {}
    }
    step
}

impl Recipe {
    fn error(&self, reason: impl Into<String>) -> VisionError {
        VisionError::Recipe {
            recipe: self.name,
            reason: reason.into(),
        }
    }

    /// The recipe as data.
    ///
    /// # Errors
    /// When the embedded file is malformed; a test makes sure that none is.
    pub fn spec(&self) -> Result<RecipeSpec, VisionError> {
        serde_json::from_str(self.text).map_err(|e| self.error(format!("malformed file: {e}")))
    }

    /// The recipe for a model with these inputs and outputs: sizes, element type and layout filled
    /// in.
    ///
    /// # Errors
    /// When the model has not exactly one input per input of the recipe, an input is no image of
    /// known size, or its element type is not one that the steps give.
    pub fn resolve(&self, io: &IoSpec) -> Result<ResolvedRecipe, VisionError> {
        let spec = self.spec()?;
        if spec.inputs.len() != io.inputs.len() {
            let names: Vec<&str> = io.inputs.iter().map(|t| t.name.as_str()).collect();
            return Err(self.error(format!(
                "it is for {} input, the model has {}: {}",
                spec.inputs.len(),
                names.len(),
                names.join(", ")
            )));
        }
        let mut inputs = Vec::with_capacity(spec.inputs.len());
        for (input, info) in spec.inputs.iter().zip(&io.inputs) {
            let (own, layout) =
                image_size(info, input.layout).map_err(|reason| self.error(reason))?;
            let mut steps: Vec<PreprocessStep> =
                input.preprocess.iter().map(|s| with_size(s, own)).collect();
            match info.dtype {
                DType::F32 | DType::F16 => {}
                DType::U8 if spec.u8_input_is_raw => {
                    steps.retain(|s| !matches!(s, PreprocessStep::Normalize(_)))
                }
                DType::U8
                    if !steps
                        .iter()
                        .any(|s| matches!(s, PreprocessStep::Normalize(_))) => {}
                other => {
                    return Err(self.error(format!(
                        "it has no steps for input `{}` of type {other}",
                        info.name
                    )));
                }
            }
            let [w, h] = own.map(|n| n as usize);
            let shape = match layout {
                Layout::Nchw => vec![1, 3, h, w],
                Layout::Nhwc => vec![1, h, w, 3],
            };
            inputs.push(InputSpec {
                name: Some(info.name.clone()),
                dtype: Some(info.dtype),
                layout,
                shape: Some(shape),
                preprocess: steps,
            });
        }
        let mut resolved = ResolvedRecipe {
            purpose: spec.purpose,
            inputs,
            decoder: spec.decoder,
            labels: None,
        };
        if let Some(labels) = spec.labels
            && Self::decoder_fits(&resolved, io, Some(&labels))
        {
            resolved.labels = Some(labels);
        }
        Ok(resolved)
    }

    /// The decoder can be built for these outputs with this list of labels.
    fn decoder_fits(resolved: &ResolvedRecipe, io: &IoSpec, labels: Option<&str>) -> bool {
        let labels = labels.and_then(LabelMap::builtin).unwrap_or_default();
        let Ok(kind) = lookup("decoder", DECODERS, &resolved.decoder.kind) else {
            return false;
        };
        let Some(size) = io
            .inputs
            .first()
            .zip(resolved.inputs.first())
            .and_then(|(info, input)| image_size(info, input.layout).ok())
        else {
            return false;
        };
        let context = DecoderContext {
            spec: &resolved.decoder,
            thresholds: resolved.decoder.evaluate,
            io,
            network_size: size.0,
            labels: &labels,
        };
        kind.build(&context).is_ok()
    }
}

#[cfg(test)]
mod tests;
