//! Shapes and inputs: the same rules and the same words for every engine.

use dyno_core::{BackendError, DType, Dimension, IoSpec, OpenConfig, TensorInfo, TensorSet};
use std::collections::BTreeMap;

/// Largest input that is accepted, in bytes: a typing error in `--shape` must not exhaust the
/// machine.
const MAX_INPUT_BYTES: usize = 4 << 30;

/// Checks number, order, names, types and shapes of a query's inputs against the model's.
///
/// # Errors
/// [`BackendError::Input`] for a type or shape, [`BackendError::Usage`] for a missing or surplus
/// input.
pub fn check_inputs(io: &IoSpec, inputs: &TensorSet) -> Result<(), BackendError> {
    for (index, want) in io.inputs.iter().enumerate() {
        let Some(got) = inputs.tensors.get(index) else {
            return Err(BackendError::Usage(format!(
                "input `{}` is missing",
                want.name
            )));
        };
        if got.name != want.name {
            return Err(BackendError::Usage(format!(
                "input {index} must be `{}`, got `{}`",
                want.name, got.name
            )));
        }
        let shape = got.tensor.shape();
        let fits = shape.len() == want.shape.len()
            && shape
                .iter()
                .zip(&want.shape)
                .all(|(&n, d)| matches!(d, Dimension::Fixed(m) if *m == n));
        if got.tensor.dtype() != want.dtype || !fits {
            return Err(BackendError::Input {
                name: want.name.clone(),
                expected_dtype: want.dtype,
                expected_shape: want.fixed_shape().unwrap_or_default(),
                found_dtype: got.tensor.dtype(),
                found_shape: shape.to_vec(),
            });
        }
    }
    match inputs.tensors.get(io.inputs.len()) {
        None => Ok(()),
        Some(surplus) => Err(BackendError::Usage(format!(
            "the model has no input `{}`",
            surplus.name
        ))),
    }
}

/// Concrete shapes of declared inputs, in their order: fixed dimensions as the file says, the
/// others from `config.shapes`; an open first dimension is the batch.
///
/// # Errors
/// [`BackendError::Unsupported`] naming input, dimension and the flag that would settle it: a
/// dimension that stays open, a shape that contradicts the file or another input's symbol, a shape
/// for an input that does not exist, a fixed batch other than the one asked for.
pub fn resolve_shapes(
    backend: &'static str,
    declared: &[TensorInfo],
    config: &OpenConfig,
) -> Result<Vec<Vec<usize>>, BackendError> {
    let refuse = |what: String| BackendError::Unsupported { backend, what };
    if let Some(name) = config
        .shapes
        .keys()
        .find(|n| declared.iter().all(|d| d.name != **n))
    {
        let names: Vec<&str> = declared.iter().map(|d| d.name.as_str()).collect();
        return Err(refuse(format!(
            "a shape for input `{name}`: the model has no such input (there are: {})",
            names.join(", ")
        )));
    }
    let batch = config.batch as usize;
    let mut symbols: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    // Explicit shapes first: a symbol that one input settles is settled for all.
    for info in declared {
        let Some(shape) = config.shapes.get(&info.name) else {
            continue;
        };
        if shape.len() != info.shape.len() {
            return Err(refuse(format!(
                "shape {} for input `{}`: the model has {}",
                times(shape),
                info.name,
                declared_shape(info)
            )));
        }
        for (axis, (&n, dim)) in shape.iter().zip(&info.shape).enumerate() {
            match dim {
                Dimension::Fixed(m) if *m != n => {
                    return Err(refuse(format!(
                        "shape {} for input `{}`: the model fixes dimension {axis} at {m}",
                        times(shape),
                        info.name
                    )));
                }
                Dimension::Symbolic(s) => bind(backend, &mut symbols, s, n, &info.name)?,
                _ => {}
            }
        }
    }
    for info in declared {
        if let (false, Some(Dimension::Symbolic(s))) =
            (config.shapes.contains_key(&info.name), info.shape.first())
        {
            bind(backend, &mut symbols, s, batch, &info.name)?;
        }
    }
    declared
        .iter()
        .map(|info| resolve_one(backend, info, config, &symbols))
        .collect()
}

fn resolve_one(
    backend: &'static str,
    info: &TensorInfo,
    config: &OpenConfig,
    symbols: &BTreeMap<&str, (usize, &str)>,
) -> Result<Vec<usize>, BackendError> {
    let refuse = |what: String| BackendError::Unsupported { backend, what };
    let batch = config.batch as usize;
    let shape = if let Some(shape) = config.shapes.get(&info.name) {
        shape.clone()
    } else {
        let mut shape = Vec::with_capacity(info.shape.len());
        for (axis, dim) in info.shape.iter().enumerate() {
            shape.push(match dim {
                Dimension::Fixed(n) => *n,
                _ if axis == 0 => batch,
                Dimension::Symbolic(s) if symbols.contains_key(s.as_str()) => symbols[s.as_str()].0,
                open => {
                    let example: Vec<String> = info
                        .shape
                        .iter()
                        .enumerate()
                        .map(|(i, d)| if i == 0 && !matches!(d, Dimension::Fixed(_)) { batch.to_string() } else { d.to_string() })
                        .collect();
                    return Err(refuse(format!(
                        "input `{}` with open dimension {axis} (`{open}`): settle it with `--shape {}={}`, numbers in place of the names",
                        info.name,
                        info.name,
                        example.join("x")
                    )));
                }
            });
        }
        shape
    };
    // The first dimension of an image is its batch; of other tensors it is when a batch was asked
    // for.
    if let Some(&first) = shape.first()
        && first != batch
        && (batch > 1 || shape.len() == 4)
    {
        return Err(refuse(format!(
            "batch {batch}: the first dimension of input `{}` is {first} in shape {}",
            info.name,
            times(&shape)
        )));
    }
    let bytes = shape
        .iter()
        .try_fold(info.dtype.size_bytes(), |n, &d| n.checked_mul(d));
    match bytes {
        Some(0) => Err(refuse(format!(
            "shape {} for input `{}`: no dimension may be 0",
            times(&shape),
            info.name
        ))),
        Some(n) if n <= MAX_INPUT_BYTES => Ok(shape),
        _ => Err(refuse(format!(
            "shape {} for input `{}`: larger than {MAX_INPUT_BYTES} bytes",
            times(&shape),
            info.name
        ))),
    }
}

fn bind<'a>(
    backend: &'static str,
    symbols: &mut BTreeMap<&'a str, (usize, &'a str)>,
    symbol: &'a str,
    n: usize,
    input: &'a str,
) -> Result<(), BackendError> {
    let &mut (bound, by) = symbols.entry(symbol).or_insert((n, input));
    if bound == n {
        return Ok(());
    }
    Err(BackendError::Unsupported {
        backend,
        what: format!(
            "dimension `{symbol}` as {bound} (input `{by}`) and as {n} (input `{input}`)"
        ),
    })
}

fn times(shape: &[usize]) -> String {
    shape
        .iter()
        .map(usize::to_string)
        .collect::<Vec<_>>()
        .join("x")
}

fn declared_shape(info: &TensorInfo) -> String {
    info.shape
        .iter()
        .map(Dimension::to_string)
        .collect::<Vec<_>>()
        .join("x")
}

/// An input or output with a shape of numbers.
pub(crate) fn fixed(name: impl Into<String>, dtype: DType, shape: &[usize]) -> TensorInfo {
    let shape = shape.iter().map(|&n| Dimension::Fixed(n)).collect();
    TensorInfo::new(name, dtype, shape)
}

#[cfg(test)]
mod tests;
