//! The program as a user meets it: verbs, exit codes, standard output and standard error.

use crate::support::{Place, score};
use dyno_core::{MeasurementKind, Plan, Record, ValidityCode};
use std::fs;

#[cfg(unix)]
mod interrupted;

const DETECTOR: &str = "run dyno/shapes-detector --dataset coco:pictures";
/// The null engine in the shape of the detector.
const NULL: &str =
    "--backend null --set inputs=images:f32:1x3x128x128 --set outputs=output:f32:1x336x11";

#[test]
fn help_and_version_are_answers_and_mistakes_are_code_2() {
    let place = Place::new();
    assert!(
        place
            .run("--help")
            .succeeds()
            .stdout
            .contains("Exit codes:")
    );
    assert!(place.run("--version").succeeds().stdout.contains("dyno 0."));
    place.run("rnu").exits(2);
    place.run("run x").exits(2).says(&["--dataset"]);
}

#[test]
fn an_unknown_name_is_answered_with_what_exists() {
    let place = Place::new();
    place.with_shapes(4);
    place
        .run(&format!("{DETECTOR} --backend trakt"))
        .exits(2)
        .says(&["error: unknown backend `trakt`", "did you mean `tract`"]);
    place
        .run("run dyno/shapes-detektor --dataset coco:pictures")
        .exits(2)
        .says(&["shapes-detector"]);
    place
        .run("run dyno/shapes-detector --dataset cocoa:pictures")
        .exits(2)
        .says(&["did you mean `coco`"]);
    place.run("recipes yolx").exits(2).says(&["yolox"]);
}

#[test]
fn a_run_fills_the_manifest_and_the_check_believes_it() {
    let place = Place::new();
    place.with_shapes(40);
    let manifest = place.join("models/dyno/shapes-detector/alwaysai.model.json");
    let before = fs::read_to_string(&manifest).expect("a manifest");
    let done = place.run(&format!(
        "{DETECTOR} --write --profile quick --threads 1 --format json"
    ));
    let record = done.record();
    // Other tests run beside this one: a latency that was not steady is INVALID, and then not
    // written.
    let steady = record.measurements[1].validity.is_valid();
    assert!(
        steady || record.measurements[1].validity.codes == [ValidityCode::Unsteady],
        "{:?}",
        record.measurements[1].validity
    );
    let done = done.exits(if steady { 0 } else { 4 });
    assert!(done.stderr.contains("filled accuracy"), "{}", done.stderr);
    assert!(score(&record, "AP") > 0.2, "the detector detects");
    assert!(score(&record, "AP") < 0.99, "and not perfectly");
    let after = fs::read_to_string(&manifest).expect("a manifest");
    assert_ne!(before, after);
    let value: serde_json::Value = serde_json::from_str(&after).expect("JSON");
    let text = value["accuracy"].as_str().expect("a sentence");
    assert!(
        text.contains("AP 0.")
            && text.contains(&record.sample_sets[0].id)
            && text.contains("40 images"),
        "{text}"
    );
    assert_eq!(
        value["inference_time"].as_f64().is_some_and(|t| t > 0.0),
        steady
    );
    place.run("models check dyno/shapes-detector").succeeds();
    // Lines that were not filled are the same bytes.
    let same = before
        .lines()
        .zip(after.lines())
        .filter(|(a, b)| a == b)
        .count();
    assert_eq!(before.lines().count(), after.lines().count());
    assert_eq!(
        before.lines().count() - same,
        if steady { 2 } else { 1 },
        "one line a field changed:\n{after}"
    );
    // A field without evidence is found.
    fs::write(&manifest, after.replace("AP 0.", "AP 1.")).expect("writable");
    place.run("models check dyno/shapes-detector").exits(1);
}

#[test]
fn a_package_made_by_configure_is_measured_and_filled() {
    let place = Place::new();
    place.with_shapes(20);
    let folder = place.join("models/acme/mine");
    fs::create_dir_all(&folder).expect("a folder");
    for file in ["shapes-detector.onnx", "labels.txt"] {
        fs::copy(
            place.join("models/dyno/shapes-detector").join(file),
            folder.join(file),
        )
        .expect("a file");
    }
    // alwaysAI's spelling of flags and ours.
    let line = "models configure models/acme/mine --id acme/mine --framework onnx --purpose ObjectDetection --model_file shapes-detector.onnx --label-file labels.txt";
    place
        .run(&format!("{line} --recipe yolx"))
        .exits(2)
        .says(&["did you mean `yolox`"]);
    place.run(&format!("{line} --recipe yolox")).succeeds();
    let done = place
        .run("run acme/mine --dataset coco:pictures --only accuracy --write --format json")
        .succeeds();
    // The recipe takes its size from the file, so the scores are those of the model's own
    // description.
    let own = place
        .run(&format!("{DETECTOR} --only accuracy --format json"))
        .succeeds();
    assert_eq!(
        score(&done.record(), "AP").to_bits(),
        score(&own.record(), "AP").to_bits()
    );
    let text = fs::read_to_string(folder.join("alwaysai.model.json")).expect("a manifest");
    assert!(text.contains("AP 0."), "{text}");
    place
        .run("models check acme/mine --dataset coco:pictures")
        .succeeds();
    // Evidence that the data set has outlived is found.
    let annotations = place.join("pictures/annotations/instances_val2017.json");
    let mut value: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&annotations).expect("annotations"))
            .expect("JSON");
    value["annotations"].as_array_mut().expect("a list").pop();
    fs::write(&annotations, value.to_string()).expect("writable");
    let stale = place
        .run("models check acme/mine --dataset coco:pictures")
        .exits(1);
    assert!(stale.stdout.contains("stale-dataset"), "{}", stale.stdout);
    // So are labels that have changed.
    fs::write(folder.join("labels.txt"), "a\nb\nc\nd\ne\nf\n").expect("writable");
    assert!(
        place
            .run("models check acme/mine")
            .exits(1)
            .stdout
            .contains("stale-labels")
    );
}

#[test]
fn null_and_contradictions_never_reach_a_manifest() {
    let place = Place::new();
    place.with_shapes(6);
    place
        .run(&format!("{DETECTOR} {NULL} --only accuracy --write"))
        .exits(2)
        .says(&["--write needs an engine that computes"]);
    place
        .run(&format!(
            "{DETECTOR} --only accuracy --write --labels coco80"
        ))
        .exits(2)
        .says(&["--write does not go with --labels"]);
    place
        .run(&format!("{DETECTOR} --only accuracy --recipe nanodet"))
        .exits(2)
        .says(&["nothing to add"]);
    let set = place
        .run(&format!("{DETECTOR} --only accuracy --format json"))
        .succeeds()
        .record()
        .sample_sets[0]
        .id
        .clone();
    place
        .run(&format!(
            "models reference set dyno/shapes-detector AP 0.99 --sample-set {set} --abs 0.001"
        ))
        .succeeds();
    place
        .run(&format!("{DETECTOR} --only accuracy --write"))
        .exits(1)
        .says(&["reference missed", "nothing was written"]);
}

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
        let MeasurementKind::Performance {
            n,
            stages_ns,
            latency_ns,
            ..
        } = &measurement.kind
        else {
            panic!("latency only")
        };
        assert!(
            *n >= 64
                && stages_ns.decode_image.is_some()
                && stages_ns.engine > 0
                && latency_ns.p90.is_some()
                && latency_ns.p99.is_none_or(|_| *n >= 662)
        );
    }
}

#[test]
fn a_classifier_fills_top_1_and_top_5() {
    let place = Place::new();
    place.with_shapes(40);
    let done = place.run("run dyno/shapes-classifier --dataset imagenet:classes --only accuracy --write --format json").succeeds();
    let top1 = score(&done.record(), "top-1");
    assert!((0.3..=0.99).contains(&top1), "top-1 is {top1}");
    let text = fs::read_to_string(place.join("models/dyno/shapes-classifier/alwaysai.model.json"))
        .expect("a manifest");
    let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(value["mean_average_precision_top_1"].as_f64(), Some(top1));
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
        .says(&["expectation FAILED: AP>=0.999"]);
    place.run(&line("APP>=0.1")).exits(2).says(&["AP"]);
    place.run(&line("nonsense")).exits(2);
}

#[test]
fn a_dry_run_prints_the_plan_and_does_nothing() {
    let place = Place::new();
    place.with_shapes(6);
    let done = place.run(&format!("{DETECTOR} --dry-run")).succeeds();
    let plan: Plan = serde_json::from_str(&done.stdout).expect("a plan");
    assert_eq!(plan.spec.model.reference, "dyno/shapes-detector");
    assert!(!place.join("runs").exists(), "no run folder");
}

#[test]
fn reports_come_from_stored_records_in_every_form() {
    let place = Place::new();
    place.with_shapes(10);
    place
        .run(&format!("{DETECTOR} --profile quick --only accuracy -q"))
        .succeeds();
    assert!(
        place
            .run("report latest")
            .succeeds()
            .stdout
            .contains("AP50")
    );
    assert!(
        place
            .run("report latest --format csv")
            .succeeds()
            .stdout
            .lines()
            .count()
            > 3
    );
    assert!(
        place
            .run("report latest --format markdown")
            .succeeds()
            .stdout
            .contains("| AP")
    );
    let record = place.run("report latest --format json").succeeds().record();
    assert!(
        place
            .run("records list")
            .succeeds()
            .stdout
            .contains(record.short_id())
    );
    assert_eq!(
        place
            .run(&format!("records show {} --format json", record.short_id()))
            .succeeds()
            .record(),
        record
    );
    place
        .run("report 0123456789")
        .exits(2)
        .says(&["no record", "hint:"]);
}

#[test]
fn standard_output_is_data_only() {
    let place = Place::new();
    place.with_shapes(6);
    let done = place
        .run(&format!("{DETECTOR} --only accuracy --format json"))
        .succeeds();
    assert!(Record::parse(&done.stdout).is_ok());
    let quiet = place
        .run(&format!("{DETECTOR} --only accuracy --format json -q"))
        .succeeds();
    assert_eq!(quiet.stderr, "");
}

#[test]
fn listings_and_manners() {
    let place = Place::new();
    for (line, word) in [
        ("backends list", "null"),
        ("decoders", "yolox"),
        ("recipes", "torchvision"),
        ("recipes yolox", "\"letterbox\""),
        ("datasets list", "synthetic"),
        ("config show", "DYNO_RUNS_DIR"),
        ("cache list", "bytes"),
        ("completions bash", "_dyno"),
        ("completions man", ".TH dyno"),
    ] {
        assert!(
            place.run(line).succeeds().stdout.contains(word),
            "`dyno {line}` does not show `{word}`"
        );
    }
    let doctor = place.run("doctor").succeeds();
    assert!(doctor.stdout.contains("tract") && doctor.stdout.contains("cores"));
    place.run("cache clear").succeeds();
}

#[test]
fn the_same_run_in_a_child_process_gives_the_same_predictions() {
    let place = Place::new();
    place.with_shapes(12);
    let hash = |line: &str| {
        let record = place.run(line).succeeds().record();
        let MeasurementKind::Accuracy {
            predictions_sha256, ..
        } = &record.measurements[0].kind
        else {
            panic!("accuracy comes first")
        };
        predictions_sha256.clone()
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
