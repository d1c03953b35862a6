//! Containers, tables, and modules that change nothing.

use super::array::pad;
use crate::graph::Node;
use crate::import::torch7::context::{Flow, Module, Val, flow};

type Result = std::result::Result<Flow, String>;

#[expect(
    clippy::unnecessary_wraps,
    reason = "rows of the table have one signature"
)]
pub(crate) fn identity(_: &mut Module<'_, '_>, x: Flow) -> Result {
    Ok(x)
}

/// Nothing after training, except that the first version scaled then, not while training.
pub(crate) fn dropout(m: &mut Module<'_, '_>, x: Flow) -> Result {
    // `SpatialDropout` scales by 1 - p after training; `Dropout` only without `v2`.
    let scales = if m.path.ends_with("/SpatialDropout") {
        true
    } else {
        m.table.get("v2").is_some() && !m.flag("v2", true)?
    };
    let p = m.real("p", 0.5)?;
    if !scales || p == 0.0 || m.flag("stochastic_inference", false)? {
        return Ok(x);
    }
    let x = x.one()?;
    let keep = m.scalar(1.0 - p);
    let name = m.add("Mul", &[&x.name, &keep], []);
    Ok(x.like(name))
}

pub(crate) fn sequential(m: &mut Module<'_, '_>, mut x: Flow) -> Result {
    for (at, module) in m.modules()?.into_iter().enumerate() {
        x = m.child(at, module, x)?;
    }
    Ok(x)
}

/// A module around one other.
pub(crate) fn decorated(m: &mut Module<'_, '_>, x: Flow) -> Result {
    let inner = m.table.get("module");
    let inner = match inner {
        Some(inner) => inner,
        None => m.modules()?.first().copied().ok_or("no module within")?,
    };
    m.child(0, inner, x)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "rows of the table have one signature"
)]
pub(crate) fn concat_table(m: &mut Module<'_, '_>, x: Flow) -> Result {
    let mut out = Vec::new();
    for (at, module) in m.modules()?.into_iter().enumerate() {
        out.push(m.child(at, module, x.clone())?);
    }
    Ok(Flow::Many(out))
}

pub(crate) fn parallel_table(m: &mut Module<'_, '_>, x: Flow) -> Result {
    let inputs = x.many()?;
    let modules = m.modules()?;
    if modules.len() != inputs.len() {
        return Err(format!(
            "{} modules, and {} tensors",
            modules.len(),
            inputs.len()
        ));
    }
    let mut out = Vec::new();
    for (at, (module, x)) in modules.into_iter().zip(inputs).enumerate() {
        out.push(m.child(at, module, x)?);
    }
    Ok(Flow::Many(out))
}

/// An axis that counts from 1 and, with `inputs` axes named, not the batch.
fn axis(dimension: i64, inputs: i64, rank: usize) -> std::result::Result<usize, String> {
    let batch = i64::from(inputs > 0 && rank as i64 == inputs + 1);
    let at = if dimension < 0 {
        rank as i64 + dimension
    } else {
        dimension - 1 + batch
    };
    usize::try_from(at)
        .ok()
        .filter(|at| *at < rank)
        .ok_or_else(|| format!("axis {dimension} of a tensor with {rank} axes"))
}

/// Tensors behind each other.
fn joined(m: &mut Module<'_, '_>, parts: Vec<Val>, axis: usize) -> Result {
    let first = parts.first().ok_or("nothing to join")?;
    let mut dims = first.dims.clone();
    let whole = parts.iter().map(|p| p.dims.get(axis).copied());
    let whole = whole
        .collect::<Option<Vec<i64>>>()
        .ok_or("tensors of different axes")?;
    dims[axis] = if whole.contains(&-1) {
        -1
    } else {
        whole.iter().sum()
    };
    let name = m.path.trim_start_matches('/').to_owned();
    let output = m.context.builder.unique(&name);
    m.context.builder.push(Node {
        name: output.clone(),
        op: "Concat".to_owned(),
        domain: String::new(),
        inputs: parts.into_iter().map(|p| p.name).collect(),
        outputs: vec![output.clone()],
        attributes: [("axis".to_owned(), (axis as i64).into())].into(),
    });
    Ok(flow(output, dims))
}

/// The same tensor through every module, the results behind each other.
#[expect(
    clippy::needless_pass_by_value,
    reason = "rows of the table have one signature"
)]
pub(crate) fn concat(m: &mut Module<'_, '_>, x: Flow) -> Result {
    let dimension = m.needed("dimension")?;
    let parts = outputs(m, &x)?;
    let rank = parts.first().map_or(0, Val::rank);
    let axis = axis(dimension, 0, rank)?;
    joined(m, parts, axis)
}

fn outputs(m: &mut Module<'_, '_>, x: &Flow) -> std::result::Result<Vec<Val>, String> {
    let mut parts = Vec::new();
    for (at, module) in m.modules()?.into_iter().enumerate() {
        parts.push(m.child(at, module, x.clone())?.one()?);
    }
    Ok(parts)
}

/// As `Concat`, along the channels; smaller maps are centred in zeros.
#[expect(
    clippy::needless_pass_by_value,
    reason = "rows of the table have one signature"
)]
pub(crate) fn depth_concat(m: &mut Module<'_, '_>, x: Flow) -> Result {
    let dimension = m.needed("dimension")?;
    let mut parts = outputs(m, &x)?;
    let rank = parts.first().map_or(0, Val::rank);
    let axis = axis(dimension, 0, rank)?;
    let shapes = parts.iter().map(Val::known).collect::<Option<Vec<_>>>();
    let shapes = shapes.ok_or("lengths of axes are open: give the shape of `input`")?;
    let most: Vec<i64> = (0..rank)
        .map(|a| shapes.iter().map(|s| s[a]).max().unwrap_or(0))
        .collect();
    for (part, shape) in parts.iter_mut().zip(&shapes) {
        let mut pads = vec![0; 2 * rank];
        for a in (0..rank).filter(|a| *a != axis) {
            let missing = most[a] - shape[a];
            pads[a] = missing / 2;
            pads[rank + a] = missing - missing / 2;
        }
        if pads.iter().any(|p| *p != 0) {
            *part = pad(m, part, &pads, "constant", 0.0);
        }
    }
    joined(m, parts, axis)
}

/// One slice of an axis through each module.
pub(crate) fn parallel(m: &mut Module<'_, '_>, x: Flow) -> Result {
    let x = x.one()?;
    let from = axis(m.needed("inputDimension")?, 0, x.rank())?;
    let modules = m.modules()?;
    let mut parts = Vec::new();
    for (at, module) in modules.into_iter().enumerate() {
        let index =
            crate::graph::Tensor::i64(Vec::new(), &[at as i64]).map_err(|e| e.to_string())?;
        let index = m.weight("index", index);
        let name = m.add(
            "Gather",
            &[&x.name, &index],
            [("axis", (from as i64).into())],
        );
        let mut dims = x.dims.clone();
        dims.remove(from);
        parts.push(m.child(at, module, flow(name, dims))?.one()?);
    }
    let rank = parts.first().map_or(0, Val::rank);
    let to = axis(m.needed("outputDimension")?, 0, rank)?;
    joined(m, parts, to)
}

/// Tensors of a table behind each other.
pub(crate) fn join(m: &mut Module<'_, '_>, x: Flow) -> Result {
    let parts: Vec<Val> = x
        .many()?
        .into_iter()
        .map(Flow::one)
        .collect::<std::result::Result<_, _>>()?;
    let rank = parts.first().map_or(0, Val::rank);
    let axis = axis(m.needed("dimension")?, m.int("nInputDims", 0)?, rank)?;
    joined(m, parts, axis)
}

/// Arithmetic over a table.
pub(crate) fn fold(m: &mut Module<'_, '_>, x: Flow, to: &str) -> Result {
    let mut parts = x.many()?.into_iter();
    let first = parts.next().ok_or("an empty table")?.one()?;
    let mut name = first.name.clone();
    for part in parts {
        let part = part.one()?;
        if part.rank() != first.rank() {
            return Err("tensors of different axes".to_owned());
        }
        name = m.add(to, &[&name, &part.name], []);
    }
    Ok(first.like(name))
}
