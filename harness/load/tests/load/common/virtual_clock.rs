//! A discrete-event clock: each thread of a slot has a time of its own, and only the thread that is
//! furthest behind moves. So several slots behave as on a machine with a core for each, and the
//! same way every time.
//!
//! A thread takes part from the start of its window to the end. It moves on when all that take part
//! wait and its time is the least (of equal ones, that which joined first).

use super::Spend;
use dyno_load::{Clock, Edge};
use std::{
    collections::HashMap,
    sync::{Arc, Condvar, Mutex},
    thread::{self, ThreadId},
    time::{Duration, Instant},
};

#[derive(Default)]
struct State {
    /// Time, place in the order of joining, and whether the thread waits.
    threads: HashMap<ThreadId, (u64, usize, bool)>,
    joined: usize,
    /// The latest time of any thread that left; shown to threads that do not take part.
    done_ns: u64,
}

#[derive(Clone)]
pub(crate) struct VirtualClock {
    origin: Instant,
    slots: usize,
    shared: Arc<(Mutex<State>, Condvar)>,
}

impl VirtualClock {
    /// For `slots` threads.
    pub(crate) fn new(slots: usize) -> Self {
        Self {
            origin: Instant::now(),
            slots,
            shared: Arc::default(),
        }
    }

    /// Waits until the calling thread is the one to move.
    fn turn(&self, me: ThreadId) {
        let (state, moved) = &*self.shared;
        let mut state = state.lock().expect("no thread panics here");
        loop {
            let Some(own) = state.threads.get(&me).copied() else {
                return;
            };
            let all_wait = state.joined == self.slots && state.threads.values().all(|t| t.2);
            if all_wait && state.threads.values().all(|t| (t.0, t.1) >= (own.0, own.1)) {
                state.threads.insert(me, (own.0, own.1, false));
                return;
            }
            state = moved.wait(state).expect("no thread panics here");
        }
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Instant {
        let state = self.shared.0.lock().expect("no thread panics here");
        let own = state.threads.get(&thread::current().id());
        self.origin + Duration::from_nanos(own.map_or(state.done_ns, |t| t.0))
    }

    fn sleep_until(&self, at: Instant) {
        let rest = at.saturating_duration_since(self.now());
        self.spend(rest.as_nanos() as u64);
    }
}

impl Spend for VirtualClock {
    fn spend(&self, ns: u64) {
        let me = thread::current().id();
        let mut state = self.shared.0.lock().expect("no thread panics here");
        if let Some(own) = state.threads.get_mut(&me) {
            own.0 += ns;
            own.2 = true;
        } else {
            state.done_ns += ns;
        }
        drop(state);
        self.shared.1.notify_all();
        self.turn(me);
    }

    fn edge(&self, edge: Edge) {
        let me = thread::current().id();
        let mut state = self.shared.0.lock().expect("no thread panics here");
        match edge {
            Edge::Start => {
                let (now, place) = (state.done_ns, state.joined);
                state.threads.insert(me, (now, place, false));
                state.joined += 1;
            }
            Edge::End => {
                if let Some(own) = state.threads.remove(&me) {
                    state.done_ns = state.done_ns.max(own.0);
                }
            }
        }
        drop(state);
        self.shared.1.notify_all();
    }
}
