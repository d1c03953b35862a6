//! Operators that pick elements: slices, splits, gathering and scattering, the greatest k.

use crate::graph::{ElementType, Tensor};
use crate::import::openvino::context::{Op, Outputs, widened};
use dyno_formats::openvino::Element;

/// `name`, an `i64`, in the integer type that the file gives to an output.
pub(crate) fn integer_type(op: &mut Op<'_>, name: &str, element: Option<Element>) -> String {
    match element.map(widened) {
        Some(Ok(dtype)) if dtype != ElementType::I64 => {
            op.add("Cast", &[name], [("to", i64::from(dtype.onnx()).into())])
        }
        _ => name.to_owned(),
    }
}

/// A slice from the first axes on; steps are 1 where none are given.
pub(crate) fn cut(
    op: &mut Op<'_>,
    x: &str,
    begins: &[i64],
    ends: &[i64],
    steps: Option<&[i64]>,
) -> String {
    let axes: Vec<i64> = (0..begins.len() as i64).collect();
    let (begins, ends, axes) = (op.list(begins), op.list(ends), op.list(&axes));
    match steps {
        None => op.add("Slice", &[x, &begins, &ends, &axes], []),
        Some(steps) => {
            let steps = op.list(steps);
            op.add("Slice", &[x, &begins, &ends, &axes, &steps], [])
        }
    }
}

/// Masks: 1 in `begin_mask` and `end_mask` ignores a limit; in `new_axis_mask` adds an axis, in
/// `shrink_axis_mask` takes one element and removes the axis, in `ellipsis_mask` stands for as many
/// axes as are needed.
pub(crate) fn strided_slice(op: &mut Op<'_>) -> Outputs {
    let (begin, end) = (op.integers(1)?, op.integers(2)?);
    let step = if op.has(3) {
        op.integers(3)?
    } else {
        vec![1; begin.len()]
    };
    let mask = |key: &str| -> Result<Vec<bool>, String> {
        let list: Vec<i64> = op.attributes.list(key)?;
        Ok((0..begin.len()).map(|i| list.get(i) == Some(&1)).collect())
    };
    let (begin_mask, end_mask) = (mask("begin_mask")?, mask("end_mask")?);
    let (new_axis, shrink) = (mask("new_axis_mask")?, mask("shrink_axis_mask")?);
    let ellipsis = mask("ellipsis_mask")?;
    if end.len() != begin.len() || step.len() != begin.len() {
        return Err("limits of different lengths".to_owned());
    }
    let rank = op.rank(0)?;
    let taken = (0..begin.len())
        .filter(|&i| !new_axis[i] && !ellipsis[i])
        .count();
    let (mut begins, mut ends, mut steps) = (Vec::new(), Vec::new(), Vec::new());
    let (mut added, mut removed) = (Vec::new(), Vec::new());
    let mut axis_out = 0i64;
    let mut seen_ellipsis = false;
    for i in 0..begin.len() {
        if ellipsis[i] && !seen_ellipsis {
            seen_ellipsis = true;
            for _ in 0..rank.saturating_sub(taken) {
                begins.push(0);
                ends.push(i64::MAX);
                steps.push(1);
                axis_out += 1;
            }
        } else if new_axis[i] {
            added.push(axis_out);
            axis_out += 1;
        } else if shrink[i] {
            removed.push(begins.len() as i64);
            begins.push(begin[i]);
            ends.push(if begin[i] == -1 {
                i64::MAX
            } else {
                begin[i] + 1
            });
            steps.push(1);
        } else {
            let forward = step[i] > 0;
            let first = if forward { 0 } else { i64::MAX };
            let last = if forward { i64::MAX } else { i64::MIN };
            begins.push(if begin_mask[i] { first } else { begin[i] });
            ends.push(if end_mask[i] { last } else { end[i] });
            steps.push(step[i]);
            axis_out += 1;
        }
    }
    if begins.len() > rank || steps.contains(&0) {
        return Err(format!("limits {begin:?} of a tensor with {rank} axes"));
    }
    let mut x = op.x(0)?;
    x = cut(op, &x, &begins, &ends, Some(&steps));
    if !removed.is_empty() {
        let axes = op.list(&removed);
        x = op.add("Squeeze", &[&x, &axes], []);
    }
    if !added.is_empty() {
        let axes = op.list(&added);
        x = op.add("Unsqueeze", &[&x, &axes], []);
    }
    Ok(vec![x])
}

pub(crate) fn slice(op: &mut Op<'_>) -> Outputs {
    let x = op.x(0)?;
    let mut names = vec![x];
    for at in 1..op.inputs.len() {
        let name = op.x(at)?;
        names.push(super::shape::as_i64(op, at, &name)?);
    }
    let rank = op.dims(1)?;
    let steps = names.get(3).cloned();
    let axes = if let Some(axes) = names.get(4) {
        axes.clone()
    } else {
        let count = rank.first().copied().unwrap_or(1).max(0);
        let axes: Vec<i64> = (0..count).collect();
        op.list(&axes)
    };
    let [x, start, stop] = [
        &names[0],
        &names[1],
        names.get(2).ok_or("input 2 is missing")?,
    ];
    Ok(vec![match &steps {
        Some(steps) => op.add("Slice", &[x, start, stop, &axes, steps], []),
        None => op.add("Slice", &[x, start, stop, &axes], []),
    }])
}

pub(crate) fn split(op: &mut Op<'_>) -> Outputs {
    let count: usize = op.attributes.needed("num_splits")?;
    if count == 0 || count > op.layer.outputs.len() {
        return Err(format!(
            "{count} parts, and {} outputs",
            op.layer.outputs.len()
        ));
    }
    let axis = op.integers(1)?.first().copied().unwrap_or_default();
    let x = op.x(0)?;
    let name = &op.layer.name;
    let attributes = [("axis", axis.into())];
    Ok(op.builder.add_many("Split", name, &[&x], attributes, count))
}

pub(crate) fn variadic_split(op: &mut Op<'_>) -> Outputs {
    let rank = op.rank(0)?;
    let axis = Op::axis(op.integers(1)?.first().copied().unwrap_or_default(), rank)?;
    let mut lengths = op.integers(2)?;
    if let Some(open) = lengths.iter().position(|l| *l == -1) {
        let whole = op.dims(0)?[axis];
        let rest: i64 = lengths.iter().filter(|l| **l >= 0).sum();
        if whole < rest {
            return Err(format!(
                "parts {lengths:?} of an axis that is open or shorter"
            ));
        }
        lengths[open] = whole - rest;
    }
    if lengths.iter().any(|l| *l < 0) || lengths.len() > op.layer.outputs.len() {
        return Err(format!("parts {lengths:?}"));
    }
    let x = op.x(0)?;
    let parts = op.list(&lengths);
    let name = &op.layer.name;
    let attributes = [("axis", (axis as i64).into())];
    Ok(op
        .builder
        .add_many("Split", name, &[&x, &parts], attributes, lengths.len()))
}

pub(crate) fn gather(op: &mut Op<'_>) -> Outputs {
    if op.attributes.number("batch_dims", 0i64)? != 0 {
        return Err("attribute `batch_dims`".to_owned());
    }
    let axis = op.integers(2)?.first().copied().unwrap_or_default();
    let (x, at) = (op.x(0)?, op.x(1)?);
    Ok(vec![op.add("Gather", &[&x, &at], [("axis", axis.into())])])
}

pub(crate) fn gather_elements(op: &mut Op<'_>) -> Outputs {
    let axis: i64 = op.attributes.needed("axis")?;
    let (x, at) = (op.x(0)?, op.x(1)?);
    Ok(vec![op.add(
        "GatherElements",
        &[&x, &at],
        [("axis", axis.into())],
    )])
}

pub(crate) fn gather_nd(op: &mut Op<'_>) -> Outputs {
    let batch: i64 = op.attributes.number("batch_dims", 0)?;
    let (x, at) = (op.x(0)?, op.x(1)?);
    let at = super::shape::as_i64(op, 1, &at)?;
    Ok(vec![op.add(
        "GatherND",
        &[&x, &at],
        [("batch_dims", batch.into())],
    )])
}

pub(crate) fn scatter_elements(op: &mut Op<'_>) -> Outputs {
    op.attributes.only("reduction", &["none"])?;
    op.attributes.text("use_init_val");
    let axis = op.integers(3)?.first().copied().unwrap_or_default();
    let (x, at, new) = (op.x(0)?, op.x(1)?, op.x(2)?);
    let attributes = [("axis", axis.into())];
    Ok(vec![op.add(
        "ScatterElements",
        &[&x, &at, &new],
        attributes,
    )])
}

pub(crate) fn scatter_nd(op: &mut Op<'_>) -> Outputs {
    op.attributes.only("reduction", &["none"])?;
    let (x, at, new) = (op.x(0)?, op.x(1)?, op.x(2)?);
    let at = super::shape::as_i64(op, 1, &at)?;
    Ok(vec![op.add("ScatterND", &[&x, &at, &new], [])])
}

pub(crate) fn select(op: &mut Op<'_>) -> Outputs {
    op.attributes.only("auto_broadcast", &["numpy", "none"])?;
    let (condition, then, other) = (op.x(0)?, op.x(1)?, op.x(2)?);
    Ok(vec![op.add("Where", &[&condition, &then, &other], [])])
}

/// The k greatest or least, in falling order of value; an order by index exists here only where
/// one element is asked for.
pub(crate) fn top_k(op: &mut Op<'_>) -> Outputs {
    let axis: i64 = op.attributes.needed("axis")?;
    let largest = match op.attributes.word("mode", "max") {
        "max" => 1i64,
        "min" => 0,
        other => return Err(format!("attribute `mode` with value `{other}`")),
    };
    let k = op
        .tensor(1)
        .map(Tensor::to_i64s)
        .transpose()
        .map_err(|e| e.to_string())?;
    match op.attributes.word("sort", "value") {
        "value" | "none" => {}
        "index" if k.as_deref() == Some(&[1]) => {}
        other => return Err(format!("attribute `sort` with value `{other}`")),
    }
    // Equal values come by index in ONNX, which is one of the orders that `stable=false` leaves open.
    op.attributes.text("stable");
    let x = op.x(0)?;
    let k = if let Some(k) = k {
        op.list(&k)
    } else {
        let k = op.x(1)?;
        let k = super::shape::as_i64(op, 1, &k)?;
        let one = op.list(&[1]);
        op.add("Reshape", &[&k, &one], [])
    };
    let name = &op.layer.name;
    let attributes = [
        ("axis", axis.into()),
        ("largest", largest.into()),
        ("sorted", 1.into()),
    ];
    let outputs = op.builder.add_many("TopK", name, &[&x, &k], attributes, 2);
    let [values, indices] = outputs.as_slice() else {
        return Ok(outputs);
    };
    let element = op.layer.outputs.get(1).and_then(|p| p.element);
    let indices = if op.is_used(1) {
        integer_type(op, indices, element)
    } else {
        indices.clone()
    };
    Ok(vec![values.clone(), indices])
}
