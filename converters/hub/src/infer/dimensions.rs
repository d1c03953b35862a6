//! Arithmetic with dimensions of which some are open.

use dyno_core::Dimension;
use std::collections::BTreeMap;

/// `shape` for messages.
pub(super) fn shown(shape: &[Dimension]) -> String {
    let axes: Vec<String> = shape.iter().map(ToString::to_string).collect();
    format!("[{}]", axes.join(", "))
}

/// Two dimensions that must be the same size: the one of which more is known.
///
/// # Errors
/// When they are different numbers.
pub(super) fn same(a: &Dimension, b: &Dimension) -> Result<Dimension, String> {
    use Dimension::{Fixed, Symbolic, Unknown};
    Ok(match (a, b) {
        (Fixed(a), Fixed(b)) if a != b => return Err(format!("{a} is not {b}")),
        (Fixed(n), _) | (_, Fixed(n)) => Fixed(*n),
        (Symbolic(s), _) | (_, Symbolic(s)) => Symbolic(s.clone()),
        (Unknown, Unknown) => Unknown,
    })
}

/// Shapes that must be the same, axis by axis.
///
/// # Errors
/// When they are not, with both.
pub(super) fn same_shape(a: &[Dimension], b: &[Dimension]) -> Result<Vec<Dimension>, String> {
    let differ = || format!("shape {} is not {}", shown(a), shown(b));
    if a.len() != b.len() {
        return Err(differ());
    }
    let axes = a.iter().zip(b).map(|(a, b)| same(a, b));
    axes.collect::<Result<_, _>>().map_err(|_| differ())
}

fn broadcast_dimension(a: &Dimension, b: &Dimension) -> Option<Dimension> {
    use Dimension::{Fixed, Symbolic, Unknown};
    Some(match (a, b) {
        (Fixed(1), other) | (other, Fixed(1)) => other.clone(),
        (Fixed(a), Fixed(b)) if a == b => Fixed(*a),
        (Fixed(_), Fixed(_)) => return None,
        // An open size beside n must be 1 or n.
        (Fixed(n), _) | (_, Fixed(n)) => Fixed(*n),
        (Symbolic(a), Symbolic(b)) if a == b => Symbolic(a.clone()),
        (Symbolic(_) | Unknown, Symbolic(_) | Unknown) => Unknown,
    })
}

/// The shape of two operands (`docs/Broadcasting.md` of ONNX, multidirectional).
///
/// # Errors
/// When they do not fit each other.
pub(super) fn broadcast(a: &[Dimension], b: &[Dimension]) -> Result<Vec<Dimension>, String> {
    let rank = a.len().max(b.len());
    let axis = |shape: &[Dimension], at: usize| {
        let missing = rank - shape.len();
        at.checked_sub(missing)
            .and_then(|at| shape.get(at).cloned())
            .unwrap_or(Dimension::Fixed(1))
    };
    (0..rank)
        .map(|at| broadcast_dimension(&axis(a, at), &axis(b, at)))
        .collect::<Option<_>>()
        .ok_or_else(|| {
            let (a, b) = (shown(a), shown(b));
            format!("shapes {a} and {b} do not fit each other")
        })
}

/// A product of dimensions: the numbers, and how often each symbol stands in it.
pub(super) struct Product {
    /// Product of the numbers.
    fixed: usize,
    symbols: BTreeMap<String, i32>,
    unknown: bool,
}

impl Product {
    /// The product of `dimensions`.
    ///
    /// # Errors
    /// When it has more bits than this machine counts with.
    pub(super) fn of(dimensions: &[Dimension]) -> Result<Self, String> {
        let (mut fixed, mut symbols, mut unknown) = (1usize, BTreeMap::new(), false);
        for d in dimensions {
            match d {
                Dimension::Fixed(n) => {
                    fixed = fixed.checked_mul(*n).ok_or_else(|| {
                        format!("shape {} has too many elements", shown(dimensions))
                    })?;
                }
                Dimension::Symbolic(s) => *symbols.entry(s.clone()).or_insert(0) += 1,
                Dimension::Unknown => unknown = true,
            }
        }
        Ok(Self {
            fixed,
            symbols,
            unknown,
        })
    }

    /// The product as one dimension.
    pub(super) fn dimension(&self) -> Dimension {
        let mut symbols = self.symbols.iter().filter(|(_, n)| **n != 0);
        match (self.unknown, symbols.next(), symbols.next()) {
            (false, None, _) => Dimension::Fixed(self.fixed),
            (false, Some((s, 1)), None) if self.fixed == 1 => Dimension::Symbolic(s.clone()),
            _ => Dimension::Unknown,
        }
    }

    /// The dimension that is missing in `part` for the product to be this one.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn rest(&self, part: &Self) -> Result<Dimension, String> {
        if self.unknown || part.unknown {
            return Ok(Dimension::Unknown);
        }
        let mut symbols = self.symbols.clone();
        for (s, n) in &part.symbols {
            *symbols.entry(s.clone()).or_insert(0) -= n;
        }
        let open = symbols.values().any(|n| *n != 0);
        let fixed = match self.fixed.checked_rem(part.fixed) {
            Some(0) => self.fixed / part.fixed,
            // Nothing of nothing, or a symbol that makes up for it.
            None => return Ok(Dimension::Unknown),
            Some(_) if open => return Ok(Dimension::Unknown),
            Some(_) => {
                return Err(format!(
                    "{} elements cannot be divided by {}",
                    self.fixed, part.fixed
                ));
            }
        };
        let rest = Self {
            fixed,
            symbols,
            unknown: false,
        };
        Ok(rest.dimension())
    }

    /// The number of elements, when no dimension is open.
    pub(super) fn count(&self) -> Option<usize> {
        (!self.unknown && self.symbols.is_empty()).then_some(self.fixed)
    }
}

/// An axis that may be counted from the end.
///
/// # Errors
/// When there is no such axis.
pub(super) fn axis(axis: i64, rank: usize) -> Result<usize, String> {
    let from_end = i64::try_from(rank).ok().and_then(|r| axis.checked_add(r));
    let at = if axis < 0 { from_end } else { Some(axis) };
    at.and_then(|a| usize::try_from(a).ok())
        .filter(|a| *a < rank)
        .ok_or_else(|| format!("there is no axis {axis} of {rank}"))
}
