//! What the load generator adds to a query: its loop around a work that does nothing.
//!
//! The figure is the measured window of a run divided by its queries: reading the clock once,
//! taking an arrival, choosing the sample, the call of the work and recording. With two slots it is
//! the window of both over the queries of both, so half the time of one slot where they do not
//! disturb each other. `cargo run --release -p dyno-load --example two_slots` shows how well two
//! slots share the cores.

use criterion::{BenchmarkId, Criterion};
use dyno_load::{Controls, MonotonicClock, Scenario, Settings, Stages, Work, WorkError};
use std::{hint::black_box, sync::atomic::AtomicBool, time::Duration};

/// Samples of the library.
const LIBRARY: u32 = 128;

/// Ends every query at once; with its stages, where asked.
struct Nothing {
    stages: Stages,
}

impl Work for Nothing {
    fn run(&mut self, sample: u32, query: u64) -> Result<Stages, WorkError> {
        black_box((sample, query));
        Ok(self.stages)
    }
}

/// The measured window of a run of `queries` queries.
fn run<W: Work + 'static>(scenario: Scenario, queries: u64, slots: &mut Vec<W>) -> Duration {
    let settings = Settings {
        scenario,
        warmup_queries: 100,
        min_queries: queries,
        min_duration: Duration::ZERO,
        max_duration: Duration::from_hours(1),
        library_size: LIBRARY,
        ..Settings::default()
    };
    let stop = AtomicBool::new(false);
    let outcome = dyno_load::run(&settings, slots, &MonotonicClock, &mut Controls::new(&stop))
        .expect("nothing fails");
    Duration::from_nanos(outcome.duration_ns)
}

/// `slots` works that do nothing.
fn nothing(slots: usize, stages: Stages) -> Vec<Nothing> {
    (0..slots).map(|_| Nothing { stages }).collect()
}

/// The benches of this file.
pub(crate) fn benches(c: &mut Criterion) {
    let mut group = c.benchmark_group("load");
    group
        .measurement_time(Duration::from_secs(2))
        .sample_size(20);
    let three = Stages::NONE.with(0, 1).with(1, 2).with(2, 3);
    for (name, scenario, slots, stages) in [
        ("single-stream", Scenario::SingleStream, 1, Stages::NONE),
        ("single-stream, 3 stages", Scenario::SingleStream, 1, three),
        ("offline, 2 slots", Scenario::Offline, 2, Stages::NONE),
    ] {
        group.bench_function(BenchmarkId::new("nothing", name), |b| {
            b.iter_custom(|n| run(scenario, n, &mut nothing(slots, stages)));
        });
    }
    group.bench_function(BenchmarkId::new("nothing", "through Box<dyn Work>"), |b| {
        b.iter_custom(|n| {
            let boxed: Box<dyn Work> = Box::new(Nothing {
                stages: Stages::NONE,
            });
            run(Scenario::SingleStream, n, &mut vec![boxed])
        });
    });
    group.finish();
}
