//! Refusals in whole sentences: what is wrong, what there is, what helps; and nothing of a stranger
//! that acts on the terminal.

use super::DETECTOR;
use crate::support::Place;
use std::fs;

#[test]
fn an_unknown_name_is_answered_with_what_exists() {
    let place = Place::new();
    place.with_shapes(4);
    for (name, line) in [
        ("unknown-backend", format!("{DETECTOR} --backend trakt")),
        (
            "unknown-model",
            "run dyno/shapes-detektor --dataset coco:pictures".to_owned(),
        ),
        (
            "unknown-kind-of-data-set",
            "run dyno/shapes-detector --dataset cocoa:pictures".to_owned(),
        ),
        ("unknown-recipe", "recipes yolx".to_owned()),
        ("unknown-scenario", format!("{DETECTOR} --scenario server")),
        (
            "malformed-shape",
            format!("{DETECTOR} --shape images=1x0x3"),
        ),
        (
            "malformed-timeout",
            format!("{DETECTOR} --engine-timeout 30"),
        ),
        ("malformed-score", format!("{DETECTOR} --score 3")),
    ] {
        place.run(&line).exits(2).shows(name, &place);
    }
}

#[test]
fn an_engine_that_does_not_read_the_model_says_who_would() {
    let place = Place::new();
    place.with_shapes(2);
    fs::write(place.join("net.hef"), "chip").expect("writable");
    for backend in ["tract", "rten"] {
        let line = format!("run net.hef --dataset coco:pictures --backend {backend}");
        place
            .run(&line)
            .exits(3)
            .shows(&format!("hailo-on-{backend}"), &place);
    }
}

#[test]
fn data_that_cannot_be_judged_is_refused_in_words() {
    let place = Place::new();
    place.with_shapes(4);
    fs::write(
        place.join("others.txt"),
        "cat\ndog\nbird\nfish\nfrog\nnewt\n",
    )
    .expect("writable");
    for (name, line) in [
        (
            "detector-on-classes",
            "run dyno/shapes-detector --dataset imagenet:classes",
        ),
        (
            "detector-on-a-folder",
            "run dyno/shapes-detector --dataset folder:pictures/images/val2017",
        ),
        (
            "detector-with-other-classes",
            "run dyno/shapes-detector --dataset coco:pictures --labels others.txt",
        ),
        (
            "classifier-with-thresholds",
            "run dyno/shapes-classifier --dataset imagenet:classes --score 0.3",
        ),
    ] {
        place.run(line).exits(2).shows(name, &place);
    }
}

/// A name with an escape sequence and a line break cannot forge a line or colour the terminal.
#[test]
fn names_of_strangers_are_harmless() {
    let place = Place::new();
    place.with_shapes(2);
    let package = place.join("models/dyno/shapes-detector/alwaysai.model.json");
    let text = fs::read_to_string(&package).expect("a manifest");
    fs::write(
        &package,
        text.replacen(
            "\"labels.txt\"",
            "\"\\u001b[2Kx\\nerror: forged \\u202elabels.txt\"",
            1,
        ),
    )
    .expect("writable");
    fs::write(
        place.join("dyno.toml"),
        "models_dirs = [\"models\"]\n\"\\u001b[31mred\\nerror: forged\" = 1\n",
    )
    .expect("writable");
    place
        .run(DETECTOR)
        .exits_not(0)
        .shows("hostile-settings", &place);
    fs::remove_file(place.join("dyno.toml")).expect("a file");
    place
        .run(DETECTOR)
        .exits_not(0)
        .shows("hostile-manifest", &place);
    let file = "./a\u{1b}[31m\nerror: forged.onnx";
    let done = place.run_args(&["run", file, "--only", "latency"]);
    done.exits_not(0).shows("hostile-reference", &place);
}
