//! C9: an interrupted run says what there is of it, and a record that was made stays.

use super::kit::{DETECTOR, ended, record, runs, shapes, started};
use crate::support::Place;
use std::{
    fs,
    path::Path,
    process::{Child, Command},
    thread,
};

const NULL: &str = "--backend null --set inputs=images:f32:1x3x128x128 --set outputs=output:f32:1x336x11 --workers 1";

/// Lets a child work until something has come true of it.
fn until(child: &mut Child, reached: impl Fn(u32) -> bool) {
    while !reached(child.id()) {
        assert!(
            child.try_wait().expect("a child").is_none(),
            "it ended before"
        );
        thread::yield_now();
    }
}

/// The process handles SIGINT, the second signal.
fn handles_interrupts(id: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let mask = status.lines().find_map(|l| l.strip_prefix("SigCgt:"));
    mask.and_then(|m| u64::from_str_radix(m.trim(), 16).ok())
        .is_some_and(|mask| mask & 2 != 0)
}

fn interrupt(child: &Child) {
    let status = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .expect("kill");
    assert!(status.success());
}

/// Files of results in the run's folder.
fn shards(run: &Path) -> usize {
    fs::read_dir(run.join("data")).map_or(0, Iterator::count)
}

fn begun(place: &Place) -> bool {
    runs(place)
        .iter()
        .any(|run| run.join("plan.json").is_file())
}

#[test]
fn before_the_first_shard_nothing_was_saved_and_that_is_said() {
    let place = shapes(40);
    let mut child = started(
        &place,
        &format!("{DETECTOR} {NULL} --set delay_ns=200000000"),
    );
    until(&mut child, |id| begun(&place) && handles_interrupts(id));
    interrupt(&child);
    let done = ended(child).exits(130);
    assert!(done.stderr.contains("nothing was saved"), "{}", done.stderr);
    assert_eq!(runs(&place).iter().map(|r| shards(r)).sum::<usize>(), 0);
    assert!(!done.stdout.contains("VALID"), "{}", done.stdout);
}

#[test]
fn what_an_interrupt_leaves_is_partial_and_stays() {
    let place = shapes(24);
    let line = format!("{DETECTOR} {NULL} --set delay_ns=50000000 --shard-size 4 --format json");
    let mut child = started(&place, &line);
    until(&mut child, |_| {
        runs(&place).iter().any(|run| shards(run) > 0)
    });
    interrupt(&child);
    let done = ended(child).exits(130);
    let partial = record(&done);
    let validity = &partial["measurements"][0]["validity"];
    assert_eq!(validity["status"], "INVALID", "{validity:#}");
    assert!(
        validity["codes"]
            .as_array()
            .is_some_and(|c| c.contains(&"partial".into()))
    );
    let whole = record(&place.run(&format!("{line} --resume")).exits_not(5));
    assert_ne!(whole["id"], partial["id"]);
    // Both are there.
    let id = whole["id"].as_str().expect("an id");
    let shown = place
        .run(&format!("records show {id} --format json"))
        .succeeds();
    assert_eq!(record(&shown)["id"], id);
    let short = &partial["id"].as_str().expect("an id")[..8];
    let kept = super::kit::json(&runs(&place)[0].join(format!("record-{short}.json")));
    assert_eq!(kept["id"], partial["id"]);
}
