//! Several slots, each in a thread of its own. The calling thread opens one step after the other,
//! and meanwhile sleeps, tells progress and looks for queries that hang.
//!
//! A thread that hangs is never joined: it owns its slot and shares the rest by reference count, so
//! it may go on as long as it likes.

use crate::{
    arrivals::Course,
    clock::{Clock, between_ns},
    controls::{Controls, PROGRESS_INTERVAL},
    error::LoadError,
    gate::{Gate, Step},
    heartbeat::Beats,
    order::Order,
    recorder::Recorder,
    slot::{Ended, Lane, drive},
    work::{Edge, Work, WorkError, guard},
};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread::{Builder, JoinHandle},
    time::{Duration, Instant},
};

/// How long the other slots may take to end when one hangs, before they are given up too.
pub const GRACE: Duration = Duration::from_secs(1);

/// Makes a thread.
pub(crate) type Spawn<'a> =
    &'a dyn Fn(Builder, Box<dyn FnOnce() + Send>) -> io::Result<JoinHandle<()>>;

/// What the threads share.
pub(crate) struct Shared<C> {
    pub(crate) clock: C,
    pub(crate) order: Order,
    pub(crate) warm_up: Course,
    pub(crate) measure: Course,
    pub(crate) beats: Arc<Beats>,
    /// The caller's flag as the calling thread saw it last.
    stop: AtomicBool,
    gate: Gate,
}

impl<C> Shared<C> {
    /// Nothing more is waited for or begun.
    fn release(&self) {
        self.stop.store(true, Ordering::Relaxed);
        self.gate.give_up();
    }

    pub(crate) fn new(
        clock: C,
        order: Order,
        warm_up: Course,
        measure: Course,
        beats: Arc<Beats>,
    ) -> Self {
        Self {
            clock,
            order,
            warm_up,
            measure,
            beats,
            stop: AtomicBool::new(false),
            gate: Gate::default(),
        }
    }

    /// A slot's way through `course`.
    pub(crate) fn lane<'a>(
        &'a self,
        slot: usize,
        course: &'a Course,
        stop: &'a AtomicBool,
        start: Instant,
    ) -> Lane<'a, C> {
        Lane {
            clock: &self.clock,
            course,
            order: &self.order,
            stop,
            beat: self.beats.of(slot),
            beat_offset_ns: self.beats.since_origin_ns(start),
            start,
        }
    }
}

/// What a thread says.
enum Word<W> {
    /// It has run a phase.
    Ran(Ended),
    /// It has passed an edge of the window.
    Passed(Result<(), WorkError>),
    /// It ends and gives back what it had.
    Home(W, Box<Recorder>),
}

/// What a thread does from its start to its end.
fn live<W: Work, C: Clock>(
    slot: usize,
    shared: &Shared<C>,
    hand: &Receiver<(W, Recorder)>,
    words: &Sender<(usize, Word<W>)>,
) {
    // Nothing is handed over when another thread could not be made.
    let Ok((mut work, mut recorder)) = hand.recv() else {
        return;
    };
    // Nobody listens any more when this slot was given up.
    let say = |word| words.send((slot, word)).ok();
    let mut steps = || {
        let start = shared.gate.pass(Step::WarmUp)?;
        let lane = shared.lane(slot, &shared.warm_up, &shared.stop, start);
        say(Word::Ran(drive(&mut work, &lane, None, None)))?;
        shared.gate.pass(Step::Edge)?;
        say(Word::Passed(edge(&mut work, Edge::Start)))?;
        let start = shared.gate.pass(Step::Measure)?;
        let lane = shared.lane(slot, &shared.measure, &shared.stop, start);
        say(Word::Ran(drive(
            &mut work,
            &lane,
            Some(&mut recorder),
            None,
        )))?;
        say(Word::Passed(edge(&mut work, Edge::End)))
    };
    let _ = steps();
    say(Word::Home(work, Box::new(recorder)));
}

/// Calls the hook of a slot at an edge of its window.
pub(crate) fn edge<W: Work>(work: &mut W, edge: Edge) -> Result<(), WorkError> {
    guard(|| {
        work.window(edge);
        Ok(())
    })
}

/// The threads of a run.
pub(crate) struct Pool<W, C> {
    shared: Arc<Shared<C>>,
    threads: Vec<Option<JoinHandle<()>>>,
    words: Receiver<(usize, Word<W>)>,
    /// What slots said and nobody has asked for yet.
    ran: Vec<Ended>,
    passed: usize,
    home: Vec<Option<(W, Recorder)>>,
    timeout: Duration,
    hung: Option<usize>,
    /// A thread that was gone at the last look.
    gone: Option<usize>,
}

impl<W: Work + 'static, C: Clock + 'static> Pool<W, C> {
    /// Makes a thread for each of `slots` and hands it over; `slots` is empty then. On an error
    /// nothing has been taken, and no thread is left.
    pub(crate) fn new(
        shared: Arc<Shared<C>>,
        slots: &mut Vec<W>,
        stack_bytes: usize,
        timeout: Duration,
        spawn: Spawn<'_>,
    ) -> Result<Self, LoadError> {
        let count = slots.len();
        let mut recorders = Vec::with_capacity(count);
        for _ in 0..count {
            recorders.push(Recorder::new(count)?);
        }
        let (say, words) = channel();
        let (mut threads, mut hands) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for slot in 0..count {
            let (hand, take) = channel();
            let (shared, say) = (Arc::clone(&shared), say.clone());
            let builder = Builder::new()
                .name(format!("slot-{slot}"))
                .stack_size(stack_bytes);
            let made = spawn(builder, Box::new(move || live(slot, &shared, &take, &say)));
            match made {
                Ok(thread) => threads.push(Some(thread)),
                Err(source) => {
                    // Those that wait for a slot are told that none comes, and end.
                    drop((hand, hands));
                    for thread in threads.into_iter().flatten() {
                        let _ = thread.join();
                    }
                    return Err(LoadError::Spawn {
                        slot,
                        stack_bytes,
                        source,
                    });
                }
            }
            hands.push(hand);
        }
        for (hand, given) in hands.iter().zip(slots.drain(..).zip(recorders)) {
            // A thread that is gone is noticed at the first step.
            let _ = hand.send(given);
        }
        Ok(Self {
            shared,
            threads,
            words,
            ran: Vec::with_capacity(count),
            passed: 0,
            home: (0..count).map(|_| None).collect(),
            timeout,
            hung: None,
            gone: None,
        })
    }

    /// Warms all slots up.
    pub(crate) fn warm_up(&mut self, controls: &mut Controls<'_>) -> Result<Vec<Ended>, LoadError> {
        let start = self.shared.clock.now();
        self.shared.gate.open(Step::WarmUp, start);
        self.collect(Step::WarmUp, start, controls)
    }

    /// Measures, with the hooks at the edges of the window. Returns its start.
    pub(crate) fn measure(
        &mut self,
        controls: &mut Controls<'_>,
    ) -> Result<(Instant, Vec<Ended>), LoadError> {
        self.shared.gate.open(Step::Edge, self.shared.clock.now());
        self.collect(Step::Edge, self.shared.clock.now(), controls)?;
        (controls.window)(Edge::Start);
        let start = self.shared.clock.now();
        self.shared.gate.open(Step::Measure, start);
        let ended = self.collect(Step::Measure, start, controls)?;
        (controls.window)(Edge::End);
        self.collect(Step::Edge, self.shared.clock.now(), controls)?;
        Ok((start, ended))
    }

    /// Waits until all slots have taken `step`, and tells progress of it if it is a phase. Returns
    /// how the phase ended for each.
    fn collect(
        &mut self,
        step: Step,
        start: Instant,
        controls: &mut Controls<'_>,
    ) -> Result<Vec<Ended>, LoadError> {
        self.pass_on_stop(controls);
        let count = self.threads.len();
        loop {
            // A fast slot passes the end of its window while others still run.
            if step == Step::Edge && self.passed >= count {
                self.passed -= count;
                return Ok(Vec::new());
            }
            if step != Step::Edge && self.ran.len() >= count {
                return Ok(std::mem::take(&mut self.ran));
            }
            match self.words.recv_timeout(PROGRESS_INTERVAL) {
                Ok((_, Word::Ran(end))) => self.ran.push(end),
                Ok((_, Word::Passed(Ok(())))) => self.passed += 1,
                Ok((slot, Word::Passed(Err(source)))) => {
                    return Err(LoadError::Window { slot, source });
                }
                Ok((slot, Word::Home(work, recorder))) => self.home[slot] = Some((work, *recorder)),
                Err(RecvTimeoutError::Timeout) => self.look(step, start, controls)?,
                // All threads are gone, this one among them.
                Err(RecvTimeoutError::Disconnected) => return Err(LoadError::Lost { slot: 0 }),
            }
        }
    }

    fn pass_on_stop(&self, controls: &Controls<'_>) {
        let stop = controls.stop.load(Ordering::Relaxed);
        self.shared.stop.store(stop, Ordering::Relaxed);
    }

    /// What the calling thread does every [`PROGRESS_INTERVAL`].
    fn look(
        &mut self,
        step: Step,
        start: Instant,
        controls: &mut Controls<'_>,
    ) -> Result<(), LoadError> {
        self.pass_on_stop(controls);
        let now = self.shared.clock.now();
        if let Some(query) = self.shared.beats.oldest()
            && now.saturating_duration_since(query.since) > self.timeout
        {
            self.hung = Some(query.slot);
            return Err(LoadError::Hung {
                slot: query.slot,
                query: query.query,
                timeout: self.timeout,
            });
        }
        // A thread says its last word before it is gone: one that is gone for two looks without one
        // has none.
        let gone = (0..self.threads.len()).find(|slot| {
            let ended = self.threads[*slot]
                .as_ref()
                .is_none_or(JoinHandle::is_finished);
            ended && self.home[*slot].is_none()
        });
        if let Some(slot) = gone
            && self.gone == Some(slot)
        {
            return Err(LoadError::Lost { slot });
        }
        self.gone = gone;
        let course = match step {
            Step::WarmUp => &self.shared.warm_up,
            Step::Measure => &self.shared.measure,
            Step::Edge => return Ok(()),
        };
        // Each slot has one under way, or has taken one more than it ran.
        let done = course.taken().saturating_sub(self.threads.len() as u64);
        (controls.progress)(course.rules.progress(done, between_ns(start, now)));
        Ok(())
    }

    /// Ends all threads but those that hang, and puts the slots back in their order. Returns what
    /// they recorded.
    pub(crate) fn dismiss(&mut self, slots: &mut Vec<W>) -> Vec<Recorder> {
        self.shared.release();
        loop {
            let waiting = (0..self.home.len())
                .any(|slot| self.home[slot].is_none() && self.hung != Some(slot));
            if !waiting {
                break;
            }
            match self.words.recv_timeout(GRACE) {
                Ok((slot, Word::Home(work, recorder))) => self.home[slot] = Some((work, *recorder)),
                Ok(_) => {}
                Err(_) => break,
            }
        }
        let mut recorders = Vec::with_capacity(self.home.len());
        for (place, thread) in self.home.iter_mut().zip(&mut self.threads) {
            if let Some((work, recorder)) = place.take() {
                slots.push(work);
                recorders.push(recorder);
                if let Some(thread) = thread.take() {
                    let _ = thread.join();
                }
            }
        }
        recorders
    }
}

impl<W, C> Drop for Pool<W, C> {
    /// A callback of the caller that panics must not leave threads behind that wait for ever.
    fn drop(&mut self) {
        self.shared.release();
    }
}
