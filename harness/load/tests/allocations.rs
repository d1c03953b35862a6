//! The loop allocates nothing for a query: a run of 100,000 queries allocates as often as one of
//! 1,000. One test in a binary of its own, because the count is that of the whole process.

use dyno_load::{
    After, Controls, Edge, ManualClock, Outcome, Scenario, Settings, Stages, Work, WorkError, run,
};
use stats_alloc::{INSTRUMENTED_SYSTEM, Stats, StatsAlloc};
use std::{
    alloc::System,
    sync::{Arc, Mutex, atomic::AtomicBool},
    time::Duration,
};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Takes a microsecond of a clock that is moved by hand, and keeps the figures of the allocator at
/// the edges of the window.
struct Microsecond {
    clock: ManualClock,
    figures: Arc<Mutex<Vec<Stats>>>,
}

impl Work for Microsecond {
    fn run(&mut self, _: u32, query: u64) -> Result<Stages, WorkError> {
        self.clock.advance(1000);
        Ok(Stages::NONE.with(1, query))
    }
    fn after(&mut self, _: u32, query: u64) -> Result<After, WorkError> {
        Ok(if query.is_multiple_of(3) {
            After::Something
        } else {
            After::Nothing
        })
    }
    fn window(&mut self, _: Edge) {
        let mut figures = self.figures.lock().expect("not poisoned");
        figures.push(ALLOCATOR.stats());
    }
}

/// Allocations and reallocations of a run, and of its measured window where there is one slot.
fn allocations(slots: usize, queries: u64) -> (usize, Option<usize>) {
    let settings = Settings {
        scenario: Scenario::Offline,
        min_queries: queries,
        min_duration: Duration::ZERO,
        max_duration: Duration::from_hours(1),
        library_size: 128,
        // The statistics of a run allocate with its length; windows and histogram do not matter here.
        windows: 0,
        ..Settings::default()
    };
    let clock = ManualClock::new();
    let figures = Arc::new(Mutex::new(Vec::with_capacity(2 * slots)));
    let mut works: Vec<Microsecond> = (0..slots)
        .map(|_| Microsecond {
            clock: clock.clone(),
            figures: Arc::clone(&figures),
        })
        .collect();
    let stop = AtomicBool::new(false);
    let mut controls = Controls::new(&stop);
    let before = ALLOCATOR.stats();
    let outcome: Outcome = run(&settings, &mut works, &clock, &mut controls).expect("runs");
    let count = |from: Stats, to: Stats| {
        (to.allocations - from.allocations) + (to.reallocations - from.reallocations)
    };
    let all = count(before, ALLOCATOR.stats());
    assert_eq!(outcome.completed, queries);
    let figures = figures.lock().expect("not poisoned");
    let window = (slots == 1).then(|| count(figures[0], figures[1]));
    (all, window)
}

#[test]
fn a_query_allocates_nothing() {
    // Whatever is made once in a process.
    allocations(1, 10);
    let (_, short) = allocations(1, 1000);
    let (_, long) = allocations(1, 100_000);
    assert_eq!((short, long), (Some(0), Some(0)), "within the window");
    // With several slots the calling thread waits and the statistics grow by doubling: some dozens
    // for a hundred times the queries, where one a query would be 99,000.
    for slots in [1, 2] {
        let ((short, _), (long, _)) = (allocations(slots, 1000), allocations(slots, 100_000));
        assert!(
            long.saturating_sub(short) < 200,
            "{slots} slots: {short} for 1,000 queries, {long} for 100,000"
        );
    }
}
