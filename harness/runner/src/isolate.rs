//! The worker in a process of its own: what kills it does not kill the run.

use crate::error::RunError;
use dyno_core::{Event, Plan};
use std::{
    ffi::OsString,
    io::{BufRead, BufReader, Read, Write},
    path::PathBuf,
    process::{Command, ExitStatus, Stdio},
};

/// How the child is started.
#[derive(Debug, Clone)]
pub struct WorkerCommand {
    /// The program: usually this one.
    pub program: PathBuf,
    /// Its arguments: `worker`.
    pub arguments: Vec<OsString>,
}

/// Longest line that is read from a child.
const LINE_LIMIT: u64 = 16 << 20;

/// Runs `plan` in a child, handing on its events. The child's standard error passes through. An interrupt of the terminal reaches the child by
/// itself, as both are in the foreground.
///
/// # Errors
/// When the child cannot be started, reports an error, or dies: then the last thing handed on is [`Event::Died`] with the signal.
pub fn isolate(plan: &Plan, command: &WorkerCommand, sink: &(dyn Fn(Event) + Sync)) -> Result<(), RunError> {
    let mut child = Command::new(&command.program).args(&command.arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(RunError::Child)?;
    let text = serde_json::to_vec(plan).map_err(dyno_core::CanonicalError::from)?;
    let written = child.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(&text));
    let mut failed = None;
    let mut finished = false;
    let mut last = None;
    if let Some(stdout) = child.stdout.take() {
        let mut reader = BufReader::new(stdout);
        loop {
            let mut line = String::new();
            let read = (&mut reader).take(LINE_LIMIT).read_line(&mut line).map_err(RunError::Child)?;
            if read == 0 {
                break;
            }
            // A torn last line of a child that died is not an event.
            let Ok(event) = serde_json::from_str::<Event>(&line) else { continue };
            match &event {
                Event::Failed { errors, code } => failed = Some(RunError::Worker { errors: errors.clone(), code: *code }),
                Event::Finished { .. } => finished = true,
                Event::Progress { stage, done, total } => last = Some(format!("{stage}, sample {done} of {total}")),
                _ => {}
            }
            if failed.is_none() {
                sink(event);
            }
        }
    }
    let status = child.wait().map_err(RunError::Child)?;
    if let Some(error) = failed {
        return Err(error);
    }
    if finished && status.success() {
        return Ok(());
    }
    // A child that did not read its plan has died before it could.
    drop(written);
    let status = describe(status);
    sink(Event::Died { status: status.clone(), sample: last.clone() });
    Err(RunError::Died { status, sample: last })
}

fn describe(status: ExitStatus) -> String {
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt;
        if let Some(signal) = status.signal() {
            let name = match signal {
                4 => " (illegal instruction)",
                6 => " (abort)",
                7 => " (bus error)",
                8 => " (arithmetic error)",
                9 => " (kill)",
                11 => " (segmentation fault)",
                15 => " (terminate)",
                _ => "",
            };
            return format!("was killed by signal {signal}{name}");
        }
    }
    match status.code() {
        Some(code) => format!("ended with exit code {code} before it was done"),
        None => "ended before it was done".to_owned(),
    }
}
