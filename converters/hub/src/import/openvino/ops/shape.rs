//! Operators that move elements: reshaping, transposing, padding, blocks.

use super::arithmetic::variadic;
use crate::graph::Tensor;
use crate::import::openvino::context::{Op, Outputs};

pub(crate) fn shape_of(op: &mut Op<'_>) -> Outputs {
    let x = op.x(0)?;
    let shape = op.add("Shape", &[&x], []);
    let element = op.layer.outputs.first().and_then(|p| p.element);
    Ok(vec![super::select::integer_type(op, &shape, element)])
}

pub(crate) fn concat(op: &mut Op<'_>) -> Outputs {
    let axis: i64 = op.attributes.number("axis", 1)?;
    Op::axis(axis, op.rank(0)?)?;
    let inputs: Vec<String> = (0..op.inputs.len())
        .map(|at| op.x(at))
        .collect::<Result<_, _>>()?;
    Ok(vec![variadic(op, "Concat", inputs, Some(axis))])
}

/// With `special_zero` a 0 copies a length of the input, as in ONNX; without it it is a length.
pub(crate) fn reshape(op: &mut Op<'_>) -> Outputs {
    let copies = op.attributes.flag("special_zero", false)?;
    let constant = op.tensor(1).map(Tensor::to_i64s);
    let x = op.x(0)?;
    match constant {
        Some(shape) => {
            let shape = shape.map_err(|e| e.to_string())?;
            if !copies && shape.contains(&0) {
                return Err(format!("a shape {shape:?} without `special_zero`"));
            }
            let shape = op.list(&shape);
            Ok(vec![op.add("Reshape", &[&x, &shape], [])])
        }
        None if copies => {
            let shape = op.x(1)?;
            let shape = as_i64(op, 1, &shape)?;
            Ok(vec![op.add("Reshape", &[&x, &shape], [])])
        }
        None => {
            // A computed shape may hold a 0 only where the tensor is empty.
            let shape = op.x(1)?;
            let shape = as_i64(op, 1, &shape)?;
            op.notes.push(format!(
                "`{}`: a computed shape without `special_zero` is taken to hold no 0",
                op.layer.name
            ));
            Ok(vec![op.add("Reshape", &[&x, &shape], [])])
        }
    }
}

/// Input `at` under the name `name`, as `i64`.
pub(crate) fn as_i64(op: &mut Op<'_>, at: usize, name: &str) -> Result<String, String> {
    use crate::graph::ElementType::I64;
    if op.dtype(at)? == I64 {
        return Ok(name.to_owned());
    }
    Ok(op.add("Cast", &[name], [("to", i64::from(I64.onnx()).into())]))
}

pub(crate) fn transpose(op: &mut Op<'_>) -> Outputs {
    let mut order = op.integers(1)?;
    let x = op.x(0)?;
    if order.is_empty() {
        order = (0..op.rank(0)? as i64).rev().collect();
    }
    Ok(vec![op.add("Transpose", &[&x], [("perm", order.into())])])
}

pub(crate) fn squeeze(op: &mut Op<'_>) -> Outputs {
    along(op, "Squeeze")
}

pub(crate) fn unsqueeze(op: &mut Op<'_>) -> Outputs {
    along(op, "Unsqueeze")
}

fn along(op: &mut Op<'_>, to: &str) -> Outputs {
    op.attributes.only("allow_axis_skip", &["false"])?;
    let x = op.x(0)?;
    if !op.has(1) {
        return Ok(vec![op.add(to, &[&x], [])]);
    }
    let axes = op.integers(1)?;
    let axes = op.list(&axes);
    Ok(vec![op.add(to, &[&x, &axes], [])])
}

pub(crate) fn pad(op: &mut Op<'_>) -> Outputs {
    let mode = match op.attributes.word("pad_mode", "constant") {
        "constant" => "constant",
        "edge" => "edge",
        "reflect" => "reflect",
        other => return Err(format!("attribute `pad_mode` with value `{other}`")),
    };
    let mut pads = op.integers(1)?;
    pads.extend(op.integers(2)?);
    let x = op.x(0)?;
    let pads = op.list(&pads);
    let attributes = [("mode", mode.into())];
    if mode == "constant" && op.has(3) {
        let value = f64::from(match op.numbers(3) {
            Ok(values) => values.first().copied().unwrap_or_default(),
            Err(_) => op.integers(3)?.first().copied().unwrap_or_default() as f32,
        });
        let dtype = op.dtype(0)?;
        let value = op.scalar(dtype, value)?;
        return Ok(vec![op.add("Pad", &[&x, &pads, &value], attributes)]);
    }
    Ok(vec![op.add("Pad", &[&x, &pads], attributes)])
}

/// To a target shape; ONNX's `Expand` broadcasts both ways, as `bidirectional` does.
pub(crate) fn broadcast(op: &mut Op<'_>) -> Outputs {
    let mode = op.attributes.word("mode", "numpy").to_lowercase();
    let mut x = op.x(0)?;
    if mode == "explicit" || (mode == "none" && op.has(2)) {
        let axes = op.integers(2)?;
        let shape = op.shape(0)?;
        let target = op.integers(1)?;
        let mut spread = vec![1i64; target.len()];
        for (axis, length) in axes.iter().zip(&shape) {
            let at = Op::axis(*axis, target.len())?;
            spread[at] = *length as i64;
        }
        let spread = op.list(&spread);
        x = op.add("Reshape", &[&x, &spread], []);
    } else if !matches!(mode.as_str(), "numpy" | "none" | "bidirectional") {
        return Err(format!("attribute `mode` with value `{mode}`"));
    }
    let target = op.x(1)?;
    let target = as_i64(op, 1, &target)?;
    Ok(vec![op.add("Expand", &[&x, &target], [])])
}

pub(crate) fn tile(op: &mut Op<'_>) -> Outputs {
    let x = op.x(0)?;
    let rank = op.rank(0)?;
    let mut repeats = op.integers(1)?;
    if repeats.len() > rank {
        return Err(format!("repeats {repeats:?} of a tensor with {rank} axes"));
    }
    while repeats.len() < rank {
        repeats.insert(0, 1);
    }
    let repeats = op.list(&repeats);
    Ok(vec![op.add("Tile", &[&x, &repeats], [])])
}

pub(crate) fn depth_to_space(op: &mut Op<'_>) -> Outputs {
    let block: i64 = op.attributes.number("block_size", 1)?;
    let mode = match op.attributes.word("mode", "blocks_first") {
        "blocks_first" => "DCR",
        "depth_first" => "CRD",
        other => return Err(format!("attribute `mode` with value `{other}`")),
    };
    if op.rank(0)? != 4 {
        return Err("a tensor that is not of 4 axes".to_owned());
    }
    let x = op.x(0)?;
    let attributes = [("blocksize", block.into()), ("mode", mode.into())];
    Ok(vec![op.add("DepthToSpace", &[&x], attributes)])
}

pub(crate) fn space_to_depth(op: &mut Op<'_>) -> Outputs {
    let block: i64 = op.attributes.number("block_size", 1)?;
    let mode = op.attributes.word("mode", "blocks_first");
    let shape = op.shape(0)?;
    let &[n, c, h, w] = shape.as_slice() else {
        return Err("a tensor that is not of 4 axes".to_owned());
    };
    let b = usize::try_from(block).ok().filter(|b| *b > 0);
    let b = b.filter(|b| h % b == 0 && w % b == 0);
    let b = b.ok_or_else(|| format!("blocks of {block} in {h}x{w}"))?;
    let x = op.x(0)?;
    // The channels of the result count blocks outside and channels inside, or the other way round.
    let order: [i64; 6] = match mode {
        "blocks_first" => [0, 3, 5, 1, 2, 4],
        "depth_first" => [0, 1, 3, 5, 2, 4],
        other => return Err(format!("attribute `mode` with value `{other}`")),
    };
    let split = [n, c, h / b, b, w / b, b].map(|d| d as i64);
    let joined = [n, c * b * b, h / b, w / b].map(|d| d as i64);
    Ok(vec![rearranged(op, &x, &split, &order, &joined)])
}

/// Reshape, transpose, reshape.
pub(crate) fn rearranged(
    op: &mut Op<'_>,
    x: &str,
    split: &[i64],
    order: &[i64],
    joined: &[i64],
) -> String {
    let split = op.list(split);
    let joined = op.list(joined);
    let x = op.add("Reshape", &[x, &split], []);
    let x = op.add("Transpose", &[&x], [("perm", order.to_vec().into())]);
    op.add("Reshape", &[&x, &joined], [])
}

pub(crate) fn shuffle_channels(op: &mut Op<'_>) -> Outputs {
    let rank = op.rank(0)?;
    let axis = Op::axis(op.attributes.number("axis", 1)?, rank)?;
    let group: usize = op.attributes.number("group", 1)?;
    let shape = op.shape(0)?;
    if group == 0 || shape[axis] % group != 0 {
        return Err(format!("{group} groups of {} channels", shape[axis]));
    }
    let joined: Vec<i64> = shape.iter().map(|&d| d as i64).collect();
    let mut split = joined.clone();
    split[axis] = (shape[axis] / group) as i64;
    split.insert(axis, group as i64);
    let mut order: Vec<i64> = (0..=rank as i64).collect();
    order.swap(axis, axis + 1);
    let x = op.x(0)?;
    Ok(vec![rearranged(op, &x, &split, &order, &joined)])
}

/// Blocks of the batch become pixels, then the edges are cut.
pub(crate) fn batch_to_space(op: &mut Op<'_>) -> Outputs {
    let shape = op.shape(0)?;
    let (block, begins, ends) = (op.integers(1)?, op.integers(2)?, op.integers(3)?);
    let rank = shape.len();
    let product: i64 = block.iter().product();
    if block.len() != rank || begins.len() != rank || ends.len() != rank || block[0] != 1 {
        return Err(format!("blocks {block:?} of a tensor with {rank} axes"));
    }
    if product < 1 || shape[0] as i64 % product != 0 {
        return Err(format!("blocks {block:?} of a batch of {}", shape[0]));
    }
    // [b1, b2, …, N, C, H, …] → [N, C, b1, H, b2, …]
    let mut split: Vec<i64> = block[1..].to_vec();
    split.push(shape[0] as i64 / product);
    split.extend(shape[1..].iter().map(|&d| d as i64));
    let mut order = vec![rank as i64 - 1];
    let mut joined = vec![shape[0] as i64 / product];
    for axis in 1..rank {
        order.extend([rank as i64 - 1 + axis as i64, axis as i64 - 1]);
        joined.push(shape[axis] as i64 * block[axis]);
    }
    let x = op.x(0)?;
    let x = rearranged(op, &x, &split, &order, &joined);
    let ends: Vec<i64> = joined.iter().zip(&ends).map(|(d, e)| d - e).collect();
    Ok(vec![super::select::cut(op, &x, &begins, &ends, None)])
}

/// The edges are padded, then pixels become blocks of the batch.
pub(crate) fn space_to_batch(op: &mut Op<'_>) -> Outputs {
    let shape = op.shape(0)?;
    let (block, begins, ends) = (op.integers(1)?, op.integers(2)?, op.integers(3)?);
    let rank = shape.len();
    if block.len() != rank || begins.len() != rank || ends.len() != rank || block[0] != 1 {
        return Err(format!("blocks {block:?} of a tensor with {rank} axes"));
    }
    let padded: Vec<i64> = (0..rank)
        .map(|a| shape[a] as i64 + begins[a] + ends[a])
        .collect();
    if (1..rank).any(|a| block[a] < 1 || padded[a] % block[a] != 0) {
        return Err(format!("blocks {block:?} of a padded shape {padded:?}"));
    }
    let mut split = vec![padded[0]];
    let mut order: Vec<i64> = (1..rank as i64).map(|a| 2 * a).collect();
    let mut joined = vec![padded[0] * block.iter().product::<i64>()];
    order.push(0);
    for axis in 1..rank {
        split.extend([padded[axis] / block[axis], block[axis]]);
        order.push(2 * axis as i64 - 1);
        joined.push(padded[axis] / block[axis]);
    }
    let pads: Vec<i64> = begins.into_iter().chain(ends).collect();
    let x = op.x(0)?;
    let pads = op.list(&pads);
    let x = op.add("Pad", &[&x, &pads], [("mode", "constant".into())]);
    Ok(vec![rearranged(op, &x, &split, &order, &joined)])
}
