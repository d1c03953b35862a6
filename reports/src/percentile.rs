//! A percentile with its name and the reason why it, or its bound, is refused.

use crate::text::counted;
use dyno_core::{Percentile, PerformanceResult};

/// One percentile of a measurement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Supported<'a> {
    percentile: &'a Percentile,
    n: u64,
    effective_n: Option<f64>,
}

/// `p50`, `p99.9`.
pub(crate) fn name(p: f64) -> String {
    // Rounded: 0.999 times 100 is 99.9 only nearly. A share of a forged record may be anything.
    let rounded = (p * 1e8).round() / 1e6;
    if rounded.abs() < 1e6 {
        format!("p{rounded}")
    } else {
        format!("p{rounded:e}")
    }
}

impl<'a> Supported<'a> {
    pub(crate) fn of(result: &PerformanceResult, percentile: &'a Percentile) -> Self {
        Self {
            percentile,
            n: result.n,
            effective_n: result.effective_n,
        }
    }

    pub(crate) fn name(self) -> String {
        name(self.percentile.p)
    }

    /// Nanoseconds, or why they are refused.
    pub(crate) fn value(self) -> Result<u64, String> {
        self.percentile
            .ns
            .ok_or_else(|| self.refused(self.n as f64))
    }

    /// Nanoseconds of the upper bound, or why it is refused.
    pub(crate) fn bound(self) -> Result<u64, String> {
        self.percentile.bound_ns.ok_or_else(|| {
            let needs = self.percentile.needs;
            match self.effective_n {
                Some(n) if self.percentile.ns.is_some() && n < needs as f64 => {
                    format!("refused: needs {needs} independent, has {n:.0}")
                }
                _ => self.refused(self.n as f64),
            }
        })
    }

    fn refused(self, has: f64) -> String {
        let needs = self.percentile.needs;
        if (needs as f64) > has {
            format!("refused: needs {}", counted(needs, "query"))
        } else {
            "refused".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_percentiles() {
        for (p, expected) in [
            (0.5, "p50"),
            (0.9, "p90"),
            (0.99, "p99"),
            (0.999, "p99.9"),
            (0.0, "p0"),
            (1e300, "p1e302"),
        ] {
            assert_eq!(name(p), expected);
        }
    }
}
