//! What the box decoders share: parameters, shapes, grids, numbers, and the way from network pixels
//! back to the image.
//!
//! Boxes travel in pixels of the network's input until [`Boxes::finish`], which suppresses there
//! and only then undoes the resize in f64, `(x − offset) / scale`. Thresholds of scores are rounded
//! to f32 first, as every f32 pipeline compares them.

use crate::nms::{Candidate, Nms, NmsOptions};
use dyno_core::{
    DecodeError, DecoderContext, Detection, Dimension, Geometry, IoSpec, LabelId, Prediction,
    TensorInfo, TensorSlice, TensorView, Thresholds, Xyxy,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

/// Most grid cells of a model: bounds what an absurd input size can make us allocate.
const MAX_CELLS: usize = 1 << 24;

/// Parameters of every box decoder.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub(super) struct Common {
    /// Boxes suppress each other whatever their classes.
    class_agnostic: bool,
    /// Boxes are cut at the image's border.
    clip_to_image: bool,
}

/// What [`Common`] reads, said in the `about` of each decoder.
const COMMON_KEYS: [&str; 2] = ["class_agnostic", "clip_to_image"];

pub(super) fn wrong(decoder: &'static str, reason: impl Into<String>) -> DecodeError {
    DecodeError::Parameters {
        decoder,
        reason: reason.into(),
    }
}

/// The decoder's own parameters and the common ones. Null means none; an unknown key is an error.
pub(super) fn parameters<P: DeserializeOwned>(
    decoder: &'static str,
    value: &Value,
) -> Result<(Common, P), DecodeError> {
    let mut own = match value {
        Value::Null => serde_json::Map::new(),
        Value::Object(map) => map.clone(),
        other => {
            return Err(wrong(
                decoder,
                format!("parameters must be an object, found `{other}`"),
            ));
        }
    };
    let common: serde_json::Map<String, Value> = COMMON_KEYS
        .iter()
        .filter_map(|k| own.remove(*k).map(|v| ((*k).to_owned(), v)))
        .collect();
    let common =
        serde_json::from_value(Value::Object(common)).map_err(|e| wrong(decoder, e.to_string()))?;
    let own =
        serde_json::from_value(Value::Object(own)).map_err(|e| wrong(decoder, e.to_string()))?;
    Ok((common, own))
}

/// `name f32[1, 3549, 85]`, for messages.
pub(super) fn describe_outputs(io: &IoSpec) -> String {
    let one = |t: &TensorInfo| {
        let shape: Vec<String> = t.shape.iter().map(ToString::to_string).collect();
        format!("`{}` {}[{}]", t.name, t.dtype, shape.join(", "))
    };
    if io.outputs.is_empty() {
        "no output".to_owned()
    } else {
        io.outputs.iter().map(one).collect::<Vec<_>>().join(", ")
    }
}

fn describe_views(outputs: &[TensorView<'_>]) -> String {
    if outputs.is_empty() {
        "no output".to_owned()
    } else {
        outputs
            .iter()
            .map(|v| format!("{}{:?}", v.dtype(), v.shape()))
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// Outputs of an open model do not fit.
pub(super) fn misfit(
    decoder: &'static str,
    expected: impl Into<String>,
    io: &IoSpec,
) -> DecodeError {
    DecodeError::Outputs {
        decoder,
        expected: expected.into(),
        found: describe_outputs(io),
    }
}

/// Outputs of a run do not fit.
pub(super) fn misfit_run(
    decoder: &'static str,
    expected: impl Into<String>,
    outputs: &[TensorView<'_>],
) -> DecodeError {
    DecodeError::Outputs {
        decoder,
        expected: expected.into(),
        found: describe_views(outputs),
    }
}

/// A declared dimension, when it is a number.
pub(super) fn extent(info: &TensorInfo, axis: usize) -> Option<usize> {
    match info.shape.get(axis) {
        Some(Dimension::Fixed(n)) => Some(*n),
        _ => None,
    }
}

/// A declared shape may turn out to be `expected`; `None` is any extent, and so is a dimension that
/// the model leaves open.
pub(super) fn may_be(info: &TensorInfo, expected: &[Option<usize>]) -> bool {
    info.shape.len() == expected.len()
        && expected
            .iter()
            .enumerate()
            .all(|(axis, e)| e.is_none() || extent(info, axis).is_none_or(|n| Some(n) == *e))
}

/// A shape is `expected`; `None` is any extent.
pub(super) fn is_shape(shape: &[usize], expected: &[Option<usize>]) -> bool {
    shape.len() == expected.len()
        && shape
            .iter()
            .zip(expected)
            .all(|(n, e)| e.is_none_or(|e| e == *n))
}

/// The declared number of classes is that of the labels; no labels, no objection.
pub(super) fn check_labels(
    context: &DecoderContext<'_>,
    decoder: &'static str,
    classes: usize,
) -> Result<(), DecodeError> {
    if context.labels.is_empty() || context.labels.len() == classes {
        return Ok(());
    }
    Err(misfit(
        decoder,
        format!(
            "outputs with {} classes, one per label, not {classes}",
            context.labels.len()
        ),
        context.io,
    ))
}

/// Number of classes: what the output says beyond `fixed` columns, else what the labels say, else
/// `None` until the first run.
pub(super) fn classes_of(
    context: &DecoderContext<'_>,
    decoder: &'static str,
    columns: Option<usize>,
    fixed: usize,
) -> Result<Option<usize>, DecodeError> {
    match columns {
        Some(n) if n > fixed => check_labels(context, decoder, n - fixed).map(|()| Some(n - fixed)),
        Some(n) => Err(misfit(
            decoder,
            format!("at least one class beyond {fixed} columns, not {n} columns"),
            context.io,
        )),
        None => Ok((!context.labels.is_empty()).then(|| context.labels.len())),
    }
}

/// Strides that can be used.
pub(super) fn check_strides(decoder: &'static str, strides: &[u32]) -> Result<(), DecodeError> {
    if strides.is_empty() || strides.len() > 16 || strides.contains(&0) {
        return Err(wrong(
            decoder,
            format!("`strides` must be 1 to 16 positive numbers, found {strides:?}"),
        ));
    }
    Ok(())
}

/// A cell of a detection grid: its column, row and stride.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) stride: f32,
}

/// Columns and rows of the grid of one stride.
pub(super) fn grid_size(network: [u32; 2], stride: u32) -> [usize; 2] {
    network.map(|n| n.div_ceil(stride) as usize)
}

/// The cells of all strides in their order, rows outside, columns inside, with `centre` added to
/// both coordinates.
pub(super) fn grid(
    decoder: &'static str,
    network: [u32; 2],
    strides: &[u32],
    centre: f32,
) -> Result<Vec<Cell>, DecodeError> {
    check_strides(decoder, strides)?;
    let count = strides
        .iter()
        .map(|s| grid_size(network, *s))
        .try_fold(0usize, |n, [w, h]| w.checked_mul(h)?.checked_add(n));
    let Some(count) = count.filter(|n| (1..=MAX_CELLS).contains(n)) else {
        return Err(wrong(
            decoder,
            format!(
                "an input of {}x{} with strides {strides:?} has no usable grid",
                network[0], network[1]
            ),
        ));
    };
    let mut cells = Vec::with_capacity(count);
    for &stride in strides {
        let [w, h] = grid_size(network, stride);
        cells.extend((0..h).flat_map(|y| {
            (0..w).map(move |x| Cell {
                x: x as f32 + centre,
                y: y as f32 + centre,
                stride: stride as f32,
            })
        }));
    }
    Ok(cells)
}

/// `e^x` in f32, rounded from f64: the same bits on every platform, and never further than rounding
/// from the true value.
pub(super) fn exp(x: f32) -> f32 {
    f64::from(x).exp() as f32
}

/// `1 / (1 + e^−x)` in f32.
pub(super) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// The elements as f32: borrowed when they are, converted into `scratch` when not.
pub(super) fn values<'a>(view: &TensorView<'a>, scratch: &'a mut Vec<f32>) -> &'a [f32] {
    if let TensorSlice::F32(v) = view.data() {
        return v;
    }
    scratch.clear();
    match view.data() {
        TensorSlice::F32(v) => scratch.extend_from_slice(v),
        TensorSlice::F16(v) => scratch.extend(v.iter().map(|x| x.to_f32())),
        TensorSlice::Bf16(v) => scratch.extend(v.iter().map(|x| x.to_f32())),
        TensorSlice::I8(v) => scratch.extend(v.iter().map(|&x| f32::from(x))),
        TensorSlice::U8(v) => scratch.extend(v.iter().map(|&x| f32::from(x))),
        TensorSlice::I32(v) => scratch.extend(v.iter().map(|&x| x as f32)),
        TensorSlice::I64(v) => scratch.extend(v.iter().map(|&x| x as f32)),
        TensorSlice::Bool(v) => scratch.extend(v.iter().map(|&x| f32::from(u8::from(x)))),
    }
    scratch
}

/// The slice of batch item `item` of `batch`.
pub(super) fn item(values: &[f32], batch: usize, item: usize) -> &[f32] {
    let each = values.len().checked_div(batch).unwrap_or(0);
    item.checked_mul(each)
        .and_then(|start| values.get(start..start.checked_add(each)?))
        .unwrap_or(&[])
}

/// The greatest value and its first position; NaN is passed over. `None` when nothing is a number.
pub(super) fn best(values: &[f32]) -> Option<(usize, f32)> {
    // Sixteen running maxima, so that the compiler can use vector registers; the position is looked
    // for once.
    let mut lanes = [f32::NEG_INFINITY; 16];
    let chunks = values.chunks_exact(16);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (lane, &v) in lanes.iter_mut().zip(chunk) {
            *lane = if v > *lane { v } else { *lane };
        }
    }
    let greatest = lanes
        .iter()
        .chain(rest)
        .fold(f32::NEG_INFINITY, |m, &v| if v > m { v } else { m });
    values
        .iter()
        .position(|v| v.partial_cmp(&greatest) == Some(std::cmp::Ordering::Equal))
        .map(|at| (at, greatest))
}

/// Collects boxes of one image, suppresses, and returns to the image's pixels.
#[derive(Debug)]
pub(super) struct Boxes {
    common: Common,
    options: NmsOptions,
    score: f32,
    nms: Nms,
    candidates: Vec<Candidate>,
}

impl Boxes {
    /// A collector with checked thresholds. Without any the decoder cannot work, unless `default`
    /// says what applies then.
    pub(super) fn new(
        decoder: &'static str,
        context: &DecoderContext<'_>,
        common: Common,
        default: Option<Thresholds>,
    ) -> Result<Self, DecodeError> {
        let Some(t) = context.thresholds.or(default) else {
            return Err(wrong(
                decoder,
                "the model has no thresholds (`evaluate` or `deploy` with `score` and `iou`)",
            ));
        };
        let share = |name: &str, v: f64| {
            if (0.0..=1.0).contains(&v) {
                Ok(())
            } else {
                Err(wrong(
                    decoder,
                    format!("threshold `{name}` must lie in 0 to 1, found {v}"),
                ))
            }
        };
        share("score", t.score)?;
        if let Some(iou) = t.iou {
            share("iou", iou)?;
        }
        let options = NmsOptions {
            iou: t.iou,
            class_agnostic: common.class_agnostic,
            max: t.max.map(|m| m as usize),
        };
        Ok(Self {
            common,
            options,
            score: t.score as f32,
            nms: Nms::new(),
            candidates: Vec::new(),
        })
    }

    /// Least score, as f32.
    pub(super) fn score(&self) -> f32 {
        self.score
    }

    /// Adds a box in network pixels; a non-finite one is dropped.
    pub(super) fn push(&mut self, class: usize, score: f32, bbox: Xyxy) {
        let Ok(class) = u32::try_from(class) else {
            return;
        };
        let candidate = Candidate { class, score, bbox };
        if candidate.is_finite() {
            self.candidates.push(candidate);
        }
    }

    /// The detections of the image, by falling score; empties the collector.
    pub(super) fn finish(&mut self, geometry: &Geometry) -> Prediction {
        let survivors = self.nms.run(&self.candidates, &self.options);
        let g = geometry;
        let detections = survivors.iter().filter_map(|&i| {
            let c = self.candidates.get(i as usize)?;
            let bbox = Xyxy {
                x1: (c.bbox.x1 - g.offset_x) / g.scale_x,
                y1: (c.bbox.y1 - g.offset_y) / g.scale_y,
                x2: (c.bbox.x2 - g.offset_x) / g.scale_x,
                y2: (c.bbox.y2 - g.offset_y) / g.scale_y,
            };
            let bbox = if self.common.clip_to_image {
                bbox.clip(f64::from(g.image_width), f64::from(g.image_height))
            } else {
                bbox
            };
            bbox.is_finite().then_some(Detection {
                label: LabelId(c.class),
                score: c.score,
                bbox,
            })
        });
        let prediction = Prediction::Detections(detections.collect());
        self.candidates.clear();
        prediction
    }

    /// Forgets boxes of an image that was given up.
    pub(super) fn clear(&mut self) {
        self.candidates.clear();
    }
}

/// A box from f32 corners.
pub(super) fn corners(x1: f32, y1: f32, x2: f32, y2: f32) -> Xyxy {
    Xyxy {
        x1: f64::from(x1),
        y1: f64::from(y1),
        x2: f64::from(x2),
        y2: f64::from(y2),
    }
}

/// Per cell the greatest of the class planes and its first class; NaN is passed over, a cell of NaN
/// has −∞.
pub(super) fn best_by_plane<'a>(
    planes: impl Iterator<Item = &'a [f32]>,
    cells: usize,
    best: &mut Vec<f32>,
    class: &mut Vec<u32>,
) {
    best.clear();
    best.resize(cells, f32::NEG_INFINITY);
    class.clear();
    class.resize(cells, 0);
    for (plane, number) in planes.zip(0u32..) {
        // Two selects a cell and no branch: vectorizes.
        for ((&v, b), c) in plane.iter().zip(best.iter_mut()).zip(class.iter_mut()) {
            let better = v > *b;
            *b = if better { v } else { *b };
            *c = if better { number } else { *c };
        }
    }
}
