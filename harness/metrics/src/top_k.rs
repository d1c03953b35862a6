//! Top-k accuracy.
//!
//! A sample is a hit of top-k when its class is among the first k of the ranking, in which equal
//! scores stand by rising class index. The score also says what it would be if every tie fell well
//! (`optimistic`: fewer than k classes score *more* than the right one) or badly (`pessimistic`: at
//! most k classes, the right one among them, score *as much or more*). A class of the model that
//! the dataset does not have takes a rank and is never right.

use crate::{
    interval::wilson_interval,
    state::BySample,
    table::{Cell, Table},
};
use dyno_core::{
    Annotation, AnnotationKind, Detail, LabelId, Metric, MetricContext, MetricError, MetricKind,
    Prediction, PredictionKind, Ranking, SampleIndex, Score,
};
use serde::Deserialize;
use std::{any::Any, collections::BTreeMap};

const ID: &str = "top-k";

/// Top-1 is at chance when the upper end of its Wilson interval is not above `1/classes` by more
/// than this: no classifier in use is that poor, and shifted labels still hit a few percent through
/// classes that look alike. A handful of samples has an interval that reaches higher.
const CHANCE_MARGIN: f64 = 0.05;

/// The row `top-k`; parameters `{"k": [1, 5]}`.
#[derive(Debug, Clone, Copy)]
pub struct TopK;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Parameters {
    k: Vec<u32>,
}

impl Default for Parameters {
    fn default() -> Self {
        Self { k: vec![1, 5] }
    }
}

impl MetricKind for TopK {
    fn id(&self) -> &'static str {
        ID
    }

    fn about(&self) -> &'static str {
        "share of images whose class is among the first k (k: [1, 5]); ties by class index"
    }

    fn accepts(&self, prediction: PredictionKind, annotation: AnnotationKind) -> bool {
        (prediction, annotation) == (PredictionKind::Ranking, AnnotationKind::Class)
    }

    /// Of `top-1` alone: `CHANCE_MARGIN` above the share that guessing hits.
    fn chance(&self, score: &Score, classes: usize) -> Option<f64> {
        (score.metric == "top-1").then(|| 1.0 / classes.max(1) as f64 + CHANCE_MARGIN)
    }

    fn build(&self, context: &MetricContext<'_>) -> Result<Box<dyn Metric>, MetricError> {
        let refuse = |reason: String| MetricError::Parameters { metric: ID, reason };
        let mut k = match context.parameters {
            serde_json::Value::Null => Parameters::default(),
            value => Parameters::deserialize(value).map_err(|e| refuse(e.to_string()))?,
        }
        .k;
        k.sort_unstable();
        k.dedup();
        if k.is_empty() || k.contains(&0) {
            return Err(refuse("`k` must be a list of numbers from 1 on".to_owned()));
        }
        Ok(Box::new(State {
            k,
            names: context
                .labels
                .labels
                .iter()
                .map(|l| l.name.clone())
                .collect(),
            samples: BySample::default(),
        }))
    }
}

#[derive(Debug, Clone, PartialEq)]
struct Judged {
    truth: LabelId,
    ranking: Ranking,
}

/// Where the right class stands: ranks counted from 0.
struct Standing {
    rank: usize,
    best: usize,
    worst: usize,
}

impl Judged {
    fn standing(&self) -> Option<Standing> {
        if self.truth == LabelId::UNMATCHED {
            return None;
        }
        let classes = &self.ranking.classes;
        let rank = classes.iter().position(|c| c.label == self.truth)?;
        let score = classes.get(rank)?.score;
        let best = classes.iter().filter(|c| c.score > score).count();
        let worst = classes.iter().filter(|c| c.score >= score).count() - 1;
        Some(Standing { rank, best, worst })
    }
}

struct State {
    k: Vec<u32>,
    names: Vec<String>,
    samples: BySample<Judged>,
}

impl State {
    fn scores(&self, weights: Option<&dyn Fn(SampleIndex) -> u32>, intervals: bool) -> Vec<Score> {
        let mut n = 0u64;
        // Hits by rank, at best and at worst, for each k.
        let mut hits = vec![[0u64; 3]; self.k.len()];
        for (sample, judged) in self.samples.iter() {
            let weight = u64::from(weights.map_or(1, |w| w(sample)));
            n += weight;
            let Some(standing) = judged.standing() else {
                continue;
            };
            for (hits, &k) in hits.iter_mut().zip(&self.k) {
                for (hit, rank) in
                    hits.iter_mut()
                        .zip([standing.rank, standing.best, standing.worst])
                {
                    *hit += if rank < k as usize { weight } else { 0 };
                }
            }
        }
        let share = |hits: u64| (n > 0).then(|| hits as f64 / n as f64);
        self.k
            .iter()
            .zip(hits)
            .map(|(k, [hits, best, worst])| Score {
                metric: format!("top-{k}"),
                value: share(hits),
                n,
                hits: Some(hits),
                interval: if intervals {
                    wilson_interval(hits, n)
                } else {
                    None
                },
                optimistic: share(best),
                pessimistic: share(worst),
            })
            .collect()
    }
}

impl State {
    /// Name of a class; of one that the dataset does not have `(another class)`.
    fn name(&self, label: LabelId) -> &str {
        self.names
            .get(label.index())
            .map_or("(another class)", String::as_str)
    }

    /// Columns `class`, one `top-<k>` each, `n`.
    fn per_class(&self) -> Detail {
        let mut hits = vec![(0u64, vec![0u64; self.k.len()]); self.names.len()];
        for (_, judged) in self.samples.iter() {
            let Some((n, hits)) = hits.get_mut(judged.truth.index()) else {
                continue;
            };
            *n += 1;
            let rank = judged.standing().map(|s| s.rank);
            for (hits, &k) in hits.iter_mut().zip(&self.k) {
                *hits += u64::from(rank.is_some_and(|r| r < k as usize));
            }
        }
        let columns = self.class_scores();
        let mut header = vec!["class"];
        header.extend(columns.iter().map(String::as_str));
        header.push("n");
        let mut table = Table::new("per-class", &header);
        for (name, (n, hits)) in self.names.iter().zip(hits) {
            let mut row = vec![Cell::Text(name)];
            row.extend(
                hits.iter()
                    .map(|&h| Cell::from((n > 0).then(|| h as f64 / n as f64))),
            );
            row.push(Cell::Count(n));
            table.row(&row);
        }
        table.finish()
    }

    /// Columns `sample`, `score` (1 ÷ rank of the right class, 0 when it is not listed),
    /// `expected`, `predicted`, `confidence` (the first class and its score), one `top-<k>` each (1
    /// for a hit, 0 for a miss).
    fn per_image(&self, sample_id: &dyn Fn(SampleIndex) -> String) -> Detail {
        let columns: Vec<String> = self.k.iter().map(|k| format!("top-{k}")).collect();
        let mut header = vec!["sample", "score", "expected", "predicted", "confidence"];
        header.extend(columns.iter().map(String::as_str));
        let mut table = Table::new("per-image", &header);
        for (sample, judged) in self.samples.iter() {
            let id = sample_id(sample);
            let rank = judged.standing().map(|s| s.rank);
            let first = judged.ranking.classes.first();
            let mut row = vec![
                Cell::Text(&id),
                Cell::Number(rank.map_or(0.0, |r| 1.0 / (r + 1) as f64)),
                Cell::Text(self.name(judged.truth)),
                first.map_or(Cell::Absent, |c| Cell::Text(self.name(c.label))),
                Cell::from(first.map(|c| f64::from(c.score))),
            ];
            row.extend(
                self.k
                    .iter()
                    .map(|&k| Cell::Count(u64::from(rank.is_some_and(|r| r < k as usize)))),
            );
            table.row(&row);
        }
        table.finish()
    }

    /// Columns `expected`, `predicted`, `n`: the pairs that occur, by class.
    fn confusion(&self) -> Detail {
        let mut pairs: BTreeMap<(LabelId, LabelId), u64> = BTreeMap::new();
        for (_, judged) in self.samples.iter() {
            if let Some(first) = judged.ranking.classes.first() {
                *pairs.entry((judged.truth, first.label)).or_default() += 1;
            }
        }
        let mut table = Table::new("confusion", &["expected", "predicted", "n"]);
        for ((expected, predicted), n) in pairs {
            table.row(&[
                Cell::Text(self.name(expected)),
                Cell::Text(self.name(predicted)),
                Cell::Count(n),
            ]);
        }
        table.finish()
    }
}

impl Metric for State {
    fn update(
        &mut self,
        sample: SampleIndex,
        prediction: &Prediction,
        annotation: &Annotation,
    ) -> Result<(), MetricError> {
        let (Prediction::Ranking(ranking), &Annotation::Class(truth)) = (prediction, annotation)
        else {
            return Err(MetricError::Kind {
                metric: ID,
                needs: "a ranking and an annotated class",
            });
        };
        let greatest = self.k.last().copied().unwrap_or(0);
        if ranking.k < greatest {
            return Err(MetricError::Engine {
                metric: ID,
                reason: format!(
                    "sample {}: top-{greatest} needs a ranking down to {greatest}, and this one ends at {}",
                    sample.0, ranking.k
                ),
            });
        }
        if ranking.classes.iter().any(|c| c.score.is_nan())
            || !ranking.classes.is_sorted_by(|a, b| a.score >= b.score)
        {
            return Err(MetricError::Engine {
                metric: ID,
                reason: format!("sample {}: the ranking is not by falling score", sample.0),
            });
        }
        self.samples.insert(
            sample,
            Judged {
                truth,
                ranking: ranking.clone(),
            },
        )
    }

    fn merge(&mut self, other: Box<dyn Metric>) -> Result<(), MetricError> {
        let other = (other as Box<dyn Any>)
            .downcast::<Self>()
            .map_err(|_| MetricError::Merge { metric: ID })?;
        if other.k != self.k || other.names != self.names {
            return Err(MetricError::Merge { metric: ID });
        }
        self.samples.merge(other.samples)
    }

    fn finish(
        &self,
        weights: Option<&dyn Fn(SampleIndex) -> u32>,
    ) -> Result<Vec<Score>, MetricError> {
        Ok(self.scores(weights, false))
    }

    fn finish_with_intervals(
        &self,
        _resamples: u32,
        _seed: u64,
    ) -> Result<Vec<Score>, MetricError> {
        Ok(self.scores(None, true))
    }

    fn class_scores(&self) -> Vec<String> {
        self.k.iter().map(|k| format!("top-{k}")).collect()
    }

    fn details(
        &self,
        sample_id: &dyn Fn(SampleIndex) -> String,
    ) -> Result<Vec<Detail>, MetricError> {
        Ok(vec![
            self.per_class(),
            self.per_image(sample_id),
            self.confusion(),
        ])
    }
}

#[cfg(test)]
mod tests;
