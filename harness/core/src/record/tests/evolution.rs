//! Records of other versions: who reads what (docs/records.md has the table).
//!
//! The fixtures are made here and committed, so that a change of the types shows in what it does to
//! records that are in people's hands: `DYNO_UPDATE_FIXTURES=1 cargo test -p dyno-core` writes them
//! anew. `complete.json` says everything that a record can say. `older.json` is the least that reads: of a complete record every key that may be missing
//! is taken away. `newer.json` has a key more in every object, and codes, kinds and names that this
//! version does not know.

use super::{RecordParts, SET, machine, model, parts};
use crate::{
    AccuracyResult, Artifact, Board, DetailRef, Disturbance, ImportFacts, ImportOptions, Interval,
    LatencyNs, Lineage, Measurement, MeasurementResult, MemoryBytes, NameSource, Origin,
    Percentile, PerformancePlan, PerformanceResult, ProcessRun, Provider, Record, RecordError,
    Reference, Scenario, ScenarioName, SensorTrace, Series, Stage, ThresholdSet, Thresholds, Timed,
    Trial, Validity, ValidityCode, Warning, WarningCode, canonical_sha256,
};
use serde_json::{Map, Value, json};

const OLDER: &str = include_str!("../fixtures/older.json");
const NEWER: &str = include_str!("../fixtures/newer.json");

/// The file at `path`, below this crate, holds `made`; or it is written where that is asked for.
pub(super) fn committed(path: &str, made: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("DYNO_UPDATE_FIXTURES").is_some() {
        std::fs::write(&path, made).expect("the folder can be written");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == made,
        "`{}` is not what the types make: run the tests of dyno-core with DYNO_UPDATE_FIXTURES=1",
        path.display()
    );
}

fn percentile() -> Percentile {
    Percentile {
        p: 0.5,
        ns: Some(12_345_678),
        bound_ns: Some(12_400_000),
        needs: 64,
    }
}

fn disturbance() -> Disturbance {
    Disturbance {
        run_delay_share: Some(0.001),
        involuntary_switches: Some(3),
        steal_share: Some(0.0),
        foreign_cpu_share: Some(0.01),
        clock_start_hz: Some(2_000_000_000),
        clock_end_hz: Some(2_000_000_000),
        temperature_start_millicelsius: Some(40_000),
        temperature_end_millicelsius: Some(41_000),
    }
}

fn latency_ns() -> LatencyNs {
    LatencyNs {
        min: 12_000_000,
        mean: 12_500_000,
        max: 14_000_000,
    }
}

fn performance_result() -> PerformanceResult {
    PerformanceResult {
        scenario: Scenario {
            name: ScenarioName::SingleStream,
            rate_per_s: Some(10.0),
            bound_ns: Some(50_000_000),
            samples_per_query: 1,
        },
        timed: Timed::Query,
        profile: "normal".into(),
        sample_set: SET.into(),
        library_count: 3,
        library_sha256: "4".repeat(64),
        failed: 0,
        n: 1000,
        estimator: "sorted[floor(n*p)]".into(),
        latency_ns: latency_ns(),
        percentiles: vec![percentile()],
        stages: vec![Stage {
            name: "engine".into(),
            p50_ns: 12_000_000,
            mean_ns: 12_100_000,
        }],
        throughput_per_s: 80.0,
        duration_ns: 12_500_000_000,
        trials: vec![Trial {
            n: 1000,
            duration_ns: 12_500_000_000,
            throughput_per_s: 80.0,
            latency_ns: latency_ns(),
            percentiles: vec![percentile()],
            window_spread: Some(1.01),
            disturbance: Some(disturbance()),
            codes: vec![ValidityCode::Unsteady],
            raw: Some("5".repeat(64)),
        }],
        trial: 0,
        disturbance: Some(disturbance()),
        autocorrelation: Some(0.1),
        effective_n: Some(800.0),
        load_ns: 90_000_000,
        first_ns: 20_000_000,
        memory_bytes: MemoryBytes {
            peak: Some(100_000_000),
            steady: Some(90_000_000),
        },
        window_spread: Some(1.01),
        outliers: 1,
        outputs_compared: Some(100),
        energy_j: Some(0.5),
        processes: vec![ProcessRun {
            order: 0,
            p50_ns: 12_345_678,
            n: 1000,
        }],
        histogram: Some("HISTFAAA".into()),
        raw: Some("5".repeat(64)),
    }
}

/// Everything that a record can say.
fn complete() -> RecordParts {
    let mut all = parts();
    let thresholds = Thresholds {
        score: 0.001,
        iou: Some(0.65),
        max: Some(300),
    };
    let import = ImportFacts {
        options: ImportOptions {
            in_graph: true,
            shapes: [("data".to_owned(), vec![1, 3, 227, 227])].into(),
            parameters: [("epsilon".to_owned(), "1e-6".to_owned())].into(),
        },
        id: "toy".into(),
        version: 1,
        sha256: "6".repeat(64),
    };
    all.subjects[0].lineage = vec![Lineage {
        relation: Some("int8".into()),
        tool: Some("dyno 0.1.0".into()),
        sources: vec!["7".repeat(64)],
    }];
    let plan = &mut all.plan.spec;
    plan.samples = Some(3);
    plan.execution.import = Some(import.clone());
    plan.model.recipe = Some("yolox".into());
    plan.model.references = vec![Reference {
        metric: "AP".into(),
        value: 0.3,
        sample_set: SET.into(),
        abs: Some(0.003),
        rel: Some(0.01),
        source: Some("model card".into()),
    }];
    plan.model.origin = Some(Origin {
        derived_from: "7".repeat(64),
        relation: Some("int8".into()),
        tool: Some("dyno 0.1.0".into()),
    });
    plan.model.decoder.evaluate = Some(thresholds);
    plan.model.decoder.deploy = Some(thresholds);
    plan.model.decoder.parameters = json!({"strides": [8]});
    all.machines[0] = crate::Machine {
        board: Board {
            id: "nano".into(),
            model: Some("Developer Kit".into()),
        },
        power_mode: Some("MAXN".into()),
        governor: Some("performance".into()),
        ..machine()
    };
    let set = &mut all.sample_sets[0];
    set.tensors_sha256 = Some("8".repeat(64));
    set.tensors_count = 3;
    set.unmatched_model = vec!["unicorn".into()];
    set.unmatched_dataset = vec!["dragon".into()];
    let first = &mut all.measurements[0];
    first.threshold_set = Some(ThresholdSet::Evaluate);
    first.thresholds = Some(thresholds);
    first.execution.providers = vec![Provider {
        name: "CPU".into(),
        nodes: Some(9),
    }];
    first.execution.settings = [("spin".to_owned(), "off".to_owned())].into();
    first.execution.import = Some(import);
    first.sensors = vec![SensorTrace {
        name: "temperature_millicelsius".into(),
        source: "thermal_zone0".into(),
        start: Some(40_000.0),
        end: Some(41_000.0),
        trace: Some("9".repeat(64)),
    }];
    if let MeasurementResult::Accuracy(result) = &mut first.result {
        let AccuracyResult {
            scores, details, ..
        } = &mut **result;
        scores[0].hits = Some(1);
        scores[0].optimistic = Some(0.31);
        scores[0].pessimistic = Some(0.29);
        scores[0].interval = Some(Interval {
            method: "random-halves".into(),
            level: 0.95,
            low: 0.27,
            high: 0.33,
        });
        *details = vec![DetailRef {
            name: "per-class".into(),
            format: "csv".into(),
            sha256: "a".repeat(64),
        }];
    }
    let timed = PerformancePlan {
        scenario: ScenarioName::SingleStream,
        timed: Timed::Query,
        profile: "normal".into(),
        threads: 1,
        batch: 1,
        slots: 1,
        library_size: 3,
        warmup_queries: 10,
        min_duration_ns: 10_000_000_000,
        min_queries: 64,
        max_duration_ns: 60_000_000_000,
        seed: 1,
        max_errors: 0,
    };
    let series = Series::performance(
        &model(),
        &first.execution,
        Some(thresholds),
        SET,
        &all.machines[0],
        &timed,
    );
    let second = Measurement {
        order: 1,
        series_sha256: series.sha256().expect("finite"),
        series,
        threshold_set: Some(ThresholdSet::Deploy),
        result: MeasurementResult::Performance(Box::new(performance_result())),
        validity: Validity::from_codes(vec![]),
        ..first.clone()
    };
    all.measurements.push(second);
    all.plan.spec.performance = vec![timed];
    all.plan.sha256 = all.plan.spec.sha256().expect("finite");
    all.warnings = vec![Warning {
        code: WarningCode::Subset,
        detail: "3 of 5".into(),
    }];
    all.artifacts = vec![
        Artifact {
            role: "per-class".into(),
            format: "csv".into(),
            sha256: "a".repeat(64),
            bytes: 12,
            lists: None,
        },
        Artifact {
            role: "shards".into(),
            format: "list.json".into(),
            sha256: "b".repeat(64),
            bytes: 310,
            lists: Some(2),
        },
    ];
    all
}

fn value_of(parts: RecordParts) -> Value {
    let record = Record::seal(parts).expect("finite");
    serde_json::from_str(record.text()).expect("JSON")
}

/// The text of a record with this content.
fn sealed(mut value: Value) -> String {
    let object = value.as_object_mut().expect("a record is an object");
    object.remove("id");
    let id = canonical_sha256(&value).expect("finite");
    value["id"] = id.into();
    serde_json::to_string_pretty(&value).expect("JSON") + "\n"
}

/// Keys of objects whose keys are data: another one there is not unknown.
const MAPS: [&str; 4] = ["series", "shapes", "settings", "parameters"];

/// Every place of an object, as a JSON pointer, the outermost first.
fn objects(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            found.push(at.to_owned());
            for (key, member) in members.iter().filter(|(k, _)| !MAPS.contains(&k.as_str())) {
                objects(member, &format!("{at}/{key}"), found);
            }
        }
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                objects(item, &format!("{at}/{i}"), found);
            }
        }
        _ => {}
    }
}

fn object_at<'v>(value: &'v mut Value, pointer: &str) -> Option<&'v mut Map<String, Value>> {
    value.pointer_mut(pointer)?.as_object_mut()
}

fn older() -> String {
    let mut value = value_of(complete());
    let mut places = Vec::new();
    objects(&value, "", &mut places);
    for place in places {
        let keys: Vec<String> = match object_at(&mut value, &place) {
            Some(object) => object.keys().cloned().collect(),
            None => continue,
        };
        for key in keys {
            let Some(taken) = object_at(&mut value, &place).and_then(|o| o.remove(&key)) else {
                continue;
            };
            if serde_json::from_value::<Record>(value.clone()).is_err()
                && let Some(object) = object_at(&mut value, &place)
            {
                object.insert(key, taken);
            }
        }
    }
    sealed(value)
}

fn newer() -> String {
    let mut value = value_of(complete());
    let mut places = Vec::new();
    objects(&value, "", &mut places);
    for place in places {
        if let Some(object) = object_at(&mut value, &place) {
            object.insert("later".to_owned(), json!({"of": ["a", "version"]}));
        }
    }
    let mut third = value["measurements"][0].clone();
    third["kind"] = "endurance".into();
    third["hours"] = 3.into();
    let list = value["measurements"].as_array_mut().expect("a list");
    list.push(third);
    let second = &mut value["measurements"][1];
    second["scenario"]["name"] = "poisson".into();
    second["timed"] = "sensor-to-screen".into();
    second["validity"] = json!({"status": "INVALID", "codes": ["cosmic-rays", "too-short"]});
    value["sample_sets"][0]["name_source"] = "notarised".into();
    let warning = json!({"code": "weather", "detail": "rain"});
    value["warnings"]
        .as_array_mut()
        .expect("a list")
        .push(warning);
    sealed(value)
}

#[test]
fn the_committed_records_are_what_the_types_make() {
    committed(
        "src/record/fixtures/complete.json",
        &sealed(value_of(complete())),
    );
    committed("src/record/fixtures/older.json", &older());
    committed("src/record/fixtures/newer.json", &newer());
}

#[test]
fn a_complete_record_has_every_key_of_the_schema() {
    fn keys(schema: &Value, found: &mut Vec<String>) {
        match schema {
            Value::Object(members) => {
                if let Some(properties) = members.get("properties").and_then(Value::as_object) {
                    found.extend(properties.keys().cloned());
                }
                members.values().for_each(|m| keys(m, found));
            }
            Value::Array(items) => items.iter().for_each(|i| keys(i, found)),
            _ => {}
        }
    }
    // Of preprocessing steps and the plan's accuracy half other tests speak.
    const ELSEWHERE: [&str; 30] = [
        "accuracy",
        "anchor",
        "center-crop",
        "channels",
        "count",
        "crop",
        "divisor",
        "dtype",
        "fraction",
        "kernel",
        "labels",
        "layout",
        "letterbox",
        "max_errors",
        "mean",
        "metrics",
        "mode",
        "name",
        "normalize",
        "pad",
        "preprocess",
        "resamples",
        "resize",
        "rounding",
        "scale",
        "shape",
        "shard_size",
        "size",
        "source",
        "std",
    ];
    let mut wanted = Vec::new();
    let schema = serde_json::to_value(schemars::schema_for!(Record)).expect("JSON");
    keys(&schema, &mut wanted);
    wanted.sort();
    wanted.dedup();
    let text = value_of(complete()).to_string();
    wanted.retain(|k| !ELSEWHERE.contains(&k.as_str()) && !text.contains(&format!("\"{k}\":")));
    assert!(wanted.is_empty(), "not in the fixture: {wanted:?}");
}

#[test]
fn an_older_record_reads_and_what_it_does_not_say_is_absent() {
    let record = Record::parse(OLDER).expect("readable");
    assert_eq!(record.text(), OLDER);
    assert!(record.warnings.is_empty() && record.artifacts.is_empty());
    let performance = record.measurements[1].performance().expect("performance");
    assert_eq!(performance.disturbance, None);
    assert_eq!(performance.percentile(0.5), None, "absent is not zero");
    assert_eq!(performance.memory_bytes, MemoryBytes::default());
    let score = record.measurements[0].score("AP").expect("a score");
    assert_eq!((score.value, &score.interval), (None, &None));
}

#[test]
fn a_newer_record_reads_and_keeps_what_is_not_understood() {
    let record = Record::parse(NEWER).expect("readable");
    assert_eq!(record.text(), NEWER);
    assert_eq!(Record::parse(record.text()).expect("again").id, record.id);
    let score = record.measurements[0].score("AP").expect("a score");
    assert_eq!(
        score.value.map(f64::to_bits),
        Some((0.1_f64 + 0.2).to_bits())
    );
    let second = &record.measurements[1];
    assert!(!second.validity.is_valid());
    let codes: Vec<String> = second
        .validity
        .codes
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(codes, ["cosmic-rays", "too-short"]);
    let performance = second.performance().expect("performance");
    assert_eq!(performance.scenario.name, ScenarioName::Unknown);
    assert_eq!(performance.timed, Timed::Unknown);
    assert_eq!(record.measurements[2].result, MeasurementResult::Unknown);
    assert_eq!(record.sample_sets[0].name_source, NameSource::Unknown);
    assert_eq!(record.warnings[1].code.to_string(), "weather");
}

#[test]
fn what_another_version_says_is_under_its_id_too() {
    let edited = NEWER.replacen("\"hours\": 3", "\"hours\": 4", 1);
    assert_ne!(edited, NEWER);
    assert!(matches!(
        Record::parse(&edited),
        Err(RecordError::Changed { .. })
    ));
}

#[test]
fn a_value_of_the_plan_that_this_version_cannot_mean_is_refused_by_name() {
    let mut value = value_of(complete());
    value["plan"]["spec"]["model"]["framework"] = "abacus".into();
    let error = Record::parse(&sealed(value)).expect_err("refused");
    assert!(error.to_string().contains("abacus"), "{error}");
}
