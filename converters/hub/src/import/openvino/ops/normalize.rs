//! Normalizations.

use super::activation::per_channel;
use super::arithmetic::reduction;
use crate::import::openvino::context::{Op, Outputs};

/// Axes of input `at`, from the front.
fn axes(op: &Op<'_>, at: usize, rank: usize) -> Result<Vec<i64>, String> {
    let axes = op.integers(at)?;
    let mut axes: Vec<i64> = axes
        .into_iter()
        .map(|a| Op::axis(a, rank).map(|a| a as i64))
        .collect::<Result<_, _>>()?;
    axes.sort_unstable();
    axes.dedup();
    Ok(axes)
}

/// `γ·(x - mean)/√(variance + ε) + β`. Operation set 1 has γ and β before the data.
pub(crate) fn batch(op: &mut Op<'_>) -> Outputs {
    let epsilon: f32 = op.attributes.needed("epsilon")?;
    let first = op.layer.opset == "opset1";
    let order = if first {
        [2, 0, 1, 3, 4]
    } else {
        [0, 1, 2, 3, 4]
    };
    let names: Vec<String> = order
        .into_iter()
        .map(|at| op.x(at))
        .collect::<Result<_, _>>()?;
    let inputs: Vec<&str> = names.iter().map(String::as_str).collect();
    Ok(vec![op.add(
        "BatchNormalization",
        &inputs,
        [("epsilon", epsilon.into())],
    )])
}

/// Across channels ONNX has it too; α is divided by the size in both.
pub(crate) fn lrn(op: &mut Op<'_>) -> Outputs {
    let alpha: f32 = op.attributes.needed("alpha")?;
    let beta: f32 = op.attributes.needed("beta")?;
    let bias: f32 = op.attributes.number("bias", 1.0)?;
    let size: i64 = op.attributes.needed("size")?;
    let axes = axes(op, 1, op.rank(0)?)?;
    if axes != [1] || size % 2 != 1 {
        return Err(format!("axes {axes:?} with size {size}"));
    }
    let x = op.x(0)?;
    let attributes = [
        ("alpha", alpha.into()),
        ("beta", beta.into()),
        ("bias", bias.into()),
        ("size", size.into()),
    ];
    Ok(vec![op.add("LRN", &[&x], attributes)])
}

/// `x / √(Σx² + ε)`, or with `eps_mode=max` `x / √max(Σx², ε)`.
pub(crate) fn l2(op: &mut Op<'_>) -> Outputs {
    let epsilon: f64 = op.attributes.needed("eps")?;
    let join = match op.attributes.word("eps_mode", "add") {
        "add" => "Add",
        "max" => "Max",
        other => return Err(format!("attribute `eps_mode` with value `{other}`")),
    };
    let axes = axes(op, 1, op.rank(0)?)?;
    if axes.is_empty() {
        return Err("no axes: every element by itself".to_owned());
    }
    let dtype = op.dtype(0)?;
    let x = op.x(0)?;
    let square = op.add("Mul", &[&x, &x], []);
    let sum = reduction(op, "ReduceSum", &square, &axes, 1);
    let epsilon = op.scalar(dtype, epsilon)?;
    let sum = op.add(join, &[&sum, &epsilon], []);
    let norm = op.add("Sqrt", &[&sum], []);
    Ok(vec![op.add("Div", &[&x, &norm], [])])
}

/// Mean and variance over axes: those of input 1 (operation set 6), else the spatial ones, with or
/// without the channels. ε lies within the root unless the file says otherwise.
pub(crate) fn mvn(op: &mut Op<'_>) -> Outputs {
    let rank = op.rank(0)?;
    let epsilon: f64 = op.attributes.needed("eps")?;
    let scales = op.attributes.flag("normalize_variance", true)?;
    // What `across_channels` says, once more.
    op.attributes.text("reduction_axes");
    let axes = if op.has(1) {
        axes(op, 1, rank)?
    } else {
        let across = op.attributes.flag("across_channels", false)?;
        (if across { 1 } else { 2 }..rank as i64).collect()
    };
    let inside = match op
        .attributes
        .word("eps_mode", "inside_sqrt")
        .to_lowercase()
        .as_str()
    {
        "inside_sqrt" => true,
        "outside_sqrt" => false,
        other => return Err(format!("attribute `eps_mode` with value `{other}`")),
    };
    let dtype = op.dtype(0)?;
    let x = op.x(0)?;
    let mean = reduction(op, "ReduceMean", &x, &axes, 1);
    let centred = op.add("Sub", &[&x, &mean], []);
    if !scales {
        return Ok(vec![centred]);
    }
    let square = op.add("Mul", &[&centred, &centred], []);
    let variance = reduction(op, "ReduceMean", &square, &axes, 1);
    let epsilon = op.scalar(dtype, epsilon)?;
    let divisor = if inside {
        let sum = op.add("Add", &[&variance, &epsilon], []);
        op.add("Sqrt", &[&sum], [])
    } else {
        let root = op.add("Sqrt", &[&variance], []);
        op.add("Add", &[&root, &epsilon], [])
    };
    Ok(vec![op.add("Div", &[&centred, &divisor], [])])
}

/// `x / √(Σ over channels x² + bias)`
pub(crate) fn grn(op: &mut Op<'_>) -> Outputs {
    let bias: f32 = op.attributes.needed("bias")?;
    let x = op.x(0)?;
    let square = op.add("Mul", &[&x, &x], []);
    let sum = reduction(op, "ReduceSum", &square, &[1], 1);
    let bias = op.constant(per_channel(&[bias], 2)?);
    let sum = op.add("Add", &[&sum, &bias], []);
    let norm = op.add("Sqrt", &[&sum], []);
    Ok(vec![op.add("Div", &[&x, &norm], [])])
}
