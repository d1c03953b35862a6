//! Starting a worker process and reading what it says.

use super::request::ATTENDED;
use crate::error::RunError;
use dyno_core::{Event, ExecutionFacts, ImportFacts, ImportSays, IoSpec, Plan, Question};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    ffi::OsString,
    io::{BufRead, BufReader, Read, Write},
    path::PathBuf,
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
};

/// How the child is started.
#[derive(Debug, Clone)]
pub struct WorkerCommand {
    /// The program: usually this one.
    pub program: PathBuf,
    /// Its arguments: `worker`.
    pub arguments: Vec<OsString>,
}

/// What a model is like, as a worker says.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Its inputs and outputs.
    pub io: IoSpec,
    /// What would run.
    pub facts: ExecutionFacts,
    /// What would be put between its files and the engine.
    pub import: Option<ImportFacts>,
    /// What its files said when it was imported.
    pub says: Option<ImportSays>,
}

/// Longest line that is read from a child.
const LINE_LIMIT: u64 = 16 << 20;
/// So much of a line that is no event is shown.
const SHOWN_BYTES: usize = 120;

/// Runs `plan` in a child, handing on its events. The child's standard error passes through. An
/// interrupt of the terminal reaches the child by itself, as both are in the foreground; a child
/// whose parent dies ends.
///
/// # Errors
/// When the child cannot be started, reports an error, says what is no event, or dies: then the
/// last thing handed on is [`Event::Died`] with the signal.
pub fn isolate(
    plan: &Plan,
    command: &WorkerCommand,
    sink: &(dyn Fn(Event) + Sync),
) -> Result<(), RunError> {
    watch(&document(plan)?, command, sink)
}

/// Asks a child, so that no engine is opened in this process.
///
/// # Errors
/// When the child cannot be started, cannot open the model, does not answer, or dies.
pub fn ask(question: &Question, command: &WorkerCommand) -> Result<Answer, RunError> {
    let answered = std::sync::Mutex::new(None);
    let sink = |event: Event| {
        if let Event::Answered {
            io,
            facts,
            import,
            says,
        } = event
            && let Ok(mut answered) = answered.lock()
        {
            *answered = Some(Answer {
                io,
                facts,
                import,
                says,
            });
        }
    };
    watch(&document(question)?, command, &sink)?;
    let answer = answered.into_inner().ok().flatten();
    answer.ok_or_else(|| RunError::Protocol("it ended without an answer".to_owned()))
}

/// The document on one line, and the word that this process stays.
fn document(document: &impl Serialize) -> Result<Vec<u8>, RunError> {
    let mut text = serde_json::to_vec(document).map_err(dyno_core::CanonicalError::from)?;
    text.extend_from_slice(format!("\n{ATTENDED}\n").as_bytes());
    Ok(text)
}

/// A child that does not outlive whoever watches it.
pub(super) struct Watched {
    child: Child,
    /// Open as long as this lives: its end is the child's end.
    stdin: Option<ChildStdin>,
}

impl Watched {
    pub(super) fn new(mut child: Child) -> Self {
        let stdin = child.stdin.take();
        Self { child, stdin }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.stdin = None;
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            // It may end between the two calls: then there is nothing to kill, only to wait for.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// What the child was last known to do.
#[derive(Default)]
pub(super) struct InHand {
    stage: Option<String>,
    ids: BTreeMap<u32, Vec<String>>,
}

impl InHand {
    pub(super) fn on(&mut self, event: &Event) {
        match event {
            Event::Progress { stage, done, total } if stage == "accuracy" => {
                self.stage = Some(format!("accuracy, after sample {done} of {total}"));
            }
            // Everything else counts per mille.
            Event::Progress { stage, done, .. } => {
                self.stage = Some(format!("{stage} at {done} ‰"));
            }
            Event::Working { worker, ids } if ids.is_empty() => {
                self.ids.remove(worker);
            }
            Event::Working { worker, ids } => {
                self.ids.insert(*worker, ids.clone());
            }
            Event::AccuracyDone { .. } => self.ids.clear(),
            _ => {}
        }
    }

    pub(super) fn words(&self) -> Option<String> {
        let ids: Vec<String> = self
            .ids
            .values()
            .flatten()
            .map(|id| format!("`{id}`"))
            .collect();
        let ids = (!ids.is_empty()).then(|| format!("in hand: {}", ids.join(", ")));
        let words: Vec<String> = self.stage.iter().cloned().chain(ids).collect();
        (!words.is_empty()).then(|| words.join(", "))
    }
}

/// Whether an event is the child's last word, or its answer.
fn is_last(event: &Event) -> bool {
    matches!(event, Event::Finished { .. } | Event::Answered { .. })
}

pub(super) fn watch(
    text: &[u8],
    command: &WorkerCommand,
    sink: &(dyn Fn(Event) + Sync),
) -> Result<(), RunError> {
    let mut child = Command::new(&command.program)
        .args(&command.arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(RunError::Child)?;
    let stdout = child.stdout.take();
    let mut watched = Watched::new(child);
    // A child that does not read its plan dies or fails by itself, and that says more than the
    // broken pipe.
    let _ = watched
        .stdin
        .as_mut()
        .map_or(Ok(()), |stdin| stdin.write_all(text));
    let mut failed = None;
    let mut finished = false;
    let mut in_hand = InHand::default();
    let mut reader = stdout.map(BufReader::new);
    let mut line = Vec::new();
    while let Some(event) = reader
        .as_mut()
        .map_or(Ok(None), |reader| next(reader, &mut line))?
    {
        in_hand.on(&event);
        finished |= is_last(&event);
        match event {
            // The error itself is told by whoever gets it.
            Event::Failed { errors, code } => failed = Some(RunError::Worker { errors, code }),
            // What is in hand is only of interest here.
            Event::Working { .. } => {}
            event => sink(event),
        }
    }
    watched.stdin = None;
    let status = watched.child.wait().map_err(RunError::Child)?;
    if let Some(error) = failed {
        return Err(error);
    }
    if finished && status.success() {
        return Ok(());
    }
    let (status, sample) = (describe_exit(status), in_hand.words());
    sink(Event::Died {
        status: status.clone(),
        sample: sample.clone(),
    });
    Err(RunError::Died { status, sample })
}

/// The next event; `None` at the end. A last line without its end is that of a child that died.
fn next(reader: &mut impl BufRead, line: &mut Vec<u8>) -> Result<Option<Event>, RunError> {
    line.clear();
    reader
        .take(LINE_LIMIT)
        .read_until(b'\n', line)
        .map_err(RunError::Child)?;
    let is_whole = line.last() == Some(&b'\n');
    if !is_whole && (line.len() as u64) < LINE_LIMIT {
        return Ok(None);
    }
    match serde_json::from_slice(line) {
        Ok(event) if is_whole => Ok(Some(event)),
        _ => {
            let shown = line.trim_ascii_end();
            let shown = shown.get(..SHOWN_BYTES).unwrap_or(shown);
            Err(RunError::Protocol(format!("it said `{}`", plain(shown))))
        }
    }
}

/// Bytes for people: what would move a terminal's cursor is escaped.
fn plain(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for c in String::from_utf8_lossy(bytes).chars() {
        if c.is_control() {
            text.extend(c.escape_default());
        } else {
            text.push(c);
        }
    }
    text
}

/// How a process ended, after its name: `was killed by signal 7 (bus error)`.
pub fn describe_exit(status: ExitStatus) -> String {
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
