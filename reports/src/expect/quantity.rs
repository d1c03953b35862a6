//! What a name of an expectation measures, and in which units.

use crate::{percentile, text};
use dyno_core::PerformanceResult;

/// What a number measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dimension {
    Share,
    Time,
    Rate,
    Bytes,
}

impl Dimension {
    /// Units that it takes, in words.
    pub(super) fn units(self) -> &'static str {
        match self {
            Self::Share => "a number from 0 to 1, or %",
            Self::Time => "ns, us, µs, ms, s",
            Self::Rate => "none, /s, or samples/s",
            Self::Bytes => "B, kB, MB, GB, KiB, MiB, GiB",
        }
    }

    /// The record's unit.
    pub(super) fn unit(self) -> &'static str {
        match self {
            Self::Share => "share",
            Self::Time => "ns",
            Self::Rate => "per_s",
            Self::Bytes => "bytes",
        }
    }

    /// A value in the record's unit, for people.
    pub(super) fn text(self, value: f64) -> String {
        match self {
            Self::Share => text::share(value),
            Self::Time => text::time(value as u64),
            Self::Rate => format!("{}/s", text::four_digits(value)),
            Self::Bytes => text::bytes(value as u64),
        }
    }
}

/// Units with what they measure and their size in the record's unit.
pub(super) const UNITS: &[(&str, Dimension, f64)] = &[
    ("%", Dimension::Share, 0.01),
    ("ns", Dimension::Time, 1.0),
    ("us", Dimension::Time, 1e3),
    ("µs", Dimension::Time, 1e3),
    ("μs", Dimension::Time, 1e3),
    ("ms", Dimension::Time, 1e6),
    ("s", Dimension::Time, 1e9),
    ("/s", Dimension::Rate, 1.0),
    ("samples/s", Dimension::Rate, 1.0),
    ("B", Dimension::Bytes, 1.0),
    ("kB", Dimension::Bytes, 1e3),
    ("MB", Dimension::Bytes, 1e6),
    ("GB", Dimension::Bytes, 1e9),
    ("KiB", Dimension::Bytes, 1024.0),
    ("MiB", Dimension::Bytes, 1_048_576.0),
    ("GiB", Dimension::Bytes, 1_073_741_824.0),
];

/// What a name stands for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Quantity {
    /// A score of the whole set.
    Score(String),
    /// A score of one class: metric and class.
    ClassScore(String, String),
    /// Least latency.
    Min,
    /// Mean latency.
    Mean,
    /// Greatest latency.
    Max,
    /// A percentile of latency.
    Percentile(f64),
    /// The upper bound of a percentile.
    Bound(f64),
    /// Opening the model.
    Load,
    /// The first query.
    First,
    /// Samples a second.
    Throughput,
    /// Greatest memory.
    MemoryPeak,
    /// Memory at the end.
    MemorySteady,
}

/// Names of performance beside percentiles (`p90`) and their bounds (`p90-bound`).
const NAMES: &[(&str, Quantity)] = &[
    ("min", Quantity::Min),
    ("mean", Quantity::Mean),
    ("max", Quantity::Max),
    ("load", Quantity::Load),
    ("first", Quantity::First),
    ("throughput", Quantity::Throughput),
    ("samples/s", Quantity::Throughput),
    ("memory-peak", Quantity::MemoryPeak),
    ("memory-steady", Quantity::MemorySteady),
];

impl Quantity {
    /// What `name` stands for. Every name that is none of performance is a score.
    pub(super) fn named(name: &str) -> Self {
        if let Some((_, quantity)) = NAMES.iter().find(|(n, _)| *n == name) {
            return quantity.clone();
        }
        let (percentile, bound) = match name.strip_suffix("-bound") {
            Some(front) => (front, true),
            None => (name, false),
        };
        let number = percentile.strip_prefix('p').filter(|n| {
            n.starts_with(|c: char| c.is_ascii_digit())
                && n.chars().all(|c| c.is_ascii_digit() || c == '.')
        });
        match number.and_then(|n| n.parse::<f64>().ok()) {
            Some(number) if number > 0.0 && number < 100.0 => {
                if bound {
                    Self::Bound(number / 100.0)
                } else {
                    Self::Percentile(number / 100.0)
                }
            }
            _ => match name.split_once('/') {
                Some((metric, class)) => Self::ClassScore(metric.to_owned(), class.to_owned()),
                None => Self::Score(name.to_owned()),
            },
        }
    }

    pub(super) fn dimension(&self) -> Dimension {
        match self {
            Self::Score(_) | Self::ClassScore(..) => Dimension::Share,
            Self::Min
            | Self::Mean
            | Self::Max
            | Self::Percentile(_)
            | Self::Bound(_)
            | Self::Load
            | Self::First => Dimension::Time,
            Self::Throughput => Dimension::Rate,
            Self::MemoryPeak | Self::MemorySteady => Dimension::Bytes,
        }
    }

    /// The percentile that it needs.
    pub(super) fn percentile(&self) -> Option<f64> {
        match self {
            Self::Percentile(p) | Self::Bound(p) => Some(*p),
            _ => None,
        }
    }
}

/// Two percentiles are the same one: `0.999` and `99.9 / 100` differ in their last bit.
pub(super) fn same_percentile(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-9
}

/// Names of performance for a list of what there is.
pub(super) fn names(percentiles: &[f64]) -> Vec<String> {
    let mut names: Vec<String> = NAMES.iter().map(|(n, _)| (*n).to_owned()).collect();
    for p in percentiles {
        let name = percentile::name(*p);
        names.push(format!("{name}-bound"));
        names.push(name);
    }
    names
}

/// Names that take a unit of this dimension, for a message.
pub(super) fn names_of(dimension: Dimension) -> String {
    let mut names: Vec<&str> = NAMES
        .iter()
        .filter(|(_, q)| q.dimension() == dimension)
        .map(|(n, _)| *n)
        .collect();
    if dimension == Dimension::Time {
        names.extend(["p50", "p90", "p90-bound", "…"]);
    }
    names.join(", ")
}

/// The value of a quantity of performance, or why it is refused; `None` where the measurement has no
/// such number.
pub(super) fn value(p: &PerformanceResult, quantity: &Quantity) -> Option<Result<f64, String>> {
    let ns = |value: u64| Some(Ok(value as f64));
    let supported = |wanted: f64| {
        let found = p.percentiles.iter().find(|x| same_percentile(x.p, wanted));
        found.map(|percentile| percentile::Supported::of(p, percentile))
    };
    let as_float = |value: Result<u64, String>| value.map(|ns| ns as f64);
    let memory = |value: Option<u64>| {
        let said = value.map(|bytes| bytes as f64);
        Some(said.ok_or_else(|| "the system did not say how much memory was used".to_owned()))
    };
    match quantity {
        Quantity::Score(_) | Quantity::ClassScore(..) => None,
        Quantity::Min => ns(p.latency_ns.min),
        Quantity::Mean => ns(p.latency_ns.mean),
        Quantity::Max => ns(p.latency_ns.max),
        Quantity::Percentile(wanted) => Some(as_float(supported(*wanted)?.value())),
        Quantity::Bound(wanted) => Some(as_float(supported(*wanted)?.bound())),
        Quantity::Load => ns(p.load_ns),
        Quantity::First => ns(p.first_ns),
        Quantity::Throughput => Some(Ok(p.throughput_per_s)),
        Quantity::MemoryPeak => memory(p.memory_bytes.peak),
        Quantity::MemorySteady => memory(p.memory_bytes.steady),
    }
}
