//! Plans over the toys of `toy.rs`, and runs of them.

use crate::toy::{CLASSES, TABLES, model_text};
use dyno_core::{
    AccuracyPlan, Bindings, DatasetRequest, DecoderSpec, Division, Event, ExecutionPlan, FileRole,
    Framework, LabelMap, LabelPlan, ModelContent, ModelFile, ModelPlan, NameSource, Named,
    PerformancePlan, Plan, PlanFile, PlanSpec, Precision, SampleIndex, SampleSet, ScenarioName,
    Timed, Tool, canonical_sha256, sha256_hex,
};
use dyno_runner::{Collector, Identity, Overdue, RunError, RunOutcome, worker};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

pub(crate) const SAMPLES: u32 = 50;
pub(crate) const SHARD: u32 = 8;

/// A machine: a folder with a model and a run folder.
pub(crate) struct Machine(pub(crate) tempfile::TempDir);

impl Machine {
    pub(crate) fn new() -> Self {
        let machine = Self(tempfile::tempdir().expect("a folder"));
        fs::write(machine.model(), model_text("vector")).expect("written");
        machine
    }

    pub(crate) fn model(&self) -> PathBuf {
        self.0.path().join("m.onnx")
    }

    pub(crate) fn bindings(&self) -> Bindings {
        let run_folder = self.0.path().join("run");
        fs::create_dir_all(&run_folder).expect("made");
        Bindings {
            files: vec![ModelFile {
                role: FileRole::Model,
                content: ModelContent::Path(self.model()),
            }],
            labels: LabelMap::from_names(CLASSES),
            dataset: DatasetRequest {
                kind: "toy".into(),
                path: self.0.path().join("pictures"),
                split: None,
                options: BTreeMap::from([("count".to_owned(), SAMPLES.to_string())]),
            },
            sample_set: SampleSet {
                id: "custom-toy-50-0123456789abcdef".into(),
                name: "custom-toy".into(),
                name_source: NameSource::Custom,
                count: SAMPLES,
                of: SAMPLES,
                distinct: SAMPLES,
                sha256: "0123456789abcdef".into(),
                samples: (0..SAMPLES).map(SampleIndex).collect(),
                file_sha256: vec![String::new(); SAMPLES as usize],
            },
            division: Division::Fused {
                workers: 3,
                threads: 1,
            },
            run_folder,
            cache_dir: None,
            engine_timeout_ns: 3_600_000_000_000,
        }
    }

    /// A plan with an accuracy half.
    pub(crate) fn plan(&self) -> Plan {
        let labels = LabelMap::from_names(CLASSES);
        let spec = PlanSpec {
            model: ModelPlan {
                reference: "m".into(),
                framework: Framework::Onnx,
                files: vec![PlanFile {
                    role: FileRole::Model,
                    name: "m.onnx".into(),
                    sha256: sha256_hex(&fs::read(self.model()).expect("there")),
                    size_bytes: 1,
                }],
                purpose: None,
                recipe: None,
                recipe_assumed: false,
                inputs: Vec::new(),
                outputs: Vec::new(),
                decoder: DecoderSpec {
                    kind: "toy-ranking".into(),
                    parameters: serde_json::Value::Null,
                    evaluate: None,
                    deploy: None,
                },
                labels: Some(LabelPlan {
                    source: "toy".into(),
                    count: CLASSES.len() as u32,
                    sha256: canonical_sha256(&labels).expect("JSON"),
                }),
                references: Vec::new(),
                origin: None,
            },
            sample_set: "custom-toy-50-0123456789abcdef".into(),
            samples: None,
            execution: ExecutionPlan {
                backend: "toy".into(),
                device: "cpu".into(),
                precision: Precision::Native,
                settings: BTreeMap::new(),
                shapes: BTreeMap::new(),
                import: None,
            },
            accuracy: Some(AccuracyPlan {
                metrics: vec![Named {
                    name: "toy-hits".into(),
                    parameters: serde_json::Value::Null,
                }],
                batch: 2,
                shard_size: SHARD,
                resamples: 10,
                seed: 1,
                max_errors: 0,
            }),
            performance: Vec::new(),
        };
        Plan::new(spec, self.bindings())
    }
}

pub(crate) fn with(mut plan: Plan, settings: &[(&str, &str)]) -> Plan {
    for (key, value) in settings {
        let settings = &mut plan.spec.execution.settings;
        settings.insert((*key).to_owned(), (*value).to_owned());
    }
    plan
}

/// A timed half of 200 queries.
pub(crate) fn timed() -> PerformancePlan {
    PerformancePlan {
        scenario: ScenarioName::SingleStream,
        timed: Timed::Query,
        profile: "quick".into(),
        threads: 1,
        batch: 2,
        slots: 1,
        library_size: 16,
        warmup_queries: 5,
        min_duration_ns: 1,
        min_queries: 200,
        max_duration_ns: 3_600_000_000_000,
        seed: 3,
        max_errors: 0,
    }
}

pub(crate) fn identity(commit: &str) -> Identity {
    Identity {
        tool: Tool {
            name: "dyno".into(),
            version: "0.1.0".into(),
            commit: commit.into(),
            features: Vec::new(),
        },
        include_host: false,
    }
}

pub(crate) fn write_plan(plan: &Plan) {
    let folder = &plan.bindings.run_folder;
    fs::create_dir_all(folder).expect("made");
    let text = serde_json::to_vec(plan).expect("JSON");
    fs::write(folder.join("plan.json"), text).expect("written");
}

/// What a worker said, and how it ended.
pub(crate) struct Ran {
    pub(crate) events: Vec<Event>,
    pub(crate) result: Result<(), RunError>,
}

/// Runs a plan; stops it after the event for which `stops` is true.
pub(crate) fn run_until(plan: &Plan, stops: impl Fn(&Event) -> bool + Sync) -> Ran {
    run_as(plan, "c0ffee", &stops, &|_| ())
}

pub(crate) fn run(plan: &Plan) -> Ran {
    run_until(plan, |_| false)
}

pub(crate) fn run_as(
    plan: &Plan,
    commit: &str,
    stops: &(dyn Fn(&Event) -> bool + Sync),
    overdue: &(dyn Fn(&Overdue) + Sync),
) -> Ran {
    write_plan(plan);
    let (events, stop) = (Mutex::new(Vec::new()), AtomicBool::new(false));
    let sink = |event: Event| {
        if stops(&event) {
            stop.store(true, Ordering::Relaxed);
        }
        events.lock().expect("no panic").push(event);
    };
    let result = worker(plan, &TABLES, &identity(commit), &sink, &stop, overdue);
    Ran {
        events: events.into_inner().expect("no panic"),
        result,
    }
}

/// The record of what these workers said.
pub(crate) fn collect(plan: &Plan, workers: &[&Ran]) -> Result<RunOutcome, RunError> {
    let mut collector = Collector::new(plan)?;
    for (number, ran) in workers.iter().enumerate() {
        for event in &ran.events {
            // Through their text, as from a child.
            let text = serde_json::to_string(event).expect("JSON");
            let event: Event = serde_json::from_str(&text).expect("an event");
            collector.on_from(number as u32, &event)?;
        }
    }
    collector.finish(plan, &TABLES)
}

/// The record of a plan that runs well.
pub(crate) fn outcome(plan: &Plan) -> RunOutcome {
    let ran = run(plan);
    if let Err(error) = &ran.result {
        panic!("{}", error.chain().join(": "));
    }
    collect(plan, &[&ran]).expect("a record")
}

pub(crate) fn shards_done(events: &[Event]) -> Vec<u32> {
    let mut numbers: Vec<u32> = events
        .iter()
        .filter_map(|e| match e {
            Event::ShardDone { number, .. } => Some(*number),
            _ => None,
        })
        .collect();
    numbers.sort_unstable();
    numbers
}

pub(crate) fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("made");
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy_folder(&path, &target);
        } else {
            fs::copy(&path, &target).expect("copied");
        }
    }
}
