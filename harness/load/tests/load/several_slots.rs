//! Several slots, each in a thread of its own, on a discrete-event clock; and slots that hang.

use crate::common::{Fake, MS, VirtualClock, go, settings};
use dyno_load::{
    Code, Controls, Edge, Heartbeat, LoadError, MAX_FAILURES, ManualClock, Phase, Scenario,
    StopReason, Work, run,
};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::channel,
    },
    thread::{self, ThreadId},
};

fn slots(clock: &VirtualClock, count: usize, cost: fn(u64) -> u64) -> Vec<Fake<VirtualClock>> {
    (0..count).map(|_| Fake::new(clock, cost)).collect()
}

#[test]
fn offline_keeps_all_slots_busy_and_counts_samples_of_batches() {
    let clock = VirtualClock::new(4);
    let mut works = slots(&clock, 4, |_| 10 * MS);
    let mut s = settings(Scenario::Offline, 100, 0, 100_000);
    s.batch = 8;
    let outcome = go(&s, &mut works, &clock).expect("runs");
    assert_eq!(
        (outcome.completed, outcome.samples, outcome.slots),
        (100, 800, 4)
    );
    // 25 rounds of four queries of 10 ms.
    assert_eq!((outcome.duration_ns, outcome.stop_ns), (250 * MS, 250 * MS));
    assert!((outcome.throughput_per_s - 3200.0).abs() < 1e-6);
    assert_eq!(outcome.latencies_ns, vec![10 * MS; 100]);
    let rounds: Vec<u64> = (0..100).map(|n| n / 4 * 10 * MS).collect();
    assert_eq!(outcome.starts_ns, rounds);
    // Every query once, with the sample of its number, and the library used evenly.
    let mut seen: Vec<(u64, u32)> = works
        .iter()
        .flat_map(|w| &w.seen)
        .map(|s| (s.1, s.0))
        .collect();
    seen.sort_unstable();
    assert_eq!(
        seen.iter().map(|s| s.0).collect::<Vec<_>>(),
        (0..100).collect::<Vec<_>>()
    );
    for pass in seen.chunks_exact(7) {
        let mut sorted: Vec<u32> = pass.iter().map(|s| s.1).collect();
        sorted.sort_unstable();
        assert_eq!(sorted, [0, 1, 2, 3, 4, 5, 6]);
    }
    for work in &works {
        assert_eq!(work.edges, [(Edge::Start, 0), (Edge::End, 25)]);
    }
}

#[test]
fn a_slow_slot_takes_fewer_queries_and_holds_nobody_up() {
    let clock = VirtualClock::new(2);
    let mut works = vec![
        Fake::new(&clock, |_| 30 * MS),
        Fake::new(&clock, |_| 10 * MS),
    ];
    let outcome = go(
        &settings(Scenario::Offline, 40, 0, 100_000),
        &mut works,
        &clock,
    )
    .expect("runs");
    assert_eq!((works[0].seen.len(), works[1].seen.len()), (10, 30));
    assert_eq!(outcome.duration_ns, 300 * MS);
    // In the order of completion, each with its own start.
    let ends: Vec<u64> = outcome
        .starts_ns
        .iter()
        .zip(&outcome.latencies_ns)
        .map(|(start, latency)| start + latency)
        .collect();
    assert!(ends.is_sorted());
    assert_eq!(ends.last(), Some(&outcome.duration_ns));
    // Both slots were busy all the time.
    let sum: u64 = outcome.latencies_ns.iter().sum();
    assert_eq!(sum, 600 * MS);
}

#[test]
fn the_maximum_stops_offline_and_queries_under_way_are_waited_for() {
    let clock = VirtualClock::new(3);
    let mut works = slots(&clock, 3, |_| 40 * MS);
    let outcome = go(
        &settings(Scenario::Offline, 1000, 0, 100),
        &mut works,
        &clock,
    )
    .expect("runs");
    assert_eq!(
        (outcome.completed, outcome.stop_reason),
        (9, StopReason::MaxDuration)
    );
    assert_eq!(outcome.duration_ns, 120 * MS);
    assert_eq!(outcome.codes, [Code::TooFewQueries]);
}

#[test]
fn single_stream_uses_the_first_slot_in_the_calling_thread() {
    let clock = ManualClock::new();
    let mut works: Vec<Fake<ManualClock>> = (0..2).map(|_| Fake::new(&clock, |_| MS)).collect();
    let here = thread::current().id();
    let place: Arc<Mutex<Vec<ThreadId>>> = Arc::default();
    let list = Arc::clone(&place);
    works[0].cost = Box::new(move |_| {
        list.lock()
            .expect("not poisoned")
            .push(thread::current().id());
        MS
    });
    let outcome = go(
        &settings(Scenario::SingleStream, 20, 0, 1000),
        &mut works,
        &clock,
    )
    .expect("runs");
    assert_eq!((outcome.slots, works[1].seen.len()), (1, 0));
    assert_eq!(*place.lock().expect("not poisoned"), vec![here; 20]);
}

#[test]
fn a_warm_up_of_several_slots_counts_exactly_and_progress_is_told() {
    let clock = ManualClock::new();
    let mut works: Vec<Fake<ManualClock>> = (0..3).map(|_| Fake::new(&clock, |_| MS)).collect();
    let mut s = settings(Scenario::Offline, 50, 0, 100_000);
    s.warmup_queries = 11;
    let stop = AtomicBool::new(false);
    let (mut phases, mut edges) = (Vec::new(), Vec::new());
    let mut controls = Controls::new(&stop)
        .on_progress(|p| phases.push(p.phase))
        .on_window(|edge| edges.push(edge));
    let outcome = run(&s, &mut works, &clock, &mut controls).expect("runs");
    drop(controls);
    assert_eq!(outcome.completed, 50);
    let mut queries: Vec<u64> = works.iter().flat_map(|w| &w.seen).map(|s| s.1).collect();
    queries.sort_unstable();
    assert_eq!(queries, (0..61).collect::<Vec<_>>());
    phases.dedup();
    assert_eq!(phases, [Phase::WarmUp, Phase::Measure, Phase::Finished]);
    assert_eq!(edges, [Edge::Start, Edge::End]);
}

#[test]
fn failures_of_all_slots_count_together_and_the_first_is_named() {
    let clock = VirtualClock::new(2);
    let mut works = slots(&clock, 2, |n| {
        assert!(n < 30, "no more");
        MS
    });
    let outcome = go(
        &settings(Scenario::Offline, 1000, 0, 100_000),
        &mut works,
        &clock,
    )
    .expect("some succeed");
    assert_eq!(
        (outcome.completed, outcome.stop_reason),
        (30, StopReason::Failures)
    );
    assert!((MAX_FAILURES..MAX_FAILURES + 2).contains(&outcome.failed));
    assert_eq!(
        outcome.first_failure.as_deref(),
        Some("query 30: panicked: no more")
    );
    let clock = ManualClock::new();
    let mut works: Vec<Fake<ManualClock>> = (0..2).map(|_| Fake::new(&clock, |_| MS)).collect();
    for work in &mut works {
        work.fail = |n| n == 2;
    }
    let mut s = settings(Scenario::Offline, 1000, 0, 100_000);
    s.warmup_queries = 5;
    let error = go(&s, &mut works, &clock).expect_err("the warm-up fails");
    assert!(
        matches!(error, LoadError::WarmUp { query: 2, .. }),
        "{error:?}"
    );
    assert_eq!(works.len(), 2);
}

#[test]
fn a_stop_flag_that_is_up_before_the_start_is_seen_by_all_slots() {
    let clock = ManualClock::new();
    let mut works: Vec<Fake<ManualClock>> = (0..2).map(|_| Fake::new(&clock, |_| MS)).collect();
    let stop = AtomicBool::new(true);
    let s = settings(Scenario::Offline, 1000, 0, 100_000);
    let result = run(&s, &mut works, &clock, &mut Controls::new(&stop));
    assert!(matches!(result, Err(LoadError::Interrupted)), "{result:?}");
    assert_eq!((works.len(), works[0].seen.len()), (2, 0));
}

#[test]
fn a_stop_flag_raised_while_slots_run_ends_them() {
    let clock = ManualClock::new();
    let stop = Arc::new(AtomicBool::new(false));
    let mut works: Vec<Fake<ManualClock>> = (0..2)
        .map(|_| {
            let (raise, clock) = (Arc::clone(&stop), clock.clone());
            // Never complete: the clock stands still.
            let mut work = Fake::new(&clock, |_| 0);
            work.after = Box::new(move |_, n| {
                if n > 100 {
                    raise.store(true, Ordering::Relaxed);
                    thread::yield_now();
                }
                Ok(dyno_load::After::Nothing)
            });
            work
        })
        .collect();
    let s = settings(Scenario::Offline, u64::MAX, 0, 100_000);
    let outcome = run(&s, &mut works, &clock, &mut Controls::new(&stop)).expect("measured some");
    assert!(outcome.partial());
    assert!(outcome.codes.contains(&Code::Partial));
    assert!(outcome.codes.contains(&Code::TooFewQueries));
}

#[test]
fn a_query_that_never_ends_is_named_and_its_thread_abandoned() {
    let clock = ManualClock::new();
    let (never, wait) = channel::<()>();
    let wait = Mutex::new(wait);
    let inner = clock.clone();
    let hangs = Fake::new(&clock, move |n| {
        if n >= 20 {
            // The run's clock goes far ahead, and this slot waits for what does not come.
            inner.advance(100_000 * MS);
            let _ = wait.lock().unwrap_or_else(PoisonError::into_inner).recv();
        }
        MS
    });
    let blocked = Fake::new(&clock, |_| 0);
    let mut works: Vec<Box<dyn Work>> = vec![Box::new(blocked), Box::new(hangs)];
    let (stop, heartbeat) = (AtomicBool::new(false), Heartbeat::default());
    let mut controls = Controls::new(&stop).heartbeat(heartbeat.clone());
    let mut s = settings(Scenario::Offline, u64::MAX, 0, 1_000_000_000);
    s.library_size = 1;
    let error = run(&s, &mut works, &clock, &mut controls).expect_err("hangs");
    assert!(
        matches!(
            error,
            LoadError::Hung {
                slot: 1,
                query: 20..,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(
        error.to_string().starts_with("slot 1 hangs: query "),
        "{error}"
    );
    // The other slot is back; nothing waited for the one that hangs.
    assert_eq!(works.len(), 1);
    assert_eq!(heartbeat.oldest(), None);
    drop(never);
}

#[test]
fn a_panic_at_an_edge_of_the_window_is_an_error_that_names_the_slot() {
    struct Edgy(usize, Edge, ManualClock);
    impl Work for Edgy {
        fn run(&mut self, _: u32, _: u64) -> Result<dyno_load::Stages, dyno_load::WorkError> {
            self.2.advance(MS);
            Ok(dyno_load::Stages::NONE)
        }
        fn window(&mut self, edge: Edge) {
            assert!(self.0 == 0 || edge != self.1, "cannot read");
        }
    }
    let clock = ManualClock::new();
    for edge in [Edge::Start, Edge::End] {
        let mut works: Vec<Edgy> = (0..2).map(|i| Edgy(i, edge, clock.clone())).collect();
        let s = settings(Scenario::Offline, 20, 0, 100_000);
        let error = go(&s, &mut works, &clock).expect_err("panics");
        assert!(
            matches!(error, LoadError::Window { slot: 1, .. }),
            "{error:?}"
        );
        assert_eq!(works.len(), 2);
    }
}
