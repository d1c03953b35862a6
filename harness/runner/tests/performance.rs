//! The timed half: its library, failed samples, and whether what was timed was right.

use crate::plans::{Machine, collect, outcome, run, run_until, timed, with};
use dyno_core::{Event, PerformanceResult, Plan, ScenarioName, Timed, ValidityCode, WarningCode};
use dyno_runner::RunOutcome;

/// A plan with a timed half, `only` or after the accuracy half.
fn plan(machine: &Machine, only: bool) -> Plan {
    let mut plan = machine.plan();
    plan.spec.performance = vec![timed()];
    if only {
        plan.spec.accuracy = None;
    }
    plan
}

fn numbers(outcome: &RunOutcome) -> (&PerformanceResult, Vec<ValidityCode>) {
    let last = outcome.record.measurements.last().expect("a measurement");
    let mut codes = last.validity.codes.clone();
    // Whether a machine is quiet is not what these tests are about.
    codes.retain(|c| !matches!(c, ValidityCode::Unsteady | ValidityCode::Disturbed));
    (last.performance().expect("timed"), codes)
}

#[test]
fn outputs_of_timed_queries_are_those_of_the_accuracy_run() {
    let machine = Machine::new();
    let outcome = outcome(&plan(&machine, false));
    let (result, codes) = numbers(&outcome);
    assert_eq!(codes, []);
    let compared = result.outputs_compared.expect("there is an accuracy run");
    assert!((32..=600).contains(&compared), "{compared}");
    assert_eq!(
        (result.n, result.library_count, result.failed),
        (200, 16, 0)
    );
    assert_eq!(result.library_sha256.len(), 64);
    let measurement = outcome.record.measurements.last().expect("timed");
    assert_eq!(
        (measurement.order, measurement.machines.as_slice()),
        (1, &[0][..])
    );
    assert_eq!(measurement.series.0["kind"], "performance");
    let names: Vec<&str> = result.stages.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(
        names,
        ["engine", "decode-outputs"],
        "what nobody knows is absent"
    );
    assert!(result.histogram.is_some());
    assert_eq!(
        result.trials.len(),
        outcome
            .record
            .artifacts
            .iter()
            .filter(|a| a.role == "latencies")
            .count()
    );
    let chosen = &result.trials[result.trial as usize];
    assert_eq!(
        (chosen.n, chosen.raw.as_ref()),
        (result.n, result.raw.as_ref())
    );
    let retried = |w: &dyno_core::Warning| w.code == WarningCode::Retried;
    let said = outcome.record.warnings.iter().any(retried);
    assert_eq!(said, result.trials.len() > 1);
}

#[test]
fn an_engine_that_answers_otherwise_when_it_is_timed_is_found() {
    // The accuracy run makes 25 runs and three warm-ups of one model, the timed half opens another.
    for timed_kind in [Timed::Engine, Timed::Query] {
        let machine = Machine::new();
        let mut plan = with(plan(&machine, false), &[("differs", "60")]);
        plan.spec.performance[0].timed = timed_kind;
        let outcome = outcome(&plan);
        let (_, codes) = numbers(&outcome);
        assert_eq!(codes, [ValidityCode::OutputsDiffer]);
        let named = |w: &dyno_core::Warning| w.detail.contains("other bits");
        assert!(outcome.record.warnings.iter().any(named));
    }
}

#[test]
fn last_digits_may_differ_where_the_two_halves_ran_otherwise() {
    let machine = Machine::new();
    let mut plan = with(plan(&machine, false), &[("nudge", "60")]);
    let (_, codes) = numbers(&outcome(&plan));
    assert_eq!(
        codes,
        [ValidityCode::OutputsDiffer],
        "the same threads and batch"
    );
    plan.spec.performance[0].batch = 4;
    plan.bindings.run_folder = machine.0.path().join("other");
    let second = outcome(&plan);
    let (result, codes) = numbers(&second);
    assert_eq!(codes, []);
    assert!(result.outputs_compared.is_some_and(|n| n >= 32));
    // But not another class.
    let mut plan = with(plan, &[("differs", "60")]);
    plan.bindings.run_folder = machine.0.path().join("third");
    assert_eq!(numbers(&outcome(&plan)).1, [ValidityCode::OutputsDiffer]);
}

#[test]
fn without_an_accuracy_half_nothing_is_compared() {
    let machine = Machine::new();
    let outcome = outcome(&plan(&machine, true));
    let (result, codes) = numbers(&outcome);
    assert_eq!((result.outputs_compared, codes), (None, Vec::new()));
    assert_eq!(outcome.record.measurements[0].order, 0);
}

#[test]
fn a_sample_that_cannot_be_prepared_is_a_failed_sample() {
    let machine = Machine::new();
    let mut plan = plan(&machine, true);
    plan.spec.performance[0].library_size = 50;
    let options = &mut plan.bindings.dataset.options;
    options.insert("fails".into(), "7".into());
    options.insert("panics".into(), "8".into());
    let first = outcome(&plan);
    let (result, codes) = numbers(&first);
    assert_eq!(codes, [ValidityCode::TooManyErrors]);
    assert_eq!((result.failed, result.library_count), (2, 48));
    assert!(first.too_many_failures);
    let mut names: Vec<&str> = first.failures.iter().map(|f| f.id.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["0007", "0008"]);
    plan.spec.performance[0].max_errors = 2;
    plan.bindings.run_folder = machine.0.path().join("allowed");
    let allowed = outcome(&plan);
    assert_eq!(numbers(&allowed).1, []);
    assert!(!allowed.too_many_failures);
}

#[test]
fn the_library_is_drawn_from_the_whole_set_in_one_order() {
    let hash = |size: u32| {
        let machine = Machine::new();
        let mut plan = plan(&machine, true);
        plan.spec.performance[0].library_size = size;
        let outcome = outcome(&plan);
        let (result, _) = numbers(&outcome);
        (result.library_count, result.library_sha256.clone())
    };
    assert_eq!(hash(8), hash(8));
    assert_ne!(hash(8).1, hash(9).1);
    assert_eq!(hash(5000).0, crate::plans::SAMPLES);
}

#[test]
fn a_timed_query_whose_outputs_are_no_numbers_fails() {
    let machine = Machine::new();
    let mut plan = with(plan(&machine, true), &[("nan", "7")]);
    plan.spec.performance[0].library_size = 50;
    plan.spec.performance[0].warmup_queries = 0;
    let outcome = outcome(&plan);
    assert!(numbers(&outcome).1.contains(&ValidityCode::QueryFailed));
    let named = |w: &dyno_core::Warning| w.detail.contains("no finite numbers");
    assert!(outcome.record.warnings.iter().any(named));
}

#[test]
fn several_slots_of_one_model_take_their_part() {
    let machine = Machine::new();
    let mut plan = plan(&machine, false);
    plan.spec.performance[0].scenario = ScenarioName::Offline;
    plan.spec.performance[0].slots = 3;
    let outcome = outcome(&plan);
    let (result, codes) = numbers(&outcome);
    assert_eq!(codes, []);
    assert!(result.n >= 200);
    let last = outcome.record.measurements.last().expect("timed");
    assert_eq!(last.execution.slots, 3);
}

#[test]
fn an_interruption_leaves_what_was_measured() {
    let machine = Machine::new();
    let plan = plan(&machine, false);
    let timed_begins = |e: &Event| matches!(e, Event::Progress { stage, .. } if stage == "warm-up");
    let ran = run_until(&plan, timed_begins);
    ran.result.as_ref().expect("interrupted, not failed");
    let last = ran.events.last();
    assert!(matches!(last, Some(Event::Finished { partial: true })));
    let outcome = collect(&plan, &[&ran]).expect("a record");
    assert!(outcome.partial);
    assert_eq!(outcome.record.measurements.len(), 1);
    assert!(
        outcome.record.measurements[0].validity.is_valid(),
        "accuracy is whole"
    );
    // A part of the accuracy run times nothing.
    let part = plan.part(dyno_core::ShardRange { first: 0, end: 2 });
    let timed = |e: &Event| matches!(e, Event::Performance(_));
    assert!(!run(&part).events.iter().any(timed));
}
