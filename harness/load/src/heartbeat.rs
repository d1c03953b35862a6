//! Which query is under way in each slot, and since when: what a watchdog looks at.
//!
//! A slot writes two numbers of its own a query, with no lock; whoever watches may read them at any
//! time.

use crate::clock::between_ns;
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// A view on the queries under way in a run. Clones show the same run. With one slot the run itself
/// cannot notice that a query never ends, because it runs in the calling thread: a thread elsewhere
/// can, by looking here.
#[derive(Debug, Clone, Default)]
pub struct Heartbeat(Arc<Mutex<Option<Arc<Beats>>>>);

/// A query under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InFlight {
    /// Number of the slot, counted from 0.
    pub slot: usize,
    /// Number of the query, warm-up included, counted from 0.
    pub query: u64,
    /// When it began, by the clock of the run.
    pub since: Instant,
}

impl Heartbeat {
    /// The query that has been under way longest; `None` when there is none, or no run.
    pub fn oldest(&self) -> Option<InFlight> {
        let beats = self.place().clone()?;
        beats.oldest()
    }

    fn place(&self) -> std::sync::MutexGuard<'_, Option<Arc<Beats>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows `beats` until the result is dropped.
    pub(crate) fn show(&self, beats: &Arc<Beats>) -> Shown {
        *self.place() = Some(Arc::clone(beats));
        Shown(self.clone())
    }
}

/// As long as this lives, a run is shown.
#[derive(Debug)]
pub(crate) struct Shown(Heartbeat);

impl Drop for Shown {
    fn drop(&mut self) {
        *self.0.place() = None;
    }
}

/// One slot's place; on cache lines of its own (two, because they are fetched in pairs).
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Beat {
    /// Nanoseconds from the origin to the start of the query, and one more; 0 when there is none.
    since: AtomicU64,
    query: AtomicU64,
}

impl Beat {
    #[inline]
    pub(crate) fn begin(&self, since_ns: u64, query: u64) {
        self.query.store(query, Ordering::Relaxed);
        self.since
            .store(since_ns.saturating_add(1), Ordering::Release);
    }

    #[inline]
    pub(crate) fn rest(&self) {
        self.since.store(0, Ordering::Release);
    }

    /// Query and start; between two queries it may be the number of the next with the start of the
    /// one before, which is the moment at which that one ended or a little earlier.
    fn read(&self) -> Option<(u64, u64)> {
        let since = self.since.load(Ordering::Acquire).checked_sub(1)?;
        Some((since, self.query.load(Ordering::Relaxed)))
    }
}

/// The places of all slots of a run.
#[derive(Debug)]
pub(crate) struct Beats {
    origin: Instant,
    slots: Box<[Beat]>,
}

impl Beats {
    pub(crate) fn new(origin: Instant, slots: usize) -> Self {
        Self {
            origin,
            slots: (0..slots).map(|_| Beat::default()).collect(),
        }
    }

    /// The place of a slot that exists.
    pub(crate) fn of(&self, slot: usize) -> &Beat {
        &self.slots[slot]
    }

    pub(crate) fn since_origin_ns(&self, at: Instant) -> u64 {
        between_ns(self.origin, at)
    }

    pub(crate) fn oldest(&self) -> Option<InFlight> {
        self.slots
            .iter()
            .enumerate()
            .filter_map(|(slot, beat)| beat.read().map(|(since, query)| (since, slot, query)))
            .min()
            .map(|(since, slot, query)| InFlight {
                slot,
                query,
                since: self.origin + Duration::from_nanos(since),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_query_is_shown_while_there_is_a_run() {
        let heartbeat = Heartbeat::default();
        assert_eq!(heartbeat.oldest(), None);
        let origin = Instant::now();
        let beats = Arc::new(Beats::new(origin, 2));
        let shown = heartbeat.clone().show(&beats);
        assert_eq!(heartbeat.oldest(), None);
        beats.of(0).begin(20, 7);
        beats.of(1).begin(0, 6);
        assert_eq!(
            heartbeat.oldest(),
            Some(InFlight {
                slot: 1,
                query: 6,
                since: origin
            })
        );
        beats.of(1).rest();
        assert_eq!(heartbeat.oldest().map(|f| f.query), Some(7));
        drop(shown);
        assert_eq!(heartbeat.oldest(), None);
    }
}
