//! `ssd-anchors`: box encodings `[B, N, 4]` and class predictions `[B, N, C]` for N anchors that the
//! parameters list, as detectors of TensorFlow's Object Detection API have them before their
//! postprocessor.
//!
//! With an anchor's centre and extents, in shares of the network's input, and encodings y, x,
//! height, width: `centre = e · extent / scale + centre`, `extent = exp(e / scale) · extent`. Scores
//! are the sigmoid or the softmax of the predictions, without the background's where the first is
//! that. A detection is kept when `score >= threshold`.
//!
//! Source: `object_detection/box_coders/faster_rcnn_box_coder.py` of tensorflow/models.

use super::boxes::Boxes;
use super::shared::{exp, item, may_be, misfit, misfit_run, parameters, sigmoid, values, wrong};
use dyno_core::{
    DecodeError, Decoder, DecoderContext, DecoderKind, Geometry, Prediction, PredictionKind,
    TensorView, Xyxy,
};
use serde::Deserialize;

const ID: &str = "ssd-anchors";
const EXPECTATION: &str =
    "two outputs for the same anchors: box encodings [B, N, 4], class predictions [B, N, C]";
/// Most anchors: detectors have some ten thousand.
const MAX_ANCHORS: usize = 1 << 20;

/// Row of the decoder table.
#[derive(Debug, Clone, Copy)]
pub struct SsdAnchors;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Scores {
    Sigmoid,
    Softmax,
}

/// What the box coder divides by, as the API's default has it.
fn scales() -> [f32; 4] {
    [10.0, 10.0, 5.0, 5.0]
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// Least y, least x, greatest y, greatest x, in shares of the network's input.
    anchors: Vec<[f32; 4]>,
    /// Of y, x, height and width.
    #[serde(default = "scales")]
    scales: [f32; 4],
    scores: Scores,
    /// The first prediction of an anchor is the background's.
    #[serde(default)]
    background: bool,
    /// Number of the first class.
    #[serde(default)]
    first_class: usize,
}

/// Centre and extents: y, x, height, width.
#[derive(Debug, Clone, Copy)]
struct Anchor([f32; 4]);

struct SsdAnchorsDecoder {
    anchors: Vec<Anchor>,
    scales: [f32; 4],
    scores: Scores,
    background: bool,
    first_class: usize,
    network: [f64; 2],
    boxes: Boxes,
    scratch: [Vec<f32>; 2],
}

impl DecoderKind for SsdAnchors {
    fn id(&self) -> &'static str {
        ID
    }

    fn about(&self) -> &'static str {
        "TensorFlow detectors before their postprocessor: box encodings [B, N, 4] and class predictions [B, N, C]; parameters `anchors` ([ymin, xmin, ymax, xmax] \
         each), `scales`, `scores` (`sigmoid` or `softmax`), `background`, `first_class`, `class_agnostic`, `clip_to_image`"
    }

    fn predicts(&self) -> PredictionKind {
        PredictionKind::Detections
    }

    fn build(&self, context: &DecoderContext<'_>) -> Result<Box<dyn Decoder>, DecodeError> {
        let (common, own) = parameters::<Parameters>(ID, &context.spec.parameters)?;
        let count = own.anchors.len();
        if count == 0 || count > MAX_ANCHORS {
            let text = format!("`anchors` must be 1 to {MAX_ANCHORS}, found {count}");
            return Err(wrong(ID, text));
        }
        let finite = own.anchors.iter().flatten().all(|v| v.is_finite());
        if !finite || own.scales.iter().any(|s| !s.is_finite() || *s <= 0.0) {
            let text = "`anchors` must be finite, and `scales` positive";
            return Err(wrong(ID, text));
        }
        let fits = match context.io.outputs.as_slice() {
            [boxes, classes] => {
                may_be(boxes, &[None, Some(count), Some(4)])
                    && may_be(classes, &[None, Some(count), None])
            }
            _ => false,
        };
        if !fits {
            return Err(misfit(ID, EXPECTATION, context.io));
        }
        let anchors = own.anchors.iter().map(|&[y1, x1, y2, x2]| {
            let (h, w) = (y2 - y1, x2 - x1);
            Anchor([y1 + h / 2.0, x1 + w / 2.0, h, w])
        });
        Ok(Box::new(SsdAnchorsDecoder {
            anchors: anchors.collect(),
            scales: own.scales,
            scores: own.scores,
            background: own.background,
            first_class: own.first_class,
            network: context.network_size.map(f64::from),
            boxes: Boxes::new(ID, context, common, None)?,
            scratch: Default::default(),
        }))
    }
}

/// The box of an anchor in network pixels.
fn decoded(anchor: Anchor, encoding: &[f32], scales: [f32; 4], network: [f64; 2]) -> Option<Xyxy> {
    let &[ty, tx, th, tw] = encoding else {
        return None;
    };
    let Anchor([y, x, h, w]) = anchor;
    let [sy, sx, sh, sw] = scales;
    let (y, x) = (ty / sy * h + y, tx / sx * w + x);
    let (h, w) = (exp(th / sh) * h, exp(tw / sw) * w);
    let [width, height] = network;
    Some(Xyxy {
        x1: f64::from(x - w / 2.0) * width,
        y1: f64::from(y - h / 2.0) * height,
        x2: f64::from(x + w / 2.0) * width,
        y2: f64::from(y + h / 2.0) * height,
    })
}

/// Greatest prediction and the sum of all `exp(p - greatest)`.
fn softmax(predictions: &[f32]) -> (f32, f32) {
    let greatest = predictions
        .iter()
        .copied()
        .fold(f32::NEG_INFINITY, f32::max);
    let sum = predictions.iter().map(|p| exp(p - greatest)).sum();
    (greatest, sum)
}

impl Decoder for SsdAnchorsDecoder {
    fn decode(
        &mut self,
        outputs: &[TensorView<'_>],
        geometries: &[Geometry],
        predictions: &mut Vec<Prediction>,
    ) -> Result<(), DecodeError> {
        let wrong = || misfit_run(ID, EXPECTATION, outputs);
        let [boxes, classes] = outputs else {
            return Err(wrong());
        };
        let count = self.anchors.len();
        let (&[batch, n, 4], &[same, m, all]) = (boxes.shape(), classes.shape()) else {
            return Err(wrong());
        };
        if n != count || m != count || same != batch || batch < geometries.len() {
            return Err(wrong());
        }
        let first = usize::from(self.background);
        if all <= first {
            return Err(wrong());
        }
        self.boxes.clear();
        let [s0, s1] = &mut self.scratch;
        let (boxes, classes) = (values(boxes, s0), values(classes, s1));
        let least = self.boxes.score();
        for (index, geometry) in geometries.iter().enumerate() {
            let rows = item(boxes, batch, index)
                .chunks_exact(4)
                .zip(item(classes, batch, index).chunks_exact(all))
                .zip(&self.anchors);
            for (position, ((encoding, row), anchor)) in rows.enumerate() {
                let (greatest, sum) = match self.scores {
                    Scores::Sigmoid => (0.0, 1.0),
                    Scores::Softmax => softmax(row),
                };
                // Decoded once an anchor, and only where a class is kept.
                let mut place = None;
                for (class, &p) in row.iter().enumerate().skip(first) {
                    let score = match self.scores {
                        Scores::Sigmoid => sigmoid(p),
                        Scores::Softmax => exp(p - greatest) / sum,
                    };
                    if score >= least {
                        let place = place.get_or_insert_with(|| {
                            decoded(*anchor, encoding, self.scales, self.network)
                        });
                        if let Some(bbox) = place {
                            let class = class - first + self.first_class;
                            self.boxes.push(position, class, score, *bbox);
                        }
                    }
                }
            }
            predictions.push(self.boxes.finish(geometry));
        }
        Ok(())
    }
}
