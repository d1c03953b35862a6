//! Where the threads of slots wait for one another: the calling thread opens one step after the
//! other.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// What slots wait for, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// To warm up.
    WarmUp,
    /// To note the start of the window.
    Edge,
    /// To measure.
    Measure,
}

#[derive(Debug, Default)]
struct State {
    open: Option<(Step, Instant)>,
    given_up: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

impl Gate {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets all slots through to `step`, which began at `start`.
    pub(crate) fn open(&self, step: Step, start: Instant) {
        self.state().open = Some((step, start));
        self.changed.notify_all();
    }

    /// Sends all slots home that wait, now or later.
    pub(crate) fn give_up(&self) {
        self.state().given_up = true;
        self.changed.notify_all();
    }

    /// Waits for `step` and returns its start; `None` when there is nothing to wait for any more.
    pub(crate) fn pass(&self, step: Step) -> Option<Instant> {
        let mut state = self.state();
        loop {
            if state.given_up {
                return None;
            }
            if let Some((open, start)) = state.open
                && open >= step
            {
                return Some(start);
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}
