//! Where the time comes from: the system's monotonic clock, or one that a test moves by hand.

use std::{
    hint::spin_loop,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// The last part of a wait, which is spun: a sleep ends up to this much late on a common kernel
/// (50 µs of timer slack on Linux and the time to wake up).
pub const SPIN: Duration = Duration::from_micros(100);

/// A clock that never goes back. Clones show the same time.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Instant;
    /// Returns when `at` has come, at once if it has passed.
    fn sleep_until(&self, at: Instant);
}

/// The system's monotonic clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct MonotonicClock;

impl Clock for MonotonicClock {
    #[inline]
    fn now(&self) -> Instant {
        Instant::now()
    }

    /// Sleeps, and spins for the last [`SPIN`].
    fn sleep_until(&self, at: Instant) {
        let rest = at.saturating_duration_since(Instant::now());
        if let Some(sleep) = rest.checked_sub(SPIN) {
            thread::sleep(sleep);
        }
        while Instant::now() < at {
            spin_loop();
        }
    }
}

/// A clock that stands still until it is moved: tests of timing take no time. Clones show the same
/// time. A sleep moves it.
#[derive(Debug, Clone)]
pub struct ManualClock {
    origin: Instant,
    elapsed_ns: Arc<AtomicU64>,
}

impl ManualClock {
    /// A clock at time zero.
    pub fn new() -> Self {
        Self {
            origin: Instant::now(),
            elapsed_ns: Arc::new(AtomicU64::new(0)),
        }
    }

    /// Moves the time forward by `ns` nanoseconds.
    pub fn advance(&self, ns: u64) {
        self.elapsed_ns.fetch_add(ns, Ordering::SeqCst);
    }

    /// Nanoseconds since time zero.
    pub fn elapsed_ns(&self) -> u64 {
        self.elapsed_ns.load(Ordering::SeqCst)
    }

    /// The moment `ns` nanoseconds after time zero.
    pub fn at(&self, ns: u64) -> Instant {
        self.origin + Duration::from_nanos(ns)
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Instant {
        self.at(self.elapsed_ns())
    }

    fn sleep_until(&self, at: Instant) {
        self.elapsed_ns
            .fetch_max(between_ns(self.origin, at), Ordering::SeqCst);
    }
}

/// Nanoseconds from `start` to `end`; 0 when `end` lies before `start`. Saturates after 584 years.
#[inline]
pub(crate) fn between_ns(start: Instant, end: Instant) -> u64 {
    let d = end.saturating_duration_since(start);
    d.as_secs()
        .saturating_mul(1_000_000_000)
        .saturating_add(u64::from(d.subsec_nanos()))
}

/// The nanoseconds of a setting; a time beyond 584 years counts as that.
pub(crate) fn saturating_ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
