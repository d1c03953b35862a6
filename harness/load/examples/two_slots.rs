//! How well two busy slots share two cores: queries a second of two slots over twice those of one.
//!
//! Each query spins for 180 µs. Windows of 0.1 s of one and of two slots take turns. The medians are
//! compared, and the best windows too: on a machine that others use, those are the ones that were
//! left alone. `two_slots ROUNDS` (default 20).

#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use dyno_load::{Controls, MonotonicClock, Scenario, Settings, Stages, Work, WorkError, run};
use std::{
    hint::spin_loop,
    sync::atomic::AtomicBool,
    time::{Duration, Instant},
};

/// Time of a query.
const QUERY: Duration = Duration::from_micros(180);

struct Spin;

impl Work for Spin {
    fn run(&mut self, _: u32, _: u64) -> Result<Stages, WorkError> {
        let start = Instant::now();
        while start.elapsed() < QUERY {
            spin_loop();
        }
        Ok(Stages::NONE)
    }
}

/// Queries a second of `slots` slots.
fn rate(slots: usize) -> f64 {
    let settings = Settings {
        scenario: Scenario::Offline,
        min_duration: Duration::from_millis(100),
        max_duration: Duration::from_secs(10),
        ..Settings::default()
    };
    let stop = AtomicBool::new(false);
    let mut works: Vec<Spin> = (0..slots).map(|_| Spin).collect();
    run(
        &settings,
        &mut works,
        &MonotonicClock,
        &mut Controls::new(&stop),
    )
    .expect("spinning does not fail")
    .throughput_per_s
}

fn print(what: &str, one: f64, two: f64) {
    println!(
        "{what}: one slot {one:.0} queries/s, two slots {two:.0}, {:.1} % of twice one",
        50.0 * two / one
    );
}

fn main() {
    let rounds: usize = std::env::args()
        .nth(1)
        .and_then(|n| n.parse().ok())
        .unwrap_or(20)
        .max(1);
    let (mut one, mut two) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        one.push(rate(1));
        two.push(rate(2));
    }
    one.sort_unstable_by(f64::total_cmp);
    two.sort_unstable_by(f64::total_cmp);
    print("medians", one[rounds / 2], two[rounds / 2]);
    print("best", one[rounds - 1], two[rounds - 1]);
}
