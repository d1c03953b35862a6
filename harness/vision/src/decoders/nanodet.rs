//! `nanodet`: per stride one output of class scores `[N, cells, C]` and one of distances
//! `[N, cells, 4 · (reg_max + 1)]` (RangiLyu's NanoDet). Convention: a side's distance is the
//! expectation of a softmax over `reg_max + 1` bins, times the stride, from the cell's centre
//! `(cell + 0.5) · stride`; every class with `score > threshold` is a candidate; boxes are clipped
//! to the network's input before suppression. Outputs are found by name (`cls_pred_stride_8`,
//! `dis_pred_stride_8`) or, where names say nothing, by shape: never by their order.

use super::boxes::{Boxes, corners};
use super::shared::{
    Cell, check_labels, exp, extent, grid, grid_size, item, may_be, misfit, misfit_run, parameters,
    sigmoid, values, wrong,
};
use dyno_core::{
    DecodeError, Decoder, DecoderContext, DecoderKind, Geometry, IoSpec, Prediction,
    PredictionKind, TensorView,
};
use serde::Deserialize;

const ID: &str = "nanodet";

/// Row of the decoder table.
#[derive(Debug, Clone, Copy)]
pub struct Nanodet;

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Parameters {
    strides: Vec<u32>,
    reg_max: usize,
    sigmoid: bool,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            strides: vec![8, 16, 32],
            reg_max: 7,
            sigmoid: false,
        }
    }
}

/// The two outputs of one stride.
struct Level {
    cells: Vec<Cell>,
    classes: usize,
    distances: usize,
}

struct NanodetDecoder {
    levels: Vec<Level>,
    class_count: Option<usize>,
    bins: usize,
    sigmoid: bool,
    network: [f32; 2],
    boxes: Boxes,
    scratch: [Vec<f32>; 2],
    expected: String,
}

impl DecoderKind for Nanodet {
    fn id(&self) -> &'static str {
        ID
    }

    fn about(&self) -> &'static str {
        "per stride an output of classes [N, cells, classes] and one of distances [N, cells, 4 (reg_max + 1)], found by name or shape; parameters `strides` \
         (default [8, 16, 32]), `reg_max` (7), `sigmoid` (class scores are logits, default false), `class_agnostic`, `clip_to_image`"
    }

    fn suppresses(&self) -> bool {
        true
    }

    fn predicts(&self) -> PredictionKind {
        PredictionKind::Detections
    }

    fn build(&self, context: &DecoderContext<'_>) -> Result<Box<dyn Decoder>, DecodeError> {
        let (common, own) = parameters::<Parameters>(ID, &context.spec.parameters)?;
        if !(1..=256).contains(&own.reg_max) {
            return Err(wrong(
                ID,
                format!("`reg_max` must lie in 1 to 256, found {}", own.reg_max),
            ));
        }
        // Checks the strides and bounds the grids as a whole before any level is made.
        grid(ID, context.network_size, &own.strides, 0.5)?;
        let bins = own.reg_max + 1;
        let expected = expectation(context.network_size, &own.strides, bins);
        let mut levels = Vec::with_capacity(own.strides.len());
        let mut class_count = None;
        for &stride in &own.strides {
            let cells = grid(ID, context.network_size, &[stride], 0.5)?;
            let Some((classes, distances)) = find_level(context.io, stride, cells.len(), 4 * bins)
            else {
                return Err(misfit(ID, expected, context.io));
            };
            if let Some(n) = context.io.outputs.get(classes).and_then(|t| extent(t, 2)) {
                if n == 0 || class_count.is_some_and(|c| c != n) {
                    return Err(misfit(
                        ID,
                        format!("{expected} with the same number of classes at each stride"),
                        context.io,
                    ));
                }
                class_count = Some(n);
            }
            levels.push(Level {
                cells,
                classes,
                distances,
            });
        }
        let mut used: Vec<usize> = levels
            .iter()
            .flat_map(|l| [l.classes, l.distances])
            .collect();
        used.sort_unstable();
        used.dedup();
        if used.len() != 2 * levels.len() || used.len() != context.io.outputs.len() {
            return Err(misfit(ID, expected, context.io));
        }
        if let Some(n) = class_count {
            check_labels(context, ID, n)?;
        } else if !context.labels.is_empty() {
            class_count = Some(context.labels.len());
        }
        let network = context.network_size.map(|n| n as f32);
        let boxes = Boxes::new(ID, context, common, None)?;
        Ok(Box::new(NanodetDecoder {
            levels,
            class_count,
            bins,
            sigmoid: own.sigmoid,
            network,
            boxes,
            scratch: [Vec::new(), Vec::new()],
            expected,
        }))
    }
}

fn expectation(network: [u32; 2], strides: &[u32], bins: usize) -> String {
    let level = |s: &u32| {
        let [w, h] = grid_size(network, *s);
        format!("[N, {n}, classes] and [N, {n}, {}]", 4 * bins, n = w * h)
    };
    strides.iter().map(level).collect::<Vec<_>>().join(", ")
}

/// Positions of the outputs of classes and distances of one stride.
fn find_level(io: &IoSpec, stride: u32, cells: usize, columns: usize) -> Option<(usize, usize)> {
    let fits = |at: &usize, last: Option<usize>| {
        io.outputs
            .get(*at)
            .is_some_and(|t| may_be(t, &[None, Some(cells), last]))
    };
    let suffix = format!("stride_{stride}");
    let named = |part: &str| {
        io.outputs
            .iter()
            .position(|t| t.name.contains(part) && t.name.ends_with(&suffix))
    };
    if let (Some(classes), Some(distances)) = (named("cls"), named("dis")) {
        return (fits(&classes, None) && fits(&distances, Some(columns)))
            .then_some((classes, distances));
    }
    let here: Vec<usize> = (0..io.outputs.len()).filter(|at| fits(at, None)).collect();
    let &[a, b] = here.as_slice() else {
        return None;
    };
    let is_distances = |at: usize| io.outputs.get(at).and_then(|t| extent(t, 2)) == Some(columns);
    match (is_distances(a), is_distances(b)) {
        (false, true) => Some((a, b)),
        (true, false) => Some((b, a)),
        // As many classes as distance columns, or nothing known: shapes cannot tell.
        _ => None,
    }
}

/// The expectation of a softmax over the bins. Exponentials are f32, sums f64, the result f32.
fn expectation_of(bins: &[f32]) -> f32 {
    let greatest = bins.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let (mut total, mut weighted) = (0.0f64, 0.0f64);
    for (number, &v) in bins.iter().enumerate() {
        let e = f64::from(exp(v - greatest));
        total += e;
        weighted += e * number as f64;
    }
    (weighted / total) as f32
}

impl Decoder for NanodetDecoder {
    fn decode(
        &mut self,
        outputs: &[TensorView<'_>],
        geometries: &[Geometry],
        predictions: &mut Vec<Prediction>,
    ) -> Result<(), DecodeError> {
        let least = self.boxes.score();
        let [width, height] = self.network;
        self.boxes.clear();
        for (index, geometry) in geometries.iter().enumerate() {
            let mut first = 0;
            for level in &self.levels {
                let wrong = || misfit_run(ID, self.expected.clone(), outputs);
                let (Some(classes), Some(distances)) =
                    (outputs.get(level.classes), outputs.get(level.distances))
                else {
                    return Err(wrong());
                };
                let (&[batch, cells, count], &[batch_d, cells_d, columns]) =
                    (classes.shape(), distances.shape())
                else {
                    return Err(wrong());
                };
                let fits = cells == level.cells.len()
                    && cells_d == cells
                    && columns == 4 * self.bins
                    && self.class_count.is_none_or(|c| c == count);
                if !fits || count == 0 || batch_d != batch || batch < geometries.len() {
                    return Err(wrong());
                }
                let [scratch_classes, scratch_distances] = &mut self.scratch;
                let scores = item(values(classes, scratch_classes), batch, index);
                let distances = item(values(distances, scratch_distances), batch, index);
                for (position, ((row, sides), cell)) in scores
                    .chunks_exact(count)
                    .zip(distances.chunks_exact(columns))
                    .zip(&level.cells)
                    .enumerate()
                {
                    let mut bbox = None;
                    for (class, &v) in row.iter().enumerate() {
                        let score = if self.sigmoid { sigmoid(v) } else { v };
                        if score > least {
                            // Distances cost 32 exponentials: once a cell, and only for cells that
                            // have a candidate.
                            let bbox = *bbox.get_or_insert_with(|| {
                                let mut d = [0.0f32; 4];
                                for (d, side) in d.iter_mut().zip(sides.chunks_exact(self.bins)) {
                                    *d = expectation_of(side) * cell.stride;
                                }
                                let (cx, cy) = (cell.x * cell.stride, cell.y * cell.stride);
                                // `clamp` would keep NaN too; such a box is dropped on pushing.
                                corners(
                                    (cx - d[0]).clamp(0.0, width),
                                    (cy - d[1]).clamp(0.0, height),
                                    (cx + d[2]).clamp(0.0, width),
                                    (cy + d[3]).clamp(0.0, height),
                                )
                            });
                            self.boxes.push(first + position, class, score, bbox);
                        }
                    }
                }
                first += level.cells.len();
            }
            predictions.push(self.boxes.finish(geometry));
        }
        Ok(())
    }
}
