//! Layers that move numbers: `[crop]`, `[upsample]`, `[reorg]`, `[reorg3d]`; and those that do nothing to them
//! when a model runs: `[dropout]`, `[cost]`, `[empty]`.

use super::{
    net::{Layer, Net},
    weighted::activate,
};
use crate::graph::Tensor;
use dyno_core::ImportError;
use dyno_formats::darknet::Section;

/// `[crop]`: the middle of the picture, and unless `noadjust` from 0..1 to −1..1. It is cut at
/// random in training only.
pub(super) fn crop(net: &mut Net, section: &Section) -> Result<Layer, ImportError> {
    let x = net.before();
    let height = net.count(section, "crop_height", 1, 1)?;
    let width = net.count(section, "crop_width", 1, 1)?;
    let (Some(top), Some(left)) = (x.height.checked_sub(height), x.width.checked_sub(width)) else {
        let problem = format!(
            "{height}x{width} cannot be cut out of {}x{}",
            x.height, x.width
        );
        return Err(net.malformed(section, problem));
    };
    let (top, left) = (top / 2, left / 2);
    let name = net.name("crop");
    let starts = net.integers(&format!("{name}.from"), &[top, left]);
    let ends = net.integers(&format!("{name}.to"), &[top + height, left + width]);
    let axes = net.integers(&format!("{name}.axes"), &[2, 3]);
    let inputs: [&str; 4] = [&x.value, &starts, &ends, &axes];
    let mut value = net.builder.add("Slice", &name, &inputs, []);
    if !net.flag(section, "noadjust")? {
        let two = net
            .builder
            .constant(&format!("{name}.scale"), Tensor::scalar(2.0));
        let one = net
            .builder
            .constant(&format!("{name}.shift"), Tensor::scalar(-1.0));
        value = net.builder.add("Mul", &name, &[&value, &two], []);
        value = net.builder.add("Add", &name, &[&value, &one], []);
    }
    net.layer(section, value, [x.channels, height, width])
}

/// `[upsample]`: every pixel becomes `stride` × `stride`, times `scale`.
pub(super) fn upsample(net: &mut Net, section: &Section) -> Result<Layer, ImportError> {
    let x = net.before();
    let stride = net.count(section, "stride", 2, 1)?;
    let scale: f32 = net.number(section, "scale", 1.0)?;
    let name = net.name("upsample");
    let (Some(height), Some(width)) = (x.height.checked_mul(stride), x.width.checked_mul(stride))
    else {
        return Err(net.malformed(section, "the picture becomes too large"));
    };
    let layer = net.layer(section, name.clone(), [x.channels, height, width])?;
    let factors = Tensor::f32(vec![4], &[1.0, 1.0, stride as f32, stride as f32]);
    let factors = net.constant(section, &format!("{name}.scales"), factors)?;
    let mut value = net.builder.add(
        "Resize",
        &name,
        &[&x.value, "", &factors],
        [
            ("mode", "nearest".into()),
            ("coordinate_transformation_mode", "asymmetric".into()),
            ("nearest_mode", "floor".into()),
        ],
    );
    if (scale - 1.0).abs() > 0.0 {
        let factor = format!("{name}.scale");
        let factor = net.builder.constant(&factor, Tensor::scalar(scale));
        value = net.builder.add("Mul", &name, &[&value, &factor], []);
    }
    Ok(layer.with(value))
}

/// Reshapes, transposes, and reshapes to `[channels, height, width]`.
fn moved(
    net: &mut Net,
    section: &Section,
    name: &str,
    parts: &[usize; 5],
    order: [usize; 5],
    [channels, height, width]: [usize; 3],
) -> Result<Layer, ImportError> {
    let x = net.before();
    let layer = net.layer(section, name.to_owned(), [channels, height, width])?;
    let mut split = vec![net.batch];
    split.extend_from_slice(parts);
    let split = net.integers(&format!("{name}.parts"), &split);
    let full = [net.batch, channels, height, width];
    let full = net.integers(&format!("{name}.shape"), &full);
    let mut axes = vec![0i64];
    axes.extend(order.iter().map(|&a| a as i64 + 1));
    let value = net.builder.add("Reshape", name, &[&x.value, &split], []);
    let value = net
        .builder
        .add("Transpose", name, &[&value], [("perm", axes.into())]);
    let value = net.builder.add("Reshape", name, &[&value, &full], []);
    Ok(layer.with(value))
}

/// Extent of what a reorg gives.
fn reorganized(
    net: &Net,
    section: &Section,
    x: &Layer,
    stride: usize,
    reverse: bool,
) -> Result<[usize; 3], ImportError> {
    let Some(square) = stride.checked_mul(stride) else {
        return Err(net.malformed(section, format!("`stride={stride}` is too large")));
    };
    let whole = if reverse {
        x.channels.is_multiple_of(square)
    } else {
        x.height.is_multiple_of(stride) && x.width.is_multiple_of(stride)
    };
    if !whole {
        let problem = format!(
            "{}x{}x{} cannot be cut by `stride={stride}`",
            x.channels, x.height, x.width
        );
        return Err(net.malformed(section, problem));
    }
    Ok(if reverse {
        // No product here exceeds that of the input's axes.
        [x.channels / square, x.height * stride, x.width * stride]
    } else {
        [x.channels * square, x.height / stride, x.width / stride]
    })
}

/// `[reorg]` of YOLO v2, whose numbers are taken in an order that is no space-to-depth: the input is
/// read as `[C/s², H·s, W·s]` whatever its shape, its blocks become channels `[s², C/s²]` of a
/// picture `[H, W]`, and that is read as the output.
pub(super) fn reorg(net: &mut Net, section: &Section) -> Result<Layer, ImportError> {
    let x = net.before();
    let stride = net.count(section, "stride", 1, 1)?;
    let reverse = net.flag(section, "reverse")?;
    let shape = reorganized(net, section, &x, stride, reverse)?;
    if !x.channels.is_multiple_of(stride * stride) {
        let what = format!("`stride={stride}` of {} channels", x.channels);
        return Err(net.unsupported(section, what));
    }
    let name = net.name("reorg");
    let (few, h, w, s) = (x.channels / (stride * stride), x.height, x.width, stride);
    if reverse {
        moved(
            net,
            section,
            &name,
            &[s, s, few, h, w],
            [2, 3, 0, 4, 1],
            shape,
        )
    } else {
        moved(
            net,
            section,
            &name,
            &[few, h, s, w, s],
            [2, 4, 0, 1, 3],
            shape,
        )
    }
}

/// `[reorg3d]`: blocks of `stride` × `stride` pixels become channels, the place in the block
/// outermost.
pub(super) fn reorg3d(net: &mut Net, section: &Section) -> Result<Layer, ImportError> {
    let x = net.before();
    let stride = net.count(section, "stride", 1, 1)?;
    if net.flag(section, "reverse")? {
        return Err(net.unsupported(section, "`reverse`"));
    }
    let shape = reorganized(net, section, &x, stride, false)?;
    let name = net.name("reorg3d");
    let (h, w, s) = (x.height / stride, x.width / stride, stride);
    moved(
        net,
        section,
        &name,
        &[x.channels, h, s, w, s],
        [2, 4, 0, 1, 3],
        shape,
    )
}

/// A layer that does nothing when a model runs.
#[expect(
    clippy::unnecessary_wraps,
    reason = "rows of the table have one signature"
)]
pub(super) fn nothing(net: &mut Net, _: &Section) -> Result<Layer, ImportError> {
    Ok(net.before())
}

/// `[activation]`.
pub(super) fn activation(net: &mut Net, section: &Section) -> Result<Layer, ImportError> {
    let x = net.before();
    activate(net, section, "linear", &x)
}
