//! How long a measurement takes: three profiles with their reasons.

use clap::ValueEnum;
use dyno_core::{PerformancePlan, Scenario, Timed};

/// How long a measurement takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Profile {
    /// 64 queries and 1 s: a bound for p90, none for p99
    Quick,
    /// 662 queries and 5 s: bounds for p90 and p99
    #[default]
    Normal,
    /// 2,010 queries and 60 s: ten queries behind the bound of p99
    Full,
}

/// Samples kept prepared in memory, at most. Enough that no cache of a CPU holds the inputs, few
/// enough to prepare quickly.
const LIBRARY: u32 = 64;

const SECOND_NS: u64 = 1_000_000_000;

impl Profile {
    /// A measurement of this length.
    #[expect(
        clippy::too_many_arguments,
        reason = "one argument for each dimension of a measurement"
    )]
    pub(crate) fn plan(
        self,
        scenario: Scenario,
        timed: Timed,
        threads: u32,
        batch: u32,
        slots: u32,
        samples: u32,
        seed: u64,
    ) -> PerformancePlan {
        // The counts are those from which MLPerf's early-stopping bound exists at 99 % confidence.
        let (warmup_queries, min_queries, min_seconds, max_seconds) = match self {
            Self::Quick => (8, 64, 1, 30),
            Self::Normal => (16, 662, 5, 300),
            Self::Full => (64, 2_010, 60, 1_800),
        };
        PerformancePlan {
            scenario,
            timed,
            threads,
            batch,
            slots,
            library_size: samples.clamp(1, LIBRARY),
            warmup_queries,
            min_duration_ns: min_seconds * SECOND_NS,
            min_queries,
            max_duration_ns: max_seconds * SECOND_NS,
            seed,
        }
    }
}
