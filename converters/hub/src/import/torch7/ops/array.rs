//! Reshaping and padding.

use crate::graph::Tensor;
use crate::import::torch7::context::{Flow, Module, Val, flow};

type Result = std::result::Result<Flow, String>;

/// Pads (begins, then ends); negative ones cut.
pub(crate) fn pad(m: &mut Module<'_, '_>, x: &Val, pads: &[i64], mode: &str, value: f64) -> Val {
    let rank = x.rank();
    let mut dims = x.dims.clone();
    for (axis, dim) in dims.iter_mut().enumerate() {
        if *dim >= 0 {
            *dim += pads[axis] + pads[rank + axis];
        }
    }
    let mut name = x.name.clone();
    if pads.iter().any(|p| *p < 0) {
        let begins: Vec<i64> = (0..rank).map(|a| (-pads[a]).max(0)).collect();
        let end = |p: i64| if p < 0 { p } else { i64::MAX };
        let ends: Vec<i64> = (0..rank).map(|a| end(pads[rank + a])).collect();
        let axes: Vec<i64> = (0..rank as i64).collect();
        let (begins, ends, axes) = (m.list(&begins), m.list(&ends), m.list(&axes));
        name = m.add("Slice", &[&name, &begins, &ends, &axes], []);
    }
    if pads.iter().any(|p| *p > 0) {
        let more: Vec<i64> = pads.iter().map(|p| (*p).max(0)).collect();
        let more = m.list(&more);
        let attributes = [("mode", mode.into())];
        name = if mode == "constant" {
            let value = m.scalar(value);
            m.add("Pad", &[&name, &more, &value], attributes)
        } else {
            m.add("Pad", &[&name, &more], attributes)
        };
    }
    Val { name, dims }
}

/// One axis grows by `|pad|`, in front where `pad` is negative.
pub(crate) fn padding(m: &mut Module<'_, '_>, x: Flow) -> Result {
    let x = x.one()?;
    let rank = x.rank();
    let inputs = m.int("nInputDim", 0)?;
    // Any other number of axes counts as one with a batch.
    let batch = i64::from(inputs > 0 && rank as i64 != inputs);
    let axis = m.needed("dim")? - 1 + batch;
    let axis = usize::try_from(axis).ok().filter(|a| *a < rank);
    let axis = axis.ok_or("field `dim`: no such axis")?;
    let amount = m.needed("pad")?;
    if m.int("index", 1)? != 1 {
        return Err("field `index`: padding within the tensor".to_owned());
    }
    let value = m.real("value", 0.0)?;
    let mut pads = vec![0; 2 * rank];
    pads[if amount < 0 { axis } else { rank + axis }] = amount.abs();
    Ok(Flow::One(pad(m, &x, &pads, "constant", value)))
}

/// Rows and columns, from the fields `pad_l`, `pad_r`, `pad_t`, `pad_b`.
pub(crate) fn spatial(m: &mut Module<'_, '_>, x: Flow, mode: &str) -> Result {
    let x = x.one()?;
    let sides = ["pad_t", "pad_l", "pad_b", "pad_r"]
        .map(|key| m.needed(key))
        .into_iter()
        .collect::<std::result::Result<Vec<i64>, _>>()?;
    around(m, &x, &sides, mode)
}

fn around(m: &mut Module<'_, '_>, x: &Val, sides: &[i64], mode: &str) -> Result {
    let rank = x.rank();
    if !matches!(rank, 3 | 4) {
        return Err(format!("a tensor of {rank} axes"));
    }
    let mut pads = vec![0; 2 * rank];
    for (end, pair) in sides.chunks_exact(2).enumerate() {
        pads[end * rank + rank - 2] = pair[0];
        pads[end * rank + rank - 1] = pair[1];
    }
    Ok(Flow::One(pad(m, x, &pads, mode, 0.0)))
}

/// Cuts `size` from every side.
pub(crate) fn shave(m: &mut Module<'_, '_>, x: Flow) -> Result {
    let x = x.one()?;
    let size = m.needed("size")?;
    around(m, &x, &[-size; 4], "constant")
}

/// A pixel becomes a block of `scale_factor`².
pub(crate) fn upsample(m: &mut Module<'_, '_>, x: Flow) -> Result {
    let x = x.one()?;
    let factor = m.needed("scale_factor")?;
    let rank = x.rank();
    if factor < 1 || rank < 2 {
        return Err(format!("a factor of {factor} on a tensor with {rank} axes"));
    }
    let mut scales = vec![1.0f32; rank];
    let mut dims = x.dims.clone();
    for axis in [rank - 2, rank - 1] {
        scales[axis] = factor as f32;
        if dims[axis] >= 0 {
            dims[axis] *= factor;
        }
    }
    let scales = Tensor::f32(vec![rank], &scales).map_err(|e| e.to_string())?;
    let scales = m.weight("scales", scales);
    let attributes = [
        ("coordinate_transformation_mode", "asymmetric".into()),
        ("mode", "nearest".into()),
        ("nearest_mode", "floor".into()),
    ];
    let name = m.add("Resize", &[&x.name, "", &scales], attributes);
    Ok(flow(name, dims))
}

fn product(sizes: &[i64]) -> i64 {
    sizes.iter().fold(1, |n, s| n.saturating_mul((*s).max(1)))
}

/// To `size`, with the batch in front unless `batchMode` is false, or is not said and the elements
/// are those of one sample already.
pub(crate) fn reshape(m: &mut Module<'_, '_>, x: Flow) -> Result {
    let x = x.one()?;
    let size = m.sizes("size")?;
    if size.iter().any(|s| *s < 1) {
        return Err(format!("field `size` is {size:?}"));
    }
    let said = m.table.get("batchMode");
    let batched = if let Some(dyno_formats::torch7::Value::Boolean(said)) = said {
        *said
    } else {
        let whole = x.known().map(|dims| product(&dims));
        !(whole == Some(product(&size)) && x.dims.first() != Some(&1))
    };
    to(m, &x, &size, batched)
}

/// To `size`, where one -1 takes what is left. The batch stays in front when the elements behind it
/// are those of `size`, or when `numInputDims` says that there is one.
pub(crate) fn view(m: &mut Module<'_, '_>, x: Flow) -> Result {
    let x = x.one()?;
    let size = m.sizes("size")?;
    let open = size.iter().filter(|s| **s < 0).count();
    if open > 1 || size.contains(&0) {
        return Err(format!("field `size` is {size:?}"));
    }
    let inputs = m.int("numInputDims", 0)?;
    let rank = x.rank() as i64;
    let batched = if inputs > 0 {
        rank > inputs
    } else if open == 1 {
        // Torch infers the length over everything; a first axis of 1 is the batch of one picture.
        x.dims.first() == Some(&1) && size.first().is_none_or(|s| *s > 0 || size.len() == 1)
    } else {
        let whole = x.known().map(|dims| product(&dims));
        whole != Some(product(&size)) || x.dims.first() == Some(&1) && size.first() != Some(&1)
    };
    to(m, &x, &size, batched)
}

fn to(m: &mut Module<'_, '_>, x: &Val, size: &[i64], batched: bool) -> Result {
    let mut dims = size.to_vec();
    if batched {
        dims.insert(0, x.dims.first().copied().unwrap_or(-1));
    }
    let mut target = dims.clone();
    if batched && target[0] < 0 {
        // 0 copies the batch.
        target[0] = 0;
    }
    if let Some(known) = x.known() {
        let (whole, fixed) = (product(&known), product(&target));
        let open = target.iter().position(|d| *d < 0);
        match open {
            Some(at) if whole % fixed == 0 => dims[at] = whole / fixed,
            None if whole == fixed => {}
            _ => return Err(format!("{known:?} does not fit into {target:?}")),
        }
    }
    let target = m.list(&target);
    let name = m.add("Reshape", &[&x.name, &target], []);
    Ok(flow(name, dims))
}
