//! What is kept of each query: raw latencies up to a limit, a histogram beyond it, and an even
//! sample of stages.
//!
//! All memory is reserved before the clock counts. The operating system hands it out page by page
//! as it is touched, so the reservation for ten million queries costs a short run nothing.

use crate::{
    settings::LoadError,
    target::{STAGE_COUNT, Stages},
};
use hdrhistogram::Histogram;

/// Raw latencies that are kept; queries beyond are in the histogram alone.
pub const RAW_LIMIT: usize = 10_000_000;

/// Stages that are kept. When they are full every second one is dropped and from then on half as
/// many are taken.
const STAGES_LIMIT: usize = 1 << 17;

/// Significant decimal digits of the histogram.
const DIGITS: u8 = 3;

/// Greatest latency that the histogram tells apart; above, values count as this one. A day.
const HISTOGRAM_MAX_NS: u64 = 86_400_000_000_000;

/// What was recorded.
#[derive(Debug)]
pub(crate) struct Recorded {
    /// Latencies in the order of completion, up to the limit.
    pub(crate) raw: Vec<u64>,
    /// All latencies.
    pub(crate) histogram: Histogram<u64>,
    /// Times of each stage, rising.
    pub(crate) stages: [Vec<u64>; STAGE_COUNT],
}

#[derive(Debug)]
pub(crate) struct Recorder {
    raw: Vec<u64>,
    raw_limit: usize,
    overflow: Option<Histogram<u64>>,
    stages: Vec<Stages>,
    stages_limit: usize,
    stride: u64,
    count: u64,
}

impl Recorder {
    pub(crate) fn new() -> Result<Self, LoadError> {
        Self::with_limits(RAW_LIMIT, STAGES_LIMIT)
    }

    pub(crate) fn with_limits(raw_limit: usize, stages_limit: usize) -> Result<Self, LoadError> {
        Ok(Self {
            raw: Vec::with_capacity(raw_limit),
            raw_limit,
            overflow: Some(histogram()?),
            stages: Vec::with_capacity(stages_limit),
            stages_limit,
            stride: 1,
            count: 0,
        })
    }

    /// Queries recorded.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Allocates nothing.
    pub(crate) fn record(&mut self, latency_ns: u64, stages: Stages) {
        if self.raw.len() < self.raw_limit {
            self.raw.push(latency_ns);
        } else if let Some(histogram) = &mut self.overflow {
            histogram.saturating_record(latency_ns);
        }
        if stages != Stages::NONE && self.count.is_multiple_of(self.stride) {
            if self.stages.len() >= self.stages_limit {
                let mut keep = false;
                self.stages.retain(|_| {
                    keep = !keep;
                    keep
                });
                self.stride = self.stride.saturating_mul(2);
            }
            if self.count.is_multiple_of(self.stride) {
                self.stages.push(stages);
            }
        }
        self.count += 1;
    }

    /// Everything, in the form that statistics need.
    pub(crate) fn finish(self) -> Result<Recorded, LoadError> {
        let mut all = match self.overflow {
            Some(histogram) => histogram,
            None => histogram()?,
        };
        for latency in &self.raw {
            all.saturating_record(*latency);
        }
        let columns = std::array::from_fn(|stage| {
            let mut column: Vec<u64> = self.stages.iter().filter_map(|s| s.get(stage)).collect();
            column.sort_unstable();
            column
        });
        Ok(Recorded {
            raw: self.raw,
            histogram: all,
            stages: columns,
        })
    }
}

fn histogram() -> Result<Histogram<u64>, LoadError> {
    Histogram::new_with_max(HISTOGRAM_MAX_NS, DIGITS)
        .map_err(|e| LoadError::Histogram(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_beyond_the_limit_are_in_the_histogram() {
        let mut recorder = Recorder::with_limits(3, 8).expect("valid bounds");
        for latency in [10, 20, 30, 40, 2_000_000_000] {
            recorder.record(latency, Stages::NONE);
        }
        assert_eq!(recorder.count(), 5);
        let Recorded { raw, histogram, .. } = recorder.finish().expect("valid bounds");
        assert_eq!(raw, [10, 20, 30]);
        assert_eq!(histogram.len(), 5);
        assert!(
            histogram.max().abs_diff(2_000_000_000) <= 2_000_000,
            "{}",
            histogram.max()
        );
    }

    #[test]
    fn stages_are_thinned_evenly_over_the_whole_run() {
        let mut recorder = Recorder::with_limits(1000, 8).expect("valid bounds");
        for i in 0..100 {
            recorder.record(1, Stages::NONE.with(0, i));
        }
        let columns = recorder.finish().expect("valid bounds").stages;
        // Limit 8 over 100 queries: every sixteenth.
        assert_eq!(columns[0], [0, 16, 32, 48, 64, 80, 96]);
        assert!(columns[1].is_empty());
    }
}
