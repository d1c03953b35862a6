//! Plans that leave their machine, several workers, and engines that hang.

use crate::plans::{
    Machine, SAMPLES, SHARD, collect, copy_folder, outcome, run, run_as, timed, with,
};
use dyno_core::{Division, Event, ShardRange, ValidityCode};
use dyno_runner::{Overdue, RunError};
use std::sync::Mutex;

#[test]
fn two_workers_elsewhere_find_the_bits_of_one_here() {
    let here = Machine::new();
    let plan = here.plan();
    let whole = outcome(&plan);

    let text = serde_json::to_string(&plan).expect("JSON");
    let plan: dyno_core::Plan = serde_json::from_str(&text).expect("a plan");
    let there = Machine::new();
    let mut bindings = there.bindings();
    bindings.division = Division::Staged {
        preparing: 1,
        slots: 2,
        threads: 1,
    };
    let rebound = plan.rebind(bindings);
    assert_eq!(rebound.shard_count(), SAMPLES.div_ceil(SHARD));
    let half = rebound.shard_count() / 2;
    let ends = [0..half, half..rebound.shard_count()];
    let ran = ends.map(|range| {
        let part = rebound.part(ShardRange {
            first: range.start,
            end: range.end,
        });
        let ran = run(&part);
        ran.result.as_ref().expect("its half");
        assert_eq!(
            crate::plans::shards_done(&ran.events),
            range.collect::<Vec<u32>>()
        );
        ran
    });
    let merged = collect(&rebound, &[&ran[1], &ran[0]]).expect("a record");
    let [one, two] =
        [&whole, &merged].map(|o| o.record.measurements[0].accuracy().expect("accuracy"));
    assert_eq!(one.scores, two.scores);
    assert_eq!(one.predictions_sha256, two.predictions_sha256);
    assert_eq!(whole.record.plan.sha256, merged.record.plan.sha256);
    assert!(merged.record.measurements[0].validity.is_valid());
    let series = |o: &dyno_runner::RunOutcome| o.record.measurements[0].series_sha256.clone();
    assert_eq!(series(&whole), series(&merged));

    // One half alone is a part.
    let part = collect(&rebound, &[&ran[0]]).expect("a record");
    assert!(part.partial);
    let codes = &part.record.measurements[0].validity.codes;
    assert_eq!(codes, &[ValidityCode::Partial]);
}

#[test]
fn two_workers_on_two_machines_are_two_machines_of_the_record() {
    let machine = Machine::new();
    let plan = machine.plan();
    let mut ran = [0..3, 3..7].map(|range| {
        run(&plan.part(ShardRange {
            first: range.start,
            end: range.end,
        }))
    });
    if let Some(Event::Started { machine, .. }) = ran[1].events.first_mut() {
        machine.board.id = "nano".into();
    }
    let outcome = collect(&plan, &[&ran[0], &ran[1]]).expect("a record");
    assert_eq!(outcome.record.machines.len(), 2);
    assert_eq!(outcome.record.measurements[0].machines, [0, 1]);
    // Workers of two engines do not mix.
    for event in &mut ran[1].events {
        if let Event::Opened { execution } = event {
            execution.library = "toy 2".into();
        }
    }
    assert!(collect(&plan, &[&ran[0], &ran[1]]).is_err());
}

#[test]
fn workers_that_contradict_each_other_make_no_record() {
    let machine = Machine::new();
    let plan = machine.plan();
    let one = run(&plan);
    // Another worker's folder with other results of the same shards.
    let mut other = with(plan.clone(), &[("nudge", "0")]);
    other.spec.execution.settings.clear();
    other.bindings.run_folder = machine.0.path().join("other");
    let options = &mut other.bindings.dataset.options;
    options.insert("fails".into(), "4".into());
    let two = run(&other);
    two.result.as_ref().expect("a failed sample is no error");
    copy_folder(
        &other.bindings.run_folder.join("data"),
        &plan.bindings.run_folder.join("data"),
    );
    let error = collect(&plan, &[&one, &two]).expect_err("they differ");
    assert!(error.to_string().contains("different results"), "{error}");
    // The same results again are harmless.
    collect(&plan, &[&one, &one]).expect("a record");
}

#[test]
fn a_range_that_the_run_does_not_have_is_refused() {
    let machine = Machine::new();
    for (first, end) in [(0, 99), (3, 3), (4, 2)] {
        let part = machine.plan().part(ShardRange { first, end });
        let error = run(&part).result.expect_err("no such shards");
        assert!(matches!(error, RunError::Plan(_)), "{error}");
    }
}

#[test]
fn data_that_is_not_bound_as_planned_is_refused() {
    let machine = Machine::new();
    let mut plan = machine.plan();
    plan.bindings.sample_set.file_sha256.pop();
    assert!(matches!(run(&plan).result, Err(RunError::Changed { .. })));
    let mut plan = machine.plan();
    plan.schema = "dyno.plan/2".into();
    assert!(matches!(run(&plan).result, Err(RunError::Plan(_))));
    let mut plan = machine.plan();
    plan.bindings.engine_timeout_ns = 0;
    assert!(matches!(run(&plan).result, Err(RunError::Plan(_))));
}

/// The run waits for its watchdog: the engine comes back when the handler has heard.
#[test]
fn an_engine_that_hangs_is_told_with_the_sample_in_hand() {
    let machine = Machine::new();
    let mut plan = with(machine.plan(), &[("wait", "13")]);
    plan.bindings.engine_timeout_ns = 1_000_000;
    plan.bindings.division = Division::Fused {
        workers: 1,
        threads: 1,
    };
    let heard = Mutex::new(Vec::new());
    let ran = run_as(&plan, "c0ffee", &|_| false, &|overdue: &Overdue| {
        heard.lock().expect("no panic").push(overdue.doing.clone());
        crate::toy::release();
    });
    let error = ran.result.expect_err("overdue");
    assert!(matches!(error, RunError::Overdue(_)), "{error}");
    assert_eq!(error.exit_code(), 5);
    let heard = heard.into_inner().expect("no panic");
    // Run 0 warms up, and each run has two samples.
    assert!(
        heard.iter().any(|h| h.contains("`0024`, `0025`")),
        "{heard:?}"
    );

    // The same for a timed query, in the only slot.
    let mut plan = with(plan, &[("wait", "100")]);
    plan.spec.accuracy = None;
    plan.spec.performance = vec![timed()];
    let heard = Mutex::new(Vec::new());
    let ran = run_as(&plan, "c0ffee", &|_| false, &|overdue: &Overdue| {
        heard.lock().expect("no panic").push(overdue.doing.clone());
        crate::toy::release();
    });
    ran.result.expect_err("overdue");
    let heard = heard.into_inner().expect("no panic");
    assert!(
        heard.iter().any(|h| h.contains("in query 100 of")),
        "{heard:?}"
    );
}
