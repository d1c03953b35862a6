//! B6: who writes locks first and reads then.

use crate::{
    cheats::kit::{DETECTOR, detector, edit, ended, manifest, shapes, started},
    support::{Done, Place},
};
use std::{
    fs::{self, File},
    process::Child,
    thread,
};

/// Runs a command that writes while somebody else holds the lock, changes the manifest once the
/// command waits for it, and lets it go on.
fn while_locked(place: &Place, line: &str) -> Done {
    let evidence = detector(place).join("evidence");
    fs::create_dir_all(&evidence).expect("a folder");
    let lock = File::options()
        .create(true)
        .append(true)
        .open(evidence.join(".lock"))
        .expect("a lock");
    lock.lock().expect("nobody else has it");
    let mut child = started(place, line);
    while !waits_for_the_lock(&child) {
        assert!(
            child.try_wait().expect("a child").is_none(),
            "`{line}` did not wait for the lock"
        );
        thread::yield_now();
    }
    edit(&detector(place).join("alwaysai.model.json"), |v| {
        v["accuracy"] = "measured meanwhile".into();
    });
    lock.unlock().expect("ours");
    ended(child)
}

/// The process has the file of the lock open.
fn waits_for_the_lock(child: &Child) -> bool {
    fs::read_dir(format!("/proc/{}/fd", child.id()))
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .filter_map(|fd| fs::read_link(fd.path()).ok())
        .any(|file| file.ends_with("evidence/.lock"))
}

#[test]
fn configure_loses_no_field_that_was_written_meanwhile() {
    let place = shapes(2);
    while_locked(
        &place,
        "models configure models/dyno/shapes-detector --batch-size 2",
    )
    .succeeds();
    let manifest = manifest(&place, "shapes-detector");
    assert_eq!(manifest["accuracy"], "measured meanwhile");
    assert_eq!(manifest["model_parameters"]["batch_size"], 2);
}

#[test]
fn a_reference_loses_no_other_reference() {
    let place = shapes(2);
    for value in ["0.1", "0.2"] {
        place
            .run(&format!("models reference set dyno/shapes-detector AP {value} --sample-set set-{value} --abs 0.01"))
            .succeeds();
    }
    let text = crate::cheats::kit::text(&detector(&place).join("dyno.json"));
    assert!(
        text.contains("set-0.1") && text.contains("set-0.2"),
        "{text}"
    );
}

#[test]
fn a_run_does_not_write_over_what_was_written_meanwhile() {
    let place = shapes(4);
    // Somebody's own words: not evidence of ours, so they stay.
    let done = while_locked(&place, &format!("{DETECTOR} --write"));
    assert_eq!(
        manifest(&place, "shapes-detector")["accuracy"],
        "measured meanwhile",
        "{}",
        done.stderr
    );
}
