//! What the decoders share: parameters, shapes, grids and numbers.

use dyno_core::{
    DecodeError, DecoderContext, Dimension, IoSpec, TensorInfo, TensorSlice, TensorView,
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
    pub(super) class_agnostic: bool,
    /// Boxes are cut at the image's border.
    pub(super) clip_to_image: bool,
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

/// The real numbers as f32: borrowed when they are stored so, else converted into `scratch`.
/// Quantized integers are dequantized, as [`TensorView::to_f32_vec`] does.
pub(super) fn values<'a>(view: &TensorView<'a>, scratch: &'a mut Vec<f32>) -> &'a [f32] {
    if let (TensorSlice::F32(v), None) = (view.data(), view.quantization()) {
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
    if let Some(q) = view.quantization() {
        for value in scratch.iter_mut() {
            *value = ((f64::from(*value) - f64::from(q.zero_point)) * q.scale) as f32;
        }
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
