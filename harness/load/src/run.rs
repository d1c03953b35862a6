//! The loop that issues queries.

use crate::{
    clock::{Clock, between_ns},
    order::Order,
    outcome::{Outcome, Totals},
    recorder::Recorder,
    settings::{LoadError, Phase, Progress, Scenario, Settings, StopReason},
    target::{Done, Stages, Target, TargetError},
};
use std::{
    error::Error,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

/// Least time between two progress reports.
pub const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

/// Failed queries after which a run stops: it is invalid from the first one on, the others only
/// show how bad it is.
pub const MAX_FAILURES: u64 = 10;

/// How long one call of `wait` may take: the stop flag is looked at in between.
const WAIT_SLICE: Duration = Duration::from_millis(50);

/// Warms the target up and measures it. The target must be idle.
///
/// `stop` ends the run early: queries under way are waited for, and the outcome says
/// [`StopReason::Interrupted`]. `progress` is called between queries, when none is under way; its
/// cost is in [`Outcome::progress_ns`].
///
/// # Errors
/// When a setting makes no sense, the target breaks its contract, hangs or refuses a query, a query
/// of the warm-up fails, or no query at all succeeded.
pub fn run(
    settings: &Settings,
    target: &mut dyn Target,
    clock: &dyn Clock,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(Progress),
) -> Result<Outcome, LoadError> {
    check(settings)?;
    let slots = match settings.scenario {
        Scenario::SingleStream => target.slots().min(1),
        Scenario::Offline => target.slots(),
    };
    if slots == 0 {
        return Err(LoadError::NoSlots);
    }
    let mut recorder = Recorder::new()?;
    let mut driver = Driver::new(target, clock, stop, slots, settings);

    let warm = Rules {
        phase: Phase::WarmUp,
        min_queries: settings.warmup_queries,
        min_duration: Duration::ZERO,
        max_duration: Duration::MAX,
    };
    let warm = driver.drive(&warm, &mut progress_every(progress), &mut |_, _| ())?;
    if let Some(failure) = warm.first_failure {
        return Err(LoadError::WarmUp {
            query: failure.0,
            source: failure.1,
        });
    }
    if warm.reason == StopReason::Interrupted {
        return Err(LoadError::Interrupted);
    }

    // The warm-up does not shift the order: equal seeds measure equal sequences.
    driver.order = Order::new(settings.library_size, settings.seed);
    let rules = Rules {
        phase: Phase::Measure,
        min_queries: settings.min_queries,
        min_duration: settings.min_duration,
        max_duration: settings.max_duration,
    };
    let measured = driver.drive(
        &rules,
        &mut progress_every(progress),
        &mut |latency, stages| recorder.record(latency, stages),
    )?;
    let totals = Totals {
        duration_ns: measured.duration_ns,
        failed: measured.failed,
        first_failure: measured
            .first_failure
            .map(|(query, e)| format!("query {query}: {}", chain(&e))),
        first_query_ns: driver.first_query_ns.unwrap_or(0),
        slots,
        progress_ns: measured.progress_ns,
        stop_reason: measured.reason,
    };
    let outcome = Outcome::new(settings, recorder, totals)?;
    progress(Progress {
        phase: Phase::Finished,
        queries: outcome.completed,
        elapsed: Duration::from_nanos(outcome.duration_ns),
        per_mille: 1000,
    });
    Ok(outcome)
}

fn check(settings: &Settings) -> Result<(), LoadError> {
    let wrong = |setting, value: String, rule| {
        Err(LoadError::Setting {
            setting,
            value,
            rule,
        })
    };
    if settings.library_size == 0 {
        return wrong("library_size", "0".into(), "it must be at least 1");
    }
    if settings.batch == 0 {
        return wrong("batch", "0".into(), "it must be at least 1");
    }
    if settings.min_queries == 0 {
        return wrong("min_queries", "0".into(), "it must be at least 1");
    }
    if settings.max_duration.is_zero() {
        return wrong("max_duration", "0 s".into(), "it must be more than 0");
    }
    if settings.max_duration < settings.min_duration {
        return wrong(
            "max_duration",
            format!("{} s", settings.max_duration.as_secs_f64()),
            "it must not be less than min_duration",
        );
    }
    if !settings.max_window_spread.is_finite() || settings.max_window_spread < 1.0 {
        return wrong(
            "max_window_spread",
            settings.max_window_spread.to_string(),
            "it must be a finite number of at least 1",
        );
    }
    if settings.query_timeout.is_zero() {
        return wrong("query_timeout", "0 s".into(), "it must be more than 0");
    }
    Ok(())
}

/// An error with its causes on one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(c) = cause {
        text.push_str(": ");
        text.push_str(&c.to_string());
        cause = c.source();
    }
    text
}

/// When a phase ends: see [`Settings`].
struct Rules {
    phase: Phase,
    min_queries: u64,
    min_duration: Duration,
    max_duration: Duration,
}

impl Rules {
    /// Thousandths done: the minimum that lags behind decides, unless the maximum is nearer.
    fn per_mille(&self, queries: u64, elapsed: Duration) -> u32 {
        let share = |done: u128, of: u128| {
            done.saturating_mul(1000)
                .checked_div(of)
                .unwrap_or(1000)
                .min(1000)
        };
        let minima = share(queries.into(), self.min_queries.into())
            .min(share(elapsed.as_nanos(), self.min_duration.as_nanos()));
        minima.max(share(elapsed.as_nanos(), self.max_duration.as_nanos())) as u32
    }
}

/// What a phase gave.
struct PhaseResult {
    reason: StopReason,
    duration_ns: u64,
    failed: u64,
    first_failure: Option<(u64, TargetError)>,
    progress_ns: u64,
}

/// The progress callback with its last time.
struct Teller<'a> {
    tell: &'a mut dyn FnMut(Progress),
    last: Option<Instant>,
}

fn progress_every(tell: &mut dyn FnMut(Progress)) -> Teller<'_> {
    Teller { tell, last: None }
}

struct Driver<'a> {
    target: &'a mut dyn Target,
    clock: &'a dyn Clock,
    stop: &'a AtomicBool,
    settings: &'a Settings,
    order: Order,
    /// Slots without a query.
    free: Vec<usize>,
    /// Token and scheduled time of the query in each slot.
    under_way: Vec<Option<(u64, Instant)>>,
    done: Vec<Done>,
    next_token: u64,
    first_query_ns: Option<u64>,
}

impl<'a> Driver<'a> {
    fn new(
        target: &'a mut dyn Target,
        clock: &'a dyn Clock,
        stop: &'a AtomicBool,
        slots: usize,
        settings: &'a Settings,
    ) -> Self {
        Self {
            target,
            clock,
            stop,
            settings,
            order: Order::new(settings.library_size, settings.seed),
            free: (0..slots).rev().collect(),
            under_way: vec![None; slots],
            done: Vec::with_capacity(slots),
            next_token: 0,
            first_query_ns: None,
        }
    }

    /// Issues queries until the rules are met, then waits for those under way. Allocates nothing
    /// unless a query fails.
    fn drive(
        &mut self,
        rules: &Rules,
        teller: &mut Teller<'_>,
        record: &mut dyn FnMut(u64, Stages),
    ) -> Result<PhaseResult, LoadError> {
        let mut result = PhaseResult {
            reason: StopReason::Complete,
            duration_ns: 0,
            failed: 0,
            first_failure: None,
            progress_ns: 0,
        };
        let slots = self.under_way.len();
        let blocking = self.target.blocking();
        // With several slots there is no moment without a query between the first and the last.
        let tell_between = slots == 1 || rules.phase == Phase::WarmUp;
        let (mut issued, mut ended) = (0_u64, 0_u64);
        let tell = |teller: &mut Teller<'_>, queries, elapsed| {
            (teller.tell)(Progress {
                phase: rules.phase,
                queries,
                elapsed,
                per_mille: rules.per_mille(queries, elapsed),
            });
        };
        tell(teller, 0, Duration::ZERO);
        let start = self.clock.now();
        teller.last = Some(start);
        let mut last_end = start;
        let mut progress_at = start;
        let mut stopping = false;
        loop {
            while !stopping && !self.free.is_empty() {
                let mut now = self.clock.now();
                let elapsed = now.saturating_duration_since(start);
                if let Some(reason) = self.ends(rules, &result, issued, elapsed) {
                    result.reason = reason;
                    stopping = true;
                    break;
                }
                if tell_between
                    && self.free.len() == slots
                    && now.saturating_duration_since(progress_at) >= PROGRESS_INTERVAL
                {
                    tell(teller, ended, elapsed);
                    let after = self.clock.now();
                    result.progress_ns = result
                        .progress_ns
                        .saturating_add(between_ns(now, after).unwrap_or(0));
                    progress_at = after;
                    now = after;
                }
                self.issue(now)?;
                issued += 1;
                if blocking {
                    break;
                }
            }
            if self.free.len() == slots {
                if stopping {
                    break;
                }
                continue;
            }
            self.collect(blocking)?;
            // Taken out and put back: the list is emptied in its order and keeps its memory.
            let mut batch = std::mem::take(&mut self.done);
            for done in batch.drain(..) {
                let latency = self.settle(&done)?;
                last_end = last_end.max(done.at);
                ended += 1;
                match done.result {
                    Ok(stages) => record(latency, stages),
                    Err(error) => {
                        result.failed += 1;
                        result.first_failure.get_or_insert((done.token, error));
                    }
                }
            }
            self.done = batch;
        }
        result.duration_ns = between_ns(start, last_end).unwrap_or(0);
        Ok(result)
    }

    /// Why no further query is issued, if so.
    fn ends(
        &self,
        rules: &Rules,
        result: &PhaseResult,
        issued: u64,
        elapsed: Duration,
    ) -> Option<StopReason> {
        if issued.saturating_sub(result.failed) >= rules.min_queries
            && elapsed >= rules.min_duration
        {
            return Some(StopReason::Complete);
        }
        if result.failed >= MAX_FAILURES || (rules.phase == Phase::WarmUp && result.failed > 0) {
            return Some(StopReason::Failures);
        }
        if self.stop.load(Ordering::Relaxed) {
            return Some(StopReason::Interrupted);
        }
        (elapsed >= rules.max_duration).then_some(StopReason::MaxDuration)
    }

    fn issue(&mut self, scheduled: Instant) -> Result<(), LoadError> {
        let Some(slot) = self.free.pop() else {
            return Ok(());
        };
        let token = self.next_token;
        self.next_token += 1;
        if let Some(place) = self.under_way.get_mut(slot) {
            *place = Some((token, scheduled));
        }
        let sample = self.order.next();
        self.target
            .submit(slot, sample, token)
            .map_err(|source| LoadError::Target {
                query: token,
                source,
            })
    }

    /// Waits until at least one query has ended.
    fn collect(&mut self, blocking: bool) -> Result<(), LoadError> {
        let oldest = |s: &Self| {
            s.under_way
                .iter()
                .flatten()
                .map(|(token, _)| *token)
                .min()
                .unwrap_or(0)
        };
        let slice = if blocking { Duration::ZERO } else { WAIT_SLICE };
        let mut since = None;
        loop {
            if let Err(source) = self.target.wait(slice, &mut self.done) {
                return Err(LoadError::Target {
                    query: oldest(self),
                    source,
                });
            }
            if !self.done.is_empty() {
                return Ok(());
            }
            let now = self.clock.now();
            let waited = now.saturating_duration_since(*since.get_or_insert(now));
            if waited >= self.settings.query_timeout {
                let in_flight = self.under_way.iter().flatten().count();
                return Err(LoadError::Hung {
                    timeout: self.settings.query_timeout,
                    in_flight,
                });
            }
        }
    }

    /// The latency of an ended query; its slot is free again.
    fn settle(&mut self, done: &Done) -> Result<u64, LoadError> {
        let protocol = |problem| LoadError::Protocol {
            slot: done.slot,
            token: done.token,
            problem,
        };
        let place = self
            .under_way
            .get_mut(done.slot)
            .ok_or_else(|| protocol("that does not exist"))?;
        let (token, scheduled) = place.ok_or_else(|| protocol("that holds no query"))?;
        if token != done.token {
            return Err(protocol("that holds another query"));
        }
        let latency = between_ns(scheduled, done.at)
            .ok_or_else(|| protocol("to have ended before it began"))?;
        *place = None;
        self.free.push(done.slot);
        if token == 0 {
            self.first_query_ns = Some(latency);
        }
        Ok(latency)
    }
}
