//! A6, A10 and A11: what percentiles rest on, how long a window was, and whether what was timed was
//! right. The engine that computes nothing has a script of delays; no test says how long anything
//! takes. That a busy machine is noticed is shown by `benches/disturbance.py`.

use super::kit::{CLASSIFIER, manifest, measurement, record, shapes, with_random};
use crate::support::Place;
use serde_json::Value;
use std::fs;

const NULL: &str = "run dyno/shapes-detector --dataset coco:pictures --only latency --profile quick --backend null --set inputs=images:f32:1x3x128x128 --set outputs=output:f32:1x336x11";
const LATENCY: &str = "run dyno/shapes-classifier --dataset imagenet:classes --only latency";

fn percentile(timed: &Value, p: f64) -> &Value {
    let all = timed["percentiles"].as_array().expect("a list");
    all.iter()
        .find(|v| v["p"] == p)
        .unwrap_or_else(|| panic!("no percentile {p}"))
}

fn codes(measurement: &Value) -> Vec<&str> {
    let codes = measurement["validity"]["codes"].as_array().expect("codes");
    codes.iter().filter_map(Value::as_str).collect()
}

#[test]
fn a_window_that_ended_by_its_rule_is_not_too_short() {
    let place = shapes(4);
    for _ in 0..3 {
        let record = record(&place.run(&format!("{NULL} --format json")));
        let timed = measurement(&record, "performance");
        assert!(!codes(timed).contains(&"too-short"), "{timed:#}");
    }
}

#[test]
fn a_bound_rests_on_independent_queries() {
    let place = shapes(4);
    // Two hundred slow queries follow two hundred fast ones: each says what the next one will be.
    let delays: Vec<&str> = [["200000"; 200], ["900000"; 200]].concat();
    let line = format!("{NULL} --set wait=spin --set delay_ns={}", delays.join(","));
    let record = record(&place.run(&format!("{line} --format json")));
    let timed = measurement(&record, "performance");
    let number = |key: &str| {
        timed[key]
            .as_f64()
            .unwrap_or_else(|| panic!("no {key}: {timed:#}"))
    };
    assert!(number("n") >= 64.0, "{timed:#}");
    let p90 = percentile(timed, 0.9);
    assert!(p90["ns"].is_u64(), "{p90:#}");
    assert!(
        p90["bound_ns"].is_null(),
        "a bound that rests on nothing: {p90:#}"
    );
    assert!(number("autocorrelation") > 0.5, "{timed:#}");
    assert!(number("effective_n") < 0.2 * number("n"), "{timed:#}");
    // People read the same.
    let report = place.run("report latest").succeeds().stdout;
    for words in [
        "within this run, if independent",
        "autocorrelation",
        "effective n",
        "refused",
    ] {
        assert!(report.contains(words), "`{words}` is not in\n{report}");
    }
}

#[test]
fn trials_are_kept_whole_and_retries_are_told() {
    let place = shapes(4);
    // After a thousand queries a hundred and fifty are ten times as slow: windows differ, and no
    // trial is steady.
    let delays: Vec<&str> = [vec!["300000"; 1000], vec!["3000000"; 150]].concat();
    let line = format!("{NULL} --set wait=spin --set delay_ns={}", delays.join(","));
    let done = place.run(&format!("{line} --format json"));
    let record = record(&done);
    let timed = measurement(&record, "performance");
    let trials = timed["trials"].as_array().expect("trials");
    assert!(
        trials.len() > 1,
        "an unsteady trial is made again: {timed:#}"
    );
    for trial in trials {
        for part in ["n", "duration_ns", "latency_ns", "percentiles"] {
            assert!(
                !trial[part].is_null(),
                "`{part}` of a trial is lost: {trial:#}"
            );
        }
    }
    let warned = record["warnings"]
        .as_array()
        .expect("warnings")
        .iter()
        .any(|w| w["code"] == "retried");
    assert!(warned, "{:#}", record["warnings"]);
    let report = place.run("report latest").succeeds().stdout;
    assert!(report.contains("retried"), "{report}");
}

/// A classifier whose outputs are other ones whenever it runs.
fn random(count: u32) -> Place {
    let place = shapes(count);
    let model = place.join("models/dyno/shapes-classifier/shapes-classifier.onnx");
    let bytes = fs::read(&model).expect("a model");
    fs::write(&model, with_random(&bytes)).expect("writable");
    place
}

#[test]
fn timed_outputs_are_those_of_the_accuracy_run() {
    let both =
        "run dyno/shapes-classifier --dataset imagenet:classes --profile quick --format json";
    let honest = record(&shapes(40).run(both));
    let timed = measurement(&honest, "performance");
    assert!(
        timed["outputs_compared"].as_u64().is_some_and(|n| n >= 32),
        "{timed:#}"
    );
    assert!(!codes(timed).contains(&"outputs-differ"), "{timed:#}");
    let place = random(40);
    let done = place.run(both).exits_not(0);
    let lied = record(&done);
    let timed = measurement(&lied, "performance");
    assert!(codes(timed).contains(&"outputs-differ"), "{timed:#}");
    assert_eq!(
        manifest(&place, "shapes-classifier")["inference_time"],
        Value::Null
    );
}

#[test]
fn a_time_without_an_accuracy_is_not_written() {
    let place = shapes(40);
    place
        .run(&format!("{LATENCY} --write"))
        .exits_not(5)
        .says(&["inference_time", "accuracy"]);
    assert_eq!(
        manifest(&place, "shapes-classifier")["inference_time"],
        Value::Null
    );
}

#[test]
fn a_second_is_too_short_for_a_number_that_stands_alone() {
    let place = shapes(40);
    place.run(&format!("{CLASSIFIER} --write -q")).succeeds();
    place
        .run(&format!("{LATENCY} --profile quick --write"))
        .exits_not(0)
        .says(&["profile"]);
    let both = "run dyno/shapes-classifier --dataset imagenet:classes --profile quick --write";
    place.run(both).exits_not(5);
    assert_eq!(
        manifest(&place, "shapes-classifier")["inference_time"],
        Value::Null
    );
}
