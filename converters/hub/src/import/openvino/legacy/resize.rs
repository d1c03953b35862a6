//! Resizing layers.

use crate::import::openvino::context::{Op, Outputs};
use crate::import::openvino::ops::resize::{How, by_scales, to_sizes};

fn how(mode: &'static str, coordinates: &'static str, nearest: &'static str) -> How {
    How {
        mode,
        coordinates,
        nearest,
        cubic: -0.75,
    }
}

/// Caffe's `Interp`: linear, to `height` and `width`, or by `factor` or the shape that the output
/// port has. With aligned corners the coordinates follow the sizes, as they do without.
pub(in crate::import::openvino) fn interp(op: &mut Op<'_>) -> Outputs {
    op.attributes.only("pad_beg", &["0"])?;
    op.attributes.only("pad_end", &["0"])?;
    let aligned = op.attributes.flag("align_corners", true)?;
    for key in ["height", "width", "factor", "shrink_factor", "zoom_factor"] {
        op.attributes.text(key);
    }
    let rank = op.rank(0)?;
    if rank != 4 {
        return Err(format!("a tensor of {rank} axes"));
    }
    let said = op.layer.outputs.first().and_then(|p| p.dims.clone());
    let sizes = match said.as_deref() {
        Some(&[_, _, h, w]) if h > 0 && w > 0 => vec![h, w],
        other => return Err(format!("an output of shape {other:?}")),
    };
    let coordinates = if aligned {
        "align_corners"
    } else {
        "asymmetric"
    };
    to_sizes(op, &how("linear", coordinates, "floor"), &[2, 3], &sizes)
}

/// Nearest neighbours, by `factor`: a pixel becomes a block.
pub(in crate::import::openvino) fn resample(op: &mut Op<'_>) -> Outputs {
    let kind: String = op.attributes.needed("type")?;
    op.attributes.only("antialias", &["0", "false"])?;
    for key in ["height", "width"] {
        op.attributes.only(key, &["", "0"])?;
    }
    if kind != "caffe.ResampleParameter.NEAREST" {
        return Err(format!("attribute `type` with value `{kind}`"));
    }
    let factor: f32 = op.attributes.needed("factor")?;
    if factor.fract() != 0.0 || factor < 1.0 {
        return Err(format!("attribute `factor` with value {factor}"));
    }
    let how = how("nearest", "asymmetric", "floor");
    by_scales(op, &how, &[2, 3], &[factor, factor])
}
