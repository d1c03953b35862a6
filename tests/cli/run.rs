//! What `dyno run` measures, in which ways.

use super::{DETECTOR, NULL};
use crate::support::Place;
use dyno_core::{NO_DECODER, Plan, Record};
use std::fs;

#[test]
fn several_models_give_one_record_each() {
    let place = Place::new();
    place.with_shapes(6);
    let done = place.run("run dyno/shapes-detector models/dyno/shapes-detector --dataset coco:pictures --only accuracy --format json").succeeds();
    let records: Vec<Record> = serde_json::from_str(&done.stdout).expect("two records");
    assert_eq!(records.len(), 2);
    // A mistake in the last name costs nothing before it.
    place
        .run("run dyno/shapes-detector dyno/nobody --dataset coco:pictures --only accuracy")
        .exits(2);
    assert_eq!(fs::read_dir(place.join("runs")).expect("runs").count(), 2);
}

#[test]
fn offline_end_to_end_and_engine_are_measured() {
    let place = Place::new();
    place.with_shapes(8);
    let done = place.run(&format!("{DETECTOR} --only latency --profile quick --scenario offline --scenario single-stream --timed end-to-end --format json"));
    let record = done.record();
    assert_eq!(record.measurements.len(), 2);
    for measurement in &record.measurements {
        let result = measurement.performance().expect("latency only");
        let stage = |name: &str| result.stages.iter().find(|s| s.name == name);
        let percentile = |p: f64| result.percentiles.iter().find(|x| (x.p - p).abs() < 1e-9);
        assert!(result.n >= 64);
        assert!(stage("decode-image").is_some());
        assert!(stage("engine").is_some_and(|s| s.p50_ns > 0));
        assert!(percentile(0.9).and_then(|p| p.ns).is_some());
        let p99 = percentile(0.99).and_then(|p| p.bound_ns);
        assert!(p99.is_none() || result.n >= 662, "a bound without support");
    }
}

#[test]
fn expectations_decide_the_exit_code() {
    let place = Place::new();
    place.with_shapes(20);
    let line = |expect: &str| format!("{DETECTOR} --only accuracy --expect {expect}");
    place.run(&line("AP>=0.01")).succeeds();
    place
        .run(&line("AP>=0.999"))
        .exits(1)
        .says(&["AP>=0.999 failed"]);
    let before = fs::read_dir(place.join("runs")).expect("runs").count();
    for (name, expect) in [
        ("expect-an-unknown-score", "APP>=0.1"),
        ("expect-another-metric", "mAP>=0.1"),
        ("expect-an-unknown-class", "AP/cirle>=0.1"),
        ("expect-a-latency-that-is-not-measured", "p90<=12ms"),
        ("expect-a-wrong-unit", "AP>=12ms"),
        ("expect-nonsense", "nonsense"),
    ] {
        place.run(&line(expect)).exits(2).shows(name, &place);
    }
    let after = fs::read_dir(place.join("runs")).expect("runs").count();
    assert_eq!(before, after, "all of it is known before the run");
    place.run(&line("AP/circle>=0.01")).succeeds();
}

#[test]
fn verdicts_are_written_for_machines_and_judged_later() {
    let place = Place::new();
    place.with_shapes(20);
    place
        .run(&format!("{DETECTOR} --only accuracy -q --expect AP>=0.999 --verdicts json=verdicts.json --verdicts junit=verdicts.xml"))
        .exits(1);
    let text = fs::read_to_string(place.join("verdicts.json")).expect("verdicts");
    let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert!(text.contains("AP>=0.999") && value.is_object(), "{text}");
    assert!(
        fs::read_to_string(place.join("verdicts.xml"))
            .expect("verdicts")
            .contains("<failure")
    );
    place
        .run("report latest --expect AP>=0.01 --out report.txt")
        .succeeds();
    place
        .run("report latest --expect AP>=0.999 --out report.txt")
        .exits(1);
    place
        .run("report latest --expect APP>=0.1 --out report.txt")
        .exits(2);
}

#[test]
fn a_dry_run_says_what_would_be_done_and_does_nothing() {
    let place = Place::new();
    place.with_shapes(6);
    place
        .run(&format!(
            "{DETECTOR} --dry-run --write --threads 2 --workers 3"
        ))
        .succeeds()
        .shows("dry-run", &place);
    let done = place
        .run(&format!("{DETECTOR} --dry-run --format json"))
        .succeeds();
    let plan: Plan = serde_json::from_str(&done.stdout).expect("a plan");
    assert_eq!(plan.spec.model.reference, "dyno/shapes-detector");
    assert!(!place.join("runs").exists(), "no run folder");
    // It checks what a run would find out when it opens the model.
    fs::write(
        place.join("models/dyno/shapes-detector/labels.txt"),
        "circle\nsquare\n",
    )
    .expect("writable");
    place
        .run(&format!("{DETECTOR} --dry-run"))
        .exits(2)
        .shows("dry-run-with-too-few-labels", &place);
}

#[test]
fn the_same_run_in_a_child_process_gives_the_same_predictions() {
    let place = Place::new();
    place.with_shapes(12);
    let hash = |line: &str| {
        let record = place.run(line).succeeds().record();
        let accuracy = record.measurements[0].accuracy().expect("accuracy");
        accuracy.predictions_sha256.clone()
    };
    let line = format!("{DETECTOR} --only accuracy --format json");
    assert_eq!(hash(&line), hash(&format!("{line} --isolate")));
    assert_eq!(
        hash(&line),
        hash(&format!("{line} --shard-size 5 --workers 3")),
        "shards and threads change nothing"
    );
    assert_eq!(
        hash(&line),
        hash(&format!("{line} --preparing 1 --workers 1")),
        "nor does the staged pipeline"
    );
}

#[test]
fn an_engine_that_crashes_is_an_error_and_not_the_end() {
    let place = Place::new();
    place.with_shapes(12);
    let done = place.run(&format!(
        "{DETECTOR} --only accuracy {NULL} --set crash_at=3 --isolate"
    ));
    done.exits(5).says(&["killed by signal 6", "in hand"]);
}

#[test]
fn any_network_is_timed_on_random_inputs_without_a_word_about_it() {
    let place = Place::new();
    place.with_shapes(1);
    let model = "models/dyno/shapes-detector/shapes-detector.onnx";
    let line = format!("run {model} --only latency --profile quick --threads 1");
    let done = place.run(&format!("{line} --format json"));
    let record = done.record();
    assert_eq!(record.plan.spec.model.decoder.kind, NO_DECODER);
    assert_eq!(record.sample_sets[0].name, "random-inputs");
    assert!(
        record.measurements[0]
            .performance()
            .is_some_and(|p| p.n >= 64)
    );
    let again = place.run(&format!("{line} --format json")).record();
    assert_eq!(
        record.sample_sets[0].id, again.sample_sets[0].id,
        "the numbers are seeded"
    );
    // A file in place of the numbers: one sample in the form of `numpy.save`.
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 128, 128), }\n";
    let mut npy = b"\x93NUMPY\x01\x00".to_vec();
    npy.extend((header.len() as u16).to_le_bytes());
    npy.extend(header.as_bytes());
    npy.resize(npy.len() + 4 * 3 * 128 * 128, 0);
    fs::write(place.join("a.npy"), npy).expect("writable");
    let filed = place
        .run(&format!("{line} --input images=a.npy --format json"))
        .record();
    assert_eq!(filed.sample_sets[0].name, "custom-inputs");
    assert_eq!(
        filed.sample_sets[0].distinct, 1,
        "the one sample is taken again and again"
    );
    let human = place.run(&line);
    assert!(human.stdout.contains("no decoder"), "{}", human.stdout);
    for (name, flags) in [
        ("random-inputs-and-accuracy", ""),
        ("random-inputs-and-write", "--only latency --write"),
        (
            "random-inputs-and-an-unknown-input",
            "--only latency --input pictures=a.npy",
        ),
    ] {
        place
            .run(&format!("run {model} {flags}"))
            .exits(2)
            .shows(name, &place);
    }
}

#[test]
fn several_values_are_compared_in_one_table() {
    let place = Place::new();
    place.with_shapes(8);
    let done = place.run(&format!(
        "{DETECTOR} -b tract,rten -t 1,2 --profile quick --format csv"
    ));
    let mut lines = done.stdout.lines();
    let header = lines.next().expect("a header");
    assert!(
        header.starts_with("model,engine,threads,batch,scenario,p50_ns"),
        "{header}"
    );
    let rows: Vec<Vec<&str>> = lines.map(|l| l.split(',').collect()).collect();
    assert_eq!(rows.len(), 4, "{}", done.stdout);
    let speeds: Vec<f64> = rows
        .iter()
        .map(|r| r[7].parse().expect("a speed"))
        .collect();
    assert!(
        speeds.windows(2).all(|w| w[0] >= w[1]),
        "fastest first: {speeds:?}"
    );
    let mut seen: Vec<(&str, &str)> = rows.iter().map(|r| (r[1], r[2])).collect();
    seen.sort_unstable();
    assert_eq!(
        seen,
        [("rten", "1"), ("rten", "2"), ("tract", "1"), ("tract", "2")]
    );
    assert!(
        rows.iter()
            .all(|r| r[8] == "AP" && r[9].parse::<f64>().is_ok_and(|v| v > 0.2))
    );
}
