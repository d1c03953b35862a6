//! The life of a worker process, apart from how it begins and ends: that belongs to the binary.

use super::request::{Request, attend, read_request};
use crate::{
    context::Identity,
    error::RunError,
    watchdog::Overdue,
    worker::{answer, worker},
};
use dyno_core::{Event, Tables};
use std::{
    io::{BufRead, Write},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// How long the worker may take to end by itself when whoever started it has gone.
const GRACE: Duration = Duration::from_secs(5);
/// Exit code of a run that was interrupted.
const INTERRUPTED: u8 = 130;
/// Exit code of a run that failed.
const FAILED: u8 = 5;

/// Reads one request from `input` and writes events to `output` (see [`super::claim_stdout`]);
/// returns the exit code. `stop` is raised by the user's interrupt, and here when nobody reads or
/// whoever started this has gone.
///
/// `end` ends the process with an exit code: it is called when an engine does not return within its
/// time limit, or when the worker does not end by itself within five seconds after whoever started
/// it has gone.
///
/// # Errors
/// When `input` holds no request. Errors of the run are events.
pub fn serve(
    mut input: impl BufRead + Send + 'static,
    output: impl Write + Send,
    tables: &Tables,
    identity: &Identity,
    stop: &'static AtomicBool,
    end: &'static (dyn Fn(u8) + Sync),
) -> Result<u8, RunError> {
    let request = read_request(&mut input)?;
    attend(input, move || {
        stop.store(true, Ordering::Relaxed);
        thread::sleep(GRACE);
        end(INTERRUPTED);
    })?;
    let output = Mutex::new(output);
    let sink = |event: Event| {
        let Ok(mut line) = serde_json::to_vec(&event) else {
            // A number that is not finite: nothing of it may be taken for a result.
            stop.store(true, Ordering::Relaxed);
            return;
        };
        line.push(b'\n');
        let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
        if output
            .write_all(&line)
            .and_then(|()| output.flush())
            .is_err()
        {
            // Whoever reads has gone; the run folder keeps what is done.
            stop.store(true, Ordering::Relaxed);
        }
    };
    let overdue = |overdue: &Overdue| {
        sink(Event::Failed {
            errors: vec![overdue.to_string()],
            code: FAILED,
        });
        end(FAILED);
    };
    let result = match request {
        Request::Plan(plan) => worker(&plan, tables, identity, &sink, stop, &overdue),
        Request::Question(question) => answer(&question, tables, &overdue).map(&sink),
    };
    Ok(result.map_or_else(
        |error| {
            sink(Event::Failed {
                errors: error.chain(),
                code: error.exit_code(),
            });
            error.exit_code()
        },
        |()| 0,
    ))
}
