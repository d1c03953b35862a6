//! A record survives its own JSON, and a change is found.

mod evolution;

use super::*;
use crate::{
    dataset::NameSource,
    framework::Framework,
    model::{DecoderSpec, Purpose},
    plan::{ExecutionPlan, ModelPlan, PerformancePlan, PlanFile, PlanSpec},
    source::{FileRole, Precision},
};
use std::collections::BTreeMap;

const SET: &str = "custom-photos-3-0123456789abcdef";

fn execution() -> Execution {
    Execution {
        backend: "null".into(),
        library: "null 1".into(),
        device: "cpu".into(),
        providers: Vec::new(),
        precision: "f32".into(),
        threads: 1,
        slots: 1,
        batch: 1,
        shapes: BTreeMap::from([("x".to_owned(), vec![1, 3, 8, 8])]),
        settings: BTreeMap::new(),
        requested: Precision::Native,
        import: None,
    }
}

fn model() -> ModelPlan {
    ModelPlan {
        reference: "m".into(),
        framework: Framework::Onnx,
        files: vec![PlanFile {
            role: FileRole::Model,
            name: "m.onnx".into(),
            sha256: "ab".into(),
            size_bytes: 2,
        }],
        purpose: Some(Purpose::ObjectDetection),
        recipe: None,
        recipe_assumed: false,
        inputs: Vec::new(),
        outputs: Vec::new(),
        decoder: DecoderSpec {
            kind: "k".into(),
            parameters: serde_json::Value::Null,
            evaluate: None,
            deploy: None,
        },
        labels: None,
        references: Vec::new(),
        origin: None,
    }
}

fn machine() -> Machine {
    Machine {
        board: Board {
            id: "generic-x86_64".into(),
            model: None,
        },
        power_mode: None,
        cpu: "c".into(),
        cores: 2,
        memory_bytes: 1 << 30,
        os: "Linux".into(),
        governor: None,
        virtualized: Some(true),
        host: "0123456789abcdef".into(),
    }
}

pub(crate) fn parts() -> RecordParts {
    let series = Series::accuracy(&model(), &execution(), None, SET);
    let accuracy = Measurement {
        subject: 0,
        machines: vec![0],
        started_utc: "2026-01-01T00:00:00Z".into(),
        order: 0,
        execution: execution(),
        series_sha256: series.sha256().expect("finite"),
        series,
        threshold_set: None,
        thresholds: None,
        sensors: Vec::new(),
        result: MeasurementResult::Accuracy(Box::new(AccuracyResult {
            sample_set: SET.into(),
            scores: vec![Score {
                metric: "AP".into(),
                value: Some(0.1 + 0.2),
                n: 3,
                hits: None,
                interval: None,
                optimistic: None,
                pessimistic: None,
            }],
            details: Vec::new(),
            n: 3,
            failed: 0,
            wall_ns: 5,
            engine_ns: 4,
            host_ns: 1,
            predictions_sha256: String::new(),
        })),
        validity: Validity::from_codes(vec![]),
    };
    let spec = PlanSpec {
        model: model(),
        sample_set: SET.into(),
        samples: None,
        execution: ExecutionPlan {
            backend: "null".into(),
            device: "cpu".into(),
            precision: Precision::Native,
            settings: BTreeMap::new(),
            shapes: BTreeMap::new(),
            import: None,
        },
        accuracy: None,
        performance: Vec::new(),
    };
    RecordParts {
        created_utc: "2026-01-01T00:00:00Z".into(),
        tool: Tool {
            name: "dyno".into(),
            version: "0.1.0".into(),
            commit: "unknown".into(),
            features: Vec::new(),
        },
        subjects: vec![Subject {
            reference: "m".into(),
            framework: Framework::Onnx,
            files: vec![RecordFile {
                role: FileRole::Model,
                sha256: "ab".into(),
            }],
            lineage: Vec::new(),
        }],
        plan: PlanRecord {
            sha256: spec.sha256().expect("finite"),
            spec,
        },
        machines: vec![machine()],
        sample_sets: vec![SampleSetRecord {
            id: SET.into(),
            name: "custom-photos".into(),
            name_source: NameSource::Custom,
            count: 3,
            of: 3,
            distinct: 3,
            sha256: "0123456789abcdef".into(),
            tensors_sha256: None,
            tensors_count: 0,
            unmatched_model: Vec::new(),
            unmatched_dataset: Vec::new(),
        }],
        measurements: vec![accuracy],
        warnings: Vec::new(),
        artifacts: Vec::new(),
    }
}

#[test]
fn a_record_reads_back_and_is_written_as_it_was_read() {
    let record = Record::seal(parts()).expect("finite");
    let back = Record::parse(record.text()).expect("sealed");
    assert_eq!(back.id, record.id);
    assert_eq!(back.measurements, record.measurements);
    assert_eq!(back.text(), record.text());
    let score = back.measurements[0].score("AP").expect("there");
    assert_eq!(
        score.value.map(f64::to_bits),
        Some((0.1_f64 + 0.2).to_bits())
    );
}

#[test]
fn an_edit_is_found() {
    let record = Record::seal(parts()).expect("finite");
    let edited = record.text().replace("0.30000000000000004", "0.31");
    assert!(matches!(
        Record::parse(&edited),
        Err(RecordError::Changed { .. })
    ));
    let other = record.text().replace(RECORD_SCHEMA, "dyno.record/2");
    assert!(matches!(
        Record::parse(&other),
        Err(RecordError::Schema { .. })
    ));
}

#[test]
fn integers_that_the_canonical_form_would_merge_are_refused() {
    let mut wrong = parts();
    wrong.machines[0].memory_bytes = (1 << 53) + 1;
    match Record::seal(wrong) {
        Err(RecordError::Integer { key, .. }) => assert_eq!(key, "machines.0.memory_bytes"),
        other => panic!("{other:?}"),
    }
    let good = Record::seal(parts()).expect("finite");
    // Beyond 64 bits JSON readers make floats of them, which merge all the same.
    for number in [
        "9007199254740993",
        "-9007199254740993",
        "100000000000000000001",
    ] {
        let text = good
            .text()
            .replace("\"wall_ns\": 5", &format!("\"wall_ns\": {number}"));
        assert_ne!(text, good.text());
        assert!(
            matches!(Record::parse(&text), Err(RecordError::Integer { .. })),
            "{number}"
        );
    }
}

#[test]
fn the_committed_schema_is_the_one_of_the_types() {
    let schema = serde_json::to_string_pretty(&schemars::schema_for!(Record)).expect("JSON") + "\n";
    evolution::committed("../../docs/record.schema.json", &schema);
}

#[test]
fn every_code_has_a_name_of_its_own_and_reads_back() {
    for code in ValidityCode::KNOWN {
        assert_eq!(&ValidityCode::from(code.to_string()), code);
        assert!(!code.advice().is_empty());
    }
    for code in WarningCode::KNOWN {
        assert_eq!(&WarningCode::from(code.to_string()), code);
    }
}

#[test]
fn a_series_names_the_part_that_differs() {
    let plan = PerformancePlan {
        scenario: ScenarioName::SingleStream,
        timed: Timed::Query,
        profile: "quick".into(),
        threads: 1,
        batch: 1,
        slots: 1,
        library_size: 1,
        warmup_queries: 0,
        min_duration_ns: 1,
        min_queries: 1,
        max_duration_ns: 1,
        seed: 0,
        max_errors: 0,
    };
    let of = |execution: &Execution| {
        Series::performance(&model(), execution, None, SET, &machine(), &plan)
    };
    let one = of(&execution());
    assert_eq!(one.differences(&one), []);
    let mut other = execution();
    other.shapes = BTreeMap::from([("x".to_owned(), vec![1, 3, 16, 16])]);
    let differences = one.differences(&of(&other));
    assert_eq!(differences.len(), 1);
    assert_eq!(
        differences[0].to_string(),
        r#"shapes `{"x":[3,8,8]}` there, `{"x":[3,16,16]}` here"#
    );
}
