//! B9 and B13: what a write leaves when it fails half-way, or when its writer was killed.

use crate::{
    cheats::kit::{
        DETECTOR, Limits, detector, evidence, json, limited, manifest, open_to_all, shapes,
    },
    support::Place,
};
use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
};

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("permissions");
}

#[test]
fn after_the_rename_nothing_is_rolled_back() {
    let place = shapes(6);
    let package = detector(&place);
    fs::create_dir_all(package.join("evidence/data")).expect("a folder");
    open_to_all(&place);
    // A folder that can be entered and written but not opened for reading: a rename in it succeeds,
    // and the fsync that would make it last fails.
    mode(&package, 0o333);
    let limits = Limits {
        unprivileged: true,
        ..Limits::default()
    };
    let done = limited(&place, limits, &format!("{DETECTOR} --write"));
    mode(&package, 0o777);
    let sentence = manifest(&place, "shapes-detector")["accuracy"].clone();
    let index = package.join("evidence/index.json");
    let shown = index
        .is_file()
        .then(|| json(&index)["shown"]["accuracy"].clone());
    // A number and its evidence are there together, or neither is.
    if sentence == "" {
        assert!(shown.is_none_or(|s| s.is_null()), "{}", done.stderr);
        assert_ne!(done.code, Some(0), "nothing was written, and nothing said");
    } else {
        assert!(
            shown.is_some_and(|s| s.is_string()),
            "a number without evidence:\n{}",
            done.stderr
        );
        assert!(!evidence(&package).is_empty());
        place.run("models check dyno/shapes-detector").succeeds();
    }
}

#[test]
fn what_a_killed_writer_left_is_swept() {
    let place = shapes(4);
    let package = detector(&place);
    let left = [
        package.join(".dyno-abc123.tmp"),
        package.join("evidence/.dyno-def456.tmp"),
        package.join("evidence/data/.dyno-ghi789.tmp"),
    ];
    fs::create_dir_all(package.join("evidence/data")).expect("a folder");
    for file in &left {
        fs::write(file, "{\"half\": ").expect("writable");
    }
    // Files of others stay.
    let other = package.join("notes.tmp");
    fs::write(&other, "mine").expect("writable");
    place.run(&format!("{DETECTOR} --write -q")).succeeds();
    for file in left {
        assert!(!file.exists(), "{} stayed", file.display());
    }
    assert!(other.exists());
}

/// Two files or none.
fn configure_fails(place: &Place) {
    let package = detector(place);
    let files = ["alwaysai.model.json", "dyno.json"].map(|f| package.join(f));
    let before = files.each_ref().map(|f| fs::read(f).expect("a file"));
    place
        .run("models configure models/dyno/shapes-detector --batch-size 2 --deploy-score 0.3")
        .exits_not(0)
        .says(&["error:"]);
    for (file, before) in files.iter().zip(before) {
        assert_eq!(
            fs::read(file).expect("a file"),
            before,
            "{} changed",
            file.display()
        );
    }
}

#[test]
fn configure_changes_both_files_or_none() {
    for name in ["alwaysai.model.json", "dyno.json"] {
        let place = shapes(2);
        mode(&detector(&place).join(name), 0o444);
        configure_fails(&place);
    }
}

#[test]
fn the_owner_of_a_manifest_stays() {
    let place = shapes(4);
    let file = detector(&place).join("alwaysai.model.json");
    if std::os::unix::fs::chown(&file, Some(1234), Some(1234)).is_err() {
        // Not `eprintln`: the test runner would swallow it.
        std::io::Write::write_all(
            &mut std::io::stderr(),
            b"skipped: only root gives files away\n",
        )
        .expect("standard error");
        return;
    }
    mode(&file, 0o640);
    place.run(&format!("{DETECTOR} --write -q")).succeeds();
    let meta = fs::metadata(&file).expect("a manifest");
    assert_eq!(
        (meta.uid(), meta.gid(), meta.mode() & 0o777),
        (1234, 1234, 0o640)
    );
    assert_ne!(manifest(&place, "shapes-detector")["accuracy"], "");
}
