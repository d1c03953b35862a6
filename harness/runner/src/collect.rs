//! From the events of one run to its record.

use crate::{
    error::RunError,
    open,
    results::Times,
    score::{Predictions, read_predictions, score},
    tables::Tables,
    verdict,
};
use dyno_core::{
    Artifact, Event, Execution, LabelMatch, Machine, Measurement, MeasurementKind, PerformanceResult, Plan, PlanRecord, RECORD_SCHEMA, Record, RecordFile,
    SampleFailure, SampleSetRecord, Subject, ThresholdSet, Tool, Validity, ValidityCode, Warning, WarningCode, match_labels,
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
    /// Takes one event.
    pub fn on(&mut self, event: &Event) {
        match event {
            Event::Opened { execution } => self.execution = Some(execution.clone()),
            Event::ShardDone { number, artifact } => {
                self.shards.insert(*number, artifact.clone());
            }
            Event::AccuracyDone { wall_ns, engine_ns, host_ns } => {
                self.wall_ns = *wall_ns;
                self.times = Times { engine_ns: *engine_ns, host_ns: *host_ns };
            }
            Event::Performance(result) => self.performance.push(result.clone()),
            Event::Warned(warning) => self.warnings.push(warning.clone()),
            Event::Finished { partial } => self.partial = *partial,
            Event::Died { .. } | Event::Failed { .. } => self.partial = true,
            Event::Started { .. } | Event::Progress { .. } | Event::SampleFailed(_) => {}
        }
    }

    /// Scores what was measured and seals the record. `machine` is the state at the beginning of the run.
    ///
    /// # Errors
    /// When a shard cannot be read or a metric refuses.
    pub fn finish(mut self, plan: &Plan, tables: &Tables, tool: Tool, machine: Machine, created_utc: String) -> Result<RunOutcome, RunError> {
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
        if let (Some(accuracy), Some(execution)) = (&plan.spec.accuracy, self.execution.take()) {
            let judged = predictions.results.len() - failures.len();
            self.partial |= predictions.results.len() < set.samples.len();
            too_many_failures = failures.len() > accuracy.max_errors as usize;
            scores = if judged > 0 { score(accuracy, tables, dataset.as_ref(), &predictions, &labels)? } else { Vec::new() };
            let mut codes = Vec::new();
            if self.partial {
                codes.push(ValidityCode::Partial);
            }
            if too_many_failures {
                codes.push(ValidityCode::TooManyErrors);
            } else if !failures.is_empty() {
                self.warnings.push(Warning {
                    code: WarningCode::SamplesFailed,
                    detail: format!("{} of {} samples failed, the first: `{}`", failures.len(), predictions.results.len(), failures[0].id),
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
        let standing =
            if plan.spec.accuracy.is_some() && !self.partial { verdict::standing(&plan.spec.model, &set.id, &scores) } else { verdict::Standing::Unreferenced };
        let chance = (tables.is_chance)(&scores, dataset.facts().labels.len());
        verdict::apply(&mut measurements, &standing, chance, &mut self.warnings);
        self.warn_of_labels(plan, &labels);
        let (tensors_sha256, tensors_count) = predictions.tensors();
        let first = |names: &[String]| names.iter().take(LISTED_NAMES).cloned().collect();
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
                files: model.files.iter().map(|f| RecordFile { role: f.role, sha256: f.sha256.clone() }).collect(),
                lineage: model.origin.clone(),
            },
            plan: PlanRecord { spec: plan.spec.clone(), sha256: plan_sha256 },
            machine,
            sample_sets: vec![sample_set],
            measurements,
            warnings: self.warnings,
            artifacts,
        }
        .seal()?;
        let missed_reference = if let verdict::Standing::Missed(detail) = standing { Some(detail) } else { None };
        Ok(RunOutcome { record, predictions, failures, too_many_failures, partial: self.partial, missed_reference, labels })
    }

    fn warn_of_labels(&mut self, plan: &Plan, labels: &LabelMatch) {
        let warning = |code, detail| Warning { code, detail };
        if plan.spec.model.recipe_assumed {
            let recipe = plan.spec.model.recipe.as_deref().unwrap_or("?");
            self.warnings.push(warning(WarningCode::RecipeAssumed, format!("`{recipe}` is the only recipe that fits the outputs; nobody named it")));
        }
        if !plan.bindings.sample_set.full {
            self.warnings.push(warning(WarningCode::Subset, "the samples are a subset: the scores are not comparable with those of the full set".to_owned()));
        }
        if !labels.unmatched_dataset.is_empty() {
            let detail = format!("{} classes of the dataset are none of the model's: {}", labels.unmatched_dataset.len(), some(&labels.unmatched_dataset));
            self.warnings.push(warning(WarningCode::LabelsUnmatched, detail));
        }
        if !labels.unmatched_model.is_empty() {
            let detail = format!("{} classes of the model are none of the dataset's: {}", labels.unmatched_model.len(), some(&labels.unmatched_model));
            self.warnings.push(warning(WarningCode::LabelsUnmatched, detail));
        }
    }
}

/// The first names of a list.
fn some(names: &[String]) -> String {
    let shown = names.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > 5 { format!("{shown}, …") } else { shown }
}
