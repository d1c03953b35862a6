//! Operators that arrange the elements anew, make constants, or tell shapes.
#![expect(
    clippy::unnecessary_wraps,
    reason = "rules of the table have one signature, and some know no contradiction"
)]

use super::{
    call::{Call, Known, List, axes_of},
    dimensions::{Product, broadcast, shown},
    number::{MOST_NUMBERS, Number},
};
use crate::graph::{Attribute, ElementType, Tensor};
use dyno_core::Dimension;

/// The numbers of a constant that is a short list.
pub(super) fn numbers_of(tensor: &Tensor) -> Option<Vec<Number>> {
    if tensor.dims().len() > 1 || tensor.len() > MOST_NUMBERS {
        return None;
    }
    if let Ok(values) = tensor.to_i64s() {
        Some(values.into_iter().map(Number::Int).collect())
    } else {
        let values = tensor.to_f32s().ok()?;
        let reals = values.into_iter().map(|v| Number::Real(f64::from(v)));
        Some(reals.collect())
    }
}

/// What is known of a constant: everything.
pub(super) fn known(tensor: &Tensor) -> Known {
    let shape = crate::graph::fixed(tensor.dims());
    Known::new(Some(tensor.dtype()), Some(shape)).with_numbers(numbers_of(tensor))
}

/// `Constant`.
pub(super) fn constant(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let attributes = &c.node.attributes;
    let found = if let Some(Attribute::Tensor(tensor)) = attributes.get("value") {
        known(tensor)
    } else if let Some(n) = c.node.int("value_int") {
        Known::integers(vec![Number::Int(n)], false)
    } else if let Some(list) = c.node.ints("value_ints") {
        Known::integers(list.iter().map(|&n| Number::Int(n)).collect(), true)
    } else if c.node.float("value_float").is_some() {
        Known::new(Some(ElementType::F32), Some(Vec::new()))
    } else if let Some(Attribute::Floats(list)) = attributes.get("value_floats") {
        let shape = vec![Dimension::Fixed(list.len())];
        Known::new(Some(ElementType::F32), Some(shape))
    } else {
        Known::default()
    };
    Ok(vec![found])
}

/// The dimensions that a list of numbers states.
fn stated(numbers: &[Number]) -> Result<Vec<Dimension>, String> {
    numbers.iter().map(Number::dimension).collect()
}

/// The shape that input `at` states: dimensions where its elements are known, else as many open
/// ones as it has elements.
fn stated_by(c: &Call<'_>, at: usize) -> Result<Option<Vec<Dimension>>, String> {
    if let Some(numbers) = c.numbers(at) {
        return stated(numbers).map(Some);
    }
    Ok(match c.shape(at) {
        Some([Dimension::Fixed(rank)]) if *rank <= MOST_NUMBERS => {
            Some(vec![Dimension::Unknown; *rank])
        }
        _ => None,
    })
}

/// `ConstantOfShape`: zeros of `f32`, or copies of the attribute.
pub(super) fn constant_of_shape(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let value = match c.node.attributes.get("value") {
        Some(Attribute::Tensor(tensor)) => known(tensor),
        _ => Known::new(Some(ElementType::F32), None),
    };
    let shape = stated_by(c, 0)?;
    let numbers = match (value.numbers.as_deref(), shape.as_deref()) {
        (Some([one]), Some([Dimension::Fixed(n)])) if *n <= MOST_NUMBERS => {
            Some(vec![one.clone(); *n])
        }
        _ => None,
    };
    Ok(vec![Known::new(value.dtype, shape).with_numbers(numbers)])
}

/// `Range`.
pub(super) fn range(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let real = |at: usize| match c.reals(at).as_deref() {
        Some([x]) => Some(*x),
        _ => None,
    };
    let mut count = Dimension::Unknown;
    let mut numbers = None;
    if let (Some(start), Some(limit), Some(delta)) = (real(0), real(1), real(2)) {
        let steps = ((limit - start) / delta).ceil().max(0.0);
        if !steps.is_finite() || steps > 9e15 {
            return Err(format!("from {start} to {limit} by {delta}"));
        }
        count = Dimension::Fixed(steps as usize);
        let integer = |at: usize| c.integers(at).and_then(|l| l.first().copied());
        if let (Some(start), Some(delta)) = (integer(0), integer(2))
            && steps as usize <= MOST_NUMBERS
        {
            let each = (0..steps as i64).map(|n| {
                let at = delta.checked_mul(n).and_then(|d| start.checked_add(d));
                at.map_or(Number::Unknown, Number::Int)
            });
            numbers = Some(each.collect());
        }
    }
    let known = Known::new(c.dtype(0), Some(vec![count]));
    Ok(vec![known.with_numbers(numbers)])
}

/// `Shape`; from operator set 15 on of a part of the axes.
pub(super) fn shape_of(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let Some(shape) = c.shape(0) else {
        let open = Some(vec![Dimension::Unknown]);
        return Ok(vec![Known::new(Some(ElementType::I64), open)]);
    };
    let rank = i64::try_from(shape.len()).unwrap_or(i64::MAX);
    let at = |value: i64| {
        let from_start = if value < 0 {
            value.saturating_add(rank)
        } else {
            value
        };
        usize::try_from(from_start.clamp(0, rank)).unwrap_or(0)
    };
    let (start, end) = (at(c.int("start", 0)), at(c.int("end", rank)));
    let part = shape.get(start..end.max(start)).unwrap_or_default();
    Ok(vec![Known::integers(
        part.iter().map(Number::of).collect(),
        true,
    )])
}

/// `Size`.
pub(super) fn size_of(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let count = match c.shape(0) {
        Some(shape) => Number::of(&Product::of(shape)?.dimension()),
        None => Number::Unknown,
    };
    Ok(vec![Known::integers(vec![count], false)])
}

/// The shape that `Reshape` makes of `input`: 0 takes the dimension of the input over, -1 is what
/// is left.
fn reshaped(
    input: Option<&[Dimension]>,
    numbers: &[Number],
    allow_zero: bool,
) -> Result<Vec<Dimension>, String> {
    let mut found = Vec::with_capacity(numbers.len());
    let mut rest = None;
    for (at, number) in numbers.iter().enumerate() {
        found.push(match number {
            Number::Int(-1) => {
                if rest.replace(at).is_some() {
                    return Err("-1 stands twice in the new shape".to_owned());
                }
                Dimension::Unknown
            }
            Number::Int(0) if !allow_zero => match input {
                None => Dimension::Unknown,
                Some(shape) => shape.get(at).cloned().ok_or_else(|| {
                    format!("0 for axis {at} of shape {}, which has none", shown(shape))
                })?,
            },
            number => number.dimension()?,
        });
    }
    let Some(input) = input else {
        return Ok(found);
    };
    let whole = Product::of(input)?;
    let misfit = |e: String| format!("shape {} into {numbers:?}: {e}", shown(input));
    if let Some(at) = rest {
        let others: Vec<Dimension> = found
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != at)
            .map(|(_, d)| d.clone())
            .collect();
        if let Some(d) = found.get_mut(at) {
            *d = whole.rest(&Product::of(&others)?).map_err(misfit)?;
        }
    } else if let (Some(a), Some(b)) = (whole.count(), Product::of(&found)?.count())
        && a != b
    {
        return Err(misfit(format!("{a} elements are not {b}")));
    }
    Ok(found)
}

/// `Reshape`: the shape is an attribute before operator set 5, then an input.
pub(super) fn reshape(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let dtype = c.dtype(0);
    let attribute = c.node.ints("shape");
    let numbers = match attribute {
        Some(ints) => Some(ints.iter().map(|&n| Number::Int(n)).collect()),
        None => c.numbers(1).map(<[_]>::to_vec),
    };
    let Some(numbers) = numbers else {
        return Ok(vec![Known::new(dtype, stated_by(c, 1)?)]);
    };
    let shape = reshaped(c.shape(0), &numbers, c.int("allowzero", 0) != 0)?;
    let elements = c.numbers(0).filter(|_| shape.len() <= 1);
    let elements = elements.map(<[_]>::to_vec);
    Ok(vec![Known::new(dtype, Some(shape)).with_numbers(elements)])
}

/// `Flatten`: a matrix, cut before `axis`.
pub(super) fn flatten(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let mut found = vec![Dimension::Unknown; 2];
    if let Some(shape) = c.shape(0) {
        let axis = c.int("axis", 1);
        let rank = i64::try_from(shape.len()).unwrap_or(i64::MAX);
        let at = if axis < 0 {
            axis.saturating_add(rank)
        } else {
            axis
        };
        let parts = usize::try_from(at)
            .ok()
            .and_then(|at| shape.split_at_checked(at))
            .ok_or_else(|| format!("axis {axis} of shape {}", shown(shape)))?;
        found = vec![
            Product::of(parts.0)?.dimension(),
            Product::of(parts.1)?.dimension(),
        ];
    }
    Ok(vec![Known::new(c.dtype(0), Some(found))])
}

/// `Transpose`: axes in the order of `perm`, by default turned round.
pub(super) fn transpose(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let Some(shape) = c.shape(0) else {
        let rank = c.node.ints("perm").map(<[_]>::len);
        let shape = rank.map(|n| vec![Dimension::Unknown; n]);
        return Ok(vec![Known::new(c.dtype(0), shape)]);
    };
    let found = match c.node.ints("perm") {
        None => shape.iter().rev().cloned().collect(),
        Some(perm) => {
            let sorted = axes_of(perm, shape.len())?;
            if sorted.len() != shape.len() || perm.iter().any(|&p| p < 0) {
                return Err(format!("`perm` {perm:?} for shape {}", shown(shape)));
            }
            let axes = perm.iter().filter_map(|&p| usize::try_from(p).ok());
            axes.filter_map(|p| shape.get(p).cloned()).collect()
        }
    };
    let numbers = c.numbers(0).map(<[_]>::to_vec);
    Ok(vec![
        Known::new(c.dtype(0), Some(found)).with_numbers(numbers),
    ])
}

/// `Squeeze`: axes are an attribute before operator set 13, then an input.
pub(super) fn squeeze(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let Some(shape) = c.shape(0) else {
        return Ok(vec![Known::new(c.dtype(0), None)]);
    };
    let axes = match c.list("axes", 1) {
        List::Known(axes) => axes_of(&axes, shape.len())?,
        List::Absent if shape.iter().all(|d| matches!(d, Dimension::Fixed(_))) => {
            let all = shape.iter().enumerate();
            all.filter(|(_, d)| **d == Dimension::Fixed(1))
                .map(|(at, _)| at)
                .collect()
        }
        List::Absent | List::Unknown => return Ok(vec![Known::new(c.dtype(0), None)]),
    };
    let mut found = Vec::new();
    for (at, d) in shape.iter().enumerate() {
        match (axes.contains(&at), d) {
            (false, d) => found.push(d.clone()),
            (true, Dimension::Fixed(n)) if *n != 1 => {
                return Err(format!("axis {at} of shape {} is not 1", shown(shape)));
            }
            (true, _) => {}
        }
    }
    let numbers = c.numbers(0).map(<[_]>::to_vec);
    Ok(vec![
        Known::new(c.dtype(0), Some(found)).with_numbers(numbers),
    ])
}

/// `Unsqueeze`: axes are an attribute before operator set 13, then an input.
pub(super) fn unsqueeze(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let (Some(shape), List::Known(axes)) = (c.shape(0), c.list("axes", 1)) else {
        return Ok(vec![Known::new(c.dtype(0), None)]);
    };
    let rank = shape.len() + axes.len();
    let axes = axes_of(&axes, rank)?;
    let mut old = shape.iter().cloned();
    let found: Vec<Dimension> = (0..rank)
        .filter_map(|at| {
            if axes.contains(&at) {
                Some(Dimension::Fixed(1))
            } else {
                old.next()
            }
        })
        .collect();
    let numbers = c.numbers(0).filter(|_| found.len() <= 1);
    let numbers = numbers.map(<[_]>::to_vec);
    Ok(vec![
        Known::new(c.dtype(0), Some(found)).with_numbers(numbers),
    ])
}

/// `Expand`: the input and a shape, broadcast.
pub(super) fn expand(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let (Some(shape), Some(target)) = (c.shape(0), stated_by(c, 1)?) else {
        return Ok(vec![Known::new(c.dtype(0), None)]);
    };
    let found = broadcast(shape, &target)?;
    let numbers = match (c.numbers(0), found.as_slice()) {
        (Some([one]), [Dimension::Fixed(n)]) if *n <= MOST_NUMBERS => Some(vec![one.clone(); *n]),
        _ => None,
    };
    Ok(vec![
        Known::new(c.dtype(0), Some(found)).with_numbers(numbers),
    ])
}

/// `Tile`: every axis as often as the second input says.
pub(super) fn tile(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let Some(shape) = c.shape(0).filter(|_| c.opset >= 6) else {
        return Ok(vec![Known::new(c.dtype(0), None)]);
    };
    let found = match c.numbers(1) {
        None => vec![Dimension::Unknown; shape.len()],
        Some(repeats) if repeats.len() != shape.len() => {
            let repeats = repeats.len();
            return Err(format!("{repeats} repeats for shape {}", shown(shape)));
        }
        Some(repeats) => shape
            .iter()
            .zip(repeats)
            .map(|(d, r)| Ok(Product::of(&[d.clone(), r.dimension()?])?.dimension()))
            .collect::<Result<_, String>>()?,
    };
    Ok(vec![Known::new(c.dtype(0), Some(found))])
}

/// Batch, channels, height and width of the first input, and the block.
fn blocks(c: &Call<'_>) -> Result<Option<([Dimension; 4], usize)>, String> {
    let block = usize::try_from(c.int("blocksize", 0)).unwrap_or(0);
    if block == 0 {
        return Err(format!("`blocksize` is {}", c.int("blocksize", 0)));
    }
    match c.shape(0) {
        None => Ok(None),
        Some([n, ch, h, w]) => Ok(Some(([n.clone(), ch.clone(), h.clone(), w.clone()], block))),
        Some(other) => Err(format!("an input of shape {}", shown(other))),
    }
}

fn multiplied(d: &Dimension, by: usize) -> Result<Dimension, String> {
    Ok(Product::of(&[d.clone(), Dimension::Fixed(by)])?.dimension())
}

fn divided(d: &Dimension, by: usize) -> Result<Dimension, String> {
    match d {
        Dimension::Fixed(n) if n % by == 0 => Ok(Dimension::Fixed(n / by)),
        Dimension::Fixed(n) => Err(format!("{n} is no multiple of {by}")),
        _ => Ok(Dimension::Unknown),
    }
}

/// `DepthToSpace`.
pub(super) fn depth_to_space(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let mut shape = None;
    if let Some(([n, ch, h, w], block)) = blocks(c)? {
        let square = block.checked_mul(block).ok_or("a block too large")?;
        shape = Some(vec![
            n,
            divided(&ch, square)?,
            multiplied(&h, block)?,
            multiplied(&w, block)?,
        ]);
    }
    Ok(vec![Known::new(c.dtype(0), shape)])
}

/// `SpaceToDepth`.
pub(super) fn space_to_depth(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let mut shape = None;
    if let Some(([n, ch, h, w], block)) = blocks(c)? {
        let square = block.checked_mul(block).ok_or("a block too large")?;
        shape = Some(vec![
            n,
            multiplied(&ch, square)?,
            divided(&h, block)?,
            divided(&w, block)?,
        ]);
    }
    Ok(vec![Known::new(c.dtype(0), shape)])
}
