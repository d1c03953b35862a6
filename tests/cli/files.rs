//! Where output goes: files, pipes, devices.

use super::DETECTOR;
use crate::support::Place;
use std::{fs, io::Read as _, process::Command};

#[test]
fn a_pipe_is_written_and_stays_a_pipe() {
    use std::os::unix::fs::FileTypeExt as _;
    let place = Place::new();
    place.with_shapes(4);
    for (flag, begin) in [("--out", "\u{7b}"), ("--export-predictions", "[")] {
        let pipe = place.join("pipe");
        let made = Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
        assert!(made.success());
        let reader = {
            let pipe = pipe.clone();
            std::thread::spawn(move || {
                let mut text = String::new();
                fs::File::open(pipe)
                    .and_then(|mut f| f.read_to_string(&mut text))
                    .map(|_| text)
            })
        };
        let line = format!("{DETECTOR} --only accuracy --format json {flag} pipe");
        place.run(&line).succeeds();
        let text = reader.join().expect("the reader").expect("a pipe");
        assert!(text.starts_with(begin), "{flag}: {text}");
        assert!(
            fs::metadata(&pipe)
                .expect("still there")
                .file_type()
                .is_fifo()
        );
        fs::remove_file(&pipe).expect("the pipe");
    }
}

#[test]
fn a_device_is_written_and_stays_a_device() {
    use std::os::unix::fs::FileTypeExt as _;
    let place = Place::new();
    place.with_shapes(4);
    // Through a link: a program that replaced what it is given would replace the link, not the
    // machine's device.
    std::os::unix::fs::symlink("/dev/null", place.join("nothing")).expect("a link");
    place
        .run(&format!(
            "{DETECTOR} --only accuracy --out nothing --export-predictions nothing"
        ))
        .succeeds();
    let link = fs::symlink_metadata(place.join("nothing")).expect("still there");
    assert!(link.file_type().is_symlink());
    let device = fs::metadata("/dev/null").expect("a device");
    assert!(device.file_type().is_char_device());
}

#[test]
fn a_place_where_nothing_can_be_written_is_refused_before_the_run() {
    let place = Place::new();
    place.with_shapes(2);
    fs::write(place.join("file"), "").expect("writable");
    for (name, flags) in [
        ("out-to-a-folder", "--out pictures"),
        ("out-below-nothing", "--out nowhere/report.txt"),
        ("runs-below-a-file", "--runs-dir file/runs"),
        ("verdicts-of-no-form", "--verdicts xml=a.xml"),
    ] {
        let line = format!("{DETECTOR} --only accuracy {flags}");
        place.run(&line).exits(2).shows(name, &place);
    }
    assert!(!place.join("runs").exists(), "nothing was run");
}

#[test]
fn what_a_classifier_said_is_a_table() {
    let place = Place::new();
    place.with_shapes(6);
    place
        .run("run dyno/shapes-classifier --dataset imagenet:classes --only accuracy -q --export-predictions said.csv --out report.txt")
        .succeeds();
    let text = fs::read_to_string(place.join("said.csv")).expect("a table");
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("sample,rank,class,score"));
    let rows: Vec<Vec<&str>> = lines.map(|l| l.split(',').collect()).collect();
    assert_eq!(
        rows.iter().filter(|r| r[1] == "1").count(),
        6,
        "one best class a sample"
    );
    assert!(rows.iter().all(|r| r[3].parse::<f64>().is_ok()), "{text}");
}
