//! Collecting results into shards, and shards into the run folder.

use super::checkpoint::Checkpoint;
use crate::{context::Context, error::RunError};
use dyno_core::{
    AccuracyPlan, Artifact, Event, SampleFailure, SampleIndex, SampleResult, Shard, ShardOrigin,
    ShardRange, Warning, WarningCode,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

/// Writes a shard as soon as it is complete. What it writes is a function of plan, engine, machine
/// and samples alone.
pub(super) struct ShardWriter<'a> {
    context: &'a Context<'a>,
    origin: ShardOrigin,
    shard_size: usize,
    range: ShardRange,
    done: BTreeMap<u32, Artifact>,
    /// Shards of an earlier run that cannot stand beside this one's: made anew.
    stale: BTreeSet<u32>,
    open: BTreeMap<u32, Vec<SampleResult>>,
    checkpoint: Checkpoint<'a>,
    judged: u64,
    total: u64,
}

/// The shards that a plan asks for.
pub(super) fn range_of(context: &Context<'_>) -> Result<ShardRange, RunError> {
    let count = context.plan.shard_count();
    match context.plan.shards {
        None => Ok(ShardRange {
            first: 0,
            end: count,
        }),
        Some(range) if range.first < range.end && range.end <= count => Ok(range),
        Some(range) => Err(RunError::Plan(format!(
            "shards {} to {} of a run that has {count}",
            range.first, range.end
        ))),
    }
}

impl<'a> ShardWriter<'a> {
    /// Takes up what the folder holds: finished shards whose origin may stand beside `origin`, and
    /// what a run that was killed had of others.
    pub(super) fn new(
        context: &'a Context<'a>,
        accuracy: &AccuracyPlan,
        origin: ShardOrigin,
    ) -> Result<Self, RunError> {
        let range = range_of(context)?;
        let mut writer = Self {
            context,
            shard_size: accuracy.shard_size.max(1) as usize,
            range,
            done: BTreeMap::new(),
            stale: BTreeSet::new(),
            open: BTreeMap::new(),
            checkpoint: Checkpoint::new(context.folder.path()),
            judged: 0,
            total: 0,
            origin,
        };
        writer.total = (range.first..range.end)
            .map(|number| writer.positions(number).len() as u64)
            .sum();
        for (number, artifact) in context.folder.shards()? {
            if !range.contains(number) {
                continue;
            }
            let shard = serde_json::from_slice::<Shard>(&context.folder.get(&artifact)?).ok();
            let whole = writer.positions(number).len();
            if shard.is_some_and(|s| writer.belongs(&s, number) && s.results.len() == whole) {
                writer.judged += whole as u64;
                writer.done.insert(number, artifact);
            } else {
                writer.stale.insert(number);
            }
        }
        for number in range.first..range.end {
            if !writer.done.contains_key(&number)
                && let Some(shard) = writer.checkpoint.read(number)
                // The finished shard names one processor.
                && writer.belongs(&shard, number) && shard.origin == writer.origin
            {
                writer.judged += shard.results.len() as u64;
                writer.open.insert(number, shard.results);
            }
        }
        Ok(writer)
    }

    /// Positions in the sample set of a shard's samples.
    fn positions(&self, number: u32) -> Range<usize> {
        let count = self.context.plan.bindings.sample_set.samples.len();
        let first = (number as usize).saturating_mul(self.shard_size).min(count);
        first..first.saturating_add(self.shard_size).min(count)
    }

    /// A shard of this plan, of its own samples, whose numbers may stand beside this run's.
    fn belongs(&self, shard: &Shard, number: u32) -> bool {
        let samples = &self.context.plan.bindings.sample_set.samples;
        let own = samples.get(self.positions(number)).unwrap_or_default();
        let rises = shard.results.windows(2).all(|w| w[0].index < w[1].index);
        shard.plan_sha256 == self.context.plan_sha256
            && shard.number == number
            && shard.origin.mixes_with(&self.origin)
            && rises
            && shard
                .results
                .iter()
                .all(|r| own.binary_search(&r.index).is_ok())
    }

    /// The work that is left, in runs of at most `batch` samples that never reach over the border
    /// of a shard.
    pub(super) fn units(&self, batch: usize) -> Vec<super::unit::Unit> {
        let samples = &self.context.plan.bindings.sample_set.samples;
        let mut units = Vec::new();
        for shard in self.range.first..self.range.end {
            if self.done.contains_key(&shard) {
                continue;
            }
            let measured: BTreeSet<SampleIndex> = self
                .open
                .get(&shard)
                .into_iter()
                .flatten()
                .map(|r| r.index)
                .collect();
            let all = self.positions(shard);
            let mut first = all.start;
            while first < all.end {
                let positions = first..(first + batch).min(all.end);
                first = positions.end;
                let chosen = samples.get(positions.clone()).unwrap_or_default();
                // Units are kept whole, so that batches are the same ones in a run that goes on.
                if !chosen.iter().all(|index| measured.contains(index)) {
                    units.push(super::unit::Unit { shard, positions });
                }
            }
        }
        units
    }

    /// Tells of the shards that an earlier run has finished.
    pub(super) fn announce(&self) {
        for (number, artifact) in &self.done {
            (self.context.sink)(Event::ShardDone {
                number: *number,
                artifact: artifact.clone(),
            });
        }
        if self.judged > 0 {
            let detail = format!(
                "{} of {} samples were measured in an earlier run; times cover the rest",
                self.judged, self.total
            );
            (self.context.sink)(Event::Warned(Warning {
                code: WarningCode::Resumed,
                detail,
            }));
        }
        self.progress();
    }

    fn progress(&self) {
        (self.context.sink)(Event::Progress {
            stage: "accuracy".to_owned(),
            done: self.judged,
            total: self.total,
        });
    }

    pub(super) fn add(&mut self, shard: u32, results: Vec<SampleResult>) -> Result<(), RunError> {
        for result in &results {
            if let Some(error) = &result.error {
                (self.context.sink)(Event::SampleFailed(SampleFailure {
                    id: result.id.clone(),
                    error: error.clone(),
                }));
            }
        }
        let whole = self.positions(shard).len();
        let open = self.open.entry(shard).or_default();
        let before = open.len();
        // A unit of which an earlier run had a part is measured whole: the later word counts.
        open.retain(|old| !results.iter().any(|new| new.index == old.index));
        open.extend(results);
        self.judged += open.len().saturating_sub(before) as u64;
        if open.len() == whole {
            let results = self.open.remove(&shard).unwrap_or_default();
            let artifact = self.write(shard, results)?;
            if self.stale.remove(&shard) {
                self.context.folder.replace_shard(shard, &artifact)?;
            } else {
                self.context.folder.add_shard(shard, &artifact)?;
            }
            self.checkpoint.forget(shard);
            (self.context.sink)(Event::ShardDone {
                number: shard,
                artifact,
            });
        } else if self.checkpoint.is_due() {
            self.save()?;
        }
        self.progress();
        Ok(())
    }

    fn shard(&self, number: u32, mut results: Vec<SampleResult>) -> Shard {
        results.sort_by_key(|r| r.index);
        Shard {
            plan_sha256: self.context.plan_sha256.to_owned(),
            number,
            origin: self.origin.clone(),
            results,
        }
    }

    fn write(&self, number: u32, results: Vec<SampleResult>) -> Result<Artifact, RunError> {
        let shard = self.shard(number, results);
        let bytes = serde_json::to_vec(&shard).map_err(dyno_core::CanonicalError::from)?;
        Ok(self.context.folder.put("shard", "json", &bytes)?)
    }

    /// Keeps what there is of open shards, for a run that goes on after this one was killed.
    fn save(&mut self) -> Result<(), RunError> {
        for (number, results) in &self.open {
            let shard = self.shard(*number, results.clone());
            self.checkpoint.write(&shard)?;
        }
        self.checkpoint.saved();
        Ok(())
    }

    /// After an interruption: what was measured of the open shards is kept for this run's scores,
    /// and for one that goes on.
    pub(super) fn finish(&mut self) -> Result<(), RunError> {
        self.save()?;
        for (number, results) in std::mem::take(&mut self.open) {
            let artifact = self.write(number, results)?;
            (self.context.sink)(Event::ShardDone { number, artifact });
        }
        Ok(())
    }
}
