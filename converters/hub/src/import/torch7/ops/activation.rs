//! Activations and arithmetic by element.

use crate::import::torch7::context::{Flow, Module};

type Result = std::result::Result<Flow, String>;

pub(crate) fn unary(m: &mut Module<'_, '_>, x: Flow, to: &str) -> Result {
    let x = x.one()?;
    let name = m.add(to, &[&x.name], []);
    Ok(x.like(name))
}

/// An operation with the field `constant_scalar`.
pub(crate) fn constant(m: &mut Module<'_, '_>, x: Flow, to: &str) -> Result {
    let x = x.one()?;
    let value = m.number("constant_scalar")?;
    let value = value.ok_or("field `constant_scalar` is missing or no number")?;
    let value = m.scalar(value);
    let name = m.add(to, &[&x.name, &value], []);
    Ok(x.like(name))
}

fn clip(m: &mut Module<'_, '_>, x: Flow, lo: f64, hi: f64) -> Result {
    let x = x.one()?;
    let (lo, hi) = (m.scalar(lo), m.scalar(hi));
    let name = m.add("Clip", &[&x.name, &lo, &hi], []);
    Ok(x.like(name))
}

pub(crate) fn relu6(m: &mut Module<'_, '_>, x: Flow) -> Result {
    clip(m, x, 0.0, 6.0)
}

pub(crate) fn hard_tanh(m: &mut Module<'_, '_>, x: Flow) -> Result {
    let (lo, hi) = (m.real("min_val", -1.0)?, m.real("max_val", 1.0)?);
    clip(m, x, lo, hi)
}

pub(crate) fn leaky_relu(m: &mut Module<'_, '_>, x: Flow) -> Result {
    let x = x.one()?;
    let slope = m.real("negval", 0.01)? as f32;
    let name = m.add("LeakyRelu", &[&x.name], [("alpha", slope.into())]);
    Ok(x.like(name))
}

pub(crate) fn elu(m: &mut Module<'_, '_>, x: Flow) -> Result {
    let x = x.one()?;
    let alpha = m.real("alpha", 1.0)? as f32;
    let name = m.add("Elu", &[&x.name], [("alpha", alpha.into())]);
    Ok(x.like(name))
}

/// `x` where it is greater than `threshold`, else `val`.
pub(crate) fn threshold(m: &mut Module<'_, '_>, x: Flow) -> Result {
    let (limit, value) = (m.real("threshold", 1e-6)?, m.real("val", 0.0)?);
    if limit == 0.0 && value == 0.0 {
        return unary(m, x, "Relu");
    }
    let x = x.one()?;
    let (limit, value) = (m.scalar(limit), m.scalar(value));
    let above = m.add("Greater", &[&x.name, &limit], []);
    let name = m.add("Where", &[&above, &x.name, &value], []);
    Ok(x.like(name))
}

/// Slopes per channel, or one for all (`nOutputPlane` 0). The channels are the third axis from the
/// end, of a matrix the last.
pub(crate) fn prelu(m: &mut Module<'_, '_>, x: Flow) -> Result {
    let x = x.one()?;
    let slope = m.tensor("weight")?.ok_or("field `weight` is missing")?;
    let count = slope.len() as i64;
    let dims = match (m.int("nOutputPlane", 0)?, x.rank()) {
        (0, _) if count != 1 => return Err(format!("{count} slopes, and 1 is expected")),
        (0, _) => vec![1],
        (_, 3 | 4) => vec![count, 1, 1],
        _ => vec![count],
    };
    let slope = m
        .shaped("weight", &dims)?
        .ok_or("field `weight` is missing")?;
    let slope = m.weight("weight", slope);
    let name = m.add("PRelu", &[&x.name, &slope], []);
    Ok(x.like(name))
}

/// Over the channels: the first axis of one or three, else the second.
pub(crate) fn softmax(m: &mut Module<'_, '_>, x: Flow, to: &str) -> Result {
    let x = x.one()?;
    let axis = i64::from(!matches!(x.rank(), 1 | 3));
    let name = m.add(to, &[&x.name], [("axis", axis.into())]);
    Ok(x.like(name))
}

pub(crate) fn square(m: &mut Module<'_, '_>, x: Flow) -> Result {
    let x = x.one()?;
    let name = m.add("Mul", &[&x.name, &x.name], []);
    Ok(x.like(name))
}

pub(crate) fn sqrt(m: &mut Module<'_, '_>, x: Flow) -> Result {
    // `eps` guards the gradient only.
    unary(m, x, "Sqrt")
}

pub(crate) fn power(m: &mut Module<'_, '_>, x: Flow) -> Result {
    let x = x.one()?;
    let exponent = m.number("pow")?.ok_or("field `pow` is missing")?;
    let exponent = m.scalar(exponent);
    let name = m.add("Pow", &[&x.name, &exponent], []);
    Ok(x.like(name))
}
