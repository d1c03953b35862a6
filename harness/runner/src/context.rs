//! What every part of one worker's run has in hand.

use crate::{error::RunError, guard::guarded, watchdog::Watchdog};
use dyno_core::{Dataset, Event, Machine, Plan, Tables, Tool};
use dyno_evidence::RunFolder;
use std::sync::atomic::{AtomicBool, Ordering};

/// Who runs a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The program.
    pub tool: Tool,
    /// The host's name is told, not only its hash.
    pub include_host: bool,
}

/// What every part of one worker's run has in hand.
pub(crate) struct Context<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) plan_sha256: &'a str,
    pub(crate) tables: &'a Tables,
    pub(crate) tool: &'a Tool,
    pub(crate) machine: &'a Machine,
    pub(crate) dataset: &'a dyn Dataset,
    pub(crate) folder: &'a RunFolder,
    pub(crate) sink: &'a (dyn Fn(Event) + Sync),
    /// The user asks for the end.
    pub(crate) stop: &'a AtomicBool,
    pub(crate) watchdog: &'a Watchdog,
}

impl Context<'_> {
    pub(crate) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Calls the engine under the watchdog; a panic of it is an error of the run.
    ///
    /// # Errors
    /// Those of `call`, [`RunError::Panicked`] and [`RunError::Overdue`]. `doing` says what it was
    /// at: `while it ran …`.
    pub(crate) fn engine<T>(
        &self,
        doing: impl Fn() -> String,
        call: impl FnOnce() -> Result<T, RunError>,
    ) -> Result<T, RunError> {
        self.watchdog.call(&doing, || guarded(&doing, call))?
    }
}

/// Now, as records have it: RFC 3339, UTC, whole seconds.
pub(crate) fn now_utc() -> String {
    jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string()
}
