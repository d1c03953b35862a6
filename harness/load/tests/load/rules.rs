//! One slot: what is timed, when it stops, what fails, what is told.

use crate::common::{Fake, MS, go, go_alone, settings, single};
use dyno_load::{
    After, Code, Controls, Edge, Heartbeat, Latency, LoadError, MAX_FAILURES, ManualClock, Phase,
    Scenario, Settings, StopReason, WorkError, run,
};
use std::{
    cell::RefCell,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

#[test]
fn latency_runs_from_the_scheduled_time_to_the_end_of_the_query() {
    let (outcome, _) = go_alone(&single(90, 0, 10_000), |n| (n % 3 + 1) * MS);
    assert_eq!(outcome.latencies_ns[..4], [MS, 2 * MS, 3 * MS, MS]);
    assert_eq!(outcome.starts_ns[..4], [0, MS, 3 * MS, 6 * MS]);
    assert_eq!(outcome.completed, 90);
    assert_eq!((outcome.duration_ns, outcome.stop_ns), (180 * MS, 180 * MS));
    assert_eq!(
        outcome.ended.duration_since(outcome.began),
        Duration::from_millis(180)
    );
    assert_eq!(
        outcome.summary.latency,
        Latency {
            min: MS,
            mean: 2 * MS,
            max: 3 * MS
        }
    );
    assert_eq!(outcome.codes, []);
    assert_eq!(outcome.stop_reason, StopReason::Complete);
    assert!((outcome.throughput_per_s - 500.0).abs() < 1e-6);
}

#[test]
fn what_happens_after_a_query_is_in_no_latency_and_not_in_throughput() {
    let clock = ManualClock::new();
    let mut fake = Fake::new(&clock, |_| 4 * MS);
    let inner = clock.clone();
    fake.after = Box::new(move |_, n| {
        if n % 10 != 0 {
            return Ok(After::Nothing);
        }
        inner.advance(5 * MS);
        Ok(After::Something)
    });
    let outcome = go(&single(100, 0, 10_000), &mut vec![fake], &clock).expect("runs");
    assert_eq!(outcome.latencies_ns, vec![4 * MS; 100]);
    assert_eq!(outcome.starts_ns[..3], [0, 9 * MS, 13 * MS]);
    assert_eq!(outcome.untimed_ns, 50 * MS);
    // The tenth of the pauses comes before the last nine queries.
    assert_eq!(outcome.duration_ns, 450 * MS);
    assert!((outcome.throughput_per_s - 250.0).abs() < 1e-6);
}

#[test]
fn warm_up_is_in_no_number_but_the_first_query() {
    let mut s = single(70, 0, 1000);
    s.warmup_queries = 5;
    let (outcome, warmed) = go_alone(&s, |n| if n < 5 { 100 * MS } else { MS });
    assert_eq!(outcome.first_query_ns, 100 * MS);
    assert_eq!(outcome.latencies_ns, vec![MS; 70]);
    assert_eq!(outcome.duration_ns, 70 * MS);
    let queries: Vec<u64> = warmed.seen.iter().map(|s| s.1).collect();
    assert_eq!(queries, (0..75).collect::<Vec<_>>());
    // The order of the measured part does not depend on the warm-up.
    let (outcome, cold) = go_alone(&single(70, 0, 1000), |_| MS);
    assert_eq!(warmed.samples()[5..], cold.samples()[..]);
    assert_eq!(outcome.first_query_ns, MS);
}

#[test]
fn both_minima_must_hold_and_the_maximum_ends_the_run() {
    struct Case {
        min_queries: u64,
        min_ms: u64,
        max_ms: u64,
        completed: u64,
        reason: StopReason,
        codes: &'static [Code],
    }
    let case = |min_queries, min_ms, max_ms, completed, reason, codes| Case {
        min_queries,
        min_ms,
        max_ms,
        completed,
        reason,
        codes,
    };
    let (complete, maximum) = (StopReason::Complete, StopReason::MaxDuration);
    let cases = [
        case(10, 50, 500, 50, complete, &[][..]),
        case(80, 50, 500, 80, complete, &[]),
        case(80, 50, 60, 60, maximum, &[Code::TooFewQueries]),
    ];
    for case in cases {
        for scenario in [Scenario::SingleStream, Scenario::Offline] {
            let s = settings(scenario, case.min_queries, case.min_ms, case.max_ms);
            let (outcome, _) = go_alone(&s, |_| MS);
            assert_eq!(
                (outcome.completed, outcome.stop_reason),
                (case.completed, case.reason)
            );
            assert_eq!(outcome.codes, case.codes);
        }
    }
}

#[test]
fn the_duration_is_judged_where_the_rule_fired() {
    // The last query ends at 9.6 ms; then its outputs are looked at until 10.1 ms, and the rule
    // fires. The window is shorter than the minimum, the run is not.
    let clock = ManualClock::new();
    let mut fake = Fake::new(&clock, |_| 96 * MS / 100);
    let inner = clock.clone();
    fake.after = Box::new(move |_, n| {
        inner.advance(if n == 9 { MS / 2 } else { 0 });
        Ok(After::Something)
    });
    let outcome = go(&single(5, 10, 100), &mut vec![fake], &clock).expect("runs");
    assert_eq!(
        (outcome.duration_ns, outcome.stop_ns),
        (9_600_000, 10_100_000)
    );
    assert_eq!(outcome.codes, []);
}

#[test]
fn every_sample_of_the_library_is_used_equally_often() {
    let (_, fake) = go_alone(&single(70, 0, 1000), |_| MS);
    for pass in fake.samples().chunks(7) {
        let mut sorted = pass.to_vec();
        sorted.sort_unstable();
        assert_eq!(sorted, [0, 1, 2, 3, 4, 5, 6]);
    }
}

#[test]
fn a_failed_query_is_counted_named_and_invalidates() {
    let clock = ManualClock::new();
    let mut slots = vec![Fake::new(&clock, |_| MS)];
    slots[0].fail = |n| n == 4;
    let outcome = go(&single(20, 0, 1000), &mut slots, &clock).expect("runs");
    assert_eq!(
        (
            outcome.completed,
            outcome.failed,
            outcome.latencies_ns.len()
        ),
        (20, 1, 20)
    );
    assert_eq!(outcome.codes, [Code::QueryFailed]);
    assert_eq!(outcome.first_failure.as_deref(), Some("query 4: broken"));

    slots[0].fail = |n| n >= 30;
    let outcome = go(&single(1000, 0, 10_000), &mut slots, &clock).expect("runs");
    assert_eq!(
        (outcome.completed, outcome.failed, outcome.stop_reason),
        (30, MAX_FAILURES, StopReason::Failures)
    );

    slots[0].fail = |_| true;
    let error = go(&single(20, 0, 1000), &mut slots, &clock).expect_err("nothing succeeds");
    assert_eq!(
        error.to_string(),
        "no query succeeded: 10 failed, the first with: query 0: broken"
    );
    let mut s = single(20, 0, 1000);
    s.warmup_queries = 3;
    assert!(matches!(
        go(&s, &mut slots, &clock),
        Err(LoadError::WarmUp { query: 0, .. })
    ));
}

#[test]
fn a_panic_and_a_failed_look_are_failed_queries() {
    let clock = ManualClock::new();
    let mut fake = Fake::new(&clock, |n| {
        assert!(n != 3, "query {n} is bad luck");
        MS
    });
    fake.after = Box::new(|_, n| {
        if n == 5 {
            Err(WorkError::new("other outputs than before"))
        } else {
            Ok(After::Nothing)
        }
    });
    let outcome = go(&single(20, 0, 1000), &mut vec![fake], &clock).expect("runs");
    assert_eq!((outcome.completed, outcome.failed), (20, 2));
    assert_eq!(
        outcome.first_failure.as_deref(),
        Some("query 3: panicked: query 3 is bad luck")
    );
    assert_eq!(outcome.codes, [Code::QueryFailed]);
}

#[test]
fn an_interrupted_run_keeps_what_it_has() {
    let stop = Arc::new(AtomicBool::new(false));
    let clock = ManualClock::new();
    let raise = Arc::clone(&stop);
    let mut slots = vec![Fake::new(&clock, move |n| {
        if n == 24 {
            raise.store(true, Ordering::Relaxed);
        }
        MS
    })];
    let s = single(100, 50, 10_000);
    let outcome = run(&s, &mut slots, &clock, &mut Controls::new(&stop)).expect("measured some");
    assert!(outcome.partial());
    assert_eq!(outcome.completed, 25);
    assert_eq!(
        outcome.codes,
        [Code::TooFewQueries, Code::TooShort, Code::Partial]
    );
    assert!(matches!(
        run(&s, &mut slots, &clock, &mut Controls::new(&stop)),
        Err(LoadError::Interrupted)
    ));
}

#[test]
fn progress_comes_between_queries_and_costs_no_latency() {
    let clock = ManualClock::new();
    let stop = AtomicBool::new(false);
    let mut seen = Vec::new();
    let mut controls = Controls::new(&stop).on_progress(|p| {
        seen.push((p.phase, p.queries, p.per_mille));
        clock.advance(5 * MS);
    });
    let mut slots = vec![Fake::new(&clock, |_| 40 * MS)];
    let outcome = run(&single(20, 0, 10_000), &mut slots, &clock, &mut controls).expect("runs");
    drop(controls);
    assert_eq!(outcome.latencies_ns, vec![40 * MS; 20]);
    // Every third query: 120 ms, and 125 ms with the callback's own 5 ms.
    let counts: Vec<u64> = seen
        .iter()
        .filter(|s| s.0 == Phase::Measure)
        .map(|s| s.1)
        .collect();
    assert_eq!(counts, [0, 3, 6, 9, 12, 15, 18]);
    assert_eq!(seen.last(), Some(&(Phase::Finished, 20, 1000)));
    assert_eq!(outcome.untimed_ns, 6 * 5 * MS);
    assert_eq!(outcome.duration_ns, 20 * 40 * MS + 6 * 5 * MS);
    assert!(
        (outcome.throughput_per_s - 25.0).abs() < 1e-9,
        "one in 40 ms, whatever progress cost: {}",
        outcome.throughput_per_s
    );
}

#[test]
fn the_edges_of_the_window_enclose_the_measured_queries() {
    let clock = ManualClock::new();
    let stop = AtomicBool::new(false);
    let edges = RefCell::new(Vec::new());
    let mut s = single(10, 0, 1000);
    s.warmup_queries = 3;
    let mut controls = Controls::new(&stop)
        .on_progress(|_| clock.advance(MS))
        .on_window(|edge| edges.borrow_mut().push((edge, clock.elapsed_ns())));
    let mut slots = vec![Fake::new(&clock, |_| MS)];
    let outcome = run(&s, &mut slots, &clock, &mut controls).expect("runs");
    drop(controls);
    // Told twice before: 2 ms; warm-up: 3 ms.
    assert_eq!(
        *edges.borrow(),
        [(Edge::Start, 5 * MS), (Edge::End, 15 * MS)]
    );
    assert_eq!(
        (outcome.began, outcome.ended),
        (clock.at(5 * MS), clock.at(15 * MS))
    );
    assert_eq!(slots[0].edges, [(Edge::Start, 3), (Edge::End, 13)]);
}

#[test]
fn a_watchdog_sees_the_query_of_the_only_slot() {
    let clock = ManualClock::new();
    let (stop, heartbeat) = (AtomicBool::new(false), Heartbeat::default());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (watch, list, inner) = (heartbeat.clone(), Arc::clone(&seen), clock.clone());
    let cost = move |_| {
        let query = watch.oldest().expect("one is under way");
        let mut list = list.lock().expect("not poisoned");
        list.push((
            query.slot,
            query.query,
            query.since == inner.at(query.query * MS),
        ));
        MS
    };
    let mut controls = Controls::new(&stop).heartbeat(heartbeat.clone());
    let mut slots = vec![Fake::new(&clock, cost)];
    run(&single(3, 0, 1000), &mut slots, &clock, &mut controls).expect("runs");
    assert_eq!(
        *seen.lock().expect("not poisoned"),
        [(0, 0, true), (0, 1, true), (0, 2, true)]
    );
    assert_eq!(heartbeat.oldest(), None);
}

#[test]
fn senseless_settings_are_refused() {
    let clock = ManualClock::new();
    let good = single(5, 10, 1000);
    let bad: [fn(&mut Settings); 7] = [
        |s| s.library_size = 0,
        |s| s.batch = 0,
        |s| s.min_queries = 0,
        |s| s.max_duration = Duration::from_millis(9),
        |s| s.max_window_spread = f64::NAN,
        |s| s.query_timeout = Duration::ZERO,
        |s| s.stack_bytes = 4096,
    ];
    for change in bad {
        let mut s = good.clone();
        change(&mut s);
        let result = go(&s, &mut vec![Fake::new(&clock, |_| MS)], &clock);
        assert!(matches!(result, Err(LoadError::Setting { .. })), "{s:?}");
    }
    let mut none: Vec<Fake<ManualClock>> = Vec::new();
    assert!(matches!(
        go(&good, &mut none, &clock),
        Err(LoadError::NoSlots)
    ));
}
