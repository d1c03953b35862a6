//! The rules of a run, on a clock that is moved by hand: nothing here sleeps.

use super::*;
use base64::Engine;
use hdrhistogram::serialization::Deserializer;
use std::{
    collections::VecDeque,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

const MS: u64 = 1_000_000;

/// A target whose query `n` takes `cost(n)` nanoseconds of the manual clock.
struct Fake<F> {
    clock: ManualClock,
    cost: F,
    slots: usize,
    blocking: bool,
    fail: fn(u64) -> bool,
    /// Time that passes between the end of a query and the generator learning of it.
    after_ns: u64,
    under_way: VecDeque<(u64, usize, u64)>,
    ready: Vec<Done>,
    samples: Vec<u32>,
    most_under_way: usize,
}

impl<F: FnMut(u64) -> u64> Fake<F> {
    fn new(clock: &ManualClock, slots: usize, blocking: bool, cost: F) -> Self {
        Self {
            clock: clock.clone(),
            cost,
            slots,
            blocking,
            fail: |_| false,
            after_ns: 0,
            under_way: VecDeque::new(),
            ready: Vec::new(),
            samples: Vec::new(),
            most_under_way: 0,
        }
    }

    fn finish(&mut self, ns: u64, slot: usize, token: u64) -> Done {
        let result = if (self.fail)(token) {
            Err(TargetError::new("broken"))
        } else {
            Ok(Stages::NONE.with(0, 7).with(3, token))
        };
        Done {
            slot,
            token,
            at: self.clock.at(ns),
            result,
        }
    }
}

impl<F: FnMut(u64) -> u64> Target for Fake<F> {
    fn slots(&self) -> usize {
        self.slots
    }
    fn blocking(&self) -> bool {
        self.blocking
    }
    fn submit(&mut self, slot: usize, sample: u32, token: u64) -> Result<(), TargetError> {
        self.samples.push(sample);
        let cost = (self.cost)(token);
        if self.blocking {
            self.clock.advance(cost);
            let done = self.finish(self.clock.elapsed_ns(), slot, token);
            self.ready.push(done);
            self.clock.advance(self.after_ns);
        } else {
            self.under_way
                .push_back((self.clock.elapsed_ns() + cost, slot, token));
            self.most_under_way = self.most_under_way.max(self.under_way.len());
        }
        Ok(())
    }
    fn wait(&mut self, timeout: Duration, done: &mut Vec<Done>) -> Result<(), TargetError> {
        done.append(&mut self.ready);
        let Some(first) = (0..self.under_way.len()).min_by_key(|i| self.under_way[*i].0) else {
            return Ok(());
        };
        let now = self.clock.elapsed_ns();
        let limit = now + timeout.as_nanos() as u64;
        if self.under_way[first].0 > limit {
            self.clock.advance(limit - now);
            return Ok(());
        }
        let (end, slot, token) = self.under_way.remove(first).expect("found above");
        self.clock.advance(end.saturating_sub(now));
        let ended = self.finish(end, slot, token);
        self.clock.advance(self.after_ns);
        done.push(ended);
        Ok(())
    }
}

/// Says of every query what its function makes of slot 0 and token 0: slot, token, end in
/// nanoseconds.
struct Liar(ManualClock, Lie);

type Lie = fn(usize, u64) -> (usize, u64, u64);

impl Target for Liar {
    fn slots(&self) -> usize {
        1
    }
    fn blocking(&self) -> bool {
        true
    }
    fn submit(&mut self, _: usize, _: u32, _: u64) -> Result<(), TargetError> {
        Ok(())
    }
    fn wait(&mut self, _: Duration, done: &mut Vec<Done>) -> Result<(), TargetError> {
        let (slot, token, ns) = (self.1)(0, 0);
        done.push(Done {
            slot,
            token,
            at: self.0.at(ns),
            result: Ok(Stages::NONE),
        });
        Ok(())
    }
}

fn settings(scenario: Scenario, min_queries: u64, min_ms: u64, max_ms: u64) -> Settings {
    Settings {
        scenario,
        warmup_queries: 0,
        min_queries,
        min_duration: Duration::from_millis(min_ms),
        max_duration: Duration::from_millis(max_ms),
        library_size: 7,
        ..Settings::default()
    }
}

fn go(
    settings: &Settings,
    target: &mut dyn Target,
    clock: &ManualClock,
) -> Result<Outcome, LoadError> {
    run(
        settings,
        target,
        clock,
        &AtomicBool::new(false),
        &mut |_| (),
    )
}

#[test]
fn latency_runs_from_the_scheduled_time_to_the_end_of_the_query() {
    for blocking in [true, false] {
        let clock = ManualClock::new();
        let mut target = Fake::new(&clock, 1, blocking, |n| (n % 3 + 1) * MS);
        // The generator hears of the end half a millisecond late: that is in no latency, but in the
        // duration.
        target.after_ns = MS / 2;
        let outcome = go(
            &settings(Scenario::SingleStream, 90, 0, 10_000),
            &mut target,
            &clock,
        )
        .expect("runs");
        assert_eq!(
            outcome.latencies_ns[..4],
            [MS, 2 * MS, 3 * MS, MS],
            "blocking: {blocking}"
        );
        assert_eq!(outcome.completed, 90);
        assert_eq!(outcome.duration_ns, 90 * 2 * MS + 89 * MS / 2);
        assert_eq!(
            outcome.summary.latency,
            Latency {
                min: MS,
                mean: 2 * MS,
                p50: Some(2 * MS),
                p90: Some(3 * MS),
                p99: None,
                max: 3 * MS
            }
        );
        assert_eq!(outcome.codes, []);
        assert_eq!(outcome.stop_reason, StopReason::Complete);
        assert_eq!(outcome.summary.stages[0], Some(7));
        assert_eq!(outcome.summary.stages[3], Some(45));
        assert_eq!(outcome.summary.stages[1], None);
    }
}

#[test]
fn warm_up_is_in_no_number_but_the_first_query() {
    let clock = ManualClock::new();
    let mut target = Fake::new(&clock, 1, true, |n| if n < 5 { 100 * MS } else { MS });
    let mut s = settings(Scenario::SingleStream, 70, 0, 1000);
    s.warmup_queries = 5;
    let outcome = go(&s, &mut target, &clock).expect("runs");
    assert_eq!(outcome.first_query_ns, 100 * MS);
    assert_eq!(outcome.latencies_ns, vec![MS; 70]);
    assert_eq!(outcome.duration_ns, 70 * MS);
    assert_eq!(target.samples.len(), 75);
    // The order of the measured part does not depend on the warm-up.
    let mut cold = Fake::new(&clock, 1, true, |_| MS);
    s.warmup_queries = 0;
    go(&s, &mut cold, &clock).expect("runs");
    assert_eq!(target.samples[5..], cold.samples[..]);
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
    let cases = [
        Case {
            min_queries: 10,
            min_ms: 50,
            max_ms: 500,
            completed: 50,
            reason: StopReason::Complete,
            codes: &[],
        },
        Case {
            min_queries: 80,
            min_ms: 50,
            max_ms: 500,
            completed: 80,
            reason: StopReason::Complete,
            codes: &[],
        },
        Case {
            min_queries: 80,
            min_ms: 50,
            max_ms: 60,
            completed: 60,
            reason: StopReason::MaxDuration,
            codes: &[Code::TooFewQueries],
        },
    ];
    for case in cases {
        for scenario in [Scenario::SingleStream, Scenario::Offline] {
            let clock = ManualClock::new();
            let mut target = Fake::new(&clock, 1, true, |_| MS);
            let outcome = go(
                &settings(scenario, case.min_queries, case.min_ms, case.max_ms),
                &mut target,
                &clock,
            )
            .expect("runs");
            assert_eq!(
                (outcome.completed, outcome.stop_reason),
                (case.completed, case.reason)
            );
            assert_eq!(outcome.codes, case.codes);
        }
    }
}

#[test]
fn every_sample_of_the_library_is_used_equally_often() {
    let clock = ManualClock::new();
    let mut target = Fake::new(&clock, 1, true, |_| MS);
    go(
        &settings(Scenario::SingleStream, 70, 0, 1000),
        &mut target,
        &clock,
    )
    .expect("runs");
    for pass in target.samples.chunks(7) {
        let mut sorted = pass.to_vec();
        sorted.sort_unstable();
        assert_eq!(sorted, [0, 1, 2, 3, 4, 5, 6]);
    }
}

#[test]
fn offline_keeps_all_slots_busy_and_counts_samples_of_batches() {
    let clock = ManualClock::new();
    let mut target = Fake::new(&clock, 4, false, |_| 10 * MS);
    let mut s = settings(Scenario::Offline, 100, 0, 100_000);
    s.batch = 8;
    let outcome = go(&s, &mut target, &clock).expect("runs");
    assert_eq!(target.most_under_way, 4);
    assert_eq!(
        (outcome.completed, outcome.samples, outcome.slots),
        (100, 800, 4)
    );
    // 25 rounds of four queries of 10 ms.
    assert_eq!(outcome.duration_ns, 250 * MS);
    assert!(
        (outcome.throughput_per_s - 3200.0).abs() < 1e-6,
        "{}",
        outcome.throughput_per_s
    );
    assert_eq!(outcome.latencies_ns, vec![10 * MS; 100]);
    // Single stream never uses a second slot.
    let mut single = Fake::new(&clock, 4, false, |_| 10 * MS);
    assert_eq!(
        go(
            &settings(Scenario::SingleStream, 20, 0, 100_000),
            &mut single,
            &clock
        )
        .expect("runs")
        .slots,
        1
    );
    assert_eq!(single.most_under_way, 1);
}

#[test]
fn the_maximum_stops_offline_and_queries_under_way_are_waited_for() {
    let clock = ManualClock::new();
    let mut target = Fake::new(&clock, 3, false, |_| 40 * MS);
    let outcome = go(
        &settings(Scenario::Offline, 1000, 0, 100),
        &mut target,
        &clock,
    )
    .expect("runs");
    assert_eq!(
        (outcome.completed, outcome.stop_reason),
        (9, StopReason::MaxDuration)
    );
    assert_eq!(outcome.duration_ns, 120 * MS);
}

#[test]
fn a_percentile_is_refused_where_the_count_cannot_support_it() {
    for (n, p50, p90, p99) in [
        (10, false, false, false),
        (11, true, false, false),
        (63, true, false, false),
        (64, true, true, false),
        (662, true, true, true),
    ] {
        let clock = ManualClock::new();
        let mut target = Fake::new(&clock, 1, true, |_| MS);
        let outcome = go(
            &settings(Scenario::SingleStream, n, 0, 10_000),
            &mut target,
            &clock,
        )
        .expect("runs");
        let Summary { latency, bound, .. } = outcome.summary;
        assert_eq!(
            (
                latency.p50.is_some(),
                latency.p90.is_some(),
                latency.p99.is_some()
            ),
            (p50, p90, p99),
            "{n}"
        );
        assert_eq!(
            (bound.p90.is_some(), bound.p99.is_some()),
            (p90, p99),
            "{n}"
        );
    }
}

#[test]
fn a_drifting_run_is_unsteady_and_a_single_outlier_is_not() {
    let clock = ManualClock::new();
    let mut drifting = Fake::new(&clock, 1, true, |n| MS + n * MS / 300);
    let outcome = go(
        &settings(Scenario::SingleStream, 300, 0, 10_000),
        &mut drifting,
        &clock,
    )
    .expect("runs");
    assert_eq!(outcome.codes, [Code::Unsteady]);
    let mut spiky = Fake::new(
        &clock,
        1,
        true,
        |n| if n == 150 { 50 * MS } else { MS + n % 5 },
    );
    let outcome = go(
        &settings(Scenario::SingleStream, 300, 0, 10_000),
        &mut spiky,
        &clock,
    )
    .expect("runs");
    assert_eq!(outcome.codes, []);
    assert_eq!(
        (outcome.summary.outliers, outcome.summary.latency.max),
        (1, 50 * MS)
    );
}

#[test]
fn a_failed_query_is_counted_named_and_invalidates() {
    let clock = ManualClock::new();
    let mut target = Fake::new(&clock, 1, true, |_| MS);
    target.fail = |token| token == 4;
    let outcome = go(
        &settings(Scenario::SingleStream, 20, 0, 1000),
        &mut target,
        &clock,
    )
    .expect("runs");
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

    target.fail = |token| token >= 30;
    let outcome = go(
        &settings(Scenario::SingleStream, 1000, 0, 10_000),
        &mut target,
        &clock,
    )
    .expect("runs");
    assert_eq!(
        (outcome.completed, outcome.failed, outcome.stop_reason),
        (30, MAX_FAILURES, StopReason::Failures)
    );

    target.fail = |_| true;
    let error = go(
        &settings(Scenario::SingleStream, 20, 0, 1000),
        &mut target,
        &clock,
    )
    .expect_err("nothing succeeds");
    assert_eq!(
        error.to_string(),
        "no query succeeded: 10 failed, the first with: query 0: broken"
    );
    let mut s = settings(Scenario::SingleStream, 20, 0, 1000);
    s.warmup_queries = 3;
    assert!(matches!(
        go(&s, &mut target, &clock),
        Err(LoadError::WarmUp { query: 0, .. })
    ));
}

#[test]
fn an_interrupted_run_keeps_what_it_has() {
    let stop = AtomicBool::new(false);
    let clock = ManualClock::new();
    let mut target = Fake::new(&clock, 1, true, |n| {
        if n == 24 {
            stop.store(true, Ordering::Relaxed);
        }
        MS
    });
    let s = settings(Scenario::SingleStream, 100, 50, 10_000);
    let outcome = run(&s, &mut target, &clock, &stop, &mut |_| ()).expect("something was measured");
    assert!(outcome.partial());
    assert_eq!(outcome.completed, 25);
    assert_eq!(
        outcome.codes,
        [Code::TooFewQueries, Code::TooShort, Code::Partial]
    );
    assert!(matches!(
        run(&s, &mut target, &clock, &stop, &mut |_| ()),
        Err(LoadError::Interrupted)
    ));
}

#[test]
fn progress_comes_between_queries_and_costs_no_latency() {
    let clock = ManualClock::new();
    let mut target = Fake::new(&clock, 1, true, |_| 40 * MS);
    let mut seen = Vec::new();
    let outcome = run(
        &settings(Scenario::SingleStream, 20, 0, 10_000),
        &mut target,
        &clock,
        &AtomicBool::new(false),
        &mut |p| {
            seen.push((p.phase, p.queries, p.per_mille));
            clock.advance(5 * MS);
        },
    )
    .expect("runs");
    assert_eq!(outcome.latencies_ns, vec![40 * MS; 20]);
    // Every third query: 120 ms, and 125 ms with the callback's own 5 ms.
    let counts: Vec<u64> = seen
        .iter()
        .filter(|s| s.0 == Phase::Measure)
        .map(|s| s.1)
        .collect();
    assert_eq!(counts, [0, 3, 6, 9, 12, 15, 18]);
    assert_eq!(seen.last(), Some(&(Phase::Finished, 20, 1000)));
    assert_eq!(outcome.progress_ns, 6 * 5 * MS);
    assert_eq!(outcome.duration_ns, 20 * 40 * MS + 6 * 5 * MS);
    assert!(
        (outcome.throughput_per_s - 25.0).abs() < 1e-9,
        "one in 40 ms, whatever progress cost: {}",
        outcome.throughput_per_s
    );

    // With several slots there is never a moment without a query.
    let mut busy = Fake::new(&clock, 2, false, |_| 40 * MS);
    let mut phases = Vec::new();
    run(
        &settings(Scenario::Offline, 20, 0, 10_000),
        &mut busy,
        &clock,
        &AtomicBool::new(false),
        &mut |p| phases.push((p.phase, p.queries)),
    )
    .expect("runs");
    assert_eq!(
        phases,
        [
            (Phase::WarmUp, 0),
            (Phase::Measure, 0),
            (Phase::Finished, 20)
        ]
    );
}

#[test]
fn a_target_that_hangs_or_lies_is_an_error() {
    let clock = ManualClock::new();
    let mut hangs = Fake::new(&clock, 2, false, |n| if n < 3 { MS } else { u64::MAX / 2 });
    let error = go(
        &settings(Scenario::Offline, 20, 0, 10_000),
        &mut hangs,
        &clock,
    )
    .expect_err("hangs");
    assert_eq!(
        error.to_string(),
        "the target hangs: no query came back within 60 s, 2 are under way"
    );

    let late = ManualClock::new();
    late.advance(MS);
    let lies: [Lie; 3] = [
        |_, t| (9, t, 2 * MS),
        |s, _| (s, 77, 2 * MS),
        |s, t| (s, t, 0),
    ];
    for lie in lies {
        let result = go(
            &settings(Scenario::SingleStream, 5, 0, 1000),
            &mut Liar(late.clone(), lie),
            &late,
        );
        assert!(
            matches!(result, Err(LoadError::Protocol { .. })),
            "{result:?}"
        );
    }
}

#[test]
fn senseless_settings_are_refused() {
    let clock = ManualClock::new();
    let good = settings(Scenario::SingleStream, 5, 10, 1000);
    let bad = [
        Settings {
            library_size: 0,
            ..good.clone()
        },
        Settings {
            batch: 0,
            ..good.clone()
        },
        Settings {
            min_queries: 0,
            ..good.clone()
        },
        Settings {
            max_duration: Duration::from_millis(9),
            ..good.clone()
        },
        Settings {
            max_window_spread: f64::NAN,
            ..good.clone()
        },
        Settings {
            query_timeout: Duration::ZERO,
            ..good.clone()
        },
    ];
    for s in bad {
        assert!(
            matches!(
                go(&s, &mut Fake::new(&clock, 1, true, |_| MS), &clock),
                Err(LoadError::Setting { .. })
            ),
            "{s:?}"
        );
    }
    assert!(matches!(
        go(&good, &mut Fake::new(&clock, 0, true, |_| MS), &clock),
        Err(LoadError::NoSlots)
    ));
}

#[test]
fn the_histogram_reads_back() {
    let clock = ManualClock::new();
    let mut target = Fake::new(&clock, 1, true, |n| MS + n * 1000);
    let outcome = go(
        &settings(Scenario::SingleStream, 100, 0, 10_000),
        &mut target,
        &clock,
    )
    .expect("runs");
    assert!(outcome.raw_is_complete());
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(outcome.histogram_base64().expect("serializes"))
        .expect("base64");
    let back: hdrhistogram::Histogram<u64> = Deserializer::new()
        .deserialize(&mut bytes.as_slice())
        .expect("V2 with DEFLATE");
    assert_eq!(back, outcome.histogram);
    assert_eq!(back.len(), 100);
}
