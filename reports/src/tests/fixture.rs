//! Records with fixed numbers, sealed, and the files behind them.

use dyno_core::{
    AccuracyResult, Artifact, Artifacts, Board, DecoderSpec, DetailRef, Disturbance, Execution,
    ExecutionPlan, Framework, Interval, LatencyNs, Machine, Measurement, MeasurementResult,
    MemoryBytes, ModelPlan, NO_DECODER, NameSource, Percentile, PerformanceResult, PlanRecord,
    PlanSpec, Precision, Purpose, Record, RecordParts, ReportError, SampleSetRecord, Scenario,
    ScenarioName, Score, Series, Stage, Subject, ThresholdSet, Thresholds, Timed, Tool, Trial,
    Validity, ValidityCode, Warning, WarningCode, canonical_sha256, sha256_hex,
};
use std::collections::BTreeMap;

pub(crate) const SET: &str = "coco-val2017-subset-128-0123456789abcdef";

/// Values per class of the detector.
pub(crate) const CLASSES: &str = "class,AP,AP50,n,detections\nperson,0.5,0.75,310,400\ndog,0.25,0.5,12,9\n\"=cmd|' /C calc'!A0\",0.125,0.25,3,1\ntoaster,,,0,2\n";
/// Outcomes per image of the classifier.
pub(crate) const IMAGES: &str = "sample,score,expected,predicted,confidence\na.jpg,1,cat,cat,0.9\nb.jpg,0.5,dog,cat,0.6\nc.jpg,0,dog,\"fox, red\",0.4\n";

/// Files in memory.
pub(crate) struct Files(BTreeMap<String, Vec<u8>>);

impl Files {
    pub(crate) fn all() -> Self {
        let files = [CLASSES, IMAGES].map(|t| (sha256_hex(t.as_bytes()), t.into()));
        Self(files.into_iter().collect())
    }
}

impl Artifacts for Files {
    fn get(&self, _: &Record, sha256: &str) -> Result<Option<Vec<u8>>, ReportError> {
        Ok(self.0.get(sha256).cloned())
    }
}

pub(crate) fn detail(name: &str, content: &str) -> DetailRef {
    DetailRef {
        name: name.into(),
        format: "csv".into(),
        sha256: sha256_hex(content.as_bytes()),
    }
}

pub(crate) fn execution() -> Execution {
    Execution {
        backend: "tract".into(),
        library: "tract 0.23.9".into(),
        device: "cpu".into(),
        providers: vec![],
        precision: "f32".into(),
        threads: 2,
        slots: 1,
        batch: 1,
        shapes: BTreeMap::from([("images".to_owned(), vec![1, 3, 416, 416])]),
        settings: BTreeMap::new(),
        requested: Precision::Native,
        import: None,
    }
}

pub(crate) fn measurement(result: MeasurementResult, codes: Vec<ValidityCode>) -> Measurement {
    let series = Series(BTreeMap::from([("kind".to_owned(), "fixture".into())]));
    let deploy = matches!(result, MeasurementResult::Performance(_));
    let (set, score, iou, max) = if deploy {
        (ThresholdSet::Deploy, 0.25, 0.45, Some(100))
    } else {
        (ThresholdSet::Evaluate, 0.001, 0.65, None)
    };
    Measurement {
        subject: 0,
        machines: vec![0],
        started_utc: "2026-01-02T03:04:05Z".into(),
        order: 0,
        execution: execution(),
        series_sha256: series.sha256().expect("finite"),
        series,
        threshold_set: Some(set),
        thresholds: Some(Thresholds {
            score,
            iou: Some(iou),
            max,
        }),
        sensors: vec![],
        result,
        validity: Validity::from_codes(codes),
    }
}

pub(crate) fn score(metric: &str, value: Option<f64>) -> Score {
    let interval = value.map(|v| Interval {
        method: "random-halves".into(),
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

pub(crate) fn scores(scores: Vec<Score>) -> AccuracyResult {
    AccuracyResult {
        sample_set: SET.into(),
        scores,
        details: vec![],
        n: 128,
        failed: 0,
        wall_ns: 9_876_543_210,
        engine_ns: 8_000_000_000,
        host_ns: 1_500_000_000,
        predictions_sha256: "ab".repeat(32),
    }
}

pub(crate) fn accuracy(result: AccuracyResult) -> Measurement {
    measurement(MeasurementResult::Accuracy(Box::new(result)), vec![])
}

fn percentiles(n: u64, effective: u64) -> Vec<Percentile> {
    let one = |p, ns, bound, needs| Percentile {
        p,
        ns: (n >= needs).then_some(ns),
        bound_ns: (effective >= needs).then_some(bound),
        needs,
    };
    vec![
        one(0.5, 11_500_000, 11_700_000, 11),
        one(0.9, 12_345_678, 13_000_000, 64),
        one(0.99, 15_000_000, 16_000_000, 662),
    ]
}

pub(crate) fn trial(n: u64, run_delay: f64, codes: Vec<ValidityCode>) -> Trial {
    Trial {
        n,
        duration_ns: n * 12_000_000,
        throughput_per_s: 83.25,
        latency_ns: LatencyNs {
            min: 9_876_543,
            mean: 12_000_000,
            max: 41_000_000,
        },
        percentiles: percentiles(n, n),
        window_spread: Some(1.0345),
        disturbance: Some(Disturbance {
            run_delay_share: Some(run_delay),
            involuntary_switches: Some(7),
            foreign_cpu_share: Some(0.012),
            clock_start_hz: Some(2_000_000_000),
            clock_end_hz: Some(2_100_000_000),
            temperature_end_millicelsius: Some(47_500),
            ..Disturbance::default()
        }),
        codes,
        raw: None,
    }
}

/// A performance measurement of `n` queries, `effective` of them independent, after the trials.
pub(crate) fn latencies(name: ScenarioName, n: u64, trials: Vec<Trial>) -> PerformanceResult {
    let effective = n * 2 / 3;
    let measured = trial(n, 0.0034, vec![]);
    PerformanceResult {
        scenario: Scenario {
            name,
            rate_per_s: None,
            bound_ns: None,
            samples_per_query: 1,
        },
        timed: Timed::Query,
        profile: "normal".into(),
        sample_set: SET.into(),
        library_count: 16,
        library_sha256: "cd".repeat(32),
        failed: 0,
        n,
        estimator: dyno_stats::ESTIMATOR.into(),
        latency_ns: measured.latency_ns,
        percentiles: percentiles(n, effective),
        stages: [
            ("host-to-device", 950),
            ("engine", 10_900_000),
            ("decode-outputs", 580_000),
        ]
        .map(|(name, ns)| Stage {
            name: name.into(),
            p50_ns: ns,
            mean_ns: ns + 20,
        })
        .into(),
        throughput_per_s: measured.throughput_per_s,
        duration_ns: measured.duration_ns,
        trial: u32::try_from(trials.len().saturating_sub(1)).expect("few"),
        trials,
        disturbance: measured.disturbance,
        autocorrelation: Some(0.21),
        effective_n: Some(effective as f64),
        load_ns: 320_000_000,
        first_ns: 44_000_000,
        memory_bytes: MemoryBytes {
            peak: Some(123_456_789),
            steady: None,
        },
        window_spread: measured.window_spread,
        outliers: 3,
        outputs_compared: Some(32),
        energy_j: None,
        processes: vec![],
        histogram: None,
        raw: None,
    }
}

pub(crate) fn performance(result: PerformanceResult, codes: Vec<ValidityCode>) -> Measurement {
    measurement(MeasurementResult::Performance(Box::new(result)), codes)
}

pub(crate) fn parts(reference: &str, measurements: Vec<Measurement>) -> RecordParts {
    let spec = PlanSpec {
        model: ModelPlan {
            reference: reference.into(),
            framework: Framework::Onnx,
            files: vec![],
            purpose: Some(Purpose::ObjectDetection),
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
            import: None,
            shapes: BTreeMap::new(),
        },
        accuracy: None,
        performance: vec![],
    };
    RecordParts {
        created_utc: "2026-01-02T03:04:05Z".into(),
        tool: Tool {
            name: "dyno".into(),
            version: "0.1.0".into(),
            commit: "unknown".into(),
            features: vec![],
        },
        subjects: vec![Subject {
            reference: reference.into(),
            framework: Framework::Onnx,
            files: vec![],
            lineage: vec![],
        }],
        plan: PlanRecord {
            sha256: spec.sha256().expect("finite"),
            spec,
        },
        machines: vec![machine("generic-x86_64")],
        sample_sets: vec![SampleSetRecord {
            id: SET.into(),
            name: "coco-val2017".into(),
            name_source: NameSource::Claimed,
            count: 128,
            of: 5000,
            distinct: 127,
            sha256: "ef".repeat(32),
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

pub(crate) fn machine(board: &str) -> Machine {
    Machine {
        board: Board {
            id: board.into(),
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
    }
}

pub(crate) fn seal(parts: RecordParts) -> Record {
    Record::seal(parts).expect("a record")
}

pub(crate) fn record(reference: &str, measurements: Vec<Measurement>) -> Record {
    seal(parts(reference, measurements))
}

/// A detector: AP with classes, a class without truth, a valid and an invalid performance
/// measurement.
pub(crate) fn detector() -> Record {
    let mut result = scores(vec![
        score("AP", Some(0.2996)),
        score("AP50", Some(0.4567)),
        score("AP_small", None),
    ]);
    result.details = vec![detail("per-class", CLASSES)];
    let slow = performance(
        latencies(ScenarioName::Offline, 20, vec![trial(20, 0.0034, vec![])]),
        vec![ValidityCode::TooFewQueries, ValidityCode::Unsteady],
    );
    let quick = latencies(
        ScenarioName::SingleStream,
        500,
        vec![trial(500, 0.0034, vec![])],
    );
    let mut parts = parts(
        "yolox_nano",
        vec![accuracy(result), performance(quick, vec![]), slow],
    );
    parts.artifacts = vec![Artifact {
        role: "per-class".into(),
        format: "csv".into(),
        sha256: sha256_hex(CLASSES.as_bytes()),
        bytes: CLASSES.len() as u64,
        lists: None,
    }];
    seal(parts)
}

/// A classifier whose top-1 has ties, with samples that failed.
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
    let mut result = scores(vec![top1, top5]);
    result.failed = 2;
    result.details = vec![detail("per-image", IMAGES)];
    record("squeezenet", vec![accuracy(result)])
}

/// Disturbed twice, retried; no decoder, two subjects on two machines.
pub(crate) fn disturbed() -> Record {
    let mut result = latencies(
        ScenarioName::SingleStream,
        500,
        vec![
            trial(480, 0.05, vec![ValidityCode::Disturbed]),
            trial(
                490,
                0.031,
                vec![ValidityCode::Disturbed, ValidityCode::Unsteady],
            ),
            trial(500, 0.0034, vec![]),
        ],
    );
    result.outputs_compared = None;
    result.stages.clear();
    let mut retried = performance(result, vec![]);
    retried.subject = 1;
    retried.machines = vec![1];
    retried.thresholds = None;
    let mut first = latencies(
        ScenarioName::SingleStream,
        480,
        vec![trial(480, 0.05, vec![ValidityCode::Disturbed])],
    );
    first.disturbance = first.trials.first().and_then(|t| t.disturbance);
    let first = performance(first, vec![ValidityCode::Disturbed]);
    let mut parts = parts("net", vec![retried, first]);
    parts.plan.spec.model.decoder.kind = NO_DECODER.into();
    parts.machines.push(machine("nano"));
    parts.subjects.push(Subject {
        reference: "net-int8".into(),
        ..parts.subjects.first().expect("one").clone()
    });
    parts.warnings = vec![Warning {
        code: WarningCode::Retried,
        detail: "the first attempt was disturbed".into(),
    }];
    seal(parts)
}

/// The text of `record` after `edit`, with the id that it then has.
pub(crate) fn forged(record: &Record, edit: impl FnOnce(&mut serde_json::Value)) -> Record {
    let mut value: serde_json::Value = serde_json::from_str(record.text()).expect("JSON");
    edit(&mut value);
    value.as_object_mut().expect("an object").remove("id");
    value["id"] = canonical_sha256(&value).expect("finite").into();
    Record::parse(&serde_json::to_string_pretty(&value).expect("JSON")).expect("a record")
}

/// A record of a version to come: unknown keys, codes, kinds, scenarios.
pub(crate) fn from_the_future() -> Record {
    let mut parts = parts(
        "m",
        vec![
            accuracy(scores(vec![score("AP", Some(0.3))])),
            performance(latencies(ScenarioName::Server, 700, vec![]), vec![]),
        ],
    );
    if let Some(m) = parts.measurements.first_mut() {
        m.invalidate(ValidityCode::Other("cosmic-rays".into()));
    }
    parts.warnings = vec![Warning {
        code: WarningCode::Other("solar-wind".into()),
        detail: "strong".into(),
    }];
    let ok = seal(parts);
    forged(&ok, |value| {
        value["weather"] = "fine".into();
        value["measurements"][0]["kind"] = "endurance".into();
        value["measurements"][0]["hours"] = 3.into();
        value["measurements"][1]["scenario"]["name"] = "burst-stream".into();
        value["measurements"][1]["timed"] = "photons".into();
        value["sample_sets"][0]["name_source"] = "notarised".into();
    })
}
