//! Arithmetic between blobs and along axes.

use super::super::{
    blob::{axis, signed},
    params::Params,
    problem::Problem,
    scope::{Lowering, Scope, tensor},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Product,
    Sum,
    Maximum,
}

/// Products, sums with factors, or maxima of blobs of one shape.
pub(in super::super) fn eltwise(params: &mut Params<'_>) -> Lowering {
    params.ignore(&["stable_prod_grad"]);
    let operations = [
        ("PROD", 0, Operation::Product),
        ("SUM", 1, Operation::Sum),
        ("MAX", 2, Operation::Maximum),
    ];
    let operation = params
        .choice("operation", &operations)
        .unwrap_or(Operation::Sum);
    let factors = params.floats("coeff");
    if !factors.is_empty() && operation != Operation::Sum {
        params.malformed("coeff", "factors are for sums alone");
    }
    Box::new(move |scope| {
        let count = scope.bottoms.len();
        scope.arity(count.max(2), 1)?;
        if !factors.is_empty() && factors.len() != count {
            return Err(Problem::malformed(format!(
                "{} factors for {count} bottoms",
                factors.len()
            )));
        }
        let mut values = Vec::new();
        let (_, dims) = scope.bottom(0)?;
        for at in 0..count {
            let (mut value, shape) = scope.bottom(at)?;
            if shape != dims {
                return Err(Problem::unsupported(format!(
                    "bottoms of shapes {dims:?} and {shape:?}"
                )));
            }
            let factor = factors.get(at).copied().unwrap_or(1.0);
            if factor.to_bits() != 1f32.to_bits() {
                let factor = scope.scalar("coeff", factor);
                value = scope.node("Mul", "term", &[&value, &factor], [], &dims)?;
            }
            values.push(value);
        }
        let op = match operation {
            Operation::Product => "Mul",
            Operation::Sum => "Add",
            Operation::Maximum => "Max",
        };
        let mut values = values.into_iter();
        let mut value = values.next().unwrap_or_default();
        for (at, next) in values.enumerate() {
            if at + 2 == count {
                return scope.give(0, op, &[&value, &next], [], dims);
            }
            value = scope.node(op, "partial", &[&value, &next], [], &dims)?;
        }
        Ok(())
    })
}

/// `a · x + y`, a factor for each image and channel.
pub(in super::super) fn axpy(_: &mut Params<'_>) -> Lowering {
    Box::new(|scope| {
        scope.arity(3, 1)?;
        let ((a, factors), (x, dims), (y, terms)) =
            (scope.bottom(0)?, scope.bottom(1)?, scope.bottom(2)?);
        let fits = factors.get(..2) == dims.get(..2)
            && factors.iter().skip(2).all(|&d| d == 1)
            && terms == dims
            && dims.len() == 4;
        if !fits {
            return Err(Problem::malformed(format!(
                "bottoms of shapes {factors:?}, {dims:?} and {terms:?}"
            )));
        }
        let shape = [dims[0], dims[1], 1, 1];
        let mut factor = a;
        if factors != shape {
            let list = scope.list("shape", &signed(&shape));
            factor = scope.node("Reshape", "factors", &[&factor, &list], [], &shape)?;
        }
        let scaled = scope.node("Mul", "scaled", &[&factor, &x], [], &dims)?;
        scope.give(0, "Add", &[&scaled, &y], [], dims)
    })
}

/// Probabilities along an axis.
pub(in super::super) fn softmax(params: &mut Params<'_>) -> Lowering {
    params.ignore(&["engine"]);
    let along = params.int("axis").unwrap_or(1);
    Box::new(move |scope| {
        let (x, dims) = scope.single()?;
        let along = axis(along, dims.len())?;
        scope.give(0, "Softmax", &[&x], [("axis", (along as i64).into())], dims)
    })
}

/// Where a factor or term of lower rank stands.
#[derive(Debug, Clone, Copy)]
struct Place {
    axis: i64,
    axes: i64,
}

impl Place {
    fn read(params: &mut Params<'_>) -> Self {
        params.ignore(&["filler", "bias_filler"]);
        Self {
            axis: params.int("axis").unwrap_or(1),
            axes: params.int("num_axes").unwrap_or(1),
        }
    }

    /// The shape of learned values, and that with axes of 1 behind, so that they meet their axes.
    fn learned(&self, dims: &[usize]) -> Result<(Vec<usize>, Vec<usize>), Problem> {
        if self.axes == 0 {
            return Ok((Vec::new(), Vec::new()));
        }
        let from = axis(self.axis, dims.len())?;
        let rest = dims.get(from..).unwrap_or_default();
        let axes = if self.axes == -1 {
            rest.len()
        } else {
            usize::try_from(self.axes).unwrap_or(usize::MAX)
        };
        let own = rest.get(..axes).ok_or_else(|| {
            Problem::malformed(format!(
                "a blob of {} axes has not {axes} from {from} on",
                dims.len()
            ))
        })?;
        Ok((own.to_vec(), behind(own, rest.len())))
    }

    /// As [`Self::learned`], for values of shape `own` that another layer gives.
    fn given(&self, dims: &[usize], own: &[usize]) -> Result<Vec<usize>, Problem> {
        if own.is_empty() {
            return Ok(Vec::new());
        }
        let from = axis(self.axis, dims.len())?;
        let rest = dims.get(from..).unwrap_or_default();
        if rest.get(..own.len()) == Some(own) {
            return Ok(behind(own, rest.len()));
        }
        Err(Problem::malformed(format!(
            "a blob of shape {own:?} does not fit {dims:?} at axis {from}"
        )))
    }
}

fn behind(own: &[usize], rank: usize) -> Vec<usize> {
    let mut shape = own.to_vec();
    shape.resize(rank.max(own.len()), 1);
    shape
}

/// `op` with values of lower rank: of bottom 1, else the learned blob `at`.
fn with_lower(
    scope: &mut Scope<'_>,
    place: Place,
    dims: &[usize],
    learned: Option<(usize, usize)>,
    suffix: &str,
) -> Result<String, Problem> {
    if let Some((at, count)) = learned {
        let (own, shape) = place.learned(dims)?;
        let blobs = scope.blobs(count)?;
        let blob = blobs
            .get(at)
            .ok_or_else(|| Problem::malformed("a blob of weights is missing"))?;
        let values = tensor(blob, &own)?.reshaped(shape)?;
        return Ok(scope.constant(suffix, values));
    }
    let (value, own) = scope.bottom(1)?;
    let shape = place.given(dims, &own)?;
    if shape == own {
        return Ok(value);
    }
    let list = scope.list("shape", &signed(&shape));
    scope.node("Reshape", suffix, &[&value, &list], [], &shape)
}

/// `x · scale (+ bias)`, the scale learned or bottom 1.
pub(in super::super) fn scale(params: &mut Params<'_>) -> Lowering {
    let place = Place::read(params);
    let bias = params.truth("bias_term").unwrap_or(false);
    Box::new(move |scope| {
        let two = scope.bottoms.len() == 2;
        scope.arity(1 + usize::from(two), 1)?;
        let (x, dims) = scope.bottom(0)?;
        let count = usize::from(!two) + usize::from(bias);
        let factor = with_lower(scope, place, &dims, (!two).then_some((0, count)), "scale")?;
        if !bias {
            return scope.give(0, "Mul", &[&x, &factor], [], dims);
        }
        let scaled = scope.node("Mul", "scaled", &[&x, &factor], [], &dims)?;
        // A bias has the shape of the scale.
        let place = match scope.bottoms.get(1) {
            Some(scale) => Place {
                axes: scale.dims.len() as i64,
                ..place
            },
            None => place,
        };
        let term = with_lower(
            scope,
            place,
            &dims,
            Some((usize::from(!two), count)),
            "bias",
        )?;
        scope.give(0, "Add", &[&scaled, &term], [], dims)
    })
}

/// `x + bias`, the bias learned or bottom 1.
pub(in super::super) fn bias(params: &mut Params<'_>) -> Lowering {
    let place = Place::read(params);
    Box::new(move |scope| {
        let two = scope.bottoms.len() == 2;
        scope.arity(1 + usize::from(two), 1)?;
        let (x, dims) = scope.bottom(0)?;
        let term = with_lower(scope, place, &dims, (!two).then_some((0, 1)), "bias")?;
        scope.give(0, "Add", &[&x, &term], [], dims)
    })
}

/// Sums, sums of absolute values or of squares, or means over all axes from `axis` on.
pub(in super::super) fn reduction(params: &mut Params<'_>) -> Lowering {
    let operations = [
        ("SUM", 1, "ReduceSum"),
        ("ASUM", 2, "ReduceL1"),
        ("SUMSQ", 3, "ReduceSumSquare"),
        ("MEAN", 4, "ReduceMean"),
    ];
    let op = params
        .choice("operation", &operations)
        .unwrap_or("ReduceSum");
    let from = params.int("axis").unwrap_or(0);
    let factor = params.float("coeff").unwrap_or(1.0);
    Box::new(move |scope| {
        let (x, dims) = scope.single()?;
        let from = axis(from, dims.len())?;
        let out = dims.get(..from).unwrap_or_default().to_vec();
        let axes: Vec<i64> = (from as i64..dims.len() as i64).collect();
        let value = if op == "ReduceSum" {
            let axes = scope.list("axes", &axes);
            scope.node(
                op,
                "reduced",
                &[&x, &axes],
                [("keepdims", 0i64.into())],
                &out,
            )?
        } else {
            let attributes = [("axes", axes.into()), ("keepdims", 0i64.into())];
            scope.node(op, "reduced", &[&x], attributes, &out)?
        };
        let factor = scope.scalar("coeff", factor);
        scope.give(0, "Mul", &[&value, &factor], [], out)
    })
}
