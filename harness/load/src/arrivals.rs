//! When queries arrive, and when no further one does.

use crate::{
    clock::saturating_ns,
    controls::{Phase, Progress},
    settings::{Scenario, Settings, StopReason},
    slot::MAX_FAILURES,
};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// The schedule of a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrivals {
    /// An arrival is due when a slot is free.
    WhenFree,
    /// Arrival n is due n intervals after the start.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "no scenario has a schedule yet; tests do")
    )]
    Every {
        /// The interval, in nanoseconds.
        interval_ns: u64,
    },
}

impl Arrivals {
    pub(crate) fn of(scenario: Scenario) -> Self {
        match scenario {
            Scenario::SingleStream | Scenario::Offline => Self::WhenFree,
        }
    }

    /// When arrival `n` is due, in nanoseconds from the start; `None`: when a slot is free.
    #[inline]
    pub(crate) fn due_ns(&self, n: u64) -> Option<u64> {
        match self {
            Self::WhenFree => None,
            Self::Every { interval_ns } => Some(n.saturating_mul(*interval_ns)),
        }
    }
}

/// When a phase ends: see [`Settings`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) phase: Phase,
    pub(crate) min_queries: u64,
    pub(crate) min_duration_ns: u64,
    pub(crate) max_duration_ns: u64,
}

impl Rules {
    pub(crate) fn warm_up(settings: &Settings) -> Self {
        Self {
            phase: Phase::WarmUp,
            min_queries: settings.warmup_queries,
            min_duration_ns: 0,
            max_duration_ns: u64::MAX,
        }
    }

    pub(crate) fn measure(settings: &Settings) -> Self {
        Self {
            phase: Phase::Measure,
            min_queries: settings.min_queries,
            min_duration_ns: saturating_ns(settings.min_duration),
            max_duration_ns: saturating_ns(settings.max_duration),
        }
    }

    /// Why arrival `n` at `at_ns` is not issued, if so. `failed` of the arrivals before it failed.
    #[inline]
    pub(crate) fn ends(&self, n: u64, failed: u64, stop: bool, at_ns: u64) -> Option<StopReason> {
        if n.saturating_sub(failed) >= self.min_queries && at_ns >= self.min_duration_ns {
            return Some(StopReason::Complete);
        }
        if failed > 0 && (failed >= MAX_FAILURES || self.phase == Phase::WarmUp) {
            return Some(StopReason::Failures);
        }
        if stop {
            return Some(StopReason::Interrupted);
        }
        (at_ns >= self.max_duration_ns).then_some(StopReason::MaxDuration)
    }

    /// How far the phase is: the minimum that lags behind decides, unless the maximum is nearer.
    pub(crate) fn progress(&self, queries: u64, elapsed_ns: u64) -> Progress {
        let share = |done: u64, of: u64| {
            (u128::from(done) * 1000)
                .checked_div(of.into())
                .unwrap_or(1000)
                .min(1000)
        };
        let minima = share(queries, self.min_queries).min(share(elapsed_ns, self.min_duration_ns));
        Progress {
            phase: self.phase,
            queries,
            elapsed: Duration::from_nanos(elapsed_ns),
            per_mille: minima.max(share(elapsed_ns, self.max_duration_ns)) as u32,
        }
    }
}

/// A number on cache lines of its own (two, because they are fetched in pairs).
#[derive(Debug, Default)]
#[repr(align(128))]
struct Alone(AtomicU64);

/// What all slots of one phase share.
#[derive(Debug)]
pub(crate) struct Course {
    pub(crate) rules: Rules,
    pub(crate) arrivals: Arrivals,
    /// Number of the query that arrival 0 is.
    pub(crate) first_query: u64,
    taken: Alone,
    failed: Alone,
}

impl Course {
    pub(crate) fn new(rules: Rules, arrivals: Arrivals, first_query: u64) -> Self {
        Self {
            rules,
            arrivals,
            first_query,
            taken: Alone::default(),
            failed: Alone::default(),
        }
    }

    /// Takes the next arrival. Relaxed order is enough: the number is all that is shared.
    #[inline]
    pub(crate) fn take(&self) -> u64 {
        self.taken.0.fetch_add(1, Ordering::Relaxed)
    }

    /// Arrivals that were taken so far; a slot takes one more than it runs, at its end.
    pub(crate) fn taken(&self) -> u64 {
        self.taken.0.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn failed(&self) -> u64 {
        self.failed.0.load(Ordering::Relaxed)
    }

    pub(crate) fn count_failure(&self) {
        self.failed.0.fetch_add(1, Ordering::Relaxed);
    }
}
