//! Drives the engines over the samples.

use super::{
    agreement::{Agreement, PairAgreement, ScoreDifference, Tolerance},
    candidate::{Answered, Candidate},
    compare::{Gathered, odd_one_out, pair},
};
use crate::{
    error::RunError,
    guard::of_sample,
    open,
    prepare::chain,
    sample::Samples,
    watchdog::{Overdue, Watchdog},
    worker::{attended, limit},
};
use dyno_core::{Event, Plan, Prediction, SampleFailure, SampleIndex, Tables, sha256_hex};
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
};

/// Half samples that the interval of a difference comes from.
const HALVES: u32 = 60;
/// Fewest samples of an interval.
const INTERVAL_SAMPLES: usize = 30;
/// Half the width of a 95 % interval in standard deviations.
const Z_95: f64 = 1.959_963_984_540_054;

/// Runs the samples of the first plan through the engine of every plan. All plans must name the
/// same sample set; `names` call them in the answer, in order. `sink` hears of progress, `stop`
/// ends it early; `overdue` as in [`crate::worker`].
///
/// # Errors
/// When a plan has no accuracy half or names other samples, a model cannot be opened, the bytes of
/// a sample are not those of the plan, or an engine panics. Samples that fail are in the answer.
pub fn verify(
    plans: &[Plan],
    names: &[String],
    tables: &Tables,
    tolerance: Tolerance,
    sink: &(dyn Fn(Event) + Sync),
    stop: &AtomicBool,
    overdue: &(dyn Fn(&Overdue) + Sync),
) -> Result<Agreement, RunError> {
    let [first, ..] = plans else {
        return Err(RunError::Plan("there is nothing to verify".to_owned()));
    };
    for plan in plans {
        if plan.spec.accuracy.is_none() {
            return Err(RunError::Plan(
                "verifying needs a data set and a decoder".to_owned(),
            ));
        }
        if plan.spec.sample_set != first.spec.sample_set {
            return Err(RunError::Plan(
                "the plans name different sample sets".to_owned(),
            ));
        }
    }
    let watchdog = Watchdog::new(limit(first.bindings.engine_timeout_ns)?);
    attended(&watchdog, overdue, || {
        let dataset = open::dataset(first, tables)?;
        let mut candidates = Vec::new();
        for (plan, name) in plans.iter().zip(names) {
            let name = name.clone();
            candidates.push(Candidate::open(
                name,
                plan,
                tables,
                dataset.as_ref(),
                &watchdog,
            )?);
        }
        let mut pairs = Pair::all(&candidates, tolerance);
        let samples = Samples::new(first, dataset.as_ref());
        let total = samples.len() as u64;
        let (mut failures, mut judged) = (Vec::new(), Vec::new());
        let mut partial = false;
        for position in 0..samples.len() {
            if stop.load(Ordering::Relaxed) {
                partial = true;
                break;
            }
            sink(Event::Progress {
                stage: "verify".to_owned(),
                done: position as u64,
                total,
            });
            let id = samples.id(position);
            let index = first.bindings.sample_set.samples[position];
            let truth = of_sample(|| dataset.truth(index).map_err(|e| chain(&e)));
            let answers = match (samples.load(position)?, truth.and_then(|inner| inner)) {
                (Ok(sample), Ok(truth)) => {
                    answers(&mut candidates, &sample, &id)?.map(|answers| (answers, truth))
                }
                (Err(words), _) | (_, Err(words)) => Err(words),
            };
            match answers {
                Ok((answers, truth)) => {
                    for pair in &mut pairs {
                        pair.add(&id, &answers);
                    }
                    for (candidate, answer) in candidates.iter_mut().zip(&answers) {
                        candidate.judge(index, &answer.prediction, &truth)?;
                    }
                    judged.push(index);
                }
                Err(error) => failures.push(SampleFailure { id, error }),
            }
        }
        sink(Event::Finished { partial });
        conclude(
            first,
            tolerance,
            &candidates,
            pairs,
            &judged,
            failures,
            partial,
        )
    })
}

/// What every engine makes of a sample; the inner error names the first that failed.
fn answers(
    candidates: &mut [Candidate<'_>],
    sample: &dyno_core::Sample,
    id: &str,
) -> Result<Result<Vec<Answered>, String>, RunError> {
    let mut answers = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        match candidate.run(sample, id)? {
            Ok(answer) => answers.push(answer),
            Err(words) => return Ok(Err(format!("{}: {words}", candidate.name()))),
        }
    }
    Ok(Ok(answers))
}

/// Two engines in the making of their agreement.
struct Pair {
    a: usize,
    b: usize,
    places: Vec<usize>,
    outputs: Vec<Gathered>,
    not_compared: Option<String>,
    flips: Option<u64>,
    /// Samples of which one of the two said anything.
    said: u64,
}

impl Pair {
    fn all(candidates: &[Candidate<'_>], tolerance: Tolerance) -> Vec<Self> {
        let mut pairs = Vec::new();
        for (a, first) in candidates.iter().enumerate() {
            for (b, second) in candidates.iter().enumerate().skip(a + 1) {
                let paired = pair(first.outputs(), second.outputs());
                let gathered = |info: &dyno_core::TensorInfo| Gathered::new(&info.name, tolerance);
                let (places, not_compared) = match paired {
                    Ok(places) => (places, None),
                    Err(words) => (Vec::new(), Some(words)),
                };
                pairs.push(Self {
                    a,
                    b,
                    outputs: match not_compared {
                        None => first.outputs().iter().map(gathered).collect(),
                        Some(_) => Vec::new(),
                    },
                    places,
                    not_compared,
                    flips: None,
                    said: 0,
                });
            }
        }
        pairs
    }

    fn add(&mut self, id: &str, answers: &[Answered]) {
        let (Some(a), Some(b)) = (answers.get(self.a), answers.get(self.b)) else {
            return;
        };
        if self.not_compared.is_none() {
            for (gathered, (x, place)) in self
                .outputs
                .iter_mut()
                .zip(a.outputs.iter().zip(&self.places))
            {
                let y = b.outputs.get(*place).map_or(&[][..], Vec::as_slice);
                if let Err(words) = gathered.add(id, x, y) {
                    self.not_compared = Some(words);
                    break;
                }
            }
        }
        let silent = |p: &Prediction| match p {
            Prediction::Ranking(ranking) => ranking.classes.is_empty(),
            Prediction::Detections(detections) => detections.is_empty(),
        };
        self.said += u64::from(!silent(&a.prediction) || !silent(&b.prediction));
        if let (Prediction::Ranking(x), Prediction::Ranking(y)) = (&a.prediction, &b.prediction) {
            let best = |r: &dyno_core::Ranking| r.classes.first().map(|c| c.label);
            *self.flips.get_or_insert(0) += u64::from(best(x) != best(y));
        }
    }

    fn finish(
        self,
        candidates: &[Candidate<'_>],
        judged: &[SampleIndex],
        tolerance: Tolerance,
    ) -> Result<PairAgreement, RunError> {
        let (a, b) = (&candidates[self.a], &candidates[self.b]);
        let scores = differences(a, b, judged)?;
        let outputs: Vec<_> = match self.not_compared {
            None => self.outputs.into_iter().map(Gathered::finish).collect(),
            Some(_) => Vec::new(),
        };
        let flips = self.flips.is_none_or(|flips| flips <= tolerance.flips);
        let agrees = if self.not_compared.is_none() {
            flips && outputs.iter().all(|o| o.of_tolerance <= 1.0)
        } else {
            // Two that say nothing have not been compared at all.
            flips
                && self.said > 0
                && !scores.is_empty()
                && scores.iter().all(|s| s.difference.abs() <= tolerance.score)
        };
        Ok(PairAgreement {
            a: a.name().to_owned(),
            b: b.name().to_owned(),
            outputs,
            not_compared: self.not_compared,
            top_1_flips: self.flips,
            scores,
            agrees,
        })
    }
}

/// Scores of two candidates, by metric; per-class ones are left out.
fn differences(
    a: &Candidate<'_>,
    b: &Candidate<'_>,
    judged: &[SampleIndex],
) -> Result<Vec<ScoreDifference>, RunError> {
    type Weights<'w> = Option<&'w dyn Fn(SampleIndex) -> u32>;
    let scores =
        |c: &Candidate<'_>, weights: Weights<'_>| -> Result<BTreeMap<String, f64>, RunError> {
            let mut all = BTreeMap::new();
            for (_, metric) in c.metrics() {
                for score in metric.finish(weights)? {
                    if let Some(value) = score.value.filter(|_| !score.metric.contains('/')) {
                        all.insert(score.metric, value);
                    }
                }
            }
            Ok(all)
        };
    let difference = |weights: Weights<'_>| -> Result<BTreeMap<String, f64>, RunError> {
        let (a, b) = (scores(a, weights)?, scores(b, weights)?);
        let both = a
            .iter()
            .filter_map(|(m, x)| Some((m.clone(), b.get(m)? - x)));
        Ok(both.collect())
    };
    let whole = difference(None)?;
    let mut spread: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    if judged.len() >= INTERVAL_SAMPLES && whole.values().any(|d| d.abs() > 0.0) {
        for half in 0..HALVES {
            let chosen = half_of(judged, half);
            let weights = |index: SampleIndex| u32::from(chosen.contains(&index));
            for (metric, value) in difference(Some(&weights))? {
                spread.entry(metric).or_default().push(value);
            }
        }
    }
    Ok(whole
        .into_iter()
        .map(|(metric, difference)| {
            let interval = if judged.len() < INTERVAL_SAMPLES {
                None
            } else {
                // A half drawn without replacement scatters around the whole as much as the whole
                // does around the population.
                let values = spread.get(&metric).map_or(&[][..], Vec::as_slice);
                let square = |v: &f64| (v - difference).powi(2);
                let deviation = if values.is_empty() {
                    0.0
                } else {
                    (values.iter().map(square).sum::<f64>() / values.len() as f64).sqrt()
                };
                Some([difference - Z_95 * deviation, difference + Z_95 * deviation])
            };
            ScoreDifference {
                metric,
                difference,
                interval,
            }
        })
        .collect())
}

/// Half of the samples, drawn without replacement; the same for the same number.
fn half_of(judged: &[SampleIndex], number: u32) -> std::collections::BTreeSet<SampleIndex> {
    let mut order: Vec<(String, SampleIndex)> = judged
        .iter()
        .map(|i| (sha256_hex(format!("{number}:{}", i.0).as_bytes()), *i))
        .collect();
    order.sort();
    order.truncate(judged.len() / 2);
    order.into_iter().map(|(_, i)| i).collect()
}

fn conclude(
    plan: &Plan,
    tolerance: Tolerance,
    candidates: &[Candidate<'_>],
    pairs: Vec<Pair>,
    judged: &[SampleIndex],
    failures: Vec<SampleFailure>,
    partial: bool,
) -> Result<Agreement, RunError> {
    let places: Vec<(usize, usize)> = pairs.iter().map(|p| (p.a, p.b)).collect();
    let mut finished = Vec::with_capacity(pairs.len());
    for pair in pairs {
        finished.push(pair.finish(candidates, judged, tolerance)?);
    }
    let odd = odd_one_out(candidates.len(), &|a, b| {
        let at = places.iter().position(|p| *p == (a, b));
        at.and_then(|at| finished.get(at)).is_some_and(|p| p.agrees)
    });
    let engines = candidates
        .iter()
        .map(Candidate::finish)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Agreement {
        sample_set: plan.spec.sample_set.clone(),
        samples: judged.len() as u64,
        failures,
        partial,
        odd_one_out: odd
            .and_then(|i| candidates.get(i))
            .map(|c| c.name().to_owned()),
        engines,
        pairs: finished,
        tolerance,
    })
}
