//! How long a measurement takes: three profiles with their reasons.

use dyno_core::{PerformancePlan, ScenarioName, Timed};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How long a measurement takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// 64 queries and 1 s: a bound for p90, none for p99. Not written into manifests.
    Quick,
    /// 662 queries and 5 s: bounds for p90 and p99.
    #[default]
    Normal,
    /// 2,010 queries and 60 s: ten queries behind the bound of p99.
    Full,
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Quick => "quick",
            Self::Normal => "normal",
            Self::Full => "full",
        })
    }
}

/// Samples kept prepared in memory, at most. Enough that no cache of a CPU holds the inputs, few
/// enough to prepare quickly.
const LIBRARY: u32 = 64;

const SECOND_NS: u64 = 1_000_000_000;

/// The dimensions of a measurement that no profile decides.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dimensions {
    pub(crate) scenario: ScenarioName,
    pub(crate) timed: Timed,
    pub(crate) threads: u32,
    pub(crate) batch: u32,
    pub(crate) slots: u32,
    /// Samples of the set.
    pub(crate) samples: u32,
    pub(crate) seed: u64,
    pub(crate) max_errors: u32,
}

impl Profile {
    /// A measurement of this length.
    pub(crate) fn plan(self, of: Dimensions) -> PerformancePlan {
        // The counts are those from which MLPerf's early-stopping bound exists at 99 % confidence.
        let (warmup_queries, min_queries, min_seconds, max_seconds) = match self {
            Self::Quick => (8, 64, 1, 30),
            Self::Normal => (16, 662, 5, 300),
            Self::Full => (64, 2_010, 60, 1_800),
        };
        PerformancePlan {
            scenario: of.scenario,
            timed: of.timed,
            profile: self.to_string(),
            threads: of.threads,
            batch: of.batch,
            slots: of.slots,
            library_size: of.samples.clamp(1, LIBRARY),
            warmup_queries,
            min_duration_ns: min_seconds * SECOND_NS,
            min_queries,
            max_duration_ns: max_seconds * SECOND_NS,
            seed: of.seed,
            max_errors: of.max_errors,
        }
    }
}
