//! ArgMax: where the greatest number is, as a float.

use super::super::{
    blob::{axis, product, signed},
    params::Params,
    problem::Problem,
    scope::{Lowering, Scope},
};
use crate::graph::Tensor;

/// Most numbers among which the greatest is looked for: bounds the list of positions.
const MAX_POSITIONS: usize = 1 << 20;

/// The position of the greatest number along `axis`, or in each image; of equal ones the last,
/// because Caffe sorts pairs of number and position. With `out_max_val` the number itself, or both
/// where there is no axis.
pub(in super::super) fn argmax(params: &mut Params<'_>) -> Lowering {
    let with_value = params.truth("out_max_val").unwrap_or(false);
    if params.count("top_k").unwrap_or(1) != 1 {
        params.unsupported(
            "top_k",
            "more than the greatest: ONNX orders equal numbers otherwise",
        );
    }
    let along = params.int("axis");
    Box::new(move |scope| {
        let (x, dims) = scope.single()?;
        let Some(along) = along else {
            return of_images(scope, &x, &dims, with_value);
        };
        let along = axis(along, dims.len())?;
        let value = if with_value {
            greatest(scope, &x, &dims, along)?
        } else {
            position(scope, &x, &dims, along)?
        };
        scope.give(0, "Identity", &[&value], [], one(&dims, along))
    })
}

fn of_images(
    scope: &mut Scope<'_>,
    x: &str,
    dims: &[usize],
    with_value: bool,
) -> Result<(), Problem> {
    let Some((&batch, rest)) = dims.split_first() else {
        return Err(Problem::unsupported("a blob without axes"));
    };
    let flat = [batch, product(rest)];
    let list = scope.list("flat_shape", &signed(&flat));
    let x = scope.node("Reshape", "flat", &[x, &list], [], &flat)?;
    let mut value = position(scope, &x, &flat, 1)?;
    if with_value {
        let greatest = greatest(scope, &x, &flat, 1)?;
        let both = [("axis", 1i64.into())];
        value = scope.node("Concat", "both", &[&value, &greatest], both, &[batch, 2])?;
    }
    let mut out = vec![1; dims.len().max(3)];
    out[0] = batch;
    out[1] = 1 + usize::from(with_value);
    let list = scope.list("shape", &signed(&out));
    scope.give(0, "Reshape", &[&value, &list], [], out)
}

fn one(dims: &[usize], along: usize) -> Vec<usize> {
    let each = dims.iter().enumerate();
    each.map(|(at, &d)| if at == along { 1 } else { d })
        .collect()
}

fn greatest(
    scope: &mut Scope<'_>,
    x: &str,
    dims: &[usize],
    along: usize,
) -> Result<String, Problem> {
    let attributes = [
        ("axes", vec![along as i64].into()),
        ("keepdims", 1i64.into()),
    ];
    scope.node("ReduceMax", "greatest", &[x], attributes, &one(dims, along))
}

/// Positions where the greatest number is, of which the greatest: engines differ in which of equal
/// numbers `ArgMax` finds.
fn position(
    scope: &mut Scope<'_>,
    x: &str,
    dims: &[usize],
    along: usize,
) -> Result<String, Problem> {
    let length = dims.get(along).copied().unwrap_or(1);
    if length > MAX_POSITIONS {
        return Err(Problem::unsupported(format!(
            "{length} numbers, of which a float cannot count"
        )));
    }
    let small = one(dims, along);
    let most = greatest(scope, x, dims, along)?;
    let equal = scope.one("Equal", "equal", &[x, &most], []);
    let real = [("to", 1i64.into())];
    let equal = scope.node("Cast", "equal_real", &[&equal], real, dims)?;
    let mut shape = vec![1; dims.len().saturating_sub(along)];
    if let Some(extent) = shape.first_mut() {
        *extent = length;
    }
    let positions: Vec<f32> = (0..length).map(|at| at as f32).collect();
    let positions = scope.constant("positions", Tensor::f32(shape, &positions)?);
    let found = scope.node("Mul", "found", &[&equal, &positions], [], dims)?;
    let attributes = [
        ("axes", vec![along as i64].into()),
        ("keepdims", 1i64.into()),
    ];
    scope.node("ReduceMax", "position", &[&found], attributes, &small)
}
