//! `classification`: one score per class. Convention: one axis beside
//! the batch has the classes in order, every other is 1 (`[1, C]`, `[1, C, 1, 1]` of Caffe,
//! `[1, 1, 1, C]` of TensorFlow); a tensor with a single axis is one item.

use super::shared::{check_labels, item, misfit, misfit_run, parameters, values, wrong};
use dyno_core::{
    DType, DecodeError, Decoder, DecoderContext, DecoderKind, Dimension, Geometry, Prediction,
    PredictionKind, Ranking, TensorView,
};
use serde::Deserialize;

const ID: &str = "classification";
const EXPECTATION: &str = "one output with a score per class ([N, C], [N, C, 1, 1], [N, 1, 1, C])";
/// Rank down to which every class is listed: top-5 is the deepest metric.
const K: u32 = 5;

/// Row of the decoder table.
#[derive(Debug, Clone, Copy)]
pub struct Classification;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Parameters {
    softmax: bool,
}

struct ClassificationDecoder {
    classes: Option<usize>,
    softmax: bool,
    scratch: Vec<f32>,
}

impl DecoderKind for Classification {
    fn id(&self) -> &'static str {
        ID
    }

    fn about(&self) -> &'static str {
        "one output with a score per class ([N, C], [N, C, 1, 1], …); parameter `softmax` turns logits into probabilities (default false)"
    }

    fn predicts(&self) -> PredictionKind {
        PredictionKind::Ranking
    }

    fn build(&self, context: &DecoderContext<'_>) -> Result<Box<dyn Decoder>, DecodeError> {
        let (_, own) = parameters::<Parameters>(ID, &context.spec.parameters)?;
        let [output] = context.io.outputs.as_slice() else {
            return Err(misfit(
                ID,
                "one output; name it in `outputs` of `dyno.json` when there are several",
                context.io,
            ));
        };
        // More than one axis of classes is another kind of output altogether: a map of keypoints, a
        // mask, rows of boxes.
        let axes = output.shape.iter().skip(1);
        if axes
            .filter(|d| matches!(d, Dimension::Fixed(n) if *n != 1))
            .count()
            > 1
        {
            return Err(misfit(ID, EXPECTATION, context.io));
        }
        let real = matches!(output.dtype, DType::F32 | DType::F16 | DType::Bf16)
            || output.quantization.is_some();
        if own.softmax && !real {
            return Err(wrong(
                ID,
                format!(
                    "`softmax` needs logits in floating point, the output `{}` is {}",
                    output.name, output.dtype
                ),
            ));
        }
        let per_item: Option<usize> =
            output
                .fixed_shape()
                .and_then(|shape| match shape.as_slice() {
                    [] => None,
                    [classes] => Some(*classes),
                    [_, rest @ ..] => rest.iter().try_fold(1usize, |n, &d| n.checked_mul(d)),
                });
        if let Some(classes) = per_item {
            if classes == 0 {
                return Err(misfit(ID, "at least one class", context.io));
            }
            check_labels(context, ID, classes)?;
        }
        let classes =
            per_item.or_else(|| (!context.labels.is_empty()).then(|| context.labels.len()));
        Ok(Box::new(ClassificationDecoder {
            classes,
            softmax: own.softmax,
            scratch: Vec::new(),
        }))
    }
}

/// Turns the listed scores into shares of the whole; the ranking, ties included, stays that of the
/// logits.
fn softmax(ranking: &mut Ranking, logits: &[f32]) {
    let greatest = logits
        .iter()
        .copied()
        .filter(|v| !v.is_nan())
        .fold(f32::NEG_INFINITY, f32::max);
    if !greatest.is_finite() {
        return;
    }
    let share = |v: f32| f64::from(v - greatest).exp();
    let total: f64 = logits
        .iter()
        .copied()
        .filter(|v| !v.is_nan())
        .map(share)
        .sum();
    for class in &mut ranking.classes {
        class.score = (share(class.score) / total) as f32;
    }
}

impl Decoder for ClassificationDecoder {
    fn decode(
        &mut self,
        outputs: &[TensorView<'_>],
        geometries: &[Geometry],
        predictions: &mut Vec<Prediction>,
    ) -> Result<(), DecodeError> {
        let [output] = outputs else {
            return Err(misfit_run(ID, "one output", outputs));
        };
        if output.shape().iter().skip(1).filter(|n| **n != 1).count() > 1 {
            return Err(misfit_run(ID, EXPECTATION, outputs));
        }
        let batch = if output.shape().len() == 1 {
            1
        } else {
            output.shape().first().copied().unwrap_or(0)
        };
        let all = values(output, &mut self.scratch);
        let each = all.len().checked_div(batch).unwrap_or(0);
        if each == 0 || batch < geometries.len() || self.classes.is_some_and(|c| c != each) {
            let classes = self
                .classes
                .map_or_else(|| "the same".to_owned(), |c| c.to_string());
            return Err(misfit_run(
                ID,
                format!("{} items of {classes} classes", geometries.len()),
                outputs,
            ));
        }
        for index in 0..geometries.len() {
            let scores = item(all, batch, index);
            let mut ranking = Ranking::from_scores(scores, K);
            if self.softmax {
                softmax(&mut ranking, scores);
            }
            predictions.push(Prediction::Ranking(ranking));
        }
        Ok(())
    }
}
