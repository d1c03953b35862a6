//! B10: links do not lead out of a package. Nothing outside of it is written.

use crate::{
    cheats::kit::{DETECTOR, detector, shapes},
    support::Place,
};
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

/// Names and contents of everything in a folder.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder)
            .expect("a folder")
            .map(|e| e.expect("an entry").path())
        {
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.clone(), fs::read(&path).expect("a file"));
            }
        }
    }
    found
}

/// With this part of the package a link to something outside, nothing outside changes.
fn nothing_outside_is_written(part: &str) {
    let place = shapes(4);
    let outside = place.join("outside");
    fs::create_dir_all(outside.join("evidence")).expect("a folder");
    let own = detector(&place).join(part);
    if own.is_file() {
        fs::rename(&own, outside.join(part)).expect("a file");
    }
    symlink(outside.join(part), &own).expect("a link");
    let before = contents(&outside);
    for line in [
        format!("{DETECTOR} --write"),
        "models configure models/dyno/shapes-detector --batch-size 2 --deploy-score 0.3".to_owned(),
        "models reference set dyno/shapes-detector AP 0.3 --sample-set x --abs 0.01".to_owned(),
    ] {
        let done = place.run(&line);
        assert_eq!(
            contents(&outside),
            before,
            "`{line}` wrote through `{part}`"
        );
        assert!(done.code.is_some_and(|c| c < 6), "{}", done.stderr);
        // A write that did not happen is not called one.
        // `reference set` writes dyno.json alone.
        let writes = match part {
            "dyno.json" => line.contains("configure"),
            "alwaysai.model.json" => !line.contains("reference"),
            _ => true,
        };
        if writes {
            assert_ne!(
                done.code,
                Some(0),
                "`{line}` with `{part}`: {}",
                done.stderr
            );
            assert!(done.stderr.contains("link"), "{}", done.stderr);
        }
    }
}

#[test]
fn evidence_elsewhere() {
    nothing_outside_is_written("evidence");
}

#[test]
fn a_manifest_elsewhere() {
    nothing_outside_is_written("alwaysai.model.json");
}

#[test]
fn a_description_elsewhere() {
    nothing_outside_is_written("dyno.json");
}

#[test]
fn a_link_that_stays_inside_is_no_fault() {
    let place = shapes(4);
    let package = detector(&place);
    fs::rename(package.join("labels.txt"), package.join("names.txt")).expect("a file");
    symlink("names.txt", package.join("labels.txt")).expect("a link");
    place.run(&format!("{DETECTOR} --write -q")).succeeds();
}

#[test]
fn a_data_folder_of_evidence_elsewhere() {
    let place = Place::new();
    place.with_shapes(4);
    let outside = place.join("outside");
    fs::create_dir_all(&outside).expect("a folder");
    fs::create_dir_all(detector(&place).join("evidence")).expect("a folder");
    symlink(&outside, detector(&place).join("evidence/data")).expect("a link");
    place
        .run(&format!("{DETECTOR} --write"))
        .exits_not(0)
        .says(&["link"]);
    assert!(contents(&outside).is_empty());
}
