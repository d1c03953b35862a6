//! A time limit for every call of an engine.
//!
//! Calls say when they begin and end; a thread of its own looks for one that is overdue and tells
//! whoever runs the worker. In this process nothing can stop a native call that hangs: the handler
//! of a program ends the process, and with `isolate` that process is a child. A call that does come
//! back late is an error all the same.

use crate::error::RunError;
use dyno_load::{Heartbeat, InFlight};
use std::{
    collections::BTreeMap,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Longest pause between two looks at queries of the load generator, which wake nobody.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// A call of an engine that took longer than it may.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the engine did not return within {} s {doing}", limit.as_secs_f64())]
pub struct Overdue {
    /// What it was at, with the samples in hand: `while it ran `a.jpg``.
    pub doing: String,
    /// The time that it may take.
    pub limit: Duration,
}

/// A call under way.
struct Call {
    since: Instant,
    doing: String,
    told: bool,
}

/// A run of the load generator, which has heartbeats of its own.
struct Load {
    heartbeat: Heartbeat,
    doing: Arc<dyn Fn(&InFlight) -> String + Send + Sync>,
    told: Option<u64>,
}

#[derive(Default)]
struct State {
    calls: BTreeMap<u64, Call>,
    next: u64,
    load: Option<Load>,
    /// The first query of the load generator that was overdue.
    late: Option<Overdue>,
    ended: bool,
}

/// Watches the calls of one worker.
pub(crate) struct Watchdog {
    limit: Duration,
    state: Mutex<State>,
    wake: Condvar,
}

impl Watchdog {
    pub(crate) fn new(limit: Duration) -> Self {
        Self {
            limit,
            state: Mutex::default(),
            wake: Condvar::new(),
        }
    }

    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }

    /// The first query of the load generator that was overdue.
    pub(crate) fn late(&self) -> Option<Overdue> {
        self.state().late.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a call of the engine.
    ///
    /// # Errors
    /// [`RunError::Overdue`] when it comes back too late.
    pub(crate) fn call<T>(
        &self,
        doing: impl FnOnce() -> String,
        call: impl FnOnce() -> T,
    ) -> Result<T, RunError> {
        let number = {
            let mut state = self.state();
            let number = state.next;
            state.next += 1;
            let call = Call {
                since: Instant::now(),
                doing: doing(),
                told: false,
            };
            state.calls.insert(number, call);
            number
        };
        // Also after a panic of the engine nothing is under way.
        let under_way = UnderWay(self, number);
        let result = call();
        match under_way.end() {
            Some(call) if call.told || call.since.elapsed() > self.limit => {
                Err(self.overdue(call.doing).into())
            }
            _ => Ok(result),
        }
    }

    fn overdue(&self, doing: String) -> Overdue {
        Overdue {
            doing,
            limit: self.limit,
        }
    }

    /// Watches the queries of a run of the load generator until the result is dropped. `doing` says
    /// what a query is at.
    pub(crate) fn load(
        &self,
        heartbeat: Heartbeat,
        doing: impl Fn(&InFlight) -> String + Send + Sync + 'static,
    ) -> Loaded<'_> {
        self.state().load = Some(Load {
            heartbeat,
            doing: Arc::new(doing),
            told: None,
        });
        Loaded(self)
    }

    /// Looks until [`Self::end`]; `tell` hears of each overdue call once. Runs in a thread of its
    /// own.
    pub(crate) fn watch(&self, tell: &dyn Fn(&Overdue)) {
        let mut state = self.state();
        while !state.ended {
            let overdue = self.look(&mut state, Instant::now());
            if !overdue.is_empty() {
                // Not under the lock: the handler may take as long as it likes.
                drop(state);
                for overdue in &overdue {
                    tell(overdue);
                }
                state = self.state();
                continue;
            }
            let pause = (self.limit / 8).clamp(Duration::from_millis(1), LONGEST_PAUSE);
            state = self
                .wake
                .wait_timeout(state, pause)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Calls that are overdue and were not told.
    fn look(&self, state: &mut State, now: Instant) -> Vec<Overdue> {
        let late = |since: Instant| now.saturating_duration_since(since) > self.limit;
        let mut found = Vec::new();
        for call in state.calls.values_mut() {
            if !call.told && late(call.since) {
                call.told = true;
                found.push(self.overdue(call.doing.clone()));
            }
        }
        if let Some(load) = &mut state.load
            && let Some(query) = load.heartbeat.oldest()
            && late(query.since)
            && load.told != Some(query.query)
        {
            load.told = Some(query.query);
            let overdue = self.overdue((load.doing)(&query));
            state.late.get_or_insert_with(|| overdue.clone());
            found.push(overdue);
        }
        found
    }

    /// Ends [`Self::watch`].
    pub(crate) fn end(&self) {
        self.state().ended = true;
        self.wake.notify_all();
    }
}

/// As long as this lives, a call is under way.
struct UnderWay<'a>(&'a Watchdog, u64);

impl UnderWay<'_> {
    fn end(&self) -> Option<Call> {
        self.0.state().calls.remove(&self.1)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.end();
    }
}

/// As long as this lives, a run of the load generator is watched.
pub(crate) struct Loaded<'a>(&'a Watchdog);

impl Drop for Loaded<'_> {
    fn drop(&mut self) {
        self.0.state().load = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn a_call_that_hangs_is_told_while_it_hangs_and_is_an_error_when_it_returns() {
        let dog = Watchdog::new(Duration::from_millis(1));
        let (told, hears) = mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                dog.watch(&|overdue| told.send(overdue.clone()).expect("the test listens"));
            });
            let hangs = dog.call(
                || "while it ran `a.jpg`".to_owned(),
                || hears.recv().expect("the call is overdue"),
            );
            dog.end();
            let error = hangs.expect_err("late");
            assert_eq!(
                error.to_string(),
                "the engine did not return within 0.001 s while it ran `a.jpg`"
            );
            assert_eq!(error.exit_code(), 5);
        });
    }

    #[test]
    fn a_call_in_time_is_not_told_and_one_that_panics_is_over() {
        let dog = Watchdog::new(Duration::from_hours(1));
        assert_eq!(dog.call(String::new, || 7).expect("in time"), 7);
        let panics = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            dog.call(String::new, || panic!("an engine's"))
        }));
        assert!(panics.is_err());
        assert!(dog.state().calls.is_empty());
        let later = Instant::now() + Duration::from_hours(2);
        assert_eq!(dog.look(&mut dog.state(), later), []);
    }
}
