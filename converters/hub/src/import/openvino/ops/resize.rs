//! `Interpolate`, in its three definitions: operation set 1 (target shape, corners aligned or
//! not), 4 and 11 (ONNX's coordinate transformations).

use crate::graph::Tensor;
use crate::import::openvino::context::{Op, Outputs};

/// How ONNX's `Resize` is to work.
pub(crate) struct How {
    /// `nearest`, `linear`, `cubic`.
    pub(crate) mode: &'static str,
    /// `coordinate_transformation_mode`.
    pub(crate) coordinates: &'static str,
    /// `nearest_mode`; `simple` takes the floor when enlarging and the ceiling when reducing.
    pub(crate) nearest: &'static str,
    /// `cubic_coeff_a`.
    pub(crate) cubic: f32,
}

pub(crate) fn interpolate(op: &mut Op<'_>) -> Outputs {
    let zeros = ["", "0", "0,0", "0, 0", "0,0,0,0", "0, 0, 0, 0"];
    op.attributes.only("pads_begin", &zeros)?;
    op.attributes.only("pads_end", &zeros)?;
    op.attributes.only("antialias", &["false", "False", "0"])?;
    // Operation set 1 has the axes as an attribute, and only it.
    if op.attributes.text("axes").is_some() {
        return first(op);
    }
    let how = How {
        mode: mode(op)?,
        coordinates: match op
            .attributes
            .word("coordinate_transformation_mode", "half_pixel")
        {
            "half_pixel" => "half_pixel",
            "pytorch_half_pixel" => "pytorch_half_pixel",
            "asymmetric" => "asymmetric",
            "align_corners" => "align_corners",
            other => {
                let key = "coordinate_transformation_mode";
                return Err(format!("attribute `{key}` with value `{other}`"));
            }
        },
        nearest: match op.attributes.word("nearest_mode", "round_prefer_floor") {
            "round_prefer_floor" => "round_prefer_floor",
            "round_prefer_ceil" => "round_prefer_ceil",
            "floor" => "floor",
            "ceil" => "ceil",
            "simple" => "simple",
            other => return Err(format!("attribute `nearest_mode` with value `{other}`")),
        },
        cubic: op.attributes.number("cube_coeff", -0.75)?,
    };
    let rank = op.rank(0)?;
    // Operation set 11 has one input of sizes or scales, 4 both.
    let newest = op.layer.opset == "opset11";
    let axes_at = if newest { 2 } else { 3 };
    let axes = if op.has(axes_at) {
        op.integers(axes_at)?
    } else {
        (0..rank as i64).collect()
    };
    let axes: Vec<usize> = axes
        .into_iter()
        .map(|a| Op::axis(a, rank))
        .collect::<Result<_, _>>()?;
    match op.attributes.word("shape_calculation_mode", "") {
        "sizes" => {
            let sizes = op.integers(1)?;
            to_sizes(op, &how, &axes, &sizes)
        }
        "scales" => {
            let scales = op.numbers(if newest { 1 } else { 2 })?;
            by_scales(op, &how, &axes, &scales)
        }
        other => Err(format!(
            "attribute `shape_calculation_mode` with value `{other}`"
        )),
    }
}

fn mode(op: &Op<'_>) -> Result<&'static str, String> {
    Ok(match op.attributes.word("mode", "") {
        "nearest" => "nearest",
        // Without antialiasing the two are one: weights of neighbours by distance.
        "linear" | "linear_onnx" => "linear",
        "cubic" => "cubic",
        other => return Err(format!("attribute `mode` with value `{other}`")),
    })
}

/// Operation set 1: `align_corners` or coordinates without an offset, and `simple` rounding of the
/// nearest (measured, 2026.4).
fn first(op: &mut Op<'_>) -> Outputs {
    let rank = op.rank(0)?;
    let axes: Vec<i64> = op.attributes.list("axes")?;
    let axes: Vec<usize> = axes
        .into_iter()
        .map(|a| Op::axis(a, rank))
        .collect::<Result<_, _>>()?;
    let aligned = op.attributes.flag("align_corners", true)?;
    let how = How {
        mode: mode(op)?,
        coordinates: if aligned {
            "align_corners"
        } else {
            "asymmetric"
        },
        nearest: "simple",
        cubic: -0.75,
    };
    let sizes = op.integers(1)?;
    to_sizes(op, &how, &axes, &sizes)
}

/// Lengths of `axes` become `sizes`; the others stay.
pub(crate) fn to_sizes(op: &mut Op<'_>, how: &How, axes: &[usize], sizes: &[i64]) -> Outputs {
    let dims = op.dims(0)?;
    if axes.len() != sizes.len() || sizes.iter().any(|s| *s < 1) {
        return Err(format!("sizes {sizes:?} of axes {axes:?}"));
    }
    let mut target = dims.clone();
    for (axis, size) in axes.iter().zip(sizes) {
        target[*axis] = *size;
    }
    let enlarges: Vec<bool> = axes
        .iter()
        .zip(sizes)
        .filter(|(axis, size)| dims[**axis] != **size)
        .map(|(axis, size)| dims[*axis] < *size)
        .collect();
    let x = op.x(0)?;
    let sizes = if target.iter().all(|d| *d >= 0) {
        op.list(&target)
    } else {
        open_sizes(op, &x, axes, &target)?
    };
    resize(op, how, &enlarges, &[&x, "", "", &sizes])
}

/// A target shape of which the axes before the resized ones are computed.
fn open_sizes(op: &mut Op<'_>, x: &str, axes: &[usize], target: &[i64]) -> Result<String, String> {
    let first = axes.iter().copied().min().unwrap_or(0);
    let rest = target.get(first..).unwrap_or_default();
    if rest.iter().any(|d| *d < 0) {
        return Err("sizes of axes of which some are open".to_owned());
    }
    let shape = op.add("Shape", &[x], []);
    let front = super::select::cut(op, &shape, &[0], &[first as i64], None);
    let rest = op.list(rest);
    Ok(op.add("Concat", &[&front, &rest], [("axis", 0.into())]))
}

/// Lengths of `axes` are multiplied; the coordinates follow the factors as they are given.
pub(crate) fn by_scales(op: &mut Op<'_>, how: &How, axes: &[usize], scales: &[f32]) -> Outputs {
    let rank = op.rank(0)?;
    if axes.len() != scales.len() || scales.iter().any(|s| !s.is_finite() || *s <= 0.0) {
        return Err(format!("scales {scales:?} of axes {axes:?}"));
    }
    let mut all = vec![1.0f32; rank];
    for (axis, scale) in axes.iter().zip(scales) {
        all[*axis] = *scale;
    }
    let changed = scales.iter().filter(|s| (**s - 1.0).abs() > f32::EPSILON);
    let enlarges: Vec<bool> = changed.map(|s| *s > 1.0).collect();
    let x = op.x(0)?;
    let scales = Tensor::f32(vec![rank], &all).map_err(|e| e.to_string())?;
    let scales = op.constant(scales);
    resize(op, how, &enlarges, &[&x, "", &scales])
}

fn resize(op: &mut Op<'_>, how: &How, enlarges: &[bool], inputs: &[&str]) -> Outputs {
    let nearest = match how.nearest {
        "simple" if enlarges.iter().all(|e| *e) => "floor",
        "simple" if enlarges.iter().all(|e| !*e) => "ceil",
        "simple" if how.mode == "nearest" => {
            return Err("`simple` rounding, enlarging one axis and reducing another".to_owned());
        }
        "simple" => "floor",
        other => other,
    };
    let coordinates = ("coordinate_transformation_mode", how.coordinates.into());
    let mode = ("mode", how.mode.into());
    Ok(vec![match how.mode {
        "nearest" => op.add(
            "Resize",
            inputs,
            [coordinates, mode, ("nearest_mode", nearest.into())],
        ),
        "cubic" => op.add(
            "Resize",
            inputs,
            [coordinates, mode, ("cubic_coeff_a", how.cubic.into())],
        ),
        _ => op.add("Resize", inputs, [coordinates, mode]),
    }])
}
