//! Collecting results into shards, and shards into the run folder.

use crate::error::RunError;
use dyno_core::{AccuracyPlan, Artifact, Event, Plan, SampleFailure, SampleResult, Shard};
use dyno_evidence::RunFolder;
use std::collections::BTreeMap;

/// Writes a shard as soon as it is complete. What it writes is a function of plan and samples alone.
pub(super) struct ShardWriter<'a> {
    folder: &'a RunFolder,
    plan_sha256: String,
    /// Samples of each shard.
    sizes: Vec<usize>,
    done: BTreeMap<u32, Artifact>,
    open: BTreeMap<u32, Vec<SampleResult>>,
    judged: u64,
    total: u64,
}

impl<'a> ShardWriter<'a> {
    pub(super) fn new(plan: &Plan, accuracy: &AccuracyPlan, folder: &'a RunFolder) -> Result<Self, RunError> {
        let samples = &plan.bindings.sample_set.samples;
        let sizes: Vec<usize> = samples.chunks(accuracy.shard_size.max(1) as usize).map(<[_]>::len).collect();
        let done: BTreeMap<u32, Artifact> = folder.shards()?.into_iter().filter(|(n, _)| (*n as usize) < sizes.len()).collect();
        let judged = done.keys().filter_map(|n| sizes.get(*n as usize)).sum::<usize>() as u64;
        Ok(Self { folder, plan_sha256: plan.spec.sha256()?, sizes, done, open: BTreeMap::new(), judged, total: samples.len() as u64 })
    }

    pub(super) fn is_done(&self, shard: u32) -> bool {
        self.done.contains_key(&shard)
    }

    /// Tells of the shards that an earlier run has finished.
    pub(super) fn announce(&self, sink: &(dyn Fn(Event) + Sync)) {
        for (number, artifact) in &self.done {
            sink(Event::ShardDone { number: *number, artifact: artifact.clone() });
        }
        self.progress(sink);
    }

    fn progress(&self, sink: &(dyn Fn(Event) + Sync)) {
        sink(Event::Progress { stage: "accuracy".to_owned(), done: self.judged, total: self.total });
    }

    pub(super) fn add(&mut self, shard: u32, results: Vec<SampleResult>, sink: &(dyn Fn(Event) + Sync)) -> Result<(), RunError> {
        self.judged += results.len() as u64;
        for result in &results {
            if let Some(error) = &result.error {
                sink(Event::SampleFailed(SampleFailure { id: result.id.clone(), error: error.clone() }));
            }
        }
        self.progress(sink);
        let open = self.open.entry(shard).or_default();
        open.extend(results);
        if self.sizes.get(shard as usize) == Some(&open.len()) {
            let results = self.open.remove(&shard).unwrap_or_default();
            let artifact = self.write(shard, results)?;
            self.folder.add_shard(shard, &artifact)?;
            sink(Event::ShardDone { number: shard, artifact });
        }
        Ok(())
    }

    fn write(&self, number: u32, mut results: Vec<SampleResult>) -> Result<Artifact, RunError> {
        results.sort_by_key(|r| r.index);
        let shard = Shard { plan_sha256: self.plan_sha256.clone(), number, results };
        let bytes = serde_json::to_vec(&shard).map_err(dyno_core::CanonicalError::from)?;
        Ok(self.folder.put("shard", "json", &bytes)?)
    }

    /// After an interruption: what was measured of the open shards is kept for this run's scores. It is not entered as done, so `--resume`
    /// measures those shards whole.
    pub(super) fn finish(&mut self, sink: &(dyn Fn(Event) + Sync)) -> Result<(), RunError> {
        for (number, results) in std::mem::take(&mut self.open) {
            let artifact = self.write(number, results)?;
            sink(Event::ShardDone { number, artifact });
        }
        Ok(())
    }
}
