//! `ssd`: detections that the model itself has decoded and suppressed, in either of two forms.
//!
//! * `DetectionOutput` (Caffe, OpenVINO): `[1, 1, N, 7]`, rows of image, class, score, x1, y1, x2,
//!   y2; a negative image number is filler.
//! * TensorFlow's and TFLite's four tensors: boxes `[B, N, 4]` as ymin, xmin, ymax, xmax, classes
//!   `[B, N]`, scores `[B, N]`, count `[B]`,
//!   found by name, else in TFLite's order.
//!
//! Boxes are shares of the network's input. Class numbers are the model's own: whether 0 is the
//! background is the label map's business. A detection is kept when `score >= threshold`.

use super::boxes::Boxes;
use super::shared::{item, may_be, misfit, misfit_run, parameters, values};
use dyno_core::{
    DecodeError, Decoder, DecoderContext, DecoderKind, Geometry, IoSpec, Prediction,
    PredictionKind, TensorView, Thresholds, Xyxy,
};
use serde::Deserialize;

const ID: &str = "ssd";
const EXPECTATION: &str =
    "one output [1, 1, N, 7], or four: boxes [B, N, 4], classes [B, N], scores [B, N], count [B]";
/// Greatest class number: beyond it f32 cannot count.
const MAX_CLASS: f32 = 16_777_215.0;

/// Row of the decoder table.
#[derive(Debug, Clone, Copy)]
pub struct Ssd;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Parameters {
    form: Option<Form>,
}

/// Which of the two forms the outputs have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Form {
    Rows,
    Tensors,
}

/// Positions of the four tensors.
#[derive(Debug, Clone, Copy)]
struct Four {
    boxes: usize,
    classes: usize,
    scores: usize,
    count: usize,
}

struct SsdDecoder {
    four: Option<Four>,
    network: [f64; 2],
    boxes: Boxes,
    scratch: [Vec<f32>; 4],
}

impl DecoderKind for Ssd {
    fn id(&self) -> &'static str {
        ID
    }

    fn about(&self) -> &'static str {
        "detections already suppressed by the model: DetectionOutput rows [1, 1, N, 7], or TensorFlow's boxes, classes, scores and count; parameters `form` \
         (`rows` or `tensors`, to accept one only), `class_agnostic` (with a threshold `iou` only), `clip_to_image`"
    }

    fn predicts(&self) -> PredictionKind {
        PredictionKind::Detections
    }

    fn build(&self, context: &DecoderContext<'_>) -> Result<Box<dyn Decoder>, DecodeError> {
        let (common, own) = parameters::<Parameters>(ID, &context.spec.parameters)?;
        let four = match context.io.outputs.as_slice() {
            [output]
                if own.form != Some(Form::Tensors)
                    && may_be(output, &[None, None, None, Some(7)]) =>
            {
                None
            }
            [_, _, _, _] if own.form != Some(Form::Rows) => {
                Some(find_four(context.io).ok_or_else(|| misfit(ID, EXPECTATION, context.io))?)
            }
            _ => return Err(misfit(ID, EXPECTATION, context.io)),
        };
        // The model has its thresholds inside; without words of ours everything it says is kept.
        let everything = Thresholds {
            score: 0.0,
            iou: None,
            max: None,
        };
        let boxes = Boxes::new(ID, context, common, Some(everything))?;
        Ok(Box::new(SsdDecoder {
            four,
            network: context.network_size.map(f64::from),
            boxes,
            scratch: Default::default(),
        }))
    }
}

fn find_four(io: &IoSpec) -> Option<Four> {
    let named = |part: &str| {
        let mut hits = io
            .outputs
            .iter()
            .enumerate()
            .filter(|(_, t)| t.name.to_lowercase().contains(part))
            .map(|(at, _)| at);
        let first = hits.next()?;
        hits.next().is_none().then_some(first)
    };
    let four = match (named("box"), named("class"), named("score"), named("num")) {
        (Some(boxes), Some(classes), Some(scores), Some(count)) => Four {
            boxes,
            classes,
            scores,
            count,
        },
        _ => Four {
            boxes: 0,
            classes: 1,
            scores: 2,
            count: 3,
        },
    };
    let fits = |at: usize, expected: &[Option<usize>]| {
        io.outputs.get(at).is_some_and(|t| may_be(t, expected))
    };
    (fits(four.boxes, &[None, None, Some(4)])
        && fits(four.classes, &[None, None])
        && fits(four.scores, &[None, None])
        && fits(four.count, &[None]))
    .then_some(four)
}

/// A class number stored as a float.
fn class_number(v: f32) -> Option<usize> {
    ((0.0..=MAX_CLASS).contains(&v) && v.fract().abs() < f32::EPSILON).then_some(v as usize)
}

/// The box in network pixels.
pub(super) fn in_pixels(network: [f64; 2], x1: f32, y1: f32, x2: f32, y2: f32) -> Xyxy {
    let [w, h] = network;
    Xyxy {
        x1: f64::from(x1) * w,
        y1: f64::from(y1) * h,
        x2: f64::from(x2) * w,
        y2: f64::from(y2) * h,
    }
}

impl SsdDecoder {
    fn rows(
        &mut self,
        outputs: &[TensorView<'_>],
        geometries: &[Geometry],
        predictions: &mut Vec<Prediction>,
    ) -> Result<(), DecodeError> {
        let [output] = outputs else {
            return Err(misfit_run(ID, EXPECTATION, outputs));
        };
        if output.shape().len() != 4 || output.shape()[3] != 7 {
            return Err(misfit_run(ID, EXPECTATION, outputs));
        }
        let all = values(output, &mut self.scratch[0]);
        let least = self.boxes.score();
        for (index, geometry) in geometries.iter().enumerate() {
            for (position, row) in all.chunks_exact(7).enumerate() {
                let &[image, class, score, x1, y1, x2, y2] = row else {
                    continue;
                };
                let ours = class_number(image) == Some(index);
                if let (true, true, Some(class)) = (ours, score >= least, class_number(class)) {
                    self.boxes.push(
                        position,
                        class,
                        score,
                        in_pixels(self.network, x1, y1, x2, y2),
                    );
                }
            }
            predictions.push(self.boxes.finish(geometry));
        }
        Ok(())
    }

    fn tensors(
        &mut self,
        four: Four,
        outputs: &[TensorView<'_>],
        geometries: &[Geometry],
        predictions: &mut Vec<Prediction>,
    ) -> Result<(), DecodeError> {
        let wrong = || misfit_run(ID, EXPECTATION, outputs);
        let get = |at: usize| outputs.get(at).ok_or_else(wrong);
        let (boxes, classes, scores, count) = (
            get(four.boxes)?,
            get(four.classes)?,
            get(four.scores)?,
            get(four.count)?,
        );
        let &[batch, n, 4] = boxes.shape() else {
            return Err(wrong());
        };
        if classes.shape() != [batch, n]
            || scores.shape() != [batch, n]
            || count.shape() != [batch]
            || batch < geometries.len()
        {
            return Err(wrong());
        }
        let [s0, s1, s2, s3] = &mut self.scratch;
        let (boxes, classes, scores, count) = (
            values(boxes, s0),
            values(classes, s1),
            values(scores, s2),
            values(count, s3),
        );
        let least = self.boxes.score();
        for (index, geometry) in geometries.iter().enumerate() {
            let valid = count
                .get(index)
                .copied()
                .filter(|v| *v > 0.0)
                .map_or(0, |v| v as usize)
                .min(n);
            let rows = item(boxes, batch, index)
                .chunks_exact(4)
                .zip(item(classes, batch, index))
                .zip(item(scores, batch, index));
            for (position, ((corner, &class), &score)) in rows.take(valid).enumerate() {
                let &[y1, x1, y2, x2] = corner else { continue };
                if let (true, Some(class)) = (score >= least, class_number(class)) {
                    self.boxes.push(
                        position,
                        class,
                        score,
                        in_pixels(self.network, x1, y1, x2, y2),
                    );
                }
            }
            predictions.push(self.boxes.finish(geometry));
        }
        Ok(())
    }
}

impl Decoder for SsdDecoder {
    fn decode(
        &mut self,
        outputs: &[TensorView<'_>],
        geometries: &[Geometry],
        predictions: &mut Vec<Prediction>,
    ) -> Result<(), DecodeError> {
        self.boxes.clear();
        match self.four {
            None => self.rows(outputs, geometries, predictions),
            Some(four) => self.tensors(four, outputs, geometries, predictions),
        }
    }
}
