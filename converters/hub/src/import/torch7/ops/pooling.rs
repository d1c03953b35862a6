//! Pools, and unpooling by the indices of a pool.

use crate::import::torch7::context::{Flow, Module, Pool, Val, flow};
use dyno_formats::torch7::Value;

type Result = std::result::Result<Flow, String>;

/// A window, rows first.
struct Window {
    kernel: [i64; 2],
    strides: [i64; 2],
    /// Top, left, bottom, right, lengthened where the last window overhangs.
    pads: [i64; 4],
    /// Lengths of the output.
    lengths: [i64; 2],
    /// ONNX's rule of rounding up, where lengths of the input are open.
    ceil: i64,
}

/// Rounding up gives a last window that overhangs; one that begins behind the input (and the pad in
/// front) is left out.
fn window(m: &Module<'_, '_>, x: &Val) -> std::result::Result<Window, String> {
    if x.rank() != 4 {
        return Err(format!("a tensor of {} axes, and 4 are expected", x.rank()));
    }
    let ceil = m.flag("ceil_mode", false)?;
    let kernel = [m.needed("kH")?, m.needed("kW")?];
    let strides = [m.int("dH", kernel[0])?, m.int("dW", kernel[1])?];
    let (top, left) = (m.int("padH", 0)?, m.int("padW", 0)?);
    let sound = kernel
        .iter()
        .chain(&strides)
        .all(|v| (1..1 << 16).contains(v))
        && (0..kernel[0]).contains(&top)
        && (0..kernel[1]).contains(&left);
    if !sound {
        return Err("kernel, strides or pads out of range".to_owned());
    }
    let mut pads = [top, left, top, left];
    let mut lengths = [-1; 2];
    let open = x.dims[2] < 0 || x.dims[3] < 0;
    for axis in 0..2 {
        let length = x.dims[axis + 2];
        if length < 0 {
            continue;
        }
        let pad = pads[axis];
        let steps = length + 2 * pad - kernel[axis];
        if steps < 0 {
            return Err(format!(
                "a window of {} on a length of {length}",
                kernel[axis]
            ));
        }
        let mut last = if ceil {
            (steps + strides[axis] - 1) / strides[axis]
        } else {
            steps / strides[axis]
        };
        if ceil && pad > 0 && last * strides[axis] >= length + pad {
            last -= 1;
        }
        lengths[axis] = last + 1;
        if ceil && !open {
            let reach = last * strides[axis] + kernel[axis];
            pads[axis + 2] = (reach - length - pad).max(0);
        }
    }
    if pads[2] >= kernel[0] || pads[3] >= kernel[1] {
        return Err("a window that lies wholly in the padding".to_owned());
    }
    Ok(Window {
        kernel,
        strides,
        pads,
        lengths,
        ceil: i64::from(ceil && open),
    })
}

pub(crate) fn maximum(m: &mut Module<'_, '_>, x: Flow) -> Result {
    let x = x.one()?;
    let w = window(m, &x)?;
    let attributes = [
        ("ceil_mode", w.ceil.into()),
        ("kernel_shape", w.kernel.to_vec().into()),
        ("pads", w.pads.to_vec().into()),
        ("strides", w.strides.to_vec().into()),
    ];
    let name = m.add("MaxPool", &[&x.name], attributes);
    let output = Val {
        name,
        dims: vec![x.dims[0], x.dims[1], w.lengths[0], w.lengths[1]],
    };
    let at = m.context.made.len();
    m.context.made.push(Pool {
        input: x,
        output: output.clone(),
        kernel: w.kernel,
        strides: w.strides,
        pads: w.pads,
        indices: None,
        masks: None,
    });
    m.context.pools.insert(m.number, at);
    if let Some(Value::Object(indices)) = m.table.get("indices") {
        m.context.pools.insert(*indices, at);
    }
    Ok(Flow::One(output))
}

/// Divides by the elements of the window: with `count_include_pad` those of the padding too, but
/// not those that overhang it. Without `divide` it is a sum.
pub(crate) fn average(m: &mut Module<'_, '_>, x: Flow) -> Result {
    let x = x.one()?;
    let w = window(m, &x)?;
    let include = m.flag("count_include_pad", true)?;
    let divides = m.flag("divide", true)?;
    let [top, left, ..] = w.pads;
    let mut name = x.name.clone();
    let mut pads = w.pads;
    let mut counted = 0i64;
    let padded = top > 0 || left > 0;
    if include && padded {
        // The padding becomes part of the tensor, so that it counts and what overhangs does not.
        let all = [0, 0, top, left, 0, 0, top, left];
        let whole = super::array::pad(m, &x, &all, "constant", 0.0);
        name = whole.name;
        pads = [0, 0, w.pads[2] - top, w.pads[3] - left].map(|p: i64| p.max(0));
    }
    let overhangs = pads[2] > 0 || pads[3] > 0 || w.ceil == 1;
    if !divides {
        if overhangs || (!include && padded) {
            return Err("field `divide` is false on a pool with partial windows".to_owned());
        }
        counted = 1;
    }
    let attributes = [
        ("ceil_mode", w.ceil.into()),
        ("count_include_pad", counted.into()),
        ("kernel_shape", w.kernel.to_vec().into()),
        ("pads", pads.to_vec().into()),
        ("strides", w.strides.to_vec().into()),
    ];
    name = m.add("AveragePool", &[&name], attributes);
    if !divides {
        let area = m.scalar((w.kernel[0] * w.kernel[1]) as f64);
        name = m.add("Mul", &[&name, &area], []);
    }
    Ok(flow(
        name,
        vec![x.dims[0], x.dims[1], w.lengths[0], w.lengths[1]],
    ))
}

/// Each number goes to the place that its pool took it from; all else is 0.
pub(crate) fn unpool(m: &mut Module<'_, '_>, x: Flow) -> Result {
    let x = x.one()?;
    let key = |name: &str| match m.table.get(name) {
        Some(Value::Object(number)) => m.context.pools.get(number).copied(),
        _ => None,
    };
    let at = key("indices").or_else(|| key("pooling"));
    let at = at.ok_or("no pool before it shares its `indices`")?;
    let pool = m.context.made[at].clone();
    let even = pool.input.dims[2..].iter().all(|d| *d < 0 || d % 2 == 0);
    let dims = vec![x.dims[0], x.dims[1], pool.input.dims[2], pool.input.dims[3]];
    if x.dims[1] != pool.output.dims[1] {
        return Err(format!(
            "{} channels flow in, and the pool has {}",
            x.dims[1], pool.output.dims[1]
        ));
    }
    let quarters = pool.kernel == [2, 2] && pool.strides == [2, 2] && pool.pads == [0; 4];
    if quarters && even {
        let masks = masks(m, at, &pool);
        let parts = masks.map(|mask| m.add("Mul", &[&x.name, &mask], []));
        let parts = parts.each_ref().map(String::as_str);
        let all = m.add("Concat", &parts, [("axis", 1.into())]);
        let attributes = [("blocksize", 2.into()), ("mode", "DCR".into())];
        return Ok(flow(m.add("DepthToSpace", &[&all], attributes), dims));
    }
    let indices = match pool.indices {
        Some(indices) => indices,
        None => indices(m, at, &pool)?,
    };
    let shape = m.add("Shape", &[&pool.input.name], []);
    let attributes = [
        ("kernel_shape", pool.kernel.to_vec().into()),
        ("pads", pool.pads.to_vec().into()),
        ("strides", pool.strides.to_vec().into()),
    ];
    let name = m.add("MaxUnpool", &[&x.name, &indices, &shape], attributes);
    Ok(flow(name, dims))
}

/// The pool once more, with its second output.
fn indices(m: &mut Module<'_, '_>, at: usize, pool: &Pool) -> std::result::Result<String, String> {
    let name = m.path.trim_start_matches('/').to_owned();
    let attributes = [
        ("kernel_shape", pool.kernel.to_vec().into()),
        ("pads", pool.pads.to_vec().into()),
        ("strides", pool.strides.to_vec().into()),
    ];
    let builder = &mut m.context.builder;
    let outputs = builder.add_many("MaxPool", &name, &[&pool.input.name], attributes, 2);
    let indices = outputs.into_iter().nth(1).ok_or("no indices")?;
    m.context.made[at].indices = Some(indices.clone());
    Ok(indices)
}

/// For each of the four places of a window: 1 where the first greatest element stands, else 0.
fn masks(m: &mut Module<'_, '_>, at: usize, pool: &Pool) -> [String; 4] {
    if let Some(masks) = &pool.masks {
        return masks.clone();
    }
    let one = m.scalar(1.0);
    let mut free: Option<String> = None;
    let masks = [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(row, column)| {
        let (begins, ends) = (m.list(&[row, column]), m.list(&[i64::MAX, i64::MAX]));
        let (axes, steps) = (m.list(&[2, 3]), m.list(&[2, 2]));
        let part = m.add(
            "Slice",
            &[&pool.input.name, &begins, &ends, &axes, &steps],
            [],
        );
        let equal = m.add("Equal", &[&part, &pool.output.name], []);
        let equal = m.add("Cast", &[&equal], [("to", 1.into())]);
        // What an earlier place has taken is not taken again.
        let mask = match &free {
            None => equal,
            Some(free) => m.add("Mul", &[&equal, free], []),
        };
        let rest = m.add("Sub", &[&one, &mask], []);
        free = Some(match &free {
            None => rest,
            Some(free) => m.add("Mul", &[free, &rest], []),
        });
        mask
    });
    m.context.made[at].masks = Some(masks.clone());
    masks
}
