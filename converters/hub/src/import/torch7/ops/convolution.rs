//! Convolutions and full layers.

use crate::import::torch7::context::{Flow, Module, Val, flow};

type Result = std::result::Result<Flow, String>;

/// Kernel, strides and pads, rows first.
struct Window {
    kernel: [i64; 2],
    strides: [i64; 2],
    pads: [i64; 2],
}

fn window(m: &Module<'_, '_>) -> std::result::Result<Window, String> {
    let old = m.int("padding", 0)?;
    let window = Window {
        kernel: [m.needed("kH")?, m.needed("kW")?],
        strides: [m.int("dH", 1)?, m.int("dW", 1)?],
        pads: [m.int("padH", old)?, m.int("padW", old)?],
    };
    let sound = window
        .kernel
        .iter()
        .chain(&window.strides)
        .all(|v| (1..1 << 16).contains(v))
        && window.pads.iter().all(|v| (0..1 << 16).contains(v));
    if !sound {
        return Err("kernel, strides or pads out of range".to_owned());
    }
    Ok(window)
}

/// A picture of 4 axes: one of 3 gets a batch of 1, which is taken off again.
fn image(m: &mut Module<'_, '_>, x: &Val) -> std::result::Result<(Val, bool), String> {
    match x.rank() {
        4 => Ok((x.clone(), false)),
        3 => {
            let axes = m.list(&[0]);
            let name = m.add("Unsqueeze", &[&x.name, &axes], []);
            let mut dims = x.dims.clone();
            dims.insert(0, 1);
            Ok((Val { name, dims }, true))
        }
        rank => Err(format!("a tensor of {rank} axes")),
    }
}

fn squeezed(m: &mut Module<'_, '_>, name: String, mut dims: Vec<i64>, added: bool) -> Flow {
    if !added {
        return flow(name, dims);
    }
    let axes = m.list(&[0]);
    let name = m.add("Squeeze", &[&name, &axes], []);
    dims.remove(0);
    flow(name, dims)
}

/// Weights are `[O, I/G, kH, kW]`; `SpatialConvolutionMM` stores them as a matrix.
pub(crate) fn plain(m: &mut Module<'_, '_>, x: Flow) -> Result {
    let x = x.one()?;
    let w = window(m)?;
    let dilations = [m.int("dilationH", 1)?, m.int("dilationW", 1)?];
    let (inputs, outputs) = (m.needed("nInputPlane")?, m.needed("nOutputPlane")?);
    let groups = m.int("groups", 1)?;
    if groups < 1 || inputs % groups != 0 || dilations.iter().any(|d| *d < 1) {
        return Err(format!(
            "{groups} groups of {inputs} channels, dilations {dilations:?}"
        ));
    }
    let shape = [outputs, inputs / groups, w.kernel[0], w.kernel[1]];
    let weights = m
        .shaped("weight", &shape)?
        .ok_or("field `weight` is missing")?;
    let bias = m.shaped("bias", &[outputs])?;
    let (x, added) = image(m, &x)?;
    if x.dims[1] >= 0 && x.dims[1] != inputs {
        return Err(format!(
            "{} channels flow in, and {inputs} are expected",
            x.dims[1]
        ));
    }
    let mut dims = vec![x.dims[0], outputs];
    for (axis, dilation) in dilations.into_iter().enumerate() {
        let reach = (w.kernel[axis] - 1) * dilation + 1;
        let length = x.dims[axis + 2];
        dims.push(match length {
            -1 => -1,
            n if n + 2 * w.pads[axis] < reach => {
                return Err(format!("a window of {reach} on a length of {n}"));
            }
            n => (n + 2 * w.pads[axis] - reach) / w.strides[axis] + 1,
        });
    }
    let mut names = vec![x.name, m.weight("weight", weights)];
    if let Some(bias) = bias {
        names.push(m.weight("bias", bias));
    }
    let [top, left] = w.pads;
    let attributes = [
        ("dilations", dilations.to_vec().into()),
        ("group", groups.into()),
        ("kernel_shape", w.kernel.to_vec().into()),
        ("pads", vec![top, left, top, left].into()),
        ("strides", w.strides.to_vec().into()),
    ];
    let inputs: Vec<&str> = names.iter().map(String::as_str).collect();
    let name = m.add("Conv", &inputs, attributes);
    Ok(squeezed(m, name, dims, added))
}

/// Weights are `[I, O, kH, kW]`; `adjH` and `adjW` lengthen the output at its end.
pub(crate) fn transposed(m: &mut Module<'_, '_>, x: Flow) -> Result {
    let x = match x {
        Flow::One(x) => x,
        Flow::Many(_) => return Err("the shape of the output as a second input".to_owned()),
    };
    let w = window(m)?;
    let extra = [m.int("adjH", 0)?, m.int("adjW", 0)?];
    let (inputs, outputs) = (m.needed("nInputPlane")?, m.needed("nOutputPlane")?);
    if m.int("groups", 1)? != 1 {
        return Err("field `groups`".to_owned());
    }
    let shape = [inputs, outputs, w.kernel[0], w.kernel[1]];
    let weights = m
        .shaped("weight", &shape)?
        .ok_or("field `weight` is missing")?;
    let bias = m.shaped("bias", &[outputs])?;
    let (x, added) = image(m, &x)?;
    let mut dims = vec![x.dims[0], outputs];
    for (axis, more) in extra.into_iter().enumerate() {
        let length = x.dims[axis + 2];
        dims.push(match length {
            -1 => -1,
            n => (n - 1) * w.strides[axis] - 2 * w.pads[axis] + w.kernel[axis] + more,
        });
    }
    let mut names = vec![x.name, m.weight("weight", weights)];
    if let Some(bias) = bias {
        names.push(m.weight("bias", bias));
    }
    let [top, left] = w.pads;
    let attributes = [
        ("kernel_shape", w.kernel.to_vec().into()),
        ("output_padding", extra.to_vec().into()),
        ("pads", vec![top, left, top, left].into()),
        ("strides", w.strides.to_vec().into()),
    ];
    let inputs: Vec<&str> = names.iter().map(String::as_str).collect();
    let name = m.add("ConvTranspose", &inputs, attributes);
    Ok(squeezed(m, name, dims, added))
}

/// `x·Wᵀ + b` of a vector or of a matrix' rows.
pub(crate) fn linear(m: &mut Module<'_, '_>, x: Flow) -> Result {
    let mut x = x.one()?;
    let weights = m.tensor("weight")?.ok_or("field `weight` is missing")?;
    let &[outputs, inputs] = weights.dims() else {
        return Err(format!("weights of shape {:?}", weights.dims()));
    };
    let vector = x.rank() == 1;
    if vector {
        let row = m.list(&[1, -1]);
        x.name = m.add("Reshape", &[&x.name, &row], []);
        x.dims.insert(0, 1);
    }
    let &[rows, columns] = x.dims.as_slice() else {
        return Err(format!("a tensor of {} axes", x.rank()));
    };
    if columns >= 0 && columns != inputs as i64 {
        return Err(format!(
            "{columns} numbers flow in, and {inputs} are expected"
        ));
    }
    let bias = m.shaped("bias", &[outputs as i64])?;
    let mut names = vec![x.name, m.weight("weight", weights)];
    if let Some(bias) = bias {
        names.push(m.weight("bias", bias));
    }
    let list: Vec<&str> = names.iter().map(String::as_str).collect();
    let name = m.add("Gemm", &list, [("transB", 1.into())]);
    if !vector {
        return Ok(flow(name, vec![rows, outputs as i64]));
    }
    let shape = m.list(&[-1]);
    let name = m.add("Reshape", &[&name, &shape], []);
    Ok(flow(name, vec![outputs as i64]))
}
