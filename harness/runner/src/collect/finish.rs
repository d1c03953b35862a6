//! Scoring what was measured, and sealing the record.

use super::{Collector, warnings};
use crate::{
    accuracy::HASHED_SAMPLES,
    bound,
    error::RunError,
    open,
    results::Times,
    score::{Predictions, Scored, score},
    verdict::{self, Judged},
};
use dyno_core::{
    AccuracyPlan, AccuracyResult, Artifact, Dataset, DetailRef, Execution, LabelMatch, Lineage,
    Measurement, MeasurementResult, Plan, PlanRecord, Record, RecordFile, RecordParts,
    SampleFailure, SampleSetRecord, Score, Series, Subject, Tables, ThresholdSet, Validity,
    ValidityCode, Warning, match_labels,
};
use dyno_evidence::RunFolder;

/// Greatest number of class names that a record lists.
const LISTED_NAMES: usize = 20;

/// A run, done.
#[derive(Debug)]
pub struct RunOutcome {
    /// The record, sealed.
    pub record: Record,
    /// What the model said, class ids being the model's; absent without an accuracy half.
    pub predictions: Option<Predictions>,
    /// Samples that failed, in any half of the run, each once.
    pub failures: Vec<SampleFailure>,
    /// More failed than allowed.
    pub too_many_failures: bool,
    /// It was interrupted.
    pub partial: bool,
    /// The scores miss the model's reference: in which way.
    pub missed_reference: Option<String>,
    /// How the classes met.
    pub labels: LabelMatch,
}

/// The accuracy half of a record in the making.
struct Accuracy {
    measurement: Measurement,
    scored: Scored,
    predictions: Predictions,
    artifacts: Vec<Artifact>,
    per_class: Vec<(String, Vec<u8>)>,
    whole: bool,
    too_many: bool,
}

impl Collector {
    /// Scores what was measured and seals the record. Machine and program are those that the
    /// workers named. Without an [`dyno_core::Event::Finished`] the run failed or died on the way:
    /// the outcome is partial.
    ///
    /// # Errors
    /// When no worker has begun, a shard cannot be read, two workers contradict each other, or a
    /// metric refuses; [`RunError::Changed`] when a worker that failed left the model's files
    /// changed.
    pub fn finish(mut self, plan: &Plan, tables: &Tables) -> Result<RunOutcome, RunError> {
        let (tool, created_utc) = {
            let first = self.workers.values().next();
            let tool = first.map(|w| w.tool.clone());
            let began = self.workers.values().map(|w| w.started_utc.clone()).min();
            tool.zip(began)
                .ok_or_else(|| RunError::Protocol("no worker said who it is".to_owned()))?
        };
        if !self.finished {
            self.partial = true;
            // A worker that finished has looked; one that did not may have failed for this very
            // reason.
            bound::check_files(plan)?;
        }
        let dataset = open::dataset(plan, tables)?;
        let labels = match_labels(&plan.bindings.labels, &dataset.facts().labels)
            .map_err(|e| RunError::Internal(e.to_string()))?;
        let accuracy = match &plan.spec.accuracy {
            Some(accuracy) => self.accuracy(plan, accuracy, tables, dataset.as_ref(), &labels)?,
            None => None,
        };
        self.performance.sort_by_key(|p| p.number);
        let mut artifacts = Vec::new();
        let mut measurements = Vec::new();
        let mut failures: Vec<SampleFailure> = Vec::new();
        let mut too_many_failures = false;
        let mut judged = Judged::No;
        let mut scores: Vec<Score> = Vec::new();
        let mut chance = false;
        let mut tensors = (None, 0);
        let mut predictions = None;
        if let Some(half) = accuracy {
            let Accuracy { scored, .. } = half;
            self.partial |= !half.whole;
            if half.whole {
                judged = Judged::All {
                    failed: scored.failures.len(),
                };
            }
            too_many_failures |= half.too_many;
            chance = verdict::at_chance(&scored.scores, dataset.facts().labels.len());
            let found = warnings::of_scores(&scored, &half.per_class);
            self.warnings.extend(found);
            scores = scored.scores.into_iter().flat_map(|(_, s)| s).collect();
            tensors = scored.tensors;
            failures = scored.failures;
            predictions = Some(half.predictions);
            measurements.push(half.measurement);
            artifacts.extend(half.artifacts);
        }
        for done in std::mem::take(&mut self.performance) {
            let code = ValidityCode::TooManyErrors;
            too_many_failures |= done.measurement.validity.codes.contains(&code);
            for failure in done.failures {
                if !failures.iter().any(|f| f.id == failure.id) {
                    failures.push(failure);
                }
            }
            measurements.push(done.measurement);
            artifacts.extend(done.artifacts);
        }
        if !too_many_failures {
            let count = plan.bindings.sample_set.samples.len();
            self.warnings
                .extend(warnings::of_failures(&failures, count));
        }
        let sample_set = &plan.bindings.sample_set.id;
        let standing = verdict::standing(judged, &plan.spec.model, sample_set, &scores);
        verdict::apply(&mut measurements, &standing, chance, &mut self.warnings);
        self.warnings
            .extend(warnings::of_plan(plan, tables, &labels));
        let record = Record::seal(RecordParts {
            created_utc,
            tool,
            subjects: vec![subject(plan)],
            plan: PlanRecord {
                spec: plan.spec.clone(),
                sha256: self.plan_sha256,
            },
            machines: self.machines,
            sample_sets: vec![sample_set_record(plan, &labels, tensors)],
            measurements,
            warnings: merged(self.warnings),
            artifacts,
        })?;
        let missed_reference = match standing {
            verdict::Standing::Missed(detail) => Some(detail),
            _ => None,
        };
        Ok(RunOutcome {
            record,
            predictions,
            failures,
            too_many_failures,
            partial: self.partial,
            missed_reference,
            labels,
        })
    }

    /// `None` when no worker opened the model for it.
    fn accuracy(
        &self,
        plan: &Plan,
        accuracy: &AccuracyPlan,
        tables: &Tables,
        dataset: &dyn Dataset,
        labels: &LabelMatch,
    ) -> Result<Option<Accuracy>, RunError> {
        let at_work = || self.workers.values().filter(|w| w.execution.is_some());
        let Some(execution) = self.execution()? else {
            return Ok(None);
        };
        let folder = RunFolder::open(&plan.bindings.run_folder)?;
        let (sha256, shards) = (self.plan_sha256.clone(), self.shards.clone());
        let predictions = Predictions::new(folder.clone(), sha256, shards);
        for (number, artifact) in &self.again {
            predictions.check_same(*number, artifact)?;
        }
        let set = &plan.bindings.sample_set;
        let hashed = set.samples.get(..HASHED_SAMPLES.min(set.samples.len()));
        let repeats = set.repeats();
        let mut scored = score(
            accuracy,
            tables,
            dataset,
            &predictions,
            labels,
            &repeats,
            hashed.unwrap_or_default(),
        )?;
        let whole = scored.results == set.samples.len();
        let too_many = scored.failures.len() > accuracy.max_errors as usize;
        let mut codes = Vec::new();
        // A whole accuracy run stays whole when something after it was interrupted.
        if !whole {
            codes.push(ValidityCode::Partial);
        }
        if too_many {
            codes.push(ValidityCode::TooManyErrors);
        }
        let shards: Vec<Artifact> = self.shards.values().cloned().collect();
        let mut artifacts = vec![folder.put_list("shards", &shards)?];
        let (mut details, mut per_class) = (Vec::new(), Vec::new());
        let several = scored.details.len() > 1;
        for (kind, found) in std::mem::take(&mut scored.details) {
            for detail in found {
                let name = if several {
                    format!("{}-{}", kind.id(), detail.name)
                } else {
                    detail.name.clone()
                };
                let artifact = folder.put(&name, detail.format, &detail.bytes)?;
                details.push(DetailRef {
                    name,
                    format: detail.format.to_owned(),
                    sha256: artifact.sha256.clone(),
                });
                artifacts.push(artifact);
                if detail.name == "per-class" {
                    per_class.push((kind.id().to_owned(), detail.bytes));
                }
            }
        }
        let mut times = Times::default();
        for worker in at_work() {
            times.add(&worker.times);
        }
        let mut machines: Vec<u32> = at_work().map(|w| w.machine).collect();
        machines.sort_unstable();
        machines.dedup();
        let thresholds = open::thresholds(plan, ThresholdSet::Evaluate);
        let series = Series::accuracy(&plan.spec.model, &execution, thresholds, &set.id);
        let result = AccuracyResult {
            sample_set: set.id.clone(),
            scores: scored.scores.iter().flat_map(|(_, s)| s.clone()).collect(),
            details,
            n: scored.judged,
            failed: scored.failures.len() as u64,
            // Workers run beside each other.
            wall_ns: at_work().map(|w| w.wall_ns).max().unwrap_or(0),
            engine_ns: times.engine_ns,
            host_ns: times.host_ns,
            predictions_sha256: scored.predictions_sha256.clone(),
        };
        let measurement = Measurement {
            subject: 0,
            machines,
            started_utc: at_work()
                .map(|w| w.started_utc.clone())
                .min()
                .unwrap_or_default(),
            order: 0,
            execution,
            series_sha256: series.sha256()?,
            series,
            threshold_set: thresholds.map(|_| ThresholdSet::Evaluate),
            thresholds,
            sensors: Vec::new(),
            result: MeasurementResult::Accuracy(Box::new(result)),
            validity: Validity::from_codes(codes),
        };
        Ok(Some(Accuracy {
            measurement,
            scored,
            predictions,
            artifacts,
            per_class,
            whole,
            too_many,
        }))
    }

    /// What ran the accuracy half: the same for all workers but for how each divides its machine.
    fn execution(&self) -> Result<Option<Execution>, RunError> {
        let mut executions = self.workers.values().filter_map(|w| w.execution.as_ref());
        let Some(first) = executions.next() else {
            return Ok(None);
        };
        for other in executions {
            let same = Execution {
                threads: first.threads,
                slots: first.slots,
                ..other.clone()
            };
            if same != *first {
                return Err(RunError::Internal(format!(
                    "the workers ran different engines: {} ({}) and {} ({})",
                    first.library, first.precision, other.library, other.precision
                )));
            }
        }
        Ok(Some(first.clone()))
    }
}

fn subject(plan: &Plan) -> Subject {
    let model = &plan.spec.model;
    let lineage = model.origin.iter().map(|origin| Lineage {
        relation: origin.relation.clone(),
        tool: origin.tool.clone(),
        sources: vec![origin.derived_from.clone()],
    });
    Subject {
        reference: model.reference.clone(),
        framework: model.framework,
        files: model
            .files
            .iter()
            .map(|f| RecordFile {
                role: f.role,
                sha256: f.sha256.clone(),
            })
            .collect(),
        lineage: lineage.collect(),
    }
}

fn sample_set_record(
    plan: &Plan,
    labels: &LabelMatch,
    (tensors_sha256, tensors_count): (Option<String>, u32),
) -> SampleSetRecord {
    let set = &plan.bindings.sample_set;
    // Without a score nobody is compared with anybody.
    let listed = match plan.spec.accuracy {
        Some(_) => LISTED_NAMES,
        None => 0,
    };
    let first = |names: &[String]| names.iter().take(listed).cloned().collect();
    SampleSetRecord {
        id: set.id.clone(),
        name: set.name.clone(),
        name_source: set.name_source,
        count: set.count,
        of: set.of,
        distinct: set.distinct,
        sha256: set.sha256.clone(),
        tensors_sha256,
        tensors_count,
        unmatched_model: first(&labels.unmatched_model),
        unmatched_dataset: first(&labels.unmatched_dataset),
    }
}

/// Warnings that several workers say alike are one.
fn merged(warnings: Vec<Warning>) -> Vec<Warning> {
    let mut kept: Vec<Warning> = Vec::with_capacity(warnings.len());
    for warning in warnings {
        if !kept.contains(&warning) {
            kept.push(warning);
        }
    }
    kept
}
