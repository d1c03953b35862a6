//! What cannot be reached from outside: schedules that no scenario has yet, and threads that cannot
//! be made.

use crate::{
    Clock, Controls, LoadError, ManualClock, Outcome, Scenario, Settings, Stages, Work, WorkError,
    arrivals::Arrivals, run::run_with,
};
use std::{
    io,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

const MS: u64 = 1_000_000;

/// Query `n` takes `cost(n)` nanoseconds.
struct Costs(ManualClock, fn(u64) -> u64);

impl Work for Costs {
    fn run(&mut self, _: u32, query: u64) -> Result<Stages, WorkError> {
        self.0.advance((self.1)(query));
        Ok(Stages::NONE)
    }
}

fn settings(scenario: Scenario, min_queries: u64, min_ms: u64) -> Settings {
    Settings {
        scenario,
        warmup_queries: 0,
        min_queries,
        min_duration: Duration::from_millis(min_ms),
        max_duration: Duration::from_secs(10),
        ..Settings::default()
    }
}

fn every_10_ms(settings: &Settings, cost: fn(u64) -> u64) -> Outcome {
    let clock = ManualClock::new();
    run_with(
        settings,
        Arrivals::Every {
            interval_ns: 10 * MS,
        },
        &mut vec![Costs(clock.clone(), cost)],
        &clock,
        &mut Controls::new(&AtomicBool::new(false)),
        &|builder, f| builder.spawn(f),
    )
    .expect("runs")
}

#[test]
fn a_schedule_is_waited_for_and_latency_counts_from_it() {
    let settings = settings(Scenario::SingleStream, 20, 0);
    let outcome = every_10_ms(&settings, |_| 3 * MS);
    assert_eq!(outcome.latencies_ns, vec![3 * MS; 20]);
    let due: Vec<u64> = (0..20).map(|n| n * 10 * MS).collect();
    assert_eq!(outcome.starts_ns, due);
    assert_eq!(outcome.duration_ns, 193 * MS);
    // The fifth query takes 25 ms: those behind it wait, and their waiting counts (no coordinated
    // omission).
    let outcome = every_10_ms(&settings, |n| if n == 4 { 25 * MS } else { 3 * MS });
    assert_eq!(
        outcome.latencies_ns[3..9],
        [3, 25, 18, 11, 4, 3].map(|ms| ms * MS)
    );
    assert_eq!(outcome.starts_ns, due);
}

#[test]
fn a_schedule_ends_with_the_arrival_at_which_both_minima_hold() {
    // Arrivals 0 to 9 are due before 100 ms; the eleventh is not waited for.
    let outcome = every_10_ms(&settings(Scenario::SingleStream, 5, 100), |_| MS);
    assert_eq!((outcome.completed, outcome.codes.len()), (10, 0));
    assert_eq!((outcome.stop_ns, outcome.duration_ns), (100 * MS, 91 * MS));
}

#[test]
fn a_thread_that_cannot_be_made_ends_the_run_and_the_others() {
    let clock = ManualClock::new();
    let mut slots: Vec<Costs> = (0..3).map(|_| Costs(clock.clone(), |_| MS)).collect();
    let stop = AtomicBool::new(false);
    let made = AtomicUsize::new(0);
    let error = run_with(
        &settings(Scenario::Offline, 20, 0),
        Arrivals::WhenFree,
        &mut slots,
        &clock,
        &mut Controls::new(&stop),
        &|builder, f| {
            if made.fetch_add(1, Ordering::Relaxed) == 2 {
                return Err(io::Error::other("no more threads"));
            }
            builder.spawn(f)
        },
    )
    .expect_err("the third thread is refused");
    assert!(
        matches!(error, LoadError::Spawn { slot: 2, .. }),
        "{error:?}"
    );
    // The slots are still there and run.
    assert_eq!(slots.len(), 3);
    let outcome = crate::run(
        &settings(Scenario::Offline, 20, 0),
        &mut slots,
        &clock,
        &mut Controls::new(&stop),
    )
    .expect("runs");
    assert_eq!((outcome.slots, slots.len()), (3, 3));
    // A stack that no address space holds is refused by the system itself.
    let huge = Settings {
        stack_bytes: 1 << (usize::BITS - 2),
        ..settings(Scenario::Offline, 20, 0)
    };
    let error = crate::run(&huge, &mut slots, &clock, &mut Controls::new(&stop));
    assert!(
        matches!(error, Err(LoadError::Spawn { slot: 0, .. })),
        "{error:?}"
    );
    assert_eq!(slots.len(), 3);
}

#[test]
fn the_monotonic_clock_returns_when_the_time_has_come() {
    let clock = crate::MonotonicClock;
    for wait in [Duration::ZERO, Duration::from_micros(20)] {
        let at = Instant::now() + wait;
        clock.sleep_until(at);
        assert!(clock.now() >= at);
    }
}
