//! Convolutions and products of matrices.
//!
//! Weights: TensorFlow's H, W, I, O (H, W, C, M of depthwise ones; H, W, O, I of transposed ones)
//! become ONNX's O, I, H, W (I, O, H, W of transposed ones).

use super::pool::{Image, Window, out_and_pads, spatial};
use crate::{
    graph::{Attribute, ElementType, Tensor},
    import::tensorflow::{
        context::{Context, Op, Out, signed},
        fold,
        value::Val,
    },
};

/// The bias that the only reader of a node adds, which is then done here.
fn absorbed_bias(cx: &mut Context<'_>, op: &Op<'_>, channels: usize) -> Option<Tensor> {
    let &[reader] = cx.net.readers(op.index) else {
        return None;
    };
    let node = cx.net.node(reader)?;
    let first = node.inputs.first()?.node == op.index;
    if node.op != "BiasAdd" || !first {
        return None;
    }
    let bias = cx.net.constant(node, 1)?;
    if bias.dims() != [channels] || bias.dtype() != ElementType::F32 {
        return None;
    }
    cx.absorbed.insert(reader);
    Some(bias)
}

/// The name of the weights with their axes in the order `perm`.
fn weights(cx: &mut Context<'_>, op: &Op<'_>, at: usize, perm: &[usize]) -> Result<String, String> {
    let w = op.input(at)?;
    if w.dtype() != ElementType::F32 {
        return Err(format!("weights of {}", w.dtype()));
    }
    let name = format!("{}/weights", op.name());
    if let Val::Const(t) = w {
        let turned = fold::transpose(t, perm)?;
        return Ok(cx.weights(&name, &turned));
    }
    let source = cx.plain(w, &name)?;
    let dims = perm.iter().filter_map(|a| w.dims().get(*a)).copied();
    let out = (w.dtype(), dims.collect(), false);
    let attributes = [("perm", signed(perm).into())];
    let turned = cx.add("Transpose", &name, &[&source], attributes, out);
    Ok(turned.name)
}

fn four(dims: &[usize]) -> Result<[usize; 4], String> {
    <[usize; 4]>::try_from(dims).map_err(|_| format!("weights of shape {dims:?}"))
}

struct Geometry {
    size: [usize; 2],
    strides: [usize; 2],
    dilations: [usize; 2],
    pads: [usize; 4],
}

fn geometry(
    cx: &Context<'_>,
    op: &Op<'_>,
    image: &Image,
    kernel: [usize; 2],
) -> Result<Geometry, String> {
    let nchw = image.given_nchw;
    let strides = spatial(&op.list("strides"), nchw, "strides")?;
    let mut dilations = spatial(&op.list("dilations"), nchw, "dilations")?;
    let mut padding = op.text("padding", "");
    let mut explicit = [(0, 0); 2];
    if let Some(holes) = cx.holes.get(&op.index) {
        let [top, left, bottom, right] = holes.pads;
        explicit = [(top, bottom), (left, right)];
        dilations = holes.dilations;
        padding = "EXPLICIT";
    } else if padding == "EXPLICIT" {
        let list = super::shape::target(&op.list("explicit_paddings"), None)?;
        let pairs: Vec<(usize, usize)> = list
            .as_chunks::<2>()
            .0
            .iter()
            .map(|[a, b]| (*a, *b))
            .collect();
        explicit = match *pairs.as_slice() {
            [(0, 0), (0, 0), h, w] if nchw => [h, w],
            [(0, 0), h, w, (0, 0)] if !nchw => [h, w],
            _ => return Err(format!("paddings {list:?}")),
        };
    }
    let mut sides = [(0, 0, 0); 2];
    for (axis, side) in sides.iter_mut().enumerate() {
        let window = Window {
            kernel: kernel[axis],
            stride: strides[axis],
            dilation: dilations[axis],
        };
        *side = out_and_pads(image.size[axis], window, padding, explicit[axis])?;
    }
    let [(h, top, bottom), (w, left, right)] = sides;
    Ok(Geometry {
        size: [h, w],
        strides,
        dilations,
        pads: [top, left, bottom, right],
    })
}

impl Geometry {
    fn attributes(&self, kernel: [usize; 2], group: usize) -> [(&'static str, Attribute); 5] {
        [
            ("kernel_shape", signed(&kernel).into()),
            ("strides", signed(&self.strides).into()),
            ("dilations", signed(&self.dilations).into()),
            ("pads", signed(&self.pads).into()),
            ("group", i64::try_from(group).unwrap_or(i64::MAX).into()),
        ]
    }
}

/// `Conv` with the weights of the name `filter`, and the bias that follows.
fn emit(
    cx: &mut Context<'_>,
    op: &Op<'_>,
    image: &Image,
    filter: &str,
    (kernel, group, channels): ([usize; 2], usize, usize),
) -> Out {
    let geometry = geometry(cx, op, image, kernel)?;
    let mut inputs = vec![image.name.clone(), filter.to_owned()];
    if let Some(bias) = absorbed_bias(cx, op, channels) {
        inputs.push(cx.weights(&format!("{}/bias", op.name()), &bias));
    }
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    let out = image.out(channels, geometry.size);
    let attributes = geometry.attributes(kernel, group);
    let y = cx.add("Conv", op.name(), &inputs, attributes, out);
    Ok(vec![Val::Live(y)])
}

pub(super) fn conv(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    let image = Image::of(cx, op, 0)?;
    let [kh, kw, inner, channels] = four(op.input(1)?.dims())?;
    if inner == 0 || !image.channels.is_multiple_of(inner) {
        return Err(format!(
            "weights for {inner} channels over {}",
            image.channels
        ));
    }
    let group = image.channels / inner;
    if group == 0 || !channels.is_multiple_of(group) {
        return Err(format!("{channels} outputs of {group} groups"));
    }
    let filter = weights(cx, op, 1, &[3, 2, 0, 1])?;
    emit(cx, op, &image, &filter, ([kh, kw], group, channels))
}

pub(super) fn depthwise(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    let image = Image::of(cx, op, 0)?;
    let [kh, kw, inner, times] = four(op.input(1)?.dims())?;
    if inner != image.channels {
        return Err(format!(
            "weights for {inner} channels over {}",
            image.channels
        ));
    }
    let channels = inner.checked_mul(times).ok_or("too many channels")?;
    let dims = vec![channels, 1, kh, kw];
    let filter = match op.input(1)? {
        Val::Const(t) => {
            let turned = fold::transpose(t, &[2, 3, 0, 1])?.reshaped(dims);
            let turned = turned.map_err(|e| e.to_string())?;
            cx.weights(&format!("{}/weights", op.name()), &turned)
        }
        _ => return Err("weights that are computed".to_owned()),
    };
    emit(cx, op, &image, &filter, ([kh, kw], inner, channels))
}

/// The gradient of a convolution, used as one in the other direction: the convolution's paddings
/// are those of an input of the wanted size, and what they leave over is padding of the output.
pub(super) fn transposed(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    let image = Image::of(cx, op, 2)?;
    let [kh, kw, channels, inner] = four(op.input(1)?.dims())?;
    if inner != image.channels {
        return Err(format!(
            "weights for {inner} channels over {}",
            image.channels
        ));
    }
    let wanted = op.ints(0)?;
    let size = match *wanted.as_slice() {
        [_, _, h, w] if image.given_nchw => [h, w],
        [_, h, w, _] | [h, w] => [h, w],
        _ => return Err(format!("an output of shape {wanted:?}")),
    };
    let strides = spatial(&op.list("strides"), image.given_nchw, "strides")?;
    if spatial(&op.list("dilations"), image.given_nchw, "dilations")? != [1, 1] {
        return Err("dilations".to_owned());
    }
    let padding = op.text("padding", "");
    if padding == "EXPLICIT" {
        return Err("explicit padding".to_owned());
    }
    let (mut pads, mut more, mut out) = ([0; 4], [0; 2], [0; 2]);
    for axis in 0..2 {
        let kernel = [kh, kw][axis];
        let extent =
            usize::try_from(size[axis]).map_err(|_| format!("an output of shape {wanted:?}"))?;
        let window = Window {
            kernel,
            stride: strides[axis],
            dilation: 1,
        };
        let (windows, before, after) = out_and_pads(extent, window, padding, (0, 0))?;
        let whole = (image.size[axis].saturating_sub(1))
            .saturating_mul(strides[axis])
            .saturating_add(kernel);
        let cut = whole.saturating_sub(before + after);
        if windows != image.size[axis] || cut > extent {
            return Err(format!(
                "an output of shape {wanted:?} of size {:?}",
                image.size
            ));
        }
        (pads[axis], pads[axis + 2]) = (before, after);
        (more[axis], out[axis]) = (extent - cut, extent);
    }
    let filter = weights(cx, op, 1, &[3, 2, 0, 1])?;
    let mut inputs = vec![image.name.clone(), filter];
    if let Some(bias) = absorbed_bias(cx, op, channels) {
        inputs.push(cx.weights(&format!("{}/bias", op.name()), &bias));
    }
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    let attributes = [
        ("kernel_shape", signed(&[kh, kw]).into()),
        ("strides", signed(&strides).into()),
        ("pads", signed(&pads).into()),
        ("output_padding", signed(&more).into()),
    ];
    let out = image.out(channels, out);
    let y = cx.add("ConvTranspose", op.name(), &inputs, attributes, out);
    Ok(vec![Val::Live(y)])
}

pub(super) fn matmul(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    let mut sides = Vec::new();
    for (at, flag) in [(0, "transpose_a"), (1, "transpose_b")] {
        let x = op.input(at)?;
        let &[rows, columns] = x.dims() else {
            return Err(format!("a matrix of shape {:?}", x.dims()));
        };
        let name = format!("{}/{at}", op.name());
        let side = match (x, op.bool(flag, false)) {
            (_, false) => (cx.plain(x, &name)?, rows, columns),
            (Val::Const(t), true) => {
                let turned = fold::transpose(t, &[1, 0])?;
                (cx.weights(&name, &turned), columns, rows)
            }
            (_, true) => {
                let source = cx.plain(x, &name)?;
                let out = (x.dtype(), vec![columns, rows], false);
                let attributes = [("perm", vec![1i64, 0].into())];
                let turned = cx.add("Transpose", &name, &[&source], attributes, out);
                (turned.name, columns, rows)
            }
        };
        sides.push(side);
    }
    let [(a, rows, inner), (b, inner_b, columns)] = sides.as_slice() else {
        return Err("two inputs are needed".to_owned());
    };
    if inner != inner_b {
        return Err(format!("{inner} columns and {inner_b} rows"));
    }
    let out = (op.input(0)?.dtype(), vec![*rows, *columns], false);
    let y = cx.add("MatMul", op.name(), &[a, b], [], out);
    Ok(vec![Val::Live(y)])
}
