//! Normalization of channels.

use super::{elementwise::along, pool::Image};
use crate::{
    graph::{Attribute, ElementType, Tensor},
    import::tensorflow::{
        context::{Context, Op, Out},
        value::Val,
    },
};

/// Batch normalization. In the form for training, mean and variance are the picture's own.
pub(super) fn fused(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    if op.input(0)?.dtype() != ElementType::F32 {
        return Err(format!("over {}", op.input(0)?.dtype()));
    }
    let image = Image::of(cx, op, 0)?;
    let epsilon = op.float("epsilon", 1e-4);
    let out = image.out(image.channels, image.size);
    if !op.bool("is_training", true) {
        let mut inputs = vec![image.name.clone()];
        for at in 1..5 {
            if op.input(at)?.dims() != [image.channels] {
                return Err(format!("input {at} of shape {:?}", op.input(at)?.dims()));
            }
            inputs.push(cx.plain(op.input(at)?, op.name())?);
        }
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        let attributes = [("epsilon", epsilon.into())];
        let y = cx.add("BatchNormalization", op.name(), &inputs, attributes, out);
        return Ok(lost_after(Val::Live(y)));
    }
    let name = op.name();
    let axes = || {
        [
            ("axes", Attribute::Ints(vec![0, 2, 3])),
            ("keepdims", 1i64.into()),
        ]
    };
    let mut one = image.shape(image.channels, [1, 1]);
    if let Some(batch) = one.first_mut() {
        *batch = 1;
    }
    let small = || (ElementType::F32, one.clone(), !image.given_nchw);
    let wide = || image.out(image.channels, image.size);
    let mean = cx.add("ReduceMean", name, &[&image.name], axes(), small());
    let centred = cx.add("Sub", name, &[&image.name, &mean.name], [], wide());
    let square = cx.add("Mul", name, &[&centred.name, &centred.name], [], wide());
    let variance = cx.add("ReduceMean", name, &[&square.name], axes(), small());
    let epsilon = cx.weights(&format!("{name}/epsilon"), &Tensor::scalar(epsilon));
    let shifted = cx.add("Add", name, &[&variance.name, &epsilon], [], small());
    let root = cx.add("Sqrt", name, &[&shifted.name], [], small());
    let unit = cx.add("Div", name, &[&centred.name, &root.name], [], wide());
    let mut side = |at: usize| -> Result<String, String> {
        let per_channel = along(op.constant(at)?, 1, 4)?;
        Ok(cx.weights(&format!("{name}/constant"), &per_channel))
    };
    let (scale, offset) = (side(1)?, side(2)?);
    let scaled = cx.add("Mul", name, &[&unit.name, &scale], [], wide());
    let y = cx.add("Add", name, &[&scaled.name, &offset], [], out);
    Ok(lost_after(Val::Live(y)))
}

/// The statistics that the operator also gives are for training.
fn lost_after(first: Val) -> Vec<Val> {
    let mut out = vec![Val::Lost; 6];
    if let Some(slot) = out.first_mut() {
        *slot = first;
    }
    out
}

/// `x / (bias + alpha · Σ x²)^beta` over `2 r + 1` channels; ONNX divides alpha by their number.
pub(super) fn lrn(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    let image = Image::of(cx, op, 0)?;
    let radius = op.int("depth_radius", 5);
    if !(0..=1024).contains(&radius) {
        return Err(format!("a radius of {radius}"));
    }
    let size = 2 * radius + 1;
    let attributes = [
        ("size", size.into()),
        ("alpha", (op.float("alpha", 1.0) * size as f32).into()),
        ("beta", op.float("beta", 0.5).into()),
        ("bias", op.float("bias", 1.0).into()),
    ];
    let out = image.out(image.channels, image.size);
    let y = cx.add("LRN", op.name(), &[&image.name], attributes, out);
    Ok(vec![Val::Live(y)])
}
