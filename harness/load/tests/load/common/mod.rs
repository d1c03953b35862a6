//! A work whose queries take a given time of a clock that is moved by hand, and a clock for several
//! threads.

mod virtual_clock;

use dyno_load::{
    After, Clock, Controls, Edge, LoadError, ManualClock, Outcome, Scenario, Settings, Stages,
    Work, WorkError, run,
};
use std::{sync::atomic::AtomicBool, time::Duration};
pub(crate) use virtual_clock::VirtualClock;

pub(crate) const MS: u64 = 1_000_000;

/// A clock on which a thread can spend time.
pub(crate) trait Spend: Clock + Clone + 'static {
    /// Lets `ns` nanoseconds pass in the calling thread.
    fn spend(&self, ns: u64);
    /// The calling thread passes an edge of its window.
    fn edge(&self, _: Edge) {}
}

impl Spend for ManualClock {
    fn spend(&self, ns: u64) {
        self.advance(ns);
    }
}

type Hook = Box<dyn FnMut(u32, u64) -> Result<After, WorkError> + Send>;

/// Query `n` takes `cost(n)` nanoseconds and fails where `fail(n)`.
pub(crate) struct Fake<C> {
    pub(crate) clock: C,
    pub(crate) cost: Box<dyn FnMut(u64) -> u64 + Send>,
    pub(crate) fail: fn(u64) -> bool,
    pub(crate) after: Hook,
    /// Samples and queries in the order in which they came.
    pub(crate) seen: Vec<(u32, u64)>,
    pub(crate) edges: Vec<(Edge, usize)>,
}

impl<C: Spend> Fake<C> {
    pub(crate) fn new(clock: &C, cost: impl FnMut(u64) -> u64 + Send + 'static) -> Self {
        Self {
            clock: clock.clone(),
            cost: Box::new(cost),
            fail: |_| false,
            after: Box::new(|_, _| Ok(After::Nothing)),
            seen: Vec::new(),
            edges: Vec::new(),
        }
    }

    pub(crate) fn samples(&self) -> Vec<u32> {
        self.seen.iter().map(|s| s.0).collect()
    }
}

impl<C: Spend> Work for Fake<C> {
    fn run(&mut self, sample: u32, query: u64) -> Result<Stages, WorkError> {
        self.seen.push((sample, query));
        let cost = (self.cost)(query);
        self.clock.spend(cost);
        if (self.fail)(query) {
            Err(WorkError::new("broken"))
        } else {
            Ok(Stages::NONE.with(0, 7).with(3, query))
        }
    }
    fn after(&mut self, sample: u32, query: u64) -> Result<After, WorkError> {
        (self.after)(sample, query)
    }
    fn window(&mut self, edge: Edge) {
        self.clock.edge(edge);
        self.edges.push((edge, self.seen.len()));
    }
}

pub(crate) fn settings(scenario: Scenario, min_queries: u64, min_ms: u64, max_ms: u64) -> Settings {
    Settings {
        scenario,
        warmup_queries: 0,
        min_queries,
        min_duration: Duration::from_millis(min_ms),
        max_duration: Duration::from_millis(max_ms),
        library_size: 7,
        ..Settings::default()
    }
}

pub(crate) fn single(min_queries: u64, min_ms: u64, max_ms: u64) -> Settings {
    settings(Scenario::SingleStream, min_queries, min_ms, max_ms)
}

pub(crate) fn go<W: Work + 'static, C: Spend>(
    settings: &Settings,
    slots: &mut Vec<W>,
    clock: &C,
) -> Result<Outcome, LoadError> {
    let stop = AtomicBool::new(false);
    run(settings, slots, clock, &mut Controls::new(&stop))
}

/// A run of one slot.
pub(crate) fn go_alone(
    settings: &Settings,
    cost: impl FnMut(u64) -> u64 + Send + 'static,
) -> (Outcome, Fake<ManualClock>) {
    let clock = ManualClock::new();
    let mut slots = vec![Fake::new(&clock, cost)];
    let outcome = go(settings, &mut slots, &clock).expect("runs");
    (outcome, slots.remove(0))
}
