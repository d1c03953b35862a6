//! Weights of eight bits with a range: they become real numbers now.

use crate::{
    graph::{ElementType, Tensor},
    import::tensorflow::{
        context::{Context, Op, Out},
        fold::{self, Numbers},
        value::Val,
    },
};

fn one(t: &Tensor) -> Result<f32, String> {
    match t.to_f32s().map_err(|e| e.to_string())?.as_slice() {
        [one] => Ok(*one),
        many => Err(format!("a range of {} values", many.len())),
    }
}

/// As TensorFlow's kernel `DequantizeOp` computes it, by mode.
pub(super) fn dequantize(_: &mut Context<'_>, op: &Op<'_>) -> Out {
    let t = op.constant(0)?;
    if op.int("axis", -1) != -1 {
        return Err("a range per slice".to_owned());
    }
    let (low, high) = (one(op.constant(1)?)?, one(op.constant(2)?)?);
    let (least, greatest) = match t.dtype() {
        ElementType::U8 => (0.0f32, 255.0f32),
        ElementType::I8 => (-128.0, 127.0),
        other => return Err(format!("from {other}")),
    };
    let Numbers::I(values) = fold::numbers(t)? else {
        return Err("from real numbers".to_owned());
    };
    let each: Vec<f32> = match op.text("mode", "MIN_COMBINED") {
        "MIN_COMBINED" => {
            let scale = (high - low) / 255.0;
            values
                .iter()
                .map(|v| (*v as f32 - least) * scale + low)
                .collect()
        }
        "MIN_FIRST" => {
            let scale = if high > low {
                (high - low) / 255.0
            } else {
                0.0
            };
            let base = if scale > 0.0 {
                (low / scale).round() * scale
            } else {
                low
            };
            values
                .iter()
                .map(|v| base + (*v as f32 - least) * scale)
                .collect()
        }
        "SCALED" => {
            let narrow = op.bool("narrow_range", false);
            let least = if narrow && least < 0.0 {
                least + 1.0
            } else {
                least
            };
            let by_high = high / greatest;
            let scale = if least < 0.0 {
                by_high.max(low / least)
            } else {
                by_high
            };
            values.iter().map(|v| *v as f32 * scale).collect()
        }
        other => return Err(format!("mode `{other}`")),
    };
    let real = fold::tensor(ElementType::F32, t.dims().to_vec(), &Numbers::F(each))?;
    Ok(vec![Val::Const(real)])
}
