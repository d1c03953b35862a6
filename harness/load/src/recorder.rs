//! What a slot keeps of each query: raw latencies and starts up to a limit, a histogram beyond it,
//! and an even sample of stages. What several slots kept is merged afterwards.
//!
//! All memory is reserved before the clock counts. The operating system hands it out page by page
//! as it is touched, so the reservation for ten million queries costs a short run nothing.

use crate::{
    error::LoadError,
    work::{STAGE_COUNT, Stages},
};
use hdrhistogram::Histogram;

/// Raw latencies that are kept, all slots together and an equal share each; queries beyond are in
/// the histogram alone.
pub const RAW_LIMIT: usize = 10_000_000;

/// Queries whose stages are kept, in the same way. When they are full every second one is dropped
/// and from then on half as many are taken.
const STAGES_LIMIT: usize = 1 << 17;

/// Significant decimal digits of the histogram.
const DIGITS: u8 = 3;

/// Greatest latency that the histogram tells apart; above, values count as this one. A day.
const HISTOGRAM_MAX_NS: u64 = 86_400_000_000_000;

/// Times of one stage.
#[derive(Debug, Default)]
pub(crate) struct Column {
    /// Of the queries that were kept, rising.
    pub(crate) sorted_ns: Vec<u64>,
    /// Over all queries that had the stage.
    pub(crate) sum_ns: u128,
    pub(crate) count: u64,
}

/// What was recorded, all slots together.
#[derive(Debug)]
pub(crate) struct Recorded {
    /// Latencies in the order of completion (of equal ones, that of slots), up to the limit.
    pub(crate) latencies_ns: Vec<u64>,
    /// Where each of them began to count, from the start of the window.
    pub(crate) starts_ns: Vec<u64>,
    /// All latencies.
    pub(crate) histogram: Histogram<u64>,
    pub(crate) stages: [Column; STAGE_COUNT],
}

#[derive(Debug)]
pub(crate) struct Recorder {
    latencies_ns: Vec<u64>,
    starts_ns: Vec<u64>,
    raw_limit: usize,
    overflow: Histogram<u64>,
    stages: Vec<Stages>,
    stages_limit: usize,
    stride: u64,
    /// Queries that had stages.
    staged: u64,
    sums: [(u128, u64); STAGE_COUNT],
}

impl Recorder {
    /// For one of `slots` slots.
    pub(crate) fn new(slots: usize) -> Result<Self, LoadError> {
        let share = |limit: usize| limit.div_ceil(slots.max(1));
        Self::with_limits(share(RAW_LIMIT), share(STAGES_LIMIT))
    }

    fn with_limits(raw_limit: usize, stages_limit: usize) -> Result<Self, LoadError> {
        Ok(Self {
            latencies_ns: reserved(raw_limit)?,
            starts_ns: reserved(raw_limit)?,
            raw_limit,
            overflow: histogram()?,
            stages: reserved(stages_limit)?,
            stages_limit,
            stride: 1,
            staged: 0,
            sums: [(0, 0); STAGE_COUNT],
        })
    }

    /// Allocates nothing.
    #[inline]
    pub(crate) fn record(&mut self, start_ns: u64, latency_ns: u64, stages: &Stages) {
        if self.latencies_ns.len() < self.raw_limit {
            self.latencies_ns.push(latency_ns);
            self.starts_ns.push(start_ns);
        } else {
            self.overflow.saturating_record(latency_ns);
        }
        if *stages != Stages::NONE {
            self.record_stages(stages);
        }
    }

    fn record_stages(&mut self, stages: &Stages) {
        for (at, (sum, count)) in self.sums.iter_mut().enumerate() {
            if let Some(ns) = stages.get(at) {
                *sum += u128::from(ns);
                *count += 1;
            }
        }
        if self.staged.is_multiple_of(self.stride) && self.stages.len() >= self.stages_limit {
            self.thin();
        }
        if self.staged.is_multiple_of(self.stride) {
            self.stages.push(*stages);
        }
        self.staged += 1;
    }

    /// Drops every second of the stages.
    fn thin(&mut self) {
        let mut keep = false;
        self.stages.retain(|_| {
            keep = !keep;
            keep
        });
        self.stride = self.stride.saturating_mul(2);
    }

    /// Everything, in the form that statistics need.
    pub(crate) fn merge(mut slots: Vec<Self>) -> Result<Recorded, LoadError> {
        let mut all = histogram()?;
        let widest = slots.iter().map(|s| s.stride).max().unwrap_or(1);
        let mut stages: [Column; STAGE_COUNT] = std::array::from_fn(|_| Column::default());
        for slot in &mut slots {
            all.add(&slot.overflow)
                .map_err(|e| LoadError::Histogram(e.to_string()))?;
            for latency in &slot.latencies_ns {
                all.saturating_record(*latency);
            }
            // Equally dense in all slots, so that each query weighs the same.
            while slot.stride < widest {
                slot.thin();
            }
            for (at, column) in stages.iter_mut().enumerate() {
                column
                    .sorted_ns
                    .extend(slot.stages.iter().filter_map(|s| s.get(at)));
                column.sum_ns += slot.sums[at].0;
                column.count += slot.sums[at].1;
            }
        }
        for column in &mut stages {
            column.sorted_ns.sort_unstable();
        }
        let (latencies_ns, starts_ns) = if slots.len() == 1 {
            // One slot completes in order.
            let only = slots.remove(0);
            (only.latencies_ns, only.starts_ns)
        } else {
            let mut queries: Vec<(u64, u64)> = slots
                .iter()
                .flat_map(|s| s.starts_ns.iter().zip(&s.latencies_ns))
                .map(|(start, latency)| (*start, *latency))
                .collect();
            // The parts are in order, which a merging sort makes use of.
            queries.sort_by_key(|(start, latency)| start.saturating_add(*latency));
            (
                queries.iter().map(|q| q.1).collect(),
                queries.iter().map(|q| q.0).collect(),
            )
        };
        Ok(Recorded {
            latencies_ns,
            starts_ns,
            histogram: all,
            stages,
        })
    }
}

fn reserved<T>(count: usize) -> Result<Vec<T>, LoadError> {
    let mut list = Vec::new();
    list.try_reserve_exact(count)
        .map_err(|_| LoadError::Memory {
            bytes: count.saturating_mul(size_of::<T>()),
        })?;
    Ok(list)
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
            recorder.record(0, latency, &Stages::NONE);
        }
        let recorded = Recorder::merge(vec![recorder]).expect("valid bounds");
        assert_eq!(recorded.latencies_ns, [10, 20, 30]);
        assert_eq!(recorded.starts_ns.len(), 3);
        assert_eq!(recorded.histogram.len(), 5);
        let max = recorded.histogram.max();
        assert!(max.abs_diff(2_000_000_000) <= 2_000_000, "{max}");
    }

    #[test]
    fn stages_are_thinned_evenly_over_the_whole_run_and_alike_in_all_slots() {
        let mut long = Recorder::with_limits(1000, 8).expect("valid bounds");
        for i in 0..100 {
            long.record(0, 1, &Stages::NONE.with(0, i));
        }
        let mut short = Recorder::with_limits(1000, 8).expect("valid bounds");
        for i in 0..5 {
            short.record(0, 1, &Stages::NONE.with(0, 1000 + i).with(2, 9));
        }
        let [first, none, third, ..] = Recorder::merge(vec![long, short])
            .expect("valid bounds")
            .stages;
        // Limit 8 over 100 queries: every sixteenth; of the five of the other slot the first.
        assert_eq!(first.sorted_ns, [0, 16, 32, 48, 64, 80, 96, 1000]);
        assert_eq!((first.sum_ns, first.count), (4950 + 5010, 105));
        assert_eq!((none.sorted_ns.len(), none.count), (0, 0));
        assert_eq!((third.sum_ns, third.count), (45, 5));
    }

    #[test]
    fn slots_are_merged_in_the_order_of_completion() {
        let mut slots = Vec::new();
        // Start and latency; ends 10, 40 and 20, 40.
        for queries in [[(0, 10), (10, 30)], [(5, 15), (20, 20)]] {
            let mut recorder = Recorder::with_limits(10, 8).expect("valid bounds");
            for (start, latency) in queries {
                recorder.record(start, latency, &Stages::NONE);
            }
            slots.push(recorder);
        }
        let recorded = Recorder::merge(slots).expect("valid bounds");
        assert_eq!(recorded.latencies_ns, [10, 15, 30, 20]);
        assert_eq!(recorded.starts_ns, [0, 5, 10, 20]);
    }
}
