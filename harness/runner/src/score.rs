//! From the shards of a run to scores, one shard in memory at a time.

use crate::{error::RunError, guard::of_sample, prepare::chain};
use dyno_core::{
    AccuracyPlan, Artifact, Dataset, Detail, LabelId, LabelMatch, Metric, MetricContext,
    MetricKind, Prediction, SampleFailure, SampleIndex, SampleResult, Score, Shard, ShardOrigin,
    Tables, sha256_hex,
};
use dyno_evidence::RunFolder;
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

/// What the model said, as it lies in the run folder.
#[derive(Debug, Clone)]
pub struct Predictions {
    folder: RunFolder,
    plan_sha256: String,
    shards: BTreeMap<u32, Artifact>,
}

impl Predictions {
    /// Those in these shards of a run folder.
    pub fn new(folder: RunFolder, plan_sha256: String, shards: BTreeMap<u32, Artifact>) -> Self {
        Self {
            folder,
            plan_sha256,
            shards,
        }
    }

    /// Hands every shard to `each`, in the order of samples; one is in memory at a time. Class ids
    /// are the model's ([`to_dataset`]).
    ///
    /// # Errors
    /// Those of `each`, and when a file is missing, changed, or of another plan.
    pub fn for_each_shard(
        &self,
        mut each: impl FnMut(&Shard) -> Result<(), RunError>,
    ) -> Result<(), RunError> {
        for (number, artifact) in &self.shards {
            let shard = self.read(artifact)?;
            if shard.number != *number {
                return Err(RunError::Internal(format!(
                    "shard `{}` is number {}, not {number}",
                    artifact.sha256, shard.number
                )));
            }
            each(&shard)?;
        }
        Ok(())
    }

    fn read(&self, artifact: &Artifact) -> Result<Shard, RunError> {
        let bytes = self.folder.get(artifact)?;
        let shard: Shard = serde_json::from_slice(&bytes).map_err(|e| {
            RunError::Internal(format!("shard `{}` is malformed: {e}", artifact.sha256))
        })?;
        if shard.plan_sha256 != self.plan_sha256 {
            return Err(RunError::Internal(format!(
                "shard `{}` belongs to another plan",
                artifact.sha256
            )));
        }
        Ok(shard)
    }

    /// Two workers may measure the same shard, and must have found the same.
    pub(crate) fn check_same(&self, number: u32, other: &Artifact) -> Result<(), RunError> {
        let Some(artifact) = self.shards.get(&number) else {
            return Ok(());
        };
        if artifact.sha256 == other.sha256
            || self.read(artifact)?.results == self.read(other)?.results
        {
            return Ok(());
        }
        Err(RunError::Internal(format!(
            "two workers measured shard {number} and found different results: `{}` and `{}`",
            artifact.sha256, other.sha256
        )))
    }
}

/// The prediction with the dataset's class ids. Detections of classes that the dataset does not
/// have are left out; in a ranking such a class keeps its rank and is never right.
pub fn to_dataset(prediction: &Prediction, labels: &LabelMatch) -> Prediction {
    match prediction {
        Prediction::Ranking(ranking) => {
            let mut ranking = ranking.clone();
            for class in &mut ranking.classes {
                class.label = labels.map(class.label);
            }
            Prediction::Ranking(ranking)
        }
        Prediction::Detections(detections) => {
            let mapped = detections.iter().map(|d| dyno_core::Detection {
                label: labels.map(d.label),
                ..*d
            });
            Prediction::Detections(mapped.filter(|d| d.label != LabelId::UNMATCHED).collect())
        }
    }
}

/// What all shards together say.
pub(crate) struct Scored {
    /// Samples with a result, failed ones too.
    pub(crate) results: usize,
    /// Samples that scores are over.
    pub(crate) judged: u64,
    /// Repeated pictures, which are in no score.
    pub(crate) repeated: u64,
    pub(crate) failures: Vec<SampleFailure>,
    /// The scores, metric by metric, with the row that each came from.
    pub(crate) scores: Vec<(&'static dyn MetricKind, Vec<Score>)>,
    pub(crate) details: Vec<(&'static dyn MetricKind, Vec<Detail>)>,
    /// sha256 over ids and predictions in sample order, whatever the shards were.
    pub(crate) predictions_sha256: String,
    /// Hash over the input tensors of the first samples, and how many of them have one.
    pub(crate) tensors: (Option<String>, u32),
}

/// Reads all shards once. Where nothing was judged there are no scores.
///
/// # Errors
/// When a metric refuses, a shard cannot be read, or the shards are not of one engine and one build
/// of dyno.
pub(crate) fn score(
    accuracy: &AccuracyPlan,
    tables: &Tables,
    dataset: &dyn Dataset,
    predictions: &Predictions,
    labels: &LabelMatch,
    repeats: &BTreeSet<SampleIndex>,
    hashed: &[SampleIndex],
) -> Result<Scored, RunError> {
    let facts = dataset.facts();
    let mut metrics: Vec<(&'static dyn MetricKind, Box<dyn Metric>)> = Vec::new();
    for named in &accuracy.metrics {
        let kind = tables.metric(&named.name)?;
        let metric = kind.build(&MetricContext {
            labels: &facts.labels,
            parameters: &named.parameters,
        })?;
        metrics.push((kind, metric));
    }
    let mut origin: Option<ShardOrigin> = None;
    let mut hash = PredictionHash::default();
    let mut tensors: BTreeMap<SampleIndex, Option<String>> =
        hashed.iter().map(|index| (*index, None)).collect();
    let mut scored = Scored {
        results: 0,
        judged: 0,
        repeated: 0,
        failures: Vec::new(),
        scores: Vec::new(),
        details: Vec::new(),
        predictions_sha256: String::new(),
        tensors: (None, 0),
    };
    predictions.for_each_shard(|shard| {
        let first = origin.get_or_insert_with(|| shard.origin.clone());
        if !first.mixes_with(&shard.origin) {
            return Err(RunError::Internal(format!(
                "shard {} comes from another engine or another build of dyno than those before it",
                shard.number
            )));
        }
        for result in &shard.results {
            hash.add(result)?;
            if let Some(place) = tensors.get_mut(&result.index) {
                place.clone_from(&result.tensor_sha256);
            }
            scored.results += 1;
            let judged = judge(result, dataset, &mut metrics, labels, repeats)?;
            match judged {
                Judgement::Judged => scored.judged += 1,
                Judgement::Repeated => scored.repeated += 1,
                Judgement::Failed(failure) => scored.failures.push(failure),
            }
        }
        Ok(())
    })?;
    scored.predictions_sha256 = hash.finish();
    scored.tensors = tensors_sha256(hashed, &tensors);
    if scored.judged > 0 {
        let id = |sample: SampleIndex| {
            let entry = dataset.entries().get(sample.index());
            entry.map_or_else(String::new, |e| e.id.clone())
        };
        for (kind, metric) in metrics {
            let scores = metric.finish_with_intervals(accuracy.resamples, accuracy.seed)?;
            scored.scores.push((kind, scores));
            scored.details.push((kind, metric.details(&id)?));
        }
    }
    Ok(scored)
}

enum Judgement {
    Judged,
    Repeated,
    Failed(SampleFailure),
}

fn judge(
    result: &SampleResult,
    dataset: &dyn Dataset,
    metrics: &mut [(&'static dyn MetricKind, Box<dyn Metric>)],
    labels: &LabelMatch,
    repeats: &BTreeSet<SampleIndex>,
) -> Result<Judgement, RunError> {
    let failed = |error: String| {
        Ok(Judgement::Failed(SampleFailure {
            id: result.id.clone(),
            error,
        }))
    };
    let Some(prediction) = &result.prediction else {
        let words = result.error.clone();
        return failed(words.unwrap_or_else(|| "nobody said why".to_owned()));
    };
    let entries = dataset.entries();
    let entry = entries
        .get(result.index.index())
        .ok_or(RunError::DatasetChanged {
            expected: result.index.index(),
            found: entries.len(),
        })?;
    if entry.id != result.id {
        return Err(RunError::Internal(format!(
            "sample {} is `{}` in the shard and `{}` in the dataset",
            result.index.0, result.id, entry.id
        )));
    }
    if repeats.contains(&result.index) {
        return Ok(Judgement::Repeated);
    }
    let truth = of_sample(|| dataset.truth(result.index).map_err(|e| chain(&e)));
    let truth = match truth.and_then(|inner| inner) {
        Ok(truth) => truth,
        Err(words) => return failed(words),
    };
    let prediction = to_dataset(prediction, labels);
    for (_, metric) in metrics {
        metric.update(result.index, &prediction, &truth)?;
    }
    Ok(Judgement::Judged)
}

/// sha256 over the JSON list of all results, without what only says how they came about.
struct PredictionHash {
    hasher: Sha256,
    any: bool,
}

impl Default for PredictionHash {
    fn default() -> Self {
        let mut hasher = Sha256::new();
        hasher.update(b"[");
        Self { hasher, any: false }
    }
}

impl PredictionHash {
    fn add(&mut self, result: &SampleResult) -> Result<(), RunError> {
        if self.any {
            self.hasher.update(b",");
        }
        self.any = true;
        // The hash of outputs is kept only where a timed half looks at it.
        let bytes = if result.outputs_sha256.is_some() {
            serde_json::to_vec(&SampleResult {
                outputs_sha256: None,
                ..result.clone()
            })
        } else {
            serde_json::to_vec(result)
        };
        self.hasher
            .update(bytes.map_err(dyno_core::CanonicalError::from)?);
        Ok(())
    }

    fn finish(mut self) -> String {
        self.hasher.update(b"]");
        let mut hex = String::with_capacity(64);
        for byte in self.hasher.finalize() {
            write!(hex, "{byte:02x}").expect("writing to a String cannot fail");
        }
        hex
    }
}

/// Hash over the input tensors of the samples `hashed`, and how many of them have one. A sample
/// without is part of the hash, so that it cannot fall out unseen. Absent when none has one.
fn tensors_sha256(
    hashed: &[SampleIndex],
    found: &BTreeMap<SampleIndex, Option<String>>,
) -> (Option<String>, u32) {
    let (mut lines, mut count) = (Vec::with_capacity(hashed.len()), 0);
    for index in hashed {
        let sha256 = found.get(index).and_then(Option::as_deref);
        count += u32::from(sha256.is_some());
        lines.push(format!("{}:{}", index.0, sha256.unwrap_or("-")));
    }
    if count == 0 {
        (None, 0)
    } else {
        (Some(sha256_hex(lines.join("\n").as_bytes())), count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_without_tensors_changes_their_hash() {
        let hashed = [SampleIndex(1), SampleIndex(4)];
        let tensors = |pairs: &[(u32, Option<&str>)]| {
            let found = pairs
                .iter()
                .map(|(index, sha)| (SampleIndex(*index), sha.map(ToOwned::to_owned)))
                .collect();
            tensors_sha256(&hashed, &found)
        };
        let whole = tensors(&[(1, Some("a")), (4, Some("b")), (9, Some("c"))]);
        assert_eq!(whole, (Some(sha256_hex(b"1:a\n4:b")), 2));
        assert_eq!(
            tensors(&[(1, Some("a")), (4, None)]),
            (Some(sha256_hex(b"1:a\n4:-")), 1)
        );
        assert_ne!(tensors(&[(1, Some("a"))]).0, tensors(&[(4, Some("a"))]).0);
        assert_eq!(tensors(&[(1, None)]), (None, 0));
    }

    #[test]
    fn the_hash_of_predictions_is_that_of_the_whole_list() {
        let result = |index: u32, outputs: Option<&str>| SampleResult {
            index: SampleIndex(index),
            id: format!("{index}.jpg"),
            prediction: Some(Prediction::Detections(Vec::new())),
            error: None,
            tensor_sha256: None,
            outputs_sha256: outputs.map(ToOwned::to_owned),
        };
        let plain = [result(0, None), result(1, None)];
        let whole = serde_json::to_vec(&plain).expect("JSON");
        for second in [None, Some("ab")] {
            let mut hash = PredictionHash::default();
            hash.add(&result(0, None)).expect("JSON");
            hash.add(&result(1, second)).expect("JSON");
            assert_eq!(hash.finish(), sha256_hex(&whole));
        }
        assert_eq!(PredictionHash::default().finish(), sha256_hex(b"[]"));
    }
}
