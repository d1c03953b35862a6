//! A recipe as a row, as data, and as it applies to one model.
//!
//! In a recipe's file a size of `[0, 0]` stands for the model's own input size. Resolving replaces
//! it, and takes element type and layout from the model, so that what comes out is complete and can
//! be printed.
//!
//! A recipe fits a model when its steps suit the inputs and its decoder can be built for the
//! outputs: by rank, by grid, by number of classes. Detectors write their outputs in forms of their
//! own, so such a form with the number of classes of the recipe's labels is recognised; a list of
//! scores says nothing of how pixels were prepared, so a classifier is never more than possible.

use crate::decoders::DECODERS;
use dyno_core::{
    CropSize, DType, DecoderContext, DecoderSpec, Dimension, InputSpec, IoSpec, LabelMap, Layout,
    PredictionKind, PreprocessStep, Purpose, Recipe, RecipeError, RecipeFit, ResolvedRecipe,
    TensorInfo, lookup,
};
use serde::{Deserialize, Serialize};

/// A row of [`RECIPES`](crate::RECIPES) whose content is a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileRecipe {
    /// Kebab-case name, unique in the table.
    pub(super) name: &'static str,
    /// One line for people.
    pub(super) about: &'static str,
    /// Its file: a [`RecipeSpec`] in JSON.
    pub(super) text: &'static str,
}

/// What a recipe's file says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecipeSpec {
    /// What such models are for.
    pub(super) purpose: Purpose,
    /// A `u8` input of the model takes pixels as they are, and `normalize` is for its
    /// floating-point twin only.
    #[serde(default)]
    pub(super) u8_input_is_raw: bool,
    /// The inputs; a size of `[0, 0]` is the model's own.
    pub(super) inputs: Vec<InputSpec>,
    /// The decoder with both sets of thresholds.
    pub(super) decoder: DecoderSpec,
    /// A well-known list of labels, where such models usually have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) labels: Option<String>,
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

impl FileRecipe {
    fn error(&self, reason: impl Into<String>) -> RecipeError {
        RecipeError {
            recipe: self.name,
            reason: reason.into(),
        }
    }

    /// The recipe as data; a test makes sure that no embedded file is malformed.
    pub(super) fn spec(&self) -> Result<RecipeSpec, RecipeError> {
        serde_json::from_str(self.text).map_err(|e| self.error(format!("malformed file: {e}")))
    }
}

impl Recipe for FileRecipe {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn text(&self) -> &'static str {
        self.text
    }

    fn resolve(&self, io: &IoSpec) -> Result<ResolvedRecipe, RecipeError> {
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
                    steps.retain(|s| !matches!(s, PreprocessStep::Normalize(_)));
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
            && decoder_fits(&resolved, io, Some(&labels)).is_some()
        {
            resolved.labels = Some(labels);
        }
        Ok(resolved)
    }

    fn fit(&self, io: &IoSpec) -> RecipeFit {
        let (Ok(spec), Ok(resolved)) = (self.spec(), self.resolve(io)) else {
            return RecipeFit::No;
        };
        match decoder_fits(&resolved, io, resolved.labels.as_deref()) {
            None => RecipeFit::No,
            // A list of labels that was given up means another number of classes, so perhaps
            // another kind of model altogether.
            Some(PredictionKind::Detections) if spec.labels == resolved.labels => {
                RecipeFit::Recognised
            }
            Some(PredictionKind::Detections | PredictionKind::Ranking) => RecipeFit::Possible,
        }
    }
}

/// What the decoder says of a sample, when it can be built for these outputs with this list of
/// labels.
fn decoder_fits(
    resolved: &ResolvedRecipe,
    io: &IoSpec,
    labels: Option<&str>,
) -> Option<PredictionKind> {
    let labels = labels.and_then(LabelMap::builtin).unwrap_or_default();
    let kind = lookup("decoder", DECODERS, &resolved.decoder.kind).ok()?;
    let (network_size, _) = io
        .inputs
        .first()
        .zip(resolved.inputs.first())
        .and_then(|(info, input)| image_size(info, input.layout).ok())?;
    let context = DecoderContext {
        spec: &resolved.decoder,
        thresholds: resolved.decoder.evaluate,
        io,
        network_size,
        labels: &labels,
    };
    kind.build(&context).ok().map(|_| kind.predicts())
}

#[cfg(test)]
mod tests;
