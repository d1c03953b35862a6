//! From the events of one run to its record.

use crate::{
    accuracy::HASHED_SAMPLES,
    bound,
    error::RunError,
    open,
    results::Times,
    score::{Predictions, read_predictions, score},
    tables::Tables,
    verdict::{self, Judged},
};
use dyno_core::{
    Artifact, Event, Execution, LabelMatch, Machine, Measurement, MeasurementKind,
    PerformanceResult, Plan, PlanRecord, RECORD_SCHEMA, Record, RecordFile, SampleFailure,
    SampleSetRecord, Score, Subject, ThresholdSet, Tool, Validity, ValidityCode, Warning,
    WarningCode, match_labels,
};
use dyno_evidence::RunFolder;
use std::collections::BTreeMap;

/// Greatest number of class names that a record lists.
const LISTED_NAMES: usize = 20;

/// Gathers events.
#[derive(Debug, Default)]
pub struct Collector {
    shards: BTreeMap<u32, Artifact>,
    execution: Option<Execution>,
    wall_ns: u64,
    times: Times,
    performance: Vec<PerformanceResult>,
    warnings: Vec<Warning>,
    partial: bool,
    finished: bool,
}

/// A run, done.
#[derive(Debug)]
pub struct RunOutcome {
    /// The record, sealed.
    pub record: Record,
    /// What the model said, class ids being the model's.
    pub predictions: Predictions,
    /// Samples that failed.
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

impl Collector {
    /// Something is there that a record could hold.
    pub fn has_measured(&self) -> bool {
        !self.shards.is_empty() || !self.performance.is_empty()
    }

    /// Takes one event.
    pub fn on(&mut self, event: &Event) {
        match event {
            Event::Opened { execution } => self.execution = Some(execution.clone()),
            Event::ShardDone { number, artifact } => {
                self.shards.insert(*number, artifact.clone());
            }
            Event::AccuracyDone {
                wall_ns,
                engine_ns,
                host_ns,
            } => {
                self.wall_ns = *wall_ns;
                self.times = Times {
                    engine_ns: *engine_ns,
                    host_ns: *host_ns,
                };
            }
            Event::Performance(result) => self.performance.push(result.clone()),
            Event::Warned(warning) => self.warnings.push(warning.clone()),
            Event::Finished { partial } => {
                self.partial |= *partial;
                self.finished = true;
            }
            Event::Died { .. } | Event::Failed { .. } => self.partial = true,
            Event::Started { .. }
            | Event::Progress { .. }
            | Event::Working { .. }
            | Event::SampleFailed(_) => {}
        }
    }

    /// Scores what was measured and seals the record. `machine` is the state at the beginning of
    /// the run. Without an [`Event::Finished`] the run failed or died on the way: the outcome is
    /// partial.
    ///
    /// # Errors
    /// When a shard cannot be read or a metric refuses; [`RunError::Changed`] when a worker that
    /// failed left the model's files changed.
    pub fn finish(
        mut self,
        plan: &Plan,
        tables: &Tables,
        tool: Tool,
        machine: Machine,
        created_utc: String,
    ) -> Result<RunOutcome, RunError> {
        if !self.finished {
            self.partial = true;
            // A worker that finished has looked; one that did not may have failed for this very
            // reason.
            bound::check_files(plan)?;
        }
        let folder = RunFolder::open(&plan.bindings.run_folder)?;
        let dataset = open::dataset(plan, tables)?;
        let plan_sha256 = plan.spec.sha256()?;
        let set = &plan.bindings.sample_set;
        let labels = match_labels(&plan.bindings.labels, &dataset.facts().labels);
        let predictions = read_predictions(&folder, &plan_sha256, &self.shards)?;
        let failures = predictions.failures();
        let mut measurements = Vec::new();
        let mut scores = Vec::new();
        let mut too_many_failures = false;
        let mut judged_of = Judged::No;
        if let (Some(accuracy), Some(execution)) = (&plan.spec.accuracy, self.execution.take()) {
            let judged = predictions.results.len() - failures.len();
            let whole = predictions.results.len() == set.samples.len();
            self.partial |= !whole;
            if whole {
                judged_of = Judged::All {
                    failed: failures.len(),
                };
            }
            too_many_failures = failures.len() > accuracy.max_errors as usize;
            scores = if judged > 0 {
                score(accuracy, tables, dataset.as_ref(), &predictions, &labels)?
            } else {
                Vec::new()
            };
            let mut codes = Vec::new();
            // A whole accuracy run stays whole when something after it was interrupted.
            if !whole {
                codes.push(ValidityCode::Partial);
            }
            if too_many_failures {
                codes.push(ValidityCode::TooManyErrors);
            } else if !failures.is_empty() {
                self.warnings.push(Warning {
                    code: WarningCode::SamplesFailed,
                    detail: format!(
                        "{} of {} samples failed, the first: `{}`",
                        failures.len(),
                        predictions.results.len(),
                        failures[0].id
                    ),
                });
            }
            measurements.push(Measurement {
                execution,
                kind: MeasurementKind::Accuracy {
                    sample_set: set.id.clone(),
                    scores: scores.clone(),
                    thresholds: open::thresholds(plan, ThresholdSet::Evaluate),
                    n: judged as u64,
                    failed: failures.len() as u64,
                    wall_ns: self.wall_ns,
                    engine_ns: self.times.engine_ns,
                    host_ns: self.times.host_ns,
                    predictions_sha256: predictions.sha256()?,
                },
                validity: Validity::from_codes(codes),
            });
        }
        self.performance.sort_by_key(|p| p.number);
        let mut artifacts: Vec<Artifact> = std::mem::take(&mut self.shards).into_values().collect();
        for result in std::mem::take(&mut self.performance) {
            measurements.push(result.measurement);
            artifacts.extend(result.artifacts);
        }
        let standing = verdict::standing(judged_of, &plan.spec.model, &set.id, &scores);
        let chance = (tables.is_chance)(&scores, dataset.facts().labels.len());
        verdict::apply(&mut measurements, &standing, chance, &mut self.warnings);
        self.warn_of_labels(plan, &labels);
        self.warnings.extend(classes_without_truth(&scores));
        self.warnings.extend(foreign_load(&machine));
        let hashed = set
            .samples
            .get(..HASHED_SAMPLES.min(set.samples.len()))
            .unwrap_or_default();
        let (tensors_sha256, tensors_count) = predictions.tensors(hashed);
        let listed = if plan.spec.accuracy.is_some() {
            LISTED_NAMES
        } else {
            0
        };
        let first = |names: &[String]| names.iter().take(listed).cloned().collect();
        let sample_set = SampleSetRecord {
            id: set.id.clone(),
            count: set.count,
            sha256: set.sha256.clone(),
            full: set.full,
            tensors_sha256,
            tensors_count,
            unmatched_model: first(&labels.unmatched_model),
            unmatched_dataset: first(&labels.unmatched_dataset),
        };
        let model = &plan.spec.model;
        let record = Record {
            schema: RECORD_SCHEMA.to_owned(),
            id: String::new(),
            created_utc,
            tool,
            subject: Subject {
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
                lineage: model.origin.clone(),
            },
            plan: PlanRecord {
                spec: plan.spec.clone(),
                sha256: plan_sha256,
            },
            machine,
            sample_sets: vec![sample_set],
            measurements,
            warnings: self.warnings,
            artifacts,
        }
        .seal()?;
        let missed_reference = if let verdict::Standing::Missed(detail) = standing {
            Some(detail)
        } else {
            None
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

    fn warn_of_labels(&mut self, plan: &Plan, labels: &LabelMatch) {
        let warning = |code, detail| Warning { code, detail };
        if plan.spec.model.recipe_assumed {
            let recipe = plan.spec.model.recipe.as_deref().unwrap_or("?");
            self.warnings.push(warning(
                WarningCode::RecipeAssumed,
                format!("`{recipe}` is the only recipe that fits the outputs; nobody named it"),
            ));
        }
        if !plan.bindings.sample_set.full && plan.spec.accuracy.is_some() {
            self.warnings.push(warning(WarningCode::Subset, "the samples are a subset: the scores are not comparable with those of the full set".to_owned()));
        }
        // Without a score nobody is compared with anybody.
        if plan.spec.accuracy.is_none() {
            return;
        }
        if !labels.unmatched_dataset.is_empty() {
            let detail = format!(
                "{} classes of the dataset are none of the model's: {}",
                labels.unmatched_dataset.len(),
                some(&labels.unmatched_dataset)
            );
            self.warnings
                .push(warning(WarningCode::LabelsUnmatched, detail));
        }
        if !labels.unmatched_model.is_empty() {
            let detail = format!(
                "{} classes of the model are none of the dataset's: {}",
                labels.unmatched_model.len(),
                some(&labels.unmatched_model)
            );
            self.warnings
                .push(warning(WarningCode::LabelsUnmatched, detail));
        }
    }
}

/// The first names of a list.
fn some(names: &[String]) -> String {
    let shown = names.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > 5 {
        format!("{shown}, …")
    } else {
        shown
    }
}

/// Scores of single classes without a value: the means are over the others.
fn classes_without_truth(scores: &[Score]) -> Option<Warning> {
    let mut names: Vec<String> = Vec::new();
    for score in scores.iter().filter(|s| s.value.is_none()) {
        if let Some(("AP" | "VOC-AP", class)) = score.metric.split_once('/')
            && !names.iter().any(|n| n == class)
        {
            names.push(class.to_owned());
        }
    }
    let detail = format!(
        "{} classes have no object in these samples and were left out of the means: {}",
        names.len(),
        some(&names)
    );
    (!names.is_empty()).then_some(Warning {
        code: WarningCode::ClassesWithoutTruth,
        detail,
    })
}

/// Others were busy: more than half of the cores before the run began.
fn foreign_load(machine: &Machine) -> Option<Warning> {
    let load = machine.load_average_percent?;
    let detail = format!(
        "the load of the last minute was {:.2} on {} cores when the run began",
        f64::from(load) / 100.0,
        machine.cores
    );
    (u64::from(load) > u64::from(machine.cores) * 50).then_some(Warning {
        code: WarningCode::ForeignLoad,
        detail,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_without_a_value_are_counted_once_and_named() {
        let score = |metric: &str, value| Score {
            metric: metric.into(),
            value,
            n: 1,
            hits: None,
            interval: None,
            optimistic: None,
            pessimistic: None,
        };
        let scores = [
            score("AP", None),
            score("AP/cat", None),
            score("VOC-AP/cat", None),
            score("AP/a/b", None),
            score("AP/dog", Some(0.0)),
            score("AR/x", None),
        ];
        let warning = classes_without_truth(&scores).expect("two classes");
        assert!(
            warning.detail.starts_with("2 classes") && warning.detail.ends_with(": cat, a/b"),
            "{}",
            warning.detail
        );
        assert!(classes_without_truth(&[score("AP/dog", Some(0.1))]).is_none());
    }

    #[test]
    fn half_of_the_cores_may_be_busy() {
        let mut machine = Machine {
            cores: 4,
            load_average_percent: Some(200),
            ..machine()
        };
        assert_eq!(foreign_load(&machine), None);
        machine.load_average_percent = Some(201);
        assert!(
            foreign_load(&machine)
                .expect("busy")
                .detail
                .contains("2.01 on 4 cores")
        );
        machine.load_average_percent = None;
        assert_eq!(foreign_load(&machine), None);
    }

    fn machine() -> Machine {
        dyno_machine::describe(false)
    }

    #[test]
    fn a_run_that_ended_without_its_last_word_can_become_a_record() {
        let mut collector = Collector::default();
        assert!(!collector.has_measured());
        collector.on(&Event::ShardDone {
            number: 0,
            artifact: Artifact {
                role: "shard".into(),
                sha256: "0".into(),
                bytes: 1,
            },
        });
        collector.on(&Event::Died {
            status: "was killed".into(),
            sample: None,
        });
        assert!(collector.has_measured() && collector.partial && !collector.finished);
    }
}
