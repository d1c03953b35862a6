//! How an expectation is written.

use super::quantity::{Dimension, Quantity, UNITS, names_of};
use dyno_core::{ScenarioName, UnknownName};
use std::{fmt, str::FromStr};

/// How value and threshold are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

impl Operator {
    /// Whether `value` stands in this relation to `threshold`; never with a value that is not a
    /// number.
    pub fn holds(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::Less => value < threshold,
            Self::AtMost => value <= threshold,
            Self::Greater => value > threshold,
            Self::AtLeast => value >= threshold,
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
        })
    }
}

/// Why an expectation cannot be read or judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpectError {
    /// Not of the form `NAME OPERATOR NUMBER[UNIT]`.
    #[error(
        "`{expression}` is no expectation: {reason} (examples: AP>=0.295, p90<=12ms, samples/s>=50)"
    )]
    Syntax {
        /// The text.
        expression: String,
        /// What is wrong.
        reason: String,
    },
    /// A unit that the name does not have.
    #[error("`{expression}`: {reason}; `{name}` takes {units}")]
    Unit {
        /// The text.
        expression: String,
        /// What is wrong.
        reason: String,
        /// The name.
        name: String,
        /// What it takes.
        units: &'static str,
    },
    /// Nothing of the kind is measured.
    #[error("`{expression}`: {reason}")]
    Unmeasured {
        /// The text.
        expression: String,
        /// What is missing.
        reason: String,
    },
    /// There is no such number.
    #[error("`{expression}`")]
    Unknown {
        /// The text.
        expression: String,
        /// What exists.
        #[source]
        source: UnknownName,
    },
}

/// Something that a record is expected to show.
#[derive(Debug, Clone, PartialEq)]
pub struct Expectation {
    pub(super) expression: String,
    pub(super) scenario: Option<ScenarioName>,
    pub(super) name: String,
    pub(super) quantity: Quantity,
    pub(super) operator: Operator,
    /// In the record's unit.
    pub(super) threshold: f64,
    /// As it was written.
    pub(super) threshold_text: String,
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.expression)
    }
}

/// Name, operator and threshold. The last operator counts: a class may be called `a<b`.
fn split(expression: &str) -> Result<(&str, Operator, &str), String> {
    let last = expression
        .rfind(['<', '>', '='])
        .ok_or("it has no operator `<`, `<=`, `>` or `>=`")?;
    let (head, tail) = expression.split_at(last);
    let (left, operator, right) = match (head.strip_suffix(['<', '>']), tail.strip_prefix('=')) {
        (Some(left), Some(right)) if head.ends_with('<') => (left, Operator::AtMost, right),
        (Some(left), Some(right)) => (left, Operator::AtLeast, right),
        (_, Some(_)) => return Err("measured values are never compared for equality".to_owned()),
        (_, None) => match (tail.strip_prefix('<'), tail.strip_prefix('>')) {
            (Some(right), _) => (head, Operator::Less, right),
            (_, right) => (head, Operator::Greater, right.unwrap_or_default()),
        },
    };
    if left.ends_with(['<', '>', '=']) {
        return Err("its operator is none of `<`, `<=`, `>`, `>=`".to_owned());
    }
    Ok((left.trim(), operator, right.trim()))
}

impl FromStr for Expectation {
    type Err = ExpectError;

    fn from_str(expression: &str) -> Result<Self, Self::Err> {
        let expression = expression.trim();
        let syntax = |reason: String| ExpectError::Syntax {
            expression: expression.to_owned(),
            reason,
        };
        let (left, operator, right) = split(expression).map_err(syntax)?;
        // A class may be called `a:b`: what stands before a `/` only can be a scenario.
        let (scenario, name) = match left.split_once(':') {
            Some((scenario, name)) if !scenario.contains('/') => {
                let scenario: ScenarioName = scenario.trim().parse().map_err(syntax)?;
                (Some(scenario), name.trim())
            }
            _ => (None, left),
        };
        if name.is_empty() {
            return Err(syntax("the name is missing".to_owned()));
        }
        let quantity = Quantity::named(name);
        let dimension = quantity.dimension();
        if scenario.is_some() && dimension == Dimension::Share {
            let reason = format!("`{name}` is a score, which has no scenario");
            return Err(syntax(reason));
        }
        let number = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | 'e' | 'E');
        let end = right.find(|c| !number(c)).unwrap_or(right.len());
        let (value, unit) = right.split_at(end);
        let value: f64 = value
            .parse()
            .map_err(|_| syntax(format!("`{right}` does not begin with a number")))?;
        let threshold =
            in_units(value, unit.trim(), dimension).map_err(|reason| ExpectError::Unit {
                expression: expression.to_owned(),
                reason,
                name: name.to_owned(),
                units: dimension.units(),
            })?;
        if !threshold.is_finite() || threshold < 0.0 {
            return Err(syntax(format!("`{right}` is not a number of 0 or more")));
        }
        Ok(Self {
            expression: expression.to_owned(),
            scenario,
            name: name.to_owned(),
            quantity,
            operator,
            threshold,
            threshold_text: right.to_owned(),
        })
    }
}

/// `value` in the record's unit.
fn in_units(value: f64, unit: &str, dimension: Dimension) -> Result<f64, String> {
    let value = if unit.is_empty() {
        match dimension {
            Dimension::Share | Dimension::Rate => value,
            Dimension::Time | Dimension::Bytes => return Err("the unit is missing".to_owned()),
        }
    } else {
        match UNITS.iter().find(|(u, _, _)| *u == unit) {
            // Dividing keeps 29.5 % the same number as 0.295; multiplying by 0.01 does not.
            Some((_, Dimension::Share, _)) if dimension == Dimension::Share => value / 100.0,
            Some((_, d, factor)) if *d == dimension => value * factor,
            Some((_, d, _)) if *d != Dimension::Share => {
                let fits = names_of(*d);
                return Err(format!("the unit `{unit}` belongs to {fits}"));
            }
            _ => return Err(format!("the unit `{unit}` does not fit")),
        }
    };
    if dimension == Dimension::Share && value > 1.0 && value.is_finite() {
        return Err(format!("{value} is more than everything"));
    }
    Ok(value)
}
