//! What `yolo` and `region` share: heads of planes per anchor, `[N, anchors · (5 + C), rows,
//! columns]` with x, y, w, h, objectness and classes of one anchor after another.
//!
//! Convention (Darknet, `yolo_layer.c` and `region_layer.c`): a box is a candidate of every class
//! whose score `objectness · class` is *greater* than the threshold, so also of several. Arithmetic
//! is f32 up to the activations, f64 after them.

use super::boxes::Boxes;
use super::shared::{
    check_labels, exp, item, may_be, misfit, misfit_run, parameters, sigmoid, values, wrong,
};
use dyno_core::{DecodeError, Decoder, DecoderContext, Geometry, Prediction, TensorView, Xyxy};
use serde::{Deserialize, de::DeserializeOwned};

/// Planes before the classes.
const FIXED: usize = 5;
/// Objectness.
const OBJECT: usize = 4;
/// Added to bounds of raw numbers below which no score can pass, for rounding.
const MARGIN: f64 = 1e-3;

/// Parameters of a model: its heads in the order of its outputs.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Parameters<H> {
    pub(super) classes: usize,
    pub(super) heads: Vec<H>,
}

/// Parameters of a head that both kinds have.
pub(super) trait HeadParameters: DeserializeOwned {
    /// Name of its output; absent for the place in the list.
    fn output(&self) -> Option<&str>;
    /// Width and height of its anchors.
    fn anchors(&self) -> &[[f64; 2]];
    /// How its numbers are read.
    fn activation(&self) -> Activation;
}

/// How the numbers of a head become boxes and scores.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Activation {
    /// `[yolo]`: sigmoid of all but w and h; anchors in pixels; centres stretched by the factor.
    Yolo(f32),
    /// `[yolo]` with `new_coords`: activated already, extents are `(2t)²·anchor`.
    Activated(f32),
    /// `[region]`: anchors in cells; classes exclude each other.
    RegionSoftmax,
    /// `[region]`: anchors in cells; a sigmoid a class.
    RegionSigmoid,
}

#[derive(Debug)]
struct Head {
    /// Place of its output.
    output: usize,
    anchors: Vec<[f64; 2]>,
    activation: Activation,
}

pub(super) struct AnchorDecoder {
    id: &'static str,
    classes: usize,
    network: [f64; 2],
    heads: Vec<Head>,
    boxes: Boxes,
    scratch: Vec<f32>,
    scores: Vec<f32>,
}

fn expectation(anchors: usize, classes: usize) -> String {
    let planes = anchors.saturating_mul(FIXED.saturating_add(classes));
    format!("an output [N, {planes}, rows, columns] of {anchors} anchors with {classes} classes")
}

/// The raw number whose sigmoid is `score`.
fn logit(score: f64) -> f64 {
    (score / (1.0 - score)).ln()
}

/// A decoder for heads of type `H`.
pub(super) fn build<H: HeadParameters>(
    id: &'static str,
    context: &DecoderContext<'_>,
) -> Result<Box<dyn Decoder>, DecodeError> {
    let (common, own) = parameters::<Parameters<H>>(id, &context.spec.parameters)?;
    let outputs = &context.io.outputs;
    if own.heads.is_empty() || own.classes == 0 {
        return Err(wrong(id, "`heads` is empty or `classes` is 0"));
    }
    if own.heads.len() != outputs.len() {
        let expected = format!("{} outputs, one a head", own.heads.len());
        return Err(misfit(id, expected, context.io));
    }
    check_labels(context, id, own.classes)?;
    let mut heads = Vec::with_capacity(own.heads.len());
    for (place, head) in own.heads.iter().enumerate() {
        let output = match head.output() {
            None => place,
            Some(name) => {
                let found = outputs.iter().position(|o| o.name == name);
                found.ok_or_else(|| misfit(id, format!("an output `{name}`"), context.io))?
            }
        };
        let anchors = head.anchors().to_vec();
        let positive = |a: &f64| a.is_finite() && *a > 0.0;
        if anchors.is_empty() || !anchors.as_flattened().iter().all(positive) {
            let reason = format!("`anchors` must be pairs of positive numbers, found {anchors:?}");
            return Err(wrong(id, reason));
        }
        let planes = (own.classes.checked_add(FIXED)).and_then(|n| n.checked_mul(anchors.len()));
        let expected = [None, planes, None, None];
        let fits = outputs.get(output).is_some_and(|o| may_be(o, &expected));
        if planes.is_none() || !fits || heads.iter().any(|h: &Head| h.output == output) {
            return Err(misfit(
                id,
                expectation(anchors.len(), own.classes),
                context.io,
            ));
        }
        heads.push(Head {
            output,
            anchors,
            activation: head.activation(),
        });
    }
    Ok(Box::new(AnchorDecoder {
        id,
        classes: own.classes,
        network: context.network_size.map(f64::from),
        heads,
        boxes: Boxes::new(id, context, common, None)?,
        scratch: Vec::new(),
        scores: Vec::new(),
    }))
}

/// One anchor's planes of one head, and where their cells lie.
struct Grid<'a> {
    planes: &'a [f32],
    cells: usize,
    columns: usize,
    /// Pixels of a cell.
    cell: [f64; 2],
    anchor: [f64; 2],
    activation: Activation,
}

impl Grid<'_> {
    fn raw(&self, plane: usize, cell: usize) -> f32 {
        let place = plane * self.cells + cell;
        self.planes.get(place).copied().unwrap_or(f32::NAN)
    }

    fn sigmoid_unless_activated(&self, raw: f32) -> f32 {
        match self.activation {
            Activation::Activated(_) => raw,
            _ => sigmoid(raw),
        }
    }

    /// Least raw number that `score` needs, a little less.
    fn bound(&self, score: f64) -> f32 {
        let bound = match self.activation {
            Activation::Activated(_) => score,
            _ => logit(score.clamp(0.0, 1.0)),
        };
        (bound - MARGIN) as f32
    }

    /// The box of a cell in pixels of the network's input.
    fn bbox(&self, cell: usize) -> Xyxy {
        let at = [cell % self.columns, cell / self.columns];
        let side = |axis: usize| {
            let (t, extent) = (self.raw(axis, cell), self.raw(axis + 2, cell));
            let centre = match self.activation {
                Activation::Yolo(s) => sigmoid(t) * s - 0.5 * (s - 1.0),
                Activation::Activated(s) => t * s - 0.5 * (s - 1.0),
                Activation::RegionSoftmax | Activation::RegionSigmoid => sigmoid(t),
            };
            let centre = (f64::from(centre) + at[axis] as f64) * self.cell[axis];
            let half = match self.activation {
                Activation::Activated(_) => f64::from(extent * extent * 4.0),
                _ => f64::from(exp(extent)),
            } * self.anchor[axis]
                / 2.0;
            (centre - half, centre + half)
        };
        let ((x1, x2), (y1, y2)) = (side(0), side(1));
        Xyxy { x1, y1, x2, y2 }
    }

    /// Collects the boxes of all cells; `position` of the first.
    fn collect(&self, classes: usize, position: usize, scores: &mut Vec<f32>, boxes: &mut Boxes) {
        let least = boxes.score();
        let bound = self.bound(f64::from(least));
        let objects = self.planes.get(OBJECT * self.cells..).unwrap_or(&[]);
        for (cell, &raw) in objects.iter().take(self.cells).enumerate() {
            // Most cells end here, without an exponential; NaN too.
            if raw.is_nan() || raw < bound {
                continue;
            }
            let object = self.sigmoid_unless_activated(raw);
            if object.is_nan() || object <= least {
                continue;
            }
            scores.clear();
            let raws = (0..classes).map(|class| self.raw(FIXED + class, cell));
            if self.activation == Activation::RegionSoftmax {
                scores.extend(raws);
                softmax(scores);
                for score in scores.iter_mut() {
                    *score *= object;
                }
            } else {
                // Below the bound no class passes; its exponential is spared.
                let bound = self.bound(f64::from(least) / f64::from(object));
                scores.extend(raws.map(|raw| {
                    if raw < bound {
                        f32::NEG_INFINITY
                    } else {
                        object * self.sigmoid_unless_activated(raw)
                    }
                }));
            }
            let mut bbox = None;
            for (class, &score) in scores.iter().enumerate().filter(|(_, s)| **s > least) {
                let bbox = *bbox.get_or_insert_with(|| self.bbox(cell));
                boxes.push(position + cell, class, score, bbox);
            }
        }
    }
}

/// Numbers to shares of 1 that follow their exponentials.
fn softmax(numbers: &mut [f32]) {
    let greatest = numbers.iter().fold(f32::NEG_INFINITY, |m, &v| m.max(v));
    let mut sum = 0.0;
    for n in numbers.iter_mut() {
        *n = exp(*n - greatest);
        sum += *n;
    }
    for n in numbers {
        *n /= sum;
    }
}

impl Decoder for AnchorDecoder {
    fn decode(
        &mut self,
        outputs: &[TensorView<'_>],
        geometries: &[Geometry],
        predictions: &mut Vec<Prediction>,
    ) -> Result<(), DecodeError> {
        let columns_of = FIXED + self.classes;
        for head in &self.heads {
            let fits = outputs.get(head.output).is_some_and(|o| {
                matches!(*o.shape(), [batch, planes, rows, columns]
                    if batch >= geometries.len() && planes == columns_of * head.anchors.len()
                        && rows > 0 && columns > 0)
            });
            if !fits || outputs.len() != self.heads.len() {
                let expected = expectation(head.anchors.len(), self.classes);
                return Err(misfit_run(self.id, expected, outputs));
            }
        }
        for (index, geometry) in geometries.iter().enumerate() {
            self.boxes.clear();
            let mut position = 0;
            for head in &self.heads {
                let output = &outputs[head.output];
                let &[batch, _, rows, columns] = output.shape() else {
                    continue;
                };
                let data = item(values(output, &mut self.scratch), batch, index);
                let cells = rows * columns;
                let cell = [
                    self.network[0] / columns as f64,
                    self.network[1] / rows as f64,
                ];
                let anchors = data.chunks_exact(columns_of * cells).zip(&head.anchors);
                for (planes, &[width, height]) in anchors {
                    let anchor = match head.activation {
                        Activation::Yolo(_) | Activation::Activated(_) => [width, height],
                        Activation::RegionSoftmax | Activation::RegionSigmoid => {
                            [width * cell[0], height * cell[1]]
                        }
                    };
                    let grid = Grid {
                        planes,
                        cells,
                        columns,
                        cell,
                        anchor,
                        activation: head.activation,
                    };
                    grid.collect(self.classes, position, &mut self.scores, &mut self.boxes);
                    position += cells;
                }
            }
            predictions.push(self.boxes.finish(geometry));
        }
        Ok(())
    }
}
