//! B13: annotations that cost more than they say, and files as other programs write them.

use crate::{
    cheats::kit::{
        CLASSIFIER, DETECTOR, Limits, annotations, detector, limited, measurement, record, shapes,
        text,
    },
    support::Place,
};
use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const VOC: &str = "run dyno/shapes-detector --dataset voc:voc --only accuracy";

/// A place with a data set in VOC's layout, and its first annotation.
fn voc() -> (Place, PathBuf) {
    let place = shapes(2);
    place
        .run("datasets synthesize voc --layout voc --count 4 --seed 3 -q")
        .succeeds();
    let folder = find(&place.join("voc"), "Annotations").expect("annotations");
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("annotations")
        .map(|e| e.expect("an entry").path())
        .collect();
    files.sort();
    (place, files.swap_remove(0))
}

/// A folder of this name, below another.
fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let below = fs::read_dir(folder)
        .ok()?
        .map(|e| e.expect("an entry").path());
    let below: Vec<PathBuf> = below.filter(|p| p.is_dir()).collect();
    below
        .iter()
        .find(|p| p.ends_with(name))
        .cloned()
        .or_else(|| below.iter().find_map(|p| find(p, name)))
}

#[test]
fn namespaces_in_namespaces_cost_no_seconds() {
    let (place, file) = voc();
    let before = text(&file);
    let rest = before
        .trim_start()
        .strip_prefix("<annotation>")
        .expect("an annotation");
    // Who copies what is in scope for every element that adds to it, or compares all with all.
    let mut wide = String::from("<annotation");
    for i in 0..3000 {
        write!(wide, " xmlns:p{i}=\"u:{i}\"").expect("a text");
    }
    wide.push('>');
    for i in 0..3000 {
        write!(wide, "<a xmlns:q=\"v:{i}\"/>").expect("a text");
    }
    let mut deep = String::from("<annotation>");
    for i in 0..2000 {
        write!(deep, "<a xmlns:p{i}=\"u:{i}\">").expect("a text");
    }
    deep.extend(std::iter::repeat_n("</a>", 2000));
    let limits = Limits {
        cpu_s: Some(6),
        ..Limits::default()
    };
    for hostile in [wide, deep] {
        fs::write(&file, hostile + rest).expect("writable");
        let done = limited(&place, limits, VOC);
        assert!(
            done.code.is_some_and(|c| c == 0 || c == 5 || c == 2),
            "{:?}: stopped by the limit\n{}",
            done.code,
            done.stderr
        );
    }
}

#[test]
fn a_comment_cuts_no_number() {
    let (place, file) = voc();
    let before = text(&file);
    let whole = record(&place.run(&format!("{VOC} --format json")).succeeds());
    // A smaller corner is as good a box, and nobody would notice.
    let numbers = before
        .match_indices("<xmin>")
        .map(|(at, tag)| at + tag.len());
    let digits = |at: usize| before[at..].find('<').expect("an end");
    let at = numbers.into_iter().find(|at| digits(*at) > 1);
    let mut cut = before.clone();
    cut.insert_str(at.expect("a number of two digits") + 1, "<!-- half -->");
    fs::write(&file, cut).expect("writable");
    let done = place.run(&format!("{VOC} --format json"));
    if done.code == Some(0) {
        // Read through the comment: nothing changed.
        let value = |r: &serde_json::Value| measurement(r, "accuracy")["scores"].clone();
        assert_eq!(value(&record(&done)), value(&whole));
        assert_eq!(
            record(&done)["sample_sets"][0]["id"],
            whole["sample_sets"][0]["id"]
        );
    } else {
        done.exits(5).says(&["xmin"]);
    }
}

#[test]
fn a_byte_order_mark_is_no_content() {
    let place = shapes(12);
    let own = |line: &str| {
        let record = record(&place.run(&format!("{line} --format json")).succeeds());
        measurement(&record, "accuracy")["scores"].clone()
    };
    for (line, file) in [
        (DETECTOR, annotations(&place)),
        (CLASSIFIER, place.join("classes/val.txt")),
    ] {
        let before = own(line);
        let bytes = fs::read(&file).expect("a file");
        fs::write(&file, [b"\xef\xbb\xbf".as_slice(), &bytes].concat()).expect("writable");
        assert_eq!(own(line), before, "{}", file.display());
    }
}

#[test]
fn a_pipe_is_no_description() {
    let place = shapes(2);
    for name in [
        "dyno.json",
        "alwaysai.model.json",
        "labels.txt",
        "shapes-detector.onnx",
    ] {
        let file = detector(&place).join(name);
        let kept = fs::read(&file).expect("a file");
        fs::remove_file(&file).expect("a file");
        assert!(
            Command::new("mkfifo")
                .arg(&file)
                .status()
                .expect("mkfifo")
                .success()
        );
        for line in [DETECTOR, "models list", "models show dyno/shapes-detector"] {
            let done = limited(&place, Limits::default(), line);
            assert!(
                done.code.is_some_and(|c| c < 6),
                "`{line}` with a pipe as {name}: {}",
                done.stderr
            );
        }
        fs::remove_file(&file).expect("a pipe");
        fs::write(&file, kept).expect("writable");
    }
    let file = annotations(&place);
    fs::remove_file(&file).expect("a file");
    assert!(
        Command::new("mkfifo")
            .arg(&file)
            .status()
            .expect("mkfifo")
            .success()
    );
    let done = limited(&place, Limits::default(), DETECTOR);
    assert!(
        done.code.is_some_and(|c| (1..6).contains(&c)),
        "{}",
        done.stderr
    );
}
