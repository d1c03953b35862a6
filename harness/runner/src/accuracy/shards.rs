//! Collecting results into shards, and shards into the run folder.

use crate::error::RunError;
use dyno_core::{
    AccuracyPlan, Artifact, Event, ExecutionFacts, Plan, SampleFailure, SampleResult, Shard,
    Warning, WarningCode,
};
use dyno_evidence::RunFolder;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::OnceLock,
};

/// What must be the same for shards to belong together, beside the plan.
pub(super) fn executed_by(facts: &ExecutionFacts) -> String {
    format!(
        "{}; provider {}; precision {}",
        facts.library,
        facts.provider.as_deref().unwrap_or("-"),
        facts.precision
    )
}

/// Writes a shard as soon as it is complete. What it writes is a function of plan, engine and
/// samples alone.
pub(super) struct ShardWriter<'a> {
    folder: &'a RunFolder,
    plan_sha256: String,
    /// Samples of each shard.
    sizes: Vec<usize>,
    done: BTreeMap<u32, Artifact>,
    /// Shards of an earlier run that another engine measured: made anew.
    stale: BTreeSet<u32>,
    /// The engine; known before the first sample comes.
    engine: &'a OnceLock<String>,
    open: BTreeMap<u32, Vec<SampleResult>>,
    judged: u64,
    total: u64,
}

impl<'a> ShardWriter<'a> {
    /// Takes up what the folder holds. `engine` is filled by whoever opens it; `probe` opens it
    /// now, and is only asked when there are shards of an earlier run to compare with.
    pub(super) fn new(
        plan: &Plan,
        accuracy: &AccuracyPlan,
        folder: &'a RunFolder,
        engine: &'a OnceLock<String>,
        probe: impl FnOnce() -> Result<String, RunError>,
    ) -> Result<Self, RunError> {
        let samples = &plan.bindings.sample_set.samples;
        let sizes: Vec<usize> = samples
            .chunks(accuracy.shard_size.max(1) as usize)
            .map(<[_]>::len)
            .collect();
        let plan_sha256 = plan.spec.sha256()?;
        let (mut done, mut stale) = (BTreeMap::new(), BTreeSet::new());
        let earlier = folder.shards()?;
        if !earlier.is_empty() {
            let engine = probe()?;
            for (number, artifact) in earlier {
                let Some(size) = sizes.get(number as usize) else {
                    continue;
                };
                let kept =
                    serde_json::from_slice::<Shard>(&folder.get(&artifact)?).is_ok_and(|s| {
                        s.plan_sha256 == plan_sha256
                            && s.number == number
                            && s.executed_by == engine
                            && s.results.len() == *size
                    });
                if kept {
                    done.insert(number, artifact);
                } else {
                    stale.insert(number);
                }
            }
        }
        let judged = done
            .keys()
            .filter_map(|n| sizes.get(*n as usize))
            .sum::<usize>() as u64;
        Ok(Self {
            folder,
            plan_sha256,
            sizes,
            done,
            stale,
            engine,
            open: BTreeMap::new(),
            judged,
            total: samples.len() as u64,
        })
    }

    pub(super) fn is_done(&self, shard: u32) -> bool {
        self.done.contains_key(&shard)
    }

    /// Tells of the shards that an earlier run has finished.
    pub(super) fn announce(&self, sink: &(dyn Fn(Event) + Sync)) {
        for (number, artifact) in &self.done {
            sink(Event::ShardDone {
                number: *number,
                artifact: artifact.clone(),
            });
        }
        if !self.done.is_empty() {
            let detail = format!(
                "{} of {} samples were measured in an earlier run; times cover the rest",
                self.judged, self.total
            );
            sink(Event::Warned(Warning {
                code: WarningCode::Resumed,
                detail,
            }));
        }
        self.progress(sink);
    }

    fn progress(&self, sink: &(dyn Fn(Event) + Sync)) {
        sink(Event::Progress {
            stage: "accuracy".to_owned(),
            done: self.judged,
            total: self.total,
        });
    }

    pub(super) fn add(
        &mut self,
        shard: u32,
        results: Vec<SampleResult>,
        sink: &(dyn Fn(Event) + Sync),
    ) -> Result<(), RunError> {
        self.judged += results.len() as u64;
        for result in &results {
            if let Some(error) = &result.error {
                sink(Event::SampleFailed(SampleFailure {
                    id: result.id.clone(),
                    error: error.clone(),
                }));
            }
        }
        self.progress(sink);
        let open = self.open.entry(shard).or_default();
        open.extend(results);
        if self.sizes.get(shard as usize) == Some(&open.len()) {
            let results = self.open.remove(&shard).unwrap_or_default();
            let artifact = self.write(shard, results)?;
            if self.stale.remove(&shard) {
                self.folder.replace_shard(shard, &artifact)?;
            } else {
                self.folder.add_shard(shard, &artifact)?;
            }
            sink(Event::ShardDone {
                number: shard,
                artifact,
            });
        }
        Ok(())
    }

    fn write(&self, number: u32, mut results: Vec<SampleResult>) -> Result<Artifact, RunError> {
        results.sort_by_key(|r| r.index);
        let executed_by = self.engine.get().cloned().ok_or_else(|| {
            RunError::Internal("samples came before an engine was open".to_owned())
        })?;
        let shard = Shard {
            plan_sha256: self.plan_sha256.clone(),
            number,
            executed_by,
            results,
        };
        let bytes = serde_json::to_vec(&shard).map_err(dyno_core::CanonicalError::from)?;
        Ok(self.folder.put("shard", "json", &bytes)?)
    }

    /// After an interruption: what was measured of the open shards is kept for this run's scores.
    /// It is not entered as done, so `--resume` measures those shards whole.
    pub(super) fn finish(&mut self, sink: &(dyn Fn(Event) + Sync)) -> Result<(), RunError> {
        for (number, results) in std::mem::take(&mut self.open) {
            let artifact = self.write(number, results)?;
            sink(Event::ShardDone { number, artifact });
        }
        Ok(())
    }
}
