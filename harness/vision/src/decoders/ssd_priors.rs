//! `ssd-priors`: SSD's locations and confidences, cut before Caffe's `DetectionOutput`.
//!
//! Two outputs: locations `[N, P · 4]` (with `share_location` false `[N, P · classes · 4]`) and
//! confidences `[N, P · classes]`, activated; the prior boxes come from the parameters. Convention:
//! `detection_output_layer.cpp` and `bbox_util.cpp` of weiliu89/caffe (branch `ssd`): of each class
//! but the background those with `confidence > score`, the best `top_k` of them, suppression among
//! these, then the best `max` of all classes. Equal confidences keep the order of the prior boxes.
//!
//! Boxes are shares of the network's input. Class numbers are the model's own, the background
//! counted.

use super::{
    boxes::Boxes,
    shared::{exp, item, misfit, misfit_run, parameters, values, wrong},
    ssd::in_pixels,
};
use dyno_core::{
    DecodeError, Decoder, DecoderContext, DecoderKind, Dimension, Geometry, Prediction,
    PredictionKind, PriorGrid, TensorInfo, TensorView,
};
use serde::Deserialize;

const ID: &str = "ssd-priors";
/// Most prior boxes of a model: SSD 512 has 24,564.
const MAX_PRIORS: usize = 1 << 22;

/// Row of the decoder table.
#[derive(Debug, Clone, Copy)]
pub struct SsdPriors;

fn yes() -> bool {
    true
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    classes: usize,
    #[serde(default)]
    background: Option<usize>,
    #[serde(default = "yes")]
    share_location: bool,
    code: Code,
    #[serde(default)]
    variance_in_target: bool,
    #[serde(default)]
    top_k: Option<usize>,
    priors: Vec<PriorGrid>,
}

/// What the four numbers of a location are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Code {
    /// Offsets of the corners.
    Corner,
    /// Offset of the centre in sizes of the prior box, logarithm of the growth.
    CenterSize,
    /// Offsets of the corners in sizes of the prior box.
    CornerSize,
}

/// A prior box, with the variances by which locations are scaled.
#[derive(Debug, Clone, Copy)]
struct Prior {
    corners: [f32; 4],
    variances: [f32; 4],
}

impl Prior {
    /// Corners of the box at a location.
    fn decode(&self, code: Code, location: &[f32; 4]) -> [f32; 4] {
        let [left, top, right, bottom] = self.corners;
        let [v0, v1, v2, v3] = self.variances;
        let [l0, l1, l2, l3] = *location;
        let (width, height) = (right - left, bottom - top);
        match code {
            Code::Corner => [
                left + v0 * l0,
                top + v1 * l1,
                right + v2 * l2,
                bottom + v3 * l3,
            ],
            Code::CornerSize => [
                left + v0 * l0 * width,
                top + v1 * l1 * height,
                right + v2 * l2 * width,
                bottom + v3 * l3 * height,
            ],
            Code::CenterSize => {
                let x = v0 * l0 * width + (left + right) * 0.5;
                let y = v1 * l1 * height + (top + bottom) * 0.5;
                let half_width = exp(v2 * l2) * width / 2.0;
                let half_height = exp(v3 * l3) * height / 2.0;
                [
                    x - half_width,
                    y - half_height,
                    x + half_width,
                    y + half_height,
                ]
            }
        }
    }
}

struct SsdPriorsDecoder {
    parameters: Parameters,
    priors: Vec<Prior>,
    network: [f64; 2],
    boxes: Boxes,
    scratch: [Vec<f32>; 2],
    /// Confidence and prior box of the candidates of a class.
    candidates: Vec<(f32, usize)>,
}

impl DecoderKind for SsdPriors {
    fn id(&self) -> &'static str {
        ID
    }

    fn about(&self) -> &'static str {
        "SSD before its suppression: locations [N, P * 4] and confidences [N, P * classes]; parameters `classes`, `priors` (grids of prior boxes), `code` \
         (`center-size`, `corner` or `corner-size`), `background`, `share_location`, `variance_in_target`, `top_k`, `class_agnostic`, `clip_to_image`"
    }

    fn suppresses(&self) -> bool {
        true
    }

    fn predicts(&self) -> PredictionKind {
        PredictionKind::Detections
    }

    fn build(&self, context: &DecoderContext<'_>) -> Result<Box<dyn Decoder>, DecodeError> {
        let (common, own) = parameters::<Parameters>(ID, &context.spec.parameters)?;
        if own.classes == 0 || own.background.is_some_and(|b| b >= own.classes) {
            return Err(wrong(ID, "`background` must be one of the `classes`"));
        }
        let priors = priors(&own)?;
        let expected = expectation(&own, priors.len());
        let fits = match context.io.outputs.as_slice() {
            [locations, confidences] => {
                let [l, c] = numbers(&own, priors.len());
                may_hold(locations, l) && may_hold(confidences, c)
            }
            _ => false,
        };
        if !fits {
            return Err(misfit(ID, expected, context.io));
        }
        let boxes = Boxes::new(ID, context, common, None)?;
        Ok(Box::new(SsdPriorsDecoder {
            parameters: own,
            priors,
            network: context.network_size.map(f64::from),
            boxes,
            scratch: Default::default(),
            candidates: Vec::new(),
        }))
    }
}

fn priors(own: &Parameters) -> Result<Vec<Prior>, DecodeError> {
    let total = own
        .priors
        .iter()
        .try_fold(0usize, |n, g| n.checked_add(g.count()?));
    if total.is_none_or(|n| n == 0 || n > MAX_PRIORS) {
        return Err(wrong(
            ID,
            "`priors` have sizes without measure, or no or too many boxes",
        ));
    }
    let mut priors = Vec::with_capacity(total.unwrap_or(0));
    for grid in &own.priors {
        let variances = if own.variance_in_target {
            [1.0; 4]
        } else {
            grid.variances
        };
        let boxes = grid.boxes().unwrap_or_default().into_iter();
        priors.extend(boxes.map(|corners| Prior { corners, variances }));
    }
    Ok(priors)
}

/// Locations and confidences of an image.
fn numbers(own: &Parameters, priors: usize) -> [usize; 2] {
    let lists = if own.share_location { 1 } else { own.classes };
    [lists.saturating_mul(4), own.classes].map(|n| n.saturating_mul(priors))
}

fn expectation(own: &Parameters, priors: usize) -> String {
    let [locations, confidences] = numbers(own, priors);
    format!("locations [N, {locations}] and confidences [N, {confidences}]")
}

/// The axes after the first hold `count` numbers, as far as the model says.
fn may_hold(info: &TensorInfo, count: usize) -> bool {
    let mut product = 1usize;
    for dimension in info.shape.iter().skip(1) {
        match dimension {
            Dimension::Fixed(n) => product = product.saturating_mul(*n),
            Dimension::Symbolic(_) | Dimension::Unknown => return true,
        }
    }
    !info.shape.is_empty() && product == count
}

impl Decoder for SsdPriorsDecoder {
    fn decode(
        &mut self,
        outputs: &[TensorView<'_>],
        geometries: &[Geometry],
        predictions: &mut Vec<Prediction>,
    ) -> Result<(), DecodeError> {
        self.boxes.clear();
        let expected = numbers(&self.parameters, self.priors.len());
        let wrong = || {
            let words = expectation(&self.parameters, self.priors.len());
            misfit_run(ID, words, outputs)
        };
        let [locations, confidences] = outputs else {
            return Err(wrong());
        };
        let batch = locations.shape().first().copied().unwrap_or(0);
        let holds = |view: &TensorView<'_>, count: usize| {
            view.shape().first() == Some(&batch)
                && view
                    .shape()
                    .iter()
                    .skip(1)
                    .fold(1usize, |n, &d| n.saturating_mul(d))
                    == count
        };
        if batch < geometries.len()
            || !holds(locations, expected[0])
            || !holds(confidences, expected[1])
        {
            return Err(wrong());
        }
        let Self {
            parameters,
            priors,
            network,
            boxes,
            scratch: [first, second],
            candidates,
        } = self;
        let (locations, confidences) = (values(locations, first), values(confidences, second));
        let lists = if parameters.share_location {
            1
        } else {
            parameters.classes
        };
        for (index, geometry) in geometries.iter().enumerate() {
            let locations = item(locations, batch, index);
            let confidences = item(confidences, batch, index);
            let (locations, _) = locations.as_chunks::<4>();
            for class in 0..parameters.classes {
                if Some(class) == parameters.background {
                    continue;
                }
                let least = boxes.score();
                let of_class = confidences.iter().skip(class).step_by(parameters.classes);
                candidates.clear();
                candidates.extend(
                    of_class
                        .zip(0..)
                        .filter(|(c, _)| **c > least)
                        .map(|(c, at)| (*c, at)),
                );
                if let Some(most) = parameters.top_k.filter(|&k| k < candidates.len()) {
                    candidates.sort_by(|a, b| b.0.total_cmp(&a.0));
                    candidates.truncate(most);
                    // Suppression takes the earlier of equal ones first.
                    candidates.sort_unstable_by_key(|(_, at)| *at);
                }
                let list = if parameters.share_location { 0 } else { class };
                for &(confidence, at) in candidates.iter() {
                    let location = at.checked_mul(lists).and_then(|n| locations.get(n + list));
                    if let (Some(prior), Some(location)) = (priors.get(at), location) {
                        let [x1, y1, x2, y2] = prior.decode(parameters.code, location);
                        boxes.push(at, class, confidence, in_pixels(*network, x1, y1, x2, y2));
                    }
                }
            }
            predictions.push(boxes.finish(geometry));
        }
        Ok(())
    }
}
