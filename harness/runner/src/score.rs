//! From the shards of a run to scores.

use crate::{error::RunError, tables::Tables};
use dyno_core::{
    AccuracyPlan, Artifact, Dataset, LabelId, LabelMatch, MetricContext, Prediction, SampleFailure,
    SampleIndex, SampleResult, Score, Shard, sha256_hex,
};
use dyno_evidence::RunFolder;
use std::collections::BTreeMap;

/// What the model said, in sample order.
#[derive(Debug, Clone, Default)]
pub struct Predictions {
    /// One per sample, class ids being the model's.
    pub results: Vec<SampleResult>,
}

impl Predictions {
    /// sha256 over ids and predictions in sample order, whatever the shards were.
    ///
    /// # Errors
    /// When a number has no JSON form.
    pub fn sha256(&self) -> Result<String, RunError> {
        let bytes = serde_json::to_vec(&self.results).map_err(dyno_core::CanonicalError::from)?;
        Ok(sha256_hex(&bytes))
    }

    /// Samples without a prediction.
    pub fn failures(&self) -> Vec<SampleFailure> {
        self.results
            .iter()
            .filter_map(|r| {
                r.error.as_ref().map(|e| SampleFailure {
                    id: r.id.clone(),
                    error: e.clone(),
                })
            })
            .collect()
    }

    /// Hash over the input tensors of the samples `hashed`, and how many of them have one. A sample
    /// without is part of the hash, so that it cannot fall out unseen. Absent when none has one.
    pub fn tensors(&self, hashed: &[SampleIndex]) -> (Option<String>, u32) {
        let (mut lines, mut count) = (Vec::with_capacity(hashed.len()), 0);
        for index in hashed {
            let found = self
                .results
                .iter()
                .find(|r| r.index == *index)
                .and_then(|r| r.tensor_sha256.as_deref());
            count += u32::from(found.is_some());
            lines.push(format!("{}:{}", index.0, found.unwrap_or("-")));
        }
        if count == 0 {
            (None, 0)
        } else {
            (Some(sha256_hex(lines.join("\n").as_bytes())), count)
        }
    }
}

/// Reads shards of a run folder. A shard of another plan is refused.
///
/// # Errors
/// When a file is missing, changed or of another plan.
pub fn read_predictions(
    folder: &RunFolder,
    plan_sha256: &str,
    shards: &BTreeMap<u32, Artifact>,
) -> Result<Predictions, RunError> {
    let mut results = Vec::new();
    for artifact in shards.values() {
        let bytes = folder.get(artifact)?;
        let shard: Shard = serde_json::from_slice(&bytes).map_err(|e| {
            RunError::Internal(format!("shard `{}` is malformed: {e}", artifact.sha256))
        })?;
        if shard.plan_sha256 != plan_sha256 {
            return Err(RunError::Internal(format!(
                "shard `{}` belongs to another plan",
                artifact.sha256
            )));
        }
        results.extend(shard.results);
    }
    results.sort_by_key(|r| r.index);
    Ok(Predictions { results })
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

/// The scores of all metrics of the plan, with intervals. Reads nothing but predictions and
/// annotations.
///
/// # Errors
/// When a metric refuses.
pub fn score(
    accuracy: &AccuracyPlan,
    tables: &Tables,
    dataset: &dyn Dataset,
    predictions: &Predictions,
    labels: &LabelMatch,
) -> Result<Vec<Score>, RunError> {
    let mut scores = Vec::new();
    let facts = dataset.facts();
    for named in &accuracy.metrics {
        let kind = tables.metric(&named.name)?;
        let mut metric = kind.build(&MetricContext {
            labels: &facts.labels,
            parameters: &named.parameters,
        })?;
        for result in &predictions.results {
            let Some(prediction) = &result.prediction else {
                continue;
            };
            let entry =
                dataset
                    .entries()
                    .get(result.index.index())
                    .ok_or(RunError::DatasetChanged {
                        expected: result.index.index(),
                        found: dataset.entries().len(),
                    })?;
            if entry.id != result.id {
                return Err(RunError::Internal(format!(
                    "sample {} is `{}` in the shard and `{}` in the dataset",
                    result.index.0, result.id, entry.id
                )));
            }
            metric.update(
                result.index,
                &to_dataset(prediction, labels),
                &entry.annotation,
            )?;
        }
        scores.extend(metric.finish_with_intervals(accuracy.resamples, accuracy.seed)?);
    }
    Ok(scores)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_without_tensors_changes_their_hash() {
        let result = |index, sha: Option<&str>| SampleResult {
            index: SampleIndex(index),
            id: index.to_string(),
            prediction: None,
            error: None,
            tensor_sha256: sha.map(ToOwned::to_owned),
        };
        let hashed = [SampleIndex(1), SampleIndex(4)];
        let tensors = |results| Predictions { results }.tensors(&hashed);
        let whole = tensors(vec![
            result(1, Some("a")),
            result(4, Some("b")),
            result(9, Some("c")),
        ]);
        assert_eq!(whole, (Some(sha256_hex(b"1:a\n4:b")), 2));
        assert_eq!(
            tensors(vec![result(1, Some("a")), result(4, None)]),
            (Some(sha256_hex(b"1:a\n4:-")), 1)
        );
        assert_ne!(
            tensors(vec![result(1, Some("a"))]).0,
            tensors(vec![result(4, Some("a"))]).0
        );
        assert_eq!(tensors(vec![result(1, None)]), (None, 0));
    }
}
