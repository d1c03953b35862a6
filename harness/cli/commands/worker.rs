//! `dyno worker`: a plan on standard input, events on standard output.

use crate::{exit, interrupt, tables::TABLES};
use dyno_core::{Event, Plan};
use std::{
    io::{Read as _, Write as _},
    sync::Mutex,
};

/// Greatest plan that is read.
const PLAN_LIMIT: u64 = 256 << 20;

/// Runs the plan.
///
/// # Errors
/// When standard input holds no plan. Errors of the run are events.
pub(crate) fn run() -> anyhow::Result<u8> {
    let mut text = String::new();
    std::io::stdin()
        .lock()
        .take(PLAN_LIMIT)
        .read_to_string(&mut text)?;
    let plan: Plan = serde_json::from_str(&text).map_err(|e| {
        exit::usage(
            format!("standard input is not a plan: {e}"),
            "`dyno run --dry-run --format json` prints one",
        )
    })?;
    let output = Mutex::new(std::io::stdout());
    let sink = |event: Event| {
        // Whoever reads has gone: nothing is left to tell, and the run folder keeps what is done.
        if let (Ok(mut line), Ok(mut output)) = (serde_json::to_vec(&event), output.lock()) {
            line.push(b'\n');
            let _ = output.write_all(&line).and_then(|()| output.flush());
        }
    };
    match dyno_runner::worker(&plan, &TABLES, &sink, interrupt::install()) {
        Ok(()) => Ok(exit::OK),
        Err(error) => {
            sink(Event::Failed {
                errors: error.chain(),
                code: error.exit_code(),
            });
            Ok(error.exit_code())
        }
    }
}
