//! B12: names of strangers move no cursor and forge no line.

use crate::{
    cheats::kit::{DETECTOR, annotations, chain, detector, edit, pictures, shapes},
    support::Done,
};
use std::fs;

/// Red, a bell, the end of a line, and what would look like ours.
const HOSTILE: &str = "\u{1b}[31mred\u{7}\u{9b}2J\nerror: forged\u{202e}";

/// Neither stream has a control character but line feeds, nor a line that ours would be.
#[track_caller]
fn is_clean(done: &Done) {
    for text in [&done.stdout, &done.stderr] {
        let control = text
            .chars()
            .find(|c| c.is_control() && *c != '\n' && *c != '\t');
        assert!(control.is_none(), "{control:?} in\n{}", text.escape_debug());
        assert!(
            !text.contains('\u{202e}'),
            "turned around: {}",
            text.escape_debug()
        );
        let forged = text
            .lines()
            .any(|l| l.trim_start().starts_with("error: forged"));
        assert!(!forged, "a forged line in\n{text}");
    }
    assert!(
        done.stdout.contains("red") || done.stderr.contains("red"),
        "the name was not shown:\n{}\n{}",
        done.stdout,
        done.stderr
    );
}

#[test]
fn a_picture_that_is_missing() {
    let place = shapes(4);
    edit(&annotations(&place), |v| {
        v["images"][0]["file_name"] = HOSTILE.into();
    });
    is_clean(&place.run(DETECTOR).exits(5));
    is_clean(&place.run("datasets check coco:pictures"));
}

#[test]
fn a_picture_that_fails() {
    let place = shapes(4);
    let file = pictures(&place).swap_remove(0);
    let hostile = file.with_file_name(HOSTILE);
    fs::rename(&file, &hostile).expect("a picture");
    fs::write(&hostile, b"nothing").expect("writable");
    edit(&annotations(&place), |v| {
        let name = file.file_name().and_then(|n| n.to_str()).expect("a name");
        let images = v["images"].as_array_mut().expect("images");
        let image = images.iter_mut().find(|i| i["file_name"] == name);
        image.expect("an image")["file_name"] = HOSTILE.into();
    });
    is_clean(&place.run(DETECTOR).exits(5));
    is_clean(&place.run(&format!("{DETECTOR} --max-errors 1")));
    for format in ["human", "markdown", "csv"] {
        let report = place.run(&format!("report latest --format {format}"));
        let clean = report
            .stdout
            .chars()
            .all(|c| !c.is_control() || "\n\r\t".contains(c));
        assert!(clean, "{}", report.stdout.escape_debug());
    }
}

#[test]
fn a_class() {
    let place = shapes(4);
    edit(&annotations(&place), |v| {
        v["categories"][0]["name"] = HOSTILE.into();
    });
    is_clean(&place.run(DETECTOR));
}

#[test]
fn a_manifest() {
    let place = shapes(4);
    edit(&detector(&place).join("alwaysai.model.json"), |v| {
        v["description"] = HOSTILE.into();
        v["license"] = HOSTILE.into();
        v["website_url"] = HOSTILE.into();
        v["accuracy"] = HOSTILE.into();
    });
    for line in [
        "models list",
        "models show dyno/shapes-detector",
        "models check dyno/shapes-detector",
    ] {
        let done = place.run(line);
        let text = done.stdout.clone() + &done.stderr;
        if text.contains("red") {
            is_clean(&done);
        } else {
            assert!(!text.contains('\u{1b}'), "{}", text.escape_debug());
        }
    }
    is_clean(&place.run("models check dyno/shapes-detector"));
}

#[test]
fn a_file_of_a_manifest_that_is_missing() {
    let place = shapes(4);
    edit(&detector(&place).join("alwaysai.model.json"), |v| {
        v["model_parameters"]["label_file"] = HOSTILE.into();
    });
    edit(&detector(&place).join("dyno.json"), |v| {
        v.as_object_mut().expect("an object").remove("labels");
    });
    is_clean(&place.run(DETECTOR).exits_not(0));
}

#[test]
fn inputs_of_a_model() {
    let place = shapes(2);
    // The name is as long as the one that it stands for.
    let hostile = "\u{1b}[31mred\nerror: forged";
    let short = "input";
    let model = chain(3);
    let mut bytes = Vec::new();
    let mut rest = model.as_slice();
    while let Some(at) = rest
        .windows(short.len())
        .position(|w| w == short.as_bytes())
    {
        bytes.extend(&rest[..at]);
        bytes.extend(b"\x1b[31m");
        rest = &rest[at + short.len()..];
    }
    bytes.extend(rest);
    fs::write(place.join("hostile.onnx"), bytes).expect("writable");
    let done = place
        .run("run ./hostile.onnx --dataset coco:pictures --only accuracy")
        .exits_not(0);
    assert!(
        !done.stderr.contains('\u{1b}'),
        "{}",
        done.stderr.escape_debug()
    );
    // Nor do the words of the command itself.
    let named = place
        .run_args(&["run", hostile, "--dataset", "coco:pictures"])
        .exits_not(0);
    is_clean(&named);
}
