//! Records with fixed numbers.

use dyno_core::{
    Board, BoundNs, DecoderSpec, Execution, ExecutionPlan, Framework, Interval, LatencyNs, Machine,
    Measurement, MeasurementKind, MemoryBytes, ModelPlan, PlanRecord, PlanSpec, Precision, Purpose,
    RECORD_SCHEMA, Record, SampleSetRecord, Scenario, Score, StageNs, Subject, ThresholdSet,
    Thresholds, Timed, Tool, Validity, ValidityCode, Warning, WarningCode,
};
use std::collections::BTreeMap;

pub(crate) const SET: &str = "coco-val2017-128-0123456789abcdef";

fn execution() -> Execution {
    Execution {
        backend: "tract".into(),
        library: "tract 0.23.9".into(),
        device: "cpu".into(),
        provider: None,
        precision: "f32".into(),
        threads: 2,
        sessions: 1,
        batch: 1,
        settings: BTreeMap::new(),
        requested: Precision::Native,
    }
}

pub(crate) fn score(metric: &str, value: Option<f64>) -> Score {
    let interval = value.map(|v| Interval {
        method: "bootstrap-percentile".into(),
        level: 0.95,
        low: v - 0.02,
        high: v + 0.02,
    });
    Score {
        metric: metric.into(),
        value,
        n: 128,
        hits: None,
        interval,
        optimistic: None,
        pessimistic: None,
    }
}

pub(crate) fn accuracy(scores: Vec<Score>) -> Measurement {
    let kind = MeasurementKind::Accuracy {
        sample_set: SET.into(),
        scores,
        thresholds: Some(Thresholds {
            score: 0.001,
            iou: Some(0.65),
            max: None,
        }),
        n: 128,
        failed: 0,
        wall_ns: 9_876_543_210,
        engine_ns: 8_000_000_000,
        host_ns: 1_500_000_000,
        predictions_sha256: "ab".repeat(32),
    };
    Measurement {
        execution: execution(),
        kind,
        validity: Validity::from_codes(vec![]),
    }
}

pub(crate) fn performance(scenario: Scenario, n: u64, codes: Vec<ValidityCode>) -> Measurement {
    let kind = MeasurementKind::Performance {
        scenario,
        timed: Timed::Query,
        threshold_set: ThresholdSet::Deploy,
        thresholds: Some(Thresholds {
            score: 0.25,
            iou: Some(0.45),
            max: Some(100),
        }),
        sample_set: SET.into(),
        n,
        estimator: "sorted[floor(n*p)]".into(),
        latency_ns: LatencyNs {
            min: 9_876_543,
            mean: 12_000_000,
            p50: Some(11_500_000),
            p90: (n >= 64).then_some(12_345_678),
            p99: (n >= 662).then_some(15_000_000),
            max: 41_000_000,
        },
        bound_ns: BoundNs {
            p90: (n >= 64).then_some(13_000_000),
            p99: (n >= 662).then_some(16_000_000),
        },
        throughput_per_s: 83.25,
        duration_ns: n * 12_000_000,
        slots: 1,
        stages_ns: StageNs {
            decode_image: None,
            preprocess: None,
            host_to_device: 0,
            engine: 10_900_000,
            device_to_host: 950,
            decode_outputs: Some(580_000),
        },
        load_ns: 320_000_000,
        first_ns: 44_000_000,
        memory_bytes: MemoryBytes {
            peak: Some(123_456_789),
            steady: None,
        },
        window_spread: Some(1.0345),
        trials: 1,
        outliers: 3,
        histogram: None,
        raw: None,
    };
    Measurement {
        execution: execution(),
        kind,
        validity: Validity::from_codes(codes),
    }
}

pub(crate) fn record(reference: &str, measurements: Vec<Measurement>) -> Record {
    let spec = PlanSpec {
        model: ModelPlan {
            reference: reference.into(),
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
        sample_set: SET.into(),
        samples: Some(128),
        execution: ExecutionPlan {
            backend: "tract".into(),
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
        // Not sealed: snapshots shall not change when a field of the plan is added.
        id: "0123456789abcdef".repeat(4),
        created_utc: "2026-01-02T03:04:05Z".into(),
        tool: Tool {
            name: "dyno".into(),
            version: "0.1.0".into(),
            commit: "unknown".into(),
            features: vec![],
        },
        subject: Subject {
            reference: reference.into(),
            framework: Framework::Onnx,
            files: vec![],
            lineage: None,
        },
        plan: PlanRecord {
            sha256: "cd".repeat(32),
            spec,
        },
        machine: Machine {
            board: Board {
                id: "generic-x86_64".into(),
                model: None,
            },
            power_mode: None,
            cpu: "Example CPU @ 2.00GHz".into(),
            cores: 2,
            memory_bytes: 4 << 30,
            os: "linux x86_64".into(),
            governor: None,
            virtualized: Some(true),
            host: "0011223344556677".into(),
            load_average_percent: None,
            sensors: vec![],
        },
        sample_sets: vec![SampleSetRecord {
            id: SET.into(),
            count: 128,
            sha256: "ef".repeat(32),
            full: false,
            tensors_sha256: None,
            tensors_count: 0,
            unmatched_model: vec!["hair drier".into()],
            unmatched_dataset: vec!["toaster".into(), "unicorn".into()],
        }],
        measurements,
        warnings: vec![Warning {
            code: WarningCode::Subset,
            detail: "128 of 5000 samples".into(),
        }],
        artifacts: vec![],
    }
}

/// A detector: AP with classes, a class without truth, a valid and an invalid performance
/// measurement.
pub(crate) fn detector() -> Record {
    let scores = vec![
        score("AP", Some(0.2996)),
        score("AP50", Some(0.4567)),
        score("AP_small", None),
        score("AP/person", Some(0.5)),
        score("AP/dog", Some(0.25)),
    ];
    let slow = performance(
        Scenario::Offline,
        20,
        vec![ValidityCode::TooFewQueries, ValidityCode::Unsteady],
    );
    record(
        "yolox_nano",
        vec![
            accuracy(scores),
            performance(Scenario::SingleStream, 500, vec![]),
            slow,
        ],
    )
}

/// A classifier whose top-1 has ties.
pub(crate) fn classifier() -> Record {
    let mut top1 = score("top-1", Some(0.75));
    top1.hits = Some(96);
    top1.optimistic = Some(0.765_625);
    top1.pessimistic = Some(0.734_375);
    top1.interval = Some(Interval {
        method: "wilson".into(),
        level: 0.95,
        low: 0.6685,
        high: 0.8170,
    });
    let mut top5 = score("top-5", Some(0.9375));
    (top5.hits, top5.optimistic, top5.pessimistic) = (Some(120), Some(0.9375), Some(0.9375));
    record("squeezenet", vec![accuracy(vec![top1, top5])])
}
