//! What the caller has in hand while a run goes on: the stop flag, progress, the edges of the
//! measured window, and the heartbeat.

use crate::{heartbeat::Heartbeat, work::Edge};
use std::{fmt, sync::atomic::AtomicBool, time::Duration};

/// Least time between two progress reports; with several slots also how often the calling thread
/// looks at the stop flag and for queries that hang.
pub const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

/// Part of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Queries that do not count.
    WarmUp,
    /// Queries that count.
    Measure,
    /// All queries are done.
    Finished,
}

/// How far a run is. Told at the start of each phase and then at most every [`PROGRESS_INTERVAL`]:
/// with one slot between two queries, in no latency; with several slots by the calling thread while
/// the slots go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The part of the run.
    pub phase: Phase,
    /// Queries of this part that are done.
    pub queries: u64,
    /// Time since this part began.
    pub elapsed: Duration,
    /// Share of this part that is done, in thousandths.
    pub per_mille: u32,
}

/// The caller's hands on a run. All callbacks run in the calling thread.
pub struct Controls<'a> {
    pub(crate) stop: &'a AtomicBool,
    pub(crate) progress: Box<dyn FnMut(Progress) + 'a>,
    pub(crate) window: Box<dyn FnMut(Edge) + 'a>,
    pub(crate) heartbeat: Heartbeat,
}

impl<'a> Controls<'a> {
    /// With a flag that ends the run early: queries under way are waited for, and the outcome says
    /// [`StopReason::Interrupted`](crate::StopReason::Interrupted). Nothing else is listened to.
    pub fn new(stop: &'a AtomicBool) -> Self {
        Self {
            stop,
            progress: Box::new(|_| ()),
            window: Box::new(|_| ()),
            heartbeat: Heartbeat::default(),
        }
    }

    /// Tells progress to `tell`. With one slot its cost is in [`Outcome::untimed_ns`].
    ///
    /// [`Outcome::untimed_ns`]: crate::Outcome::untimed_ns
    #[must_use]
    pub fn on_progress(mut self, tell: impl FnMut(Progress) + 'a) -> Self {
        self.progress = Box::new(tell);
        self
    }

    /// Calls `edge` right before the first measured arrival is released, and right after the last
    /// measured query ended: to read counters exactly over the window. With one slot it is called
    /// inside of [`Work::window`](crate::Work::window); with several, those of the slots have been
    /// called before the start.
    #[must_use]
    pub fn on_window(mut self, edge: impl FnMut(Edge) + 'a) -> Self {
        self.window = Box::new(edge);
        self
    }

    /// Publishes the queries under way in `heartbeat`, for a watchdog in another thread.
    #[must_use]
    pub fn heartbeat(mut self, heartbeat: Heartbeat) -> Self {
        self.heartbeat = heartbeat;
        self
    }
}

impl fmt::Debug for Controls<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Controls")
            .field("stop", self.stop)
            .finish_non_exhaustive()
    }
}
