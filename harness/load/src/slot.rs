//! The loop of one slot: take an arrival, wait until it is due, run it, stamp its end, record it.
//! The same for one slot in the calling thread and for many, each in its own.

use crate::{
    arrivals::Course,
    clock::{Clock, between_ns, saturating_ns},
    controls::{PROGRESS_INTERVAL, Progress},
    heartbeat::Beat,
    order::{Cursor, Order},
    recorder::Recorder,
    settings::StopReason,
    work::{After, Work, WorkError, guard},
};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

/// Failed queries, in all slots together, after which a run stops: it is invalid from the first one
/// on, the others only show how bad it is.
pub const MAX_FAILURES: u64 = 10;

/// One slot's way through a phase.
pub(crate) struct Lane<'a, C> {
    pub(crate) clock: &'a C,
    pub(crate) course: &'a Course,
    pub(crate) order: &'a Order,
    pub(crate) stop: &'a AtomicBool,
    pub(crate) beat: &'a Beat,
    /// Nanoseconds from the origin of the beats to `start`.
    pub(crate) beat_offset_ns: u64,
    /// When the phase began: all times count from here.
    pub(crate) start: Instant,
}

/// What a slot says of a phase, apart from what it recorded.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) reason: StopReason,
    /// When the rule fired, in nanoseconds from the start.
    pub(crate) stop_ns: u64,
    /// End of the last query.
    pub(crate) last_end_ns: u64,
    /// Time between queries in `after` and in telling progress.
    pub(crate) untimed_ns: u64,
    /// Number and error of the first query that failed.
    pub(crate) first_failure: Option<(u64, WorkError)>,
    /// Latency of the very first query of the run, if this slot had it.
    pub(crate) first_query_ns: Option<u64>,
}

/// Tells progress between the queries of the only slot.
pub(crate) type Tell<'a> = &'a mut dyn FnMut(Progress);

/// Runs queries until a rule ends the phase. Allocates nothing unless a query fails.
pub(crate) fn drive<W: Work, C: Clock>(
    work: &mut W,
    lane: &Lane<'_, C>,
    mut recorder: Option<&mut Recorder>,
    mut tell: Option<Tell<'_>>,
) -> Ended {
    let course = lane.course;
    let clock_ns = || between_ns(lane.start, lane.clock.now());
    let mut cursor = Cursor::new(lane.order);
    let mut ended = Ended {
        reason: StopReason::Complete,
        stop_ns: 0,
        last_end_ns: 0,
        untimed_ns: 0,
        first_failure: None,
        first_query_ns: None,
    };
    let interval_ns = saturating_ns(PROGRESS_INTERVAL);
    let mut tell_at_ns = interval_ns;
    // The last reading of the clock; the slot has been free since.
    let mut now = clock_ns();
    loop {
        if now >= tell_at_ns
            && let Some(tell) = &mut tell
        {
            tell(course.rules.progress(course.taken(), now));
            let before = now;
            now = clock_ns();
            ended.untimed_ns += now.saturating_sub(before);
            tell_at_ns = now.saturating_add(interval_ns);
        }
        let arrival = course.take();
        let due = course.arrivals.due_ns(arrival);
        let begin = due.map_or(now, |due| due.max(now));
        let stop = lane.stop.load(Ordering::Relaxed);
        if let Some(reason) = course.rules.ends(arrival, course.failed(), stop, begin) {
            ended.reason = reason;
            ended.stop_ns = begin;
            break;
        }
        if begin > now {
            lane.beat.rest();
            lane.clock
                .sleep_until(lane.start + Duration::from_nanos(begin));
        }
        let scheduled = due.unwrap_or(now);
        let sample = cursor.sample(arrival);
        let query = course.first_query.saturating_add(arrival);
        lane.beat
            .begin(lane.beat_offset_ns.saturating_add(begin), query);

        let result = guard(|| work.run(sample, query));
        let end = clock_ns();

        now = end;
        ended.last_end_ns = end;
        let latency = end.saturating_sub(scheduled);
        if query == 0 {
            ended.first_query_ns = Some(latency);
        }
        let looked = result.and_then(|stages| Ok((stages, guard(|| work.after(sample, query))?)));
        match looked {
            Ok((stages, after)) => {
                if after == After::Something {
                    now = clock_ns();
                    ended.untimed_ns += now.saturating_sub(end);
                }
                if let Some(recorder) = &mut recorder {
                    recorder.record(scheduled, latency, &stages);
                }
            }
            Err(error) => {
                course.count_failure();
                ended.first_failure.get_or_insert((query, error));
                now = clock_ns();
                ended.untimed_ns += now.saturating_sub(end);
            }
        }
    }
    lane.beat.rest();
    ended
}
