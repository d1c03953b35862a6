//! Numbers of shape computations: integers, reals, and the symbols of open dimensions.

use dyno_core::Dimension;

/// Most elements of a list that is followed. Lists of sizes have one element an axis.
pub(super) const MOST_NUMBERS: usize = 64;

/// An element of a list that describes shapes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Number {
    /// An integer.
    Int(i64),
    /// A real number, in computations of scales.
    Real(f64),
    /// The size of an open dimension.
    Symbol(String),
    /// Anything.
    Unknown,
}

impl Number {
    /// The size of a dimension.
    pub(super) fn of(dimension: &Dimension) -> Self {
        match dimension {
            Dimension::Fixed(n) => i64::try_from(*n).map_or(Self::Unknown, Self::Int),
            Dimension::Symbolic(name) => Self::Symbol(name.clone()),
            Dimension::Unknown => Self::Unknown,
        }
    }

    /// The dimension that has this size; a size that cannot be is an error.
    pub(super) fn dimension(&self) -> Result<Dimension, String> {
        Ok(match self {
            Self::Int(n) => Dimension::Fixed(
                usize::try_from(*n).map_err(|_| format!("{n} is no size of a dimension"))?,
            ),
            Self::Symbol(name) => Dimension::Symbolic(name.clone()),
            Self::Real(_) | Self::Unknown => Dimension::Unknown,
        })
    }

    /// The integer, if it is one.
    pub(super) fn int(&self) -> Option<i64> {
        match self {
            Self::Int(n) => Some(*n),
            Self::Real(_) | Self::Symbol(_) | Self::Unknown => None,
        }
    }

    /// The number as a real one.
    pub(super) fn real(&self) -> Option<f64> {
        match self {
            Self::Int(n) => Some(*n as f64),
            Self::Real(x) => Some(*x),
            Self::Symbol(_) | Self::Unknown => None,
        }
    }
}

/// Result of a binary operator; unknown for one that is not followed.
pub(super) fn binary(op: &str, a: &Number, b: &Number) -> Number {
    use Number::{Int, Real, Symbol, Unknown};
    match (op, a, b) {
        (_, Int(a), Int(b)) => integers(op, *a, *b).map_or(Unknown, Int),
        ("Add" | "Sub", Symbol(s), Int(0))
        | ("Add", Int(0), Symbol(s))
        | ("Mul" | "Div", Symbol(s), Int(1))
        | ("Mul", Int(1), Symbol(s)) => Symbol(s.clone()),
        ("Equal", Symbol(a), Symbol(b)) if a == b => Int(1),
        // Sizes are not negative.
        ("Equal", Symbol(_), Int(n)) | ("Equal", Int(n), Symbol(_)) if *n < 0 => Int(0),
        _ => match (a.real(), b.real()) {
            (Some(a), Some(b)) => reals(op, a, b).map_or(Unknown, Real),
            _ => Unknown,
        },
    }
}

fn integers(op: &str, a: i64, b: i64) -> Option<i64> {
    match op {
        "Add" | "Sum" => a.checked_add(b),
        "Sub" => a.checked_sub(b),
        "Mul" => a.checked_mul(b),
        // Rounds towards zero, as the integers of C do.
        "Div" => a.checked_div(b),
        "Mod" => a.checked_rem_euclid(b).filter(|_| b > 0),
        "Max" => Some(a.max(b)),
        "Min" => Some(a.min(b)),
        "Equal" => Some(i64::from(a == b)),
        "Less" => Some(i64::from(a < b)),
        "LessOrEqual" => Some(i64::from(a <= b)),
        "Greater" => Some(i64::from(a > b)),
        "GreaterOrEqual" => Some(i64::from(a >= b)),
        "And" => Some(i64::from(a != 0 && b != 0)),
        "Or" => Some(i64::from(a != 0 || b != 0)),
        _ => None,
    }
}

fn reals(op: &str, a: f64, b: f64) -> Option<f64> {
    Some(match op {
        "Add" | "Sum" => a + b,
        "Sub" => a - b,
        "Mul" => a * b,
        "Div" => a / b,
        "Max" => a.max(b),
        "Min" => a.min(b),
        _ => return None,
    })
}

/// Result of a unary operator; unknown for one that is not followed.
pub(super) fn unary(op: &str, a: &Number) -> Number {
    match (op, a) {
        ("Identity", a) => a.clone(),
        ("Neg", Number::Int(a)) => a.checked_neg().map_or(Number::Unknown, Number::Int),
        ("Abs", Number::Int(a)) => a.checked_abs().map_or(Number::Unknown, Number::Int),
        ("Floor", Number::Real(a)) => Number::Real(a.floor()),
        ("Ceil", Number::Real(a)) => Number::Real(a.ceil()),
        ("Round", Number::Real(a)) => Number::Real(a.round_ties_even()),
        _ => Number::Unknown,
    }
}

/// The number as an integer, as `Cast` makes it: the fraction is cut off.
pub(super) fn truncated(a: &Number) -> Number {
    match a {
        Number::Real(x) if x.abs() < 9e15 => Number::Int(*x as i64),
        Number::Real(_) => Number::Unknown,
        other => other.clone(),
    }
}
