//! Runs that are interrupted or killed: nothing measured is lost, and the end is the same.

use super::{DETECTOR, NULL};
use crate::support::{Place, score};
use dyno_core::{Record, ValidityCode};
use std::{
    fs,
    process::{Child, Stdio},
    time::Duration,
};

#[test]
fn an_interrupt_keeps_what_was_measured() {
    let place = Place::new();
    place.with_shapes(60);
    let mut command = place.dyno();
    command.args(format!("{DETECTOR} --only accuracy {NULL} --set delay_ns=50000000 --workers 1 --shard-size 8 --format json").split_whitespace());
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    // The signal goes out when the first shard is on disk.
    let begun = || runs(&place).iter().any(|(_, shards)| *shards > 0);
    assert!(watch(&mut child, begun), "it ended without a shard");
    interrupt(&child);
    let done = crate::support::Done::from(child.wait_with_output().expect("the binary ends"));
    let record = done.exits(130).record();
    assert!(
        record.measurements[0]
            .validity
            .codes
            .contains(&ValidityCode::Partial)
    );
    let n = record.measurements[0].accuracy().expect("accuracy").n;
    assert!((8..60).contains(&n), "{n} samples were measured");
}

#[test]
fn an_interrupt_before_the_first_shard_says_that_there_is_nothing() {
    let place = Place::new();
    place.with_shapes(20);
    let mut command = place.dyno();
    command.args(
        format!("{DETECTOR} --only accuracy {NULL} --set delay_ns=400000000 --workers 1")
            .split_whitespace(),
    );
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let begun = || !runs(&place).is_empty();
    assert!(watch(&mut child, begun), "it ended by itself");
    interrupt(&child);
    let done = crate::support::Done::from(child.wait_with_output().expect("the binary ends"));
    let done = done.exits(130).says(&["nothing was saved"]);
    assert_eq!(done.stdout, "");
    place.run("report latest").exits(2);
}

#[test]
fn resuming_keeps_the_record_that_was_there() {
    let place = Place::new();
    place.with_shapes(60);
    let line = format!(
        "{DETECTOR} --only accuracy {NULL} --set delay_ns=50000000 --workers 1 --shard-size 8 --format json"
    );
    let mut command = place.dyno();
    command.args(line.split_whitespace());
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts");
    let begun = || runs(&place).iter().any(|(_, shards)| *shards > 0);
    assert!(watch(&mut child, begun), "it ended without a shard");
    interrupt(&child);
    let partial = crate::support::Done::from(child.wait_with_output().expect("the binary ends"))
        .exits(130)
        .record();
    // Another number of workers is the same plan.
    let whole = line.replace("--workers 1", "--workers 3");
    let whole = place.run(&format!("{whole} --resume")).exits(4).record();
    assert_ne!(partial.id, whole.id);
    // Whole, and with an engine that computes nothing no better than chance.
    let codes = &whole.measurements[0].validity.codes;
    assert_eq!(codes.as_slice(), [dyno_core::ValidityCode::AccuracyChance]);
    let folder = fs::read_dir(place.join("runs"))
        .expect("runs")
        .map(|e| e.expect("an entry").path())
        .next()
        .expect("one run");
    let kept = folder.join(format!("record-{}.json", partial.short_id()));
    let kept = Record::parse(&fs::read_to_string(kept).expect("it is still there"));
    assert_eq!(kept.expect("a record").id, partial.id);
    // Both can be asked for by id, with the files behind them; a prefix of both names neither.
    for record in [&partial, &whole] {
        let line = format!("records show {} --format json", record.short_id());
        assert_eq!(place.run(&line).succeeds().record().id, record.id);
        let line = format!("report {} --format human", record.id);
        place.run(&line).succeeds();
    }
    let listed = place.run("records list --format csv").succeeds();
    for record in [&partial, &whole] {
        assert!(
            listed.stdout.contains(record.short_id()),
            "{}",
            listed.stdout
        );
    }
    place
        .run(&format!("{line} --resume"))
        .exits(2)
        .says(&["no unfinished run"]);
}

fn interrupt(child: &Child) {
    let status = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .expect("kill");
    assert!(status.success());
}

/// Plan's seed and finished shards of every run folder that has a plan.
fn runs(place: &Place) -> Vec<(u64, usize)> {
    let folders = fs::read_dir(place.join("runs")).into_iter().flatten();
    let progress = folders.filter_map(Result::ok).filter_map(|run| {
        let folder = dyno_evidence::RunFolder::open(&run.path()).ok()?;
        let seed = folder.read_plan().ok()?.spec.accuracy?.seed;
        Some((seed, folder.shards().ok()?.len()))
    });
    progress.collect()
}

/// Finished shards of the run with this seed; nothing, if it has no plan yet.
fn progress(place: &Place, seed: u64) -> Option<usize> {
    let mine = runs(place).into_iter().filter(|(s, _)| *s == seed);
    mine.map(|(_, shards)| shards).max()
}

/// Lets a child work until something has come true of its run; false, if it ended before.
fn watch(child: &mut Child, reached: impl Fn() -> bool) -> bool {
    while !reached() {
        if child.try_wait().expect("a child").is_some() {
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    true
}

#[test]
fn killed_twenty_times_a_run_ends_with_the_same_scores() {
    let place = Place::new();
    place.with_shapes(96);
    let line = format!("{DETECTOR} --only accuracy --shard-size 4 --format json -q");
    let whole = place.run(&line).succeeds().record();
    let scores = |r: &Record| {
        let accuracy = r.measurements[0].accuracy().expect("accuracy");
        let bits: Vec<(String, Option<u64>)> = accuracy
            .scores
            .iter()
            .map(|s| (s.metric.clone(), s.value.map(f64::to_bits)))
            .collect();
        (bits, accuracy.predictions_sha256.clone())
    };
    let (mut killed, mut plan, mut begun, mut state) = (0, 1, false, 0x9e37_79b9_7f4a_7c15_u64);
    for _ in 0..100 {
        // Another seed of the bootstrap is another plan, so that nothing of an earlier run can be
        // taken up.
        let resume = if begun { " --resume" } else { "" };
        let mut command = place.dyno();
        command
            .args(format!("{line} --seed {plan}{resume}").split_whitespace())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut child = command.spawn().expect("the binary starts");
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        // Before the plan is written, right after, or up to two shards later: wherever the child is
        // when that is seen.
        let done = progress(&place, plan).unwrap_or(0);
        let more = (state >> 62) as usize;
        let reached = || more == 0 || progress(&place, plan).is_some_and(|n| n >= done + more - 1);
        if watch(&mut child, reached) && child.try_wait().expect("a child").is_none() {
            // `kill` of the standard library is SIGKILL.
            child.kill().expect("a child");
            child.wait().expect("a child");
            killed += 1;
            // Killed before it wrote its plan, a run has not begun.
            begun = progress(&place, plan).is_some();
            if killed == 20 {
                break;
            }
        } else {
            let record = place.run("report latest --format json").succeeds().record();
            assert_eq!(scores(&whole).1, scores(&record).1);
            (plan, begun) = (plan + 1, false);
        }
    }
    assert_eq!(killed, 20, "runs were too short to be killed");
    // Killed after its record was written, the run has come to its end.
    let last = place.run(&format!(
        "{line} --seed {plan}{}",
        if begun { " --resume" } else { "" }
    ));
    let record = if last.code == Some(2) {
        place.run("report latest --format json")
    } else {
        last
    }
    .succeeds()
    .record();
    assert_eq!(scores(&whole), scores(&record));
    assert!(
        score(&whole, "AP") > 0.1,
        "the scores are numbers of a detector"
    );
}
