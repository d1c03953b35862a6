//! Constants, shapes and the operators that change a shape alone.

use crate::{
    graph::{ElementType, Tensor},
    import::tensorflow::{
        context::{Context, Op, Out, signed},
        fold::{self, Numbers},
        value::{self, Val, element},
    },
};

pub(super) fn constant(_: &mut Context<'_>, op: &Op<'_>) -> Out {
    let constant = op.node.tensor("value").map_err(|e| e.to_string())?;
    Ok(vec![Val::Const(value::constant(constant)?)])
}

/// Integers of the type that the node asks for.
fn integers(op: &Op<'_>, attribute: &str, dims: Vec<usize>, values: Vec<i64>) -> Out {
    let dtype = op
        .node
        .data_type(attribute)
        .map_or(ElementType::I32, element);
    let tensor = fold::tensor(dtype, dims, &Numbers::I(values))?;
    Ok(vec![Val::Const(tensor)])
}

pub(super) fn shape(_: &mut Context<'_>, op: &Op<'_>) -> Out {
    let dims = op.input(0)?.dims();
    integers(op, "out_type", vec![dims.len()], signed(dims))
}

pub(super) fn rank(_: &mut Context<'_>, op: &Op<'_>) -> Out {
    let rank = op.input(0)?.dims().len();
    integers(op, "", Vec::new(), signed(&[rank]))
}

pub(super) fn size(_: &mut Context<'_>, op: &Op<'_>) -> Out {
    let size = op.input(0)?.dims().iter().product();
    integers(op, "out_type", Vec::new(), signed(&[size]))
}

/// The shape that a list of integers says; -1, where it is allowed, is what is left of `total`.
pub(super) fn target(list: &[i64], total: Option<usize>) -> Result<Vec<usize>, String> {
    let wrong = || format!("shape {list:?}");
    let known = list
        .iter()
        .filter(|d| **d != -1)
        .try_fold(1usize, |n, d| n.checked_mul(usize::try_from(*d).ok()?))
        .ok_or_else(wrong)?;
    let open = list.iter().filter(|d| **d == -1).count();
    let rest = match (open, total) {
        (0, _) => 0,
        (1, Some(total)) if known > 0 && total % known == 0 => total / known,
        _ => return Err(wrong()),
    };
    list.iter()
        .map(|d| match d {
            -1 => Ok(rest),
            d => usize::try_from(*d).map_err(|_| wrong()),
        })
        .collect()
}

pub(super) fn reshape(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    let x = op.input(0)?;
    let dims = target(&op.ints(1)?, Some(x.dims().iter().product()))?;
    Ok(vec![cx.reshape(x, dims, op.name())?])
}

pub(super) fn expand_dims(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    let x = op.input(0)?;
    let mut dims = x.dims().to_vec();
    let axis = Op::axis(op.one(1)?, dims.len() + 1)?;
    dims.insert(axis, 1);
    Ok(vec![cx.reshape(x, dims, op.name())?])
}

pub(super) fn squeeze(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    let x = op.input(0)?;
    let rank = x.dims().len();
    let given = op.list("squeeze_dims");
    let axes: Vec<usize> = given
        .iter()
        .map(|a| Op::axis(*a, rank))
        .collect::<Result<_, _>>()?;
    let mut dims = Vec::new();
    for (axis, &dim) in x.dims().iter().enumerate() {
        let named = axes.contains(&axis);
        if named && dim != 1 {
            return Err(format!("axis {axis} of shape {:?} is not 1", x.dims()));
        }
        if !(named || axes.is_empty() && dim == 1) {
            dims.push(dim);
        }
    }
    Ok(vec![cx.reshape(x, dims, op.name())?])
}

pub(super) fn fill(_: &mut Context<'_>, op: &Op<'_>) -> Out {
    let dims = target(&op.ints(0)?, None)?;
    Ok(vec![Val::Const(fold::broadcast(op.constant(1)?, &dims)?)])
}

fn like(op: &Op<'_>, value: i64) -> Out {
    let x = op.input(0)?;
    let total = fold::elements(x.dims())?;
    let values = Numbers::I(vec![value; total]);
    let tensor = fold::tensor(x.dtype(), x.dims().to_vec(), &values)?;
    Ok(vec![Val::Const(tensor)])
}

pub(super) fn zeros_like(_: &mut Context<'_>, op: &Op<'_>) -> Out {
    like(op, 0)
}

pub(super) fn ones_like(_: &mut Context<'_>, op: &Op<'_>) -> Out {
    like(op, 1)
}

pub(super) fn range(_: &mut Context<'_>, op: &Op<'_>) -> Out {
    let dtype = op.constant(0)?.dtype();
    if dtype == ElementType::F32 {
        return Err("of real numbers".to_owned());
    }
    let (start, limit, delta) = (op.one(0)?, op.one(1)?, op.one(2)?);
    if delta == 0 {
        return Err("with a step of 0".to_owned());
    }
    let mut values = Vec::new();
    let mut at = start;
    while (delta > 0 && at < limit) || (delta < 0 && at > limit) {
        if values.len() >= fold::MAX_ELEMENTS {
            return Err(format!("of more than {} numbers", fold::MAX_ELEMENTS));
        }
        values.push(at);
        let Some(next) = at.checked_add(delta) else {
            break;
        };
        at = next;
    }
    let tensor: Tensor = fold::tensor(dtype, vec![values.len()], &Numbers::I(values))?;
    Ok(vec![Val::Const(tensor)])
}
