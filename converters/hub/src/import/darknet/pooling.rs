//! Layers that summarise: `[maxpool]`, `[local_avgpool]`, `[avgpool]`, `[softmax]`.

use super::net::{Layer, Net};
use crate::graph::Tensor;
use dyno_core::ImportError;
use dyno_formats::darknet::Section;

/// A window that moves: its size, strides `[y, x]`, padding `[before, after]`, and the extent of
/// what it gives.
struct Window {
    size: usize,
    strides: [usize; 2],
    pads: [usize; 2],
    extent: [usize; 2],
}

/// Darknet's `padding` is that of both sides together, by default `size − 1`; the smaller half
/// stands before.
fn window(net: &Net, section: &Section, x: &Layer) -> Result<Window, ImportError> {
    let stride = net.count(section, "stride", 1, 1)?;
    let strides = [
        net.count(section, "stride_y", stride, 1)?,
        net.count(section, "stride_x", stride, 1)?,
    ];
    let size = net.count(section, "size", stride, 1)?;
    let padding = net.count(section, "padding", size - 1, 0)?;
    let pads = [padding / 2, padding - padding / 2];
    if pads[1] >= size {
        let what = format!("`padding={padding}`, windows of `size={size}` that lie outside");
        return Err(net.unsupported(section, what));
    }
    let extent = |input: usize, stride: usize| {
        Some((input.checked_add(padding)?.checked_sub(size)?) / stride + 1)
    };
    let (Some(height), Some(width)) = (extent(x.height, strides[0]), extent(x.width, strides[1]))
    else {
        let problem = format!("a window of {size} does not fit {}x{}", x.height, x.width);
        return Err(net.malformed(section, problem));
    };
    Ok(Window {
        size,
        strides,
        pads,
        extent: [height, width],
    })
}

fn pool(net: &mut Net, section: &Section, op: &str, kind: &str) -> Result<Layer, ImportError> {
    let x = net.before();
    let window = window(net, section, &x)?;
    let [height, width] = window.extent;
    let name = net.name(kind);
    let layer = net.layer(section, name.clone(), [x.channels, height, width])?;
    let ints = |v: &[usize]| v.iter().map(|&n| n as i64).collect::<Vec<i64>>().into();
    let [before, after] = window.pads;
    let value = net.builder.add(
        op,
        &name,
        &[&x.value],
        [
            ("kernel_shape", ints(&[window.size; 2])),
            ("strides", ints(&window.strides)),
            ("pads", ints(&[before, before, after, after])),
        ],
    );
    Ok(layer.with(value))
}

/// `[maxpool]`: what lies outside is −∞.
pub(super) fn maxpool(net: &mut Net, section: &Section) -> Result<Layer, ImportError> {
    pool(net, section, "MaxPool", "maxpool")
}

/// `[local_avgpool]`: the mean of what lies inside.
pub(super) fn local_avgpool(net: &mut Net, section: &Section) -> Result<Layer, ImportError> {
    pool(net, section, "AveragePool", "local_avgpool")
}

/// `[avgpool]`: the mean over the picture.
pub(super) fn avgpool(net: &mut Net, section: &Section) -> Result<Layer, ImportError> {
    let x = net.before();
    let name = net.name("avgpool");
    let value = net.builder.add("GlobalAveragePool", &name, &[&x.value], []);
    net.layer(section, value, [x.channels, 1, 1])
}

/// `[softmax]`: over each of `groups` equal parts of all numbers, divided by `temperature` before.
pub(super) fn softmax(net: &mut Net, section: &Section) -> Result<Layer, ImportError> {
    let x = net.before();
    let groups = net.count(section, "groups", 1, 1)?;
    let temperature: f32 = net.number(section, "temperature", 1.0)?;
    if !x.len().is_multiple_of(groups) {
        let problem = format!("{} numbers do not make {groups} groups", x.len());
        return Err(net.malformed(section, problem));
    }
    if !(temperature.is_finite() && temperature > 0.0) {
        let problem = format!("`temperature={temperature}` must be positive");
        return Err(net.malformed(section, problem));
    }
    let name = net.name("softmax");
    let mut value = x.value.clone();
    if (temperature - 1.0).abs() > 0.0 {
        let divisor = format!("{name}.temperature");
        let divisor = net.builder.constant(&divisor, Tensor::scalar(temperature));
        value = net.builder.add("Div", &name, &[&value, &divisor], []);
    }
    // Groups of a picture of one pixel are groups of channels.
    if groups == 1 && x.height == 1 && x.width == 1 {
        let value = net
            .builder
            .add("Softmax", &name, &[&value], [("axis", 1.into())]);
        return Ok(x.with(value));
    }
    let flat = [net.batch, groups, x.len() / groups];
    let flat = net.integers(&format!("{name}.groups"), &flat);
    let full = [net.batch, x.channels, x.height, x.width];
    let full = net.integers(&format!("{name}.shape"), &full);
    let value = net.builder.add("Reshape", &name, &[&value, &flat], []);
    let value = net
        .builder
        .add("Softmax", &name, &[&value], [("axis", 2.into())]);
    let value = net.builder.add("Reshape", &name, &[&value, &full], []);
    Ok(x.with(value))
}
