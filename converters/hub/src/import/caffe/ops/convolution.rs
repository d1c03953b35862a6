//! Layers with learned windows and planes: Convolution, Deconvolution, InnerProduct.

use super::super::{
    blob::{axis, image, product, signed},
    params::Params,
    problem::Problem,
    scope::{Lowering, tensor},
};
use super::window::{Window, both};
use crate::graph::Tensor;

const WITHOUT_INFLUENCE: &[&str] = &["weight_filler", "bias_filler", "engine", "force_nd_im2col"];

/// Weights `[outputs, inputs ÷ groups, height, width]`.
pub(in super::super) fn convolution(params: &mut Params<'_>) -> Lowering {
    windowed(params, false)
}

/// Weights `[inputs, outputs ÷ groups, height, width]`.
pub(in super::super) fn deconvolution(params: &mut Params<'_>) -> Lowering {
    windowed(params, true)
}

fn windowed(params: &mut Params<'_>, transposed: bool) -> Lowering {
    params.ignore(WITHOUT_INFLUENCE);
    let outputs = outputs(params);
    let bias = params.truth("bias_term").unwrap_or(true);
    let groups = params.count("group").unwrap_or(1);
    if !matches!(params.int("axis"), None | Some(1 | -3)) {
        params.unsupported("axis", "channels that are not axis 1");
    }
    let window = Window::read(params);
    Box::new(move |scope| {
        let count = scope.bottoms.len();
        scope.arity(count.max(1), count.max(1))?;
        let mut shared = None;
        for at in 0..count {
            let (x, dims) = scope.bottom(at)?;
            let [batch, channels, height, width] = image(&dims)?;
            let divides = |n: usize| n.checked_rem(groups) == Some(0);
            if !divides(channels) || !divides(outputs) {
                return Err(Problem::malformed(format!(
                    "{channels} channels and {outputs} outputs do not divide into {groups} groups"
                )));
            }
            let [kernel_height, kernel_width] = window.kernel;
            let (first, second) = if transposed {
                (channels, outputs / groups)
            } else {
                (outputs, channels / groups)
            };
            let shape = [first, second, kernel_height, kernel_width];
            let blobs = scope.blobs(1 + usize::from(bias))?;
            // All bottoms have the same weights; shapes are checked for each.
            let mut made = Vec::new();
            for (blob, (suffix, shape)) in blobs
                .iter()
                .zip([("weight", &shape[..]), ("bias", &[outputs])])
            {
                let values = tensor(blob, shape)?;
                made.push((suffix, values));
            }
            let names: &Vec<String> = match &shared {
                Some(names) => names,
                None => shared.insert(
                    made.into_iter()
                        .map(|(s, t)| scope.constant(s, t))
                        .collect(),
                ),
            };
            let names = names.clone();
            let mut inputs = vec![x.as_str()];
            inputs.extend(names.iter().map(String::as_str));
            let length = |axis, length| {
                if transposed {
                    window.deconvolved(axis, length)
                } else {
                    window.convolved(axis, length)
                }
            };
            let dims = vec![batch, outputs, length(0, height)?, length(1, width)?];
            let op = if transposed { "ConvTranspose" } else { "Conv" };
            let attributes = [
                ("dilations", both(window.dilation).into()),
                ("group", (groups as i64).into()),
                ("kernel_shape", both(window.kernel).into()),
                ("pads", window.pads().into()),
                ("strides", both(window.stride).into()),
            ];
            scope.give(at, op, &inputs, attributes, dims)?;
        }
        Ok(())
    })
}

fn outputs(params: &mut Params<'_>) -> usize {
    match params.count("num_output") {
        Some(n) if n > 0 => n,
        _ => {
            params.malformed("num_output", "the number of outputs is missing");
            1
        }
    }
}

/// `x · Wᵀ + b` over all axes from `axis` on.
pub(in super::super) fn inner_product(params: &mut Params<'_>) -> Lowering {
    params.ignore(WITHOUT_INFLUENCE);
    let outputs = outputs(params);
    let bias = params.truth("bias_term").unwrap_or(true);
    let from = params.int("axis").unwrap_or(1);
    let transposed = params.truth("transpose").unwrap_or(false);
    Box::new(move |scope| {
        let (x, dims) = scope.single()?;
        let from = axis(from, dims.len())?;
        let (outer, inner) = dims.split_at(from);
        let (rows, columns) = (product(outer), product(inner));
        let shape = if transposed {
            [columns, outputs]
        } else {
            [outputs, columns]
        };
        let blobs = scope.blobs(1 + usize::from(bias))?;
        let mut inputs = vec![x];
        if dims != [rows, columns] {
            let shape = scope.list("flat_shape", &signed(&[rows, columns]));
            let flat = scope.node(
                "Reshape",
                "flat",
                &[&inputs[0], &shape],
                [],
                &[rows, columns],
            )?;
            inputs = vec![flat];
        }
        for (blob, (suffix, shape)) in blobs
            .iter()
            .zip([("weight", &shape[..]), ("bias", &[outputs])])
        {
            let values: Tensor = tensor(blob, shape)?;
            inputs.push(scope.constant(suffix, values));
        }
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        let attributes = [("transB", i64::from(!transposed).into())];
        let mut wanted = outer.to_vec();
        wanted.push(outputs);
        if wanted == [rows, outputs] {
            return scope.give(0, "Gemm", &inputs, attributes, wanted);
        }
        let plane = scope.node("Gemm", "plane", &inputs, attributes, &[rows, outputs])?;
        let shape = scope.list("shape", &signed(&wanted));
        scope.give(0, "Reshape", &[&plane, &shape], [], wanted)
    })
}
