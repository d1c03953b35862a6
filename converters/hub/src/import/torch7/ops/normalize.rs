//! Normalizations.

use crate::graph::Tensor;
use crate::import::torch7::context::{Flow, Module};

type Result = std::result::Result<Flow, String>;

fn filled(count: usize, value: f32) -> std::result::Result<Tensor, String> {
    Tensor::f32(vec![count], &vec![value; count]).map_err(|e| e.to_string())
}

/// By running statistics, whatever the field `train`. Old files store `running_std`, which is
/// `1/√(variance + ε)`.
pub(crate) fn batch(m: &mut Module<'_, '_>, x: Flow) -> Result {
    let x = x.one()?;
    let epsilon = m.real("eps", 1e-5)? as f32;
    let mean = m
        .tensor("running_mean")?
        .ok_or("field `running_mean` is missing")?;
    let count = mean.len();
    let channels = [count as i64];
    let variance = if let Some(variance) = m.shaped("running_var", &channels)? {
        variance
    } else {
        let inverse = m.shaped("running_std", &channels)?;
        let inverse = inverse.ok_or("fields `running_var` and `running_std` are missing")?;
        let values = inverse.to_f32s().map_err(|e| e.to_string())?;
        let values: Vec<f32> = values.iter().map(|s| 1.0 / (s * s) - epsilon).collect();
        Tensor::f32(vec![count], &values).map_err(|e| e.to_string())?
    };
    if x.rank() < 2 {
        return Err(format!("a tensor of {} axes", x.rank()));
    }
    let gamma = m.shaped("weight", &channels)?;
    let gamma = gamma.map_or_else(|| filled(count, 1.0), Ok)?;
    let beta = m.shaped("bias", &channels)?;
    let beta = beta.map_or_else(|| filled(count, 0.0), Ok)?;
    let names = [
        x.name.clone(),
        m.weight("weight", gamma),
        m.weight("bias", beta),
        m.weight("running_mean", mean),
        m.weight("running_var", variance),
    ];
    let inputs: Vec<&str> = names.iter().map(String::as_str).collect();
    let name = m.add("BatchNormalization", &inputs, [("epsilon", epsilon.into())]);
    Ok(x.like(name))
}

/// By the statistics of each map of each sample.
pub(crate) fn instance(m: &mut Module<'_, '_>, x: Flow) -> Result {
    let x = x.one()?;
    let epsilon = m.real("eps", 1e-5)? as f32;
    let count = usize::try_from(x.dims.get(1).copied().unwrap_or(-1));
    let said = m.int("nOutput", -1)?;
    let count = count
        .or(usize::try_from(said))
        .map_err(|_| "the number of channels is open")?;
    let gamma = m.shaped("weight", &[count as i64])?;
    let gamma = gamma.map_or_else(|| filled(count, 1.0), Ok)?;
    let beta = m.shaped("bias", &[count as i64])?;
    let beta = beta.map_or_else(|| filled(count, 0.0), Ok)?;
    let (gamma, beta) = (m.weight("weight", gamma), m.weight("bias", beta));
    let inputs = [x.name.as_str(), &gamma, &beta];
    let name = m.add(
        "InstanceNormalization",
        &inputs,
        [("epsilon", epsilon.into())],
    );
    Ok(x.like(name))
}

pub(crate) fn lrn(m: &mut Module<'_, '_>, x: Flow) -> Result {
    let x = x.one()?;
    let size = m.needed("size")?;
    if size < 1 || size % 2 == 0 {
        return Err(format!("a window of {size} channels"));
    }
    let attributes = [
        ("alpha", (m.real("alpha", 1e-4)? as f32).into()),
        ("beta", (m.real("beta", 0.75)? as f32).into()),
        ("bias", (m.real("k", 1.0)? as f32).into()),
        ("size", size.into()),
    ];
    let name = m.add("LRN", &[&x.name], attributes);
    Ok(x.like(name))
}

/// `x / (Σ|x|^p + ε)^(1/p)` of a vector or of a matrix' rows; over the channels of maps, as OpenCV
/// reads it.
pub(crate) fn lp(m: &mut Module<'_, '_>, x: Flow) -> Result {
    let x = x.one()?;
    let p = m.real("p", 2.0)?;
    let epsilon = m.real("eps", 1e-10)?;
    if !(p.is_finite() && p > 0.0) {
        return Err(format!("field `p` is {p}"));
    }
    let axis = i64::from(x.rank() > 1);
    let absolute = m.add("Abs", &[&x.name], []);
    let exponent = m.scalar(p);
    let powers = m.add("Pow", &[&absolute, &exponent], []);
    let axes = m.list(&[axis]);
    let sum = m.add("ReduceSum", &[&powers, &axes], [("keepdims", 1.into())]);
    let epsilon = m.scalar(epsilon);
    let sum = m.add("Add", &[&sum, &epsilon], []);
    let root = m.scalar(1.0 / p);
    let norm = m.add("Pow", &[&sum, &root], []);
    let name = m.add("Div", &[&x.name, &norm], []);
    Ok(x.like(name))
}
