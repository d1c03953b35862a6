//! A run from its settings to its outcome: warm-up, window, verdict.

use crate::{
    arrivals::{Arrivals, Course, Rules},
    clock::Clock,
    controls::{Controls, Phase, Progress},
    error::{LoadError, chain},
    heartbeat::Beats,
    order::Order,
    outcome::{Outcome, Totals},
    pool::{Pool, Shared, Spawn, edge},
    recorder::Recorder,
    settings::{Scenario, Settings, StopReason},
    slot::{Ended, drive},
    work::{Edge, Work},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Warms the slots up and measures them.
///
/// With one slot, or in the single-stream scenario, the queries run in the calling thread; else
/// each slot runs in a thread of its own, whose stack has `stack_bytes`. The slots are handed to
/// those threads and are back in `slots`, in their order, when this returns: also after an error,
/// except for one that hangs (and others that do not end within [`GRACE`](crate::GRACE) then),
/// whose threads are left to themselves.
///
/// # Errors
/// When a setting makes no sense, memory or a thread cannot be had, a query of the warm-up fails, a
/// query hangs, a slot panics at an edge of the window, or no query at all succeeded.
pub fn run<W, C>(
    settings: &Settings,
    slots: &mut Vec<W>,
    clock: &C,
    controls: &mut Controls<'_>,
) -> Result<Outcome, LoadError>
where
    W: Work + 'static,
    C: Clock + Clone + 'static,
{
    let arrivals = Arrivals::of(settings.scenario);
    run_with(settings, arrivals, slots, clock, controls, &|builder, f| {
        builder.spawn(f)
    })
}

/// [`run`] with a schedule and a way to make threads.
pub(crate) fn run_with<W, C>(
    settings: &Settings,
    arrivals: Arrivals,
    slots: &mut Vec<W>,
    clock: &C,
    controls: &mut Controls<'_>,
    spawn: Spawn<'_>,
) -> Result<Outcome, LoadError>
where
    W: Work + 'static,
    C: Clock + Clone + 'static,
{
    settings.check()?;
    let count = match settings.scenario {
        Scenario::SingleStream => slots.len().min(1),
        Scenario::Offline => slots.len(),
    };
    let beats = Arc::new(Beats::new(clock.now(), count));
    let shared = Shared::new(
        clock.clone(),
        Order::new(settings.library_size, settings.seed),
        // The warm-up does not wait for a schedule, and does not shift the order: equal seeds
        // measure equal sequences.
        Course::new(Rules::warm_up(settings), Arrivals::WhenFree, 0),
        Course::new(Rules::measure(settings), arrivals, settings.warmup_queries),
        Arc::clone(&beats),
    );
    let shown = controls.heartbeat.show(&beats);
    let (totals, recorders) = match slots.as_mut_slice() {
        [] => return Err(LoadError::NoSlots),
        [only, ..] if count == 1 => alone(&shared, only, controls)?,
        _ => together(settings, shared, slots, controls, spawn)?,
    };
    drop(shown);
    let outcome = Outcome::new(settings, recorders, totals)?;
    (controls.progress)(Progress {
        phase: Phase::Finished,
        queries: outcome.completed,
        elapsed: Duration::from_nanos(outcome.duration_ns),
        per_mille: 1000,
    });
    Ok(outcome)
}

/// One slot in the calling thread.
fn alone<W: Work, C: Clock>(
    shared: &Shared<C>,
    work: &mut W,
    controls: &mut Controls<'_>,
) -> Result<(Totals, Vec<Recorder>), LoadError> {
    let mut recorder = Recorder::new(1)?;
    let at_edge = |source| LoadError::Window { slot: 0, source };
    let (warm, measure) = (&shared.warm_up, &shared.measure);

    (controls.progress)(warm.rules.progress(0, 0));
    let lane = shared.lane(0, warm, controls.stop, shared.clock.now());
    let mut warmed = vec![drive(work, &lane, None, Some(&mut controls.progress))];
    let first = warmed_up(&mut warmed)?;

    (controls.progress)(measure.rules.progress(0, 0));
    edge(work, Edge::Start).map_err(at_edge)?;
    (controls.window)(Edge::Start);
    let start = shared.clock.now();
    let lane = shared.lane(0, measure, controls.stop, start);
    let ended = drive(
        work,
        &lane,
        Some(&mut recorder),
        Some(&mut controls.progress),
    );
    (controls.window)(Edge::End);
    edge(work, Edge::End).map_err(at_edge)?;

    let totals = totals(start, vec![ended], first, measure.failed());
    Ok((totals, vec![recorder]))
}

/// Several slots, each in a thread of its own.
fn together<W, C>(
    settings: &Settings,
    shared: Shared<C>,
    slots: &mut Vec<W>,
    controls: &mut Controls<'_>,
    spawn: Spawn<'_>,
) -> Result<(Totals, Vec<Recorder>), LoadError>
where
    W: Work + 'static,
    C: Clock + 'static,
{
    let shared = Arc::new(shared);
    let mut pool = Pool::new(
        Arc::clone(&shared),
        slots,
        settings.stack_bytes,
        settings.query_timeout,
        spawn,
    )?;
    let mut phases = || {
        (controls.progress)(shared.warm_up.rules.progress(0, 0));
        let mut warmed = pool.warm_up(controls)?;
        let first = warmed_up(&mut warmed)?;
        (controls.progress)(shared.measure.rules.progress(0, 0));
        let (start, ended) = pool.measure(controls)?;
        Ok(totals(start, ended, first, shared.measure.failed()))
    };
    let totals = phases();
    let recorders = pool.dismiss(slots);
    Ok((totals?, recorders))
}

/// Whether the warm-up went well; the latency of the very first query if there was one.
fn warmed_up(ended: &mut [Ended]) -> Result<Option<u64>, LoadError> {
    let failures = ended.iter_mut().filter_map(|e| e.first_failure.take());
    if let Some((query, source)) = failures.min_by_key(|f| f.0) {
        return Err(LoadError::WarmUp { query, source });
    }
    if ended.iter().any(|e| e.reason == StopReason::Interrupted) {
        return Err(LoadError::Interrupted);
    }
    Ok(ended.iter().find_map(|e| e.first_query_ns))
}

/// What the slots say together of the measured window.
fn totals(start: Instant, mut ended: Vec<Ended>, first: Option<u64>, failed: u64) -> Totals {
    let failure = ended
        .iter_mut()
        .filter_map(|e| e.first_failure.take())
        .min_by_key(|f| f.0);
    let stop = ended.iter().min_by_key(|e| e.stop_ns);
    Totals {
        began: start,
        duration_ns: ended.iter().map(|e| e.last_end_ns).max().unwrap_or(0),
        stop_ns: stop.map_or(0, |e| e.stop_ns),
        stop_reason: stop.map_or(StopReason::Interrupted, |e| e.reason),
        failed,
        first_failure: failure.map(|(query, e)| format!("query {query}: {}", chain(&e))),
        first_query_ns: first
            .or(ended.iter().find_map(|e| e.first_query_ns))
            .unwrap_or(0),
        slots: ended.len(),
        untimed_ns: ended
            .iter()
            .fold(0, |sum, e| sum.saturating_add(e.untimed_ns)),
    }
}
