//! A record survives its own JSON, and a change is found.

use super::*;
use crate::{
    backend::Precision,
    decoder::ThresholdSet,
    model::DecoderSpec,
    model::Purpose,
    plan::{ExecutionPlan, ModelPlan},
};
use std::collections::BTreeMap;

pub(crate) fn example() -> Record {
    let execution = Execution {
        backend: "null".into(),
        library: "null 1".into(),
        device: "cpu".into(),
        provider: None,
        precision: "f32".into(),
        threads: 1,
        sessions: 1,
        batch: 1,
        settings: BTreeMap::new(),
        requested: Precision::Native,
    };
    let score = Score {
        metric: "AP".into(),
        value: Some(0.1 + 0.2),
        n: 3,
        hits: None,
        interval: None,
        optimistic: None,
        pessimistic: None,
    };
    let accuracy = MeasurementKind::Accuracy {
        sample_set: "coco-val-3-0123456789abcdef".into(),
        scores: vec![score],
        thresholds: None,
        n: 3,
        failed: 0,
        wall_ns: 5,
        engine_ns: 4,
        host_ns: 1,
        predictions_sha256: String::new(),
    };
    let performance = MeasurementKind::Performance {
        scenario: Scenario::SingleStream,
        timed: Timed::Query,
        threshold_set: ThresholdSet::Deploy,
        thresholds: None,
        sample_set: "coco-val-3-0123456789abcdef".into(),
        n: 1,
        estimator: "sorted[floor(n*p)]".into(),
        latency_ns: LatencyNs {
            min: 1,
            mean: 1,
            p50: None,
            p90: None,
            p99: None,
            max: 1,
        },
        bound_ns: BoundNs::default(),
        throughput_per_s: 1e9,
        duration_ns: 1,
        slots: 1,
        stages_ns: StageNs::default(),
        load_ns: 1,
        first_ns: 1,
        memory_bytes: MemoryBytes::default(),
        window_spread: None,
        trials: 1,
        outliers: 0,
        histogram: None,
        raw: None,
    };
    let spec = PlanSpec {
        model: ModelPlan {
            reference: "m".into(),
            framework: Framework::Onnx,
            files: vec![],
            purpose: Purpose::ObjectDetection,
            recipe: None,
            recipe_assumed: false,
            inputs: vec![],
            outputs: vec![],
            decoder: DecoderSpec {
                kind: "yolox".into(),
                parameters: serde_json::Value::Null,
                evaluate: None,
                deploy: None,
            },
            labels: None,
            references: vec![],
            origin: None,
        },
        sample_set: "coco-val-3-0123456789abcdef".into(),
        samples: None,
        execution: ExecutionPlan {
            backend: "null".into(),
            device: "cpu".into(),
            precision: Precision::Native,
            settings: BTreeMap::new(),
            shapes: BTreeMap::new(),
        },
        accuracy: None,
        performance: vec![],
    };
    Record {
        schema: RECORD_SCHEMA.into(),
        id: String::new(),
        created_utc: "2026-01-01T00:00:00Z".into(),
        tool: Tool {
            name: "dyno".into(),
            version: "0".into(),
            commit: "unknown".into(),
            features: vec![],
        },
        subject: Subject {
            reference: "m".into(),
            framework: Framework::Onnx,
            files: vec![],
            lineage: None,
        },
        plan: PlanRecord {
            sha256: spec.sha256().expect("finite"),
            spec,
        },
        machine: Machine {
            board: Board {
                id: "generic".into(),
                model: None,
            },
            power_mode: None,
            cpu: "c".into(),
            cores: 2,
            memory_bytes: 1,
            os: "linux".into(),
            governor: None,
            virtualized: None,
            host: String::new(),
            load_average_percent: None,
            sensors: vec![],
        },
        sample_sets: vec![],
        measurements: vec![
            Measurement {
                execution: execution.clone(),
                kind: accuracy,
                validity: Validity::from_codes(vec![]),
            },
            Measurement {
                execution,
                kind: performance,
                validity: Validity::from_codes(vec![ValidityCode::TooShort]),
            },
        ],
        warnings: vec![],
        artifacts: vec![],
    }
}

#[test]
fn a_sealed_record_reads_back_with_the_same_bits() {
    let record = example().seal().expect("finite");
    let text = serde_json::to_string_pretty(&record).expect("JSON");
    assert_eq!(Record::parse(&text).expect("a record"), record);
    assert_eq!(
        record.measurements[0].score("AP").and_then(|s| s.value),
        Some(0.1 + 0.2)
    );
}

#[test]
fn a_changed_number_is_found_and_an_unknown_key_refused() {
    let record = example().seal().expect("finite");
    let text = serde_json::to_string(&record).expect("JSON");
    let changed = text.replace("\"n\":3", "\"n\":4");
    assert!(matches!(
        Record::parse(&changed),
        Err(RecordError::Changed { .. })
    ));
    assert!(matches!(
        Record::parse(&text.replace("\"failed\":0", "\"failed\":0,\"x\":1")),
        Err(RecordError::Json(_))
    ));
    assert!(matches!(
        Record::parse(&text.replace("dyno.record/1", "dyno.record/9")),
        Err(RecordError::Schema { .. })
    ));
}

#[test]
fn the_committed_schema_is_the_one_of_the_types() {
    let schema = serde_json::to_string_pretty(&schemars::schema_for!(Record)).expect("JSON") + "\n";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/record.schema.json");
    if std::env::var_os("DYNO_UPDATE_SCHEMA").is_some() {
        std::fs::write(path, &schema).expect("docs/ is writable");
    }
    let committed = std::fs::read_to_string(path).expect("docs/record.schema.json is committed");
    assert!(
        committed == schema,
        "docs/record.schema.json is out of date: run the tests of dyno-core with DYNO_UPDATE_SCHEMA=1"
    );
}
