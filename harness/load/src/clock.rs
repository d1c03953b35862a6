//! Where the time comes from: the system's monotonic clock, or one that a test moves by hand.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// A clock that never goes back.
pub trait Clock {
    /// Now.
    fn now(&self) -> Instant;
}

/// The system's monotonic clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct MonotonicClock;

impl Clock for MonotonicClock {
    fn now(&self) -> Instant {
        Instant::now()
    }
}

/// A clock that stands still until [`ManualClock::advance`]: tests of timing take no time. Clones
/// show the same time.
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
}

/// Nanoseconds from `start` to `end`; `None` when `end` lies before `start`. Saturates after 584
/// years.
pub(crate) fn between_ns(start: Instant, end: Instant) -> Option<u64> {
    end.checked_duration_since(start)
        .map(|d| u64::try_from(d.as_nanos()).unwrap_or(u64::MAX))
}
