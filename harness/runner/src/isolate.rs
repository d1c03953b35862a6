//! The worker in a process of its own: what kills it does not kill the run.

use crate::error::RunError;
use dyno_core::{Event, Plan};
use std::{
    collections::BTreeMap,
    ffi::OsString,
    io::{BufRead, BufReader, Read, Write},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
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

/// Runs `plan` in a child, handing on its events. The child's standard error passes through. An
/// interrupt of the terminal reaches the child by itself, as both are in the foreground.
///
/// # Errors
/// When the child cannot be started, reports an error, or dies: then the last thing handed on is
/// [`Event::Died`] with the signal.
pub fn isolate(
    plan: &Plan,
    command: &WorkerCommand,
    sink: &(dyn Fn(Event) + Sync),
) -> Result<(), RunError> {
    let text = serde_json::to_vec(plan).map_err(dyno_core::CanonicalError::from)?;
    watch(&text, command, sink)
}

/// A child that does not outlive whoever watches it.
struct Watched(Child);

impl Drop for Watched {
    fn drop(&mut self) {
        if !matches!(self.0.try_wait(), Ok(Some(_))) {
            // It may end between the two calls: then there is nothing to kill, only to wait for.
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}

/// What the child was last known to do.
#[derive(Default)]
struct InHand {
    stage: Option<String>,
    ids: BTreeMap<u32, Vec<String>>,
}

impl InHand {
    fn on(&mut self, event: &Event) {
        match event {
            Event::Progress { stage, done, total } if stage == "accuracy" => {
                self.stage = Some(format!("accuracy, after sample {done} of {total}"))
            }
            // Everything else counts per mille.
            Event::Progress { stage, done, .. } => {
                self.stage = Some(format!("{stage} at {done} ‰"))
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

    fn words(&self) -> Option<String> {
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

fn watch(
    text: &[u8],
    command: &WorkerCommand,
    sink: &(dyn Fn(Event) + Sync),
) -> Result<(), RunError> {
    let child = Command::new(&command.program)
        .args(&command.arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(RunError::Child)?;
    let mut child = Watched(child);
    // A child that does not read its plan dies or fails by itself, and that says more than the
    // broken pipe.
    let _ = child
        .0
        .stdin
        .take()
        .map_or(Ok(()), |mut stdin| stdin.write_all(text));
    let mut failed = None;
    let mut finished = false;
    let mut in_hand = InHand::default();
    if let Some(stdout) = child.0.stdout.take() {
        let mut reader = BufReader::new(stdout);
        let mut line = Vec::new();
        loop {
            line.clear();
            if (&mut reader)
                .take(LINE_LIMIT)
                .read_until(b'\n', &mut line)
                .map_err(RunError::Child)?
                == 0
            {
                break;
            }
            // A torn last line of a child that died is not an event, nor is what a library of the
            // engine prints.
            let Ok(event) = serde_json::from_slice::<Event>(&line) else {
                continue;
            };
            in_hand.on(&event);
            match &event {
                Event::Failed { errors, code } => {
                    failed = Some(RunError::Worker {
                        errors: errors.clone(),
                        code: *code,
                    })
                }
                Event::Finished { .. } => finished = true,
                _ => {}
            }
            // The error itself is told by whoever gets it; what is in hand is only of interest
            // here.
            if !matches!(event, Event::Failed { .. } | Event::Working { .. }) {
                sink(event);
            }
        }
    }
    let status = child.0.wait().map_err(RunError::Child)?;
    if let Some(error) = failed {
        return Err(error);
    }
    if finished && status.success() {
        return Ok(());
    }
    let (status, sample) = (describe(status), in_hand.words());
    sink(Event::Died {
        status: status.clone(),
        sample: sample.clone(),
    });
    Err(RunError::Died { status, sample })
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

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::{sync::Mutex, time::Instant};

    fn shell(script: &str) -> (Result<(), RunError>, Vec<Event>) {
        let command = WorkerCommand {
            program: "sh".into(),
            arguments: vec!["-c".into(), script.into()],
        };
        let seen = Mutex::new(Vec::new());
        let result = watch(b"{}", &command, &|event| {
            seen.lock().expect("one thread").push(event)
        });
        (result, seen.into_inner().expect("one thread"))
    }

    #[test]
    fn a_child_that_dies_is_told_with_what_it_had_in_hand() {
        let (result, events) = shell(
            r#"cat >/dev/null
            echo '{"event":"progress","stage":"accuracy","done":3,"total":9}'
            echo '{"event":"working","worker":0,"ids":["a.jpg"]}'
            echo '{"event":"working","worker":1,"ids":["b.jpg"]}'
            echo '{"event":"working","worker":0,"ids":["c.jpg"]}'
            printf '\377 not UTF-8\n'
            echo '{"event":"warned","code":"engine","detail":"x"}'
            printf '{"event":"torn'
            kill -SEGV $$"#,
        );
        let error = result.expect_err("it died");
        assert_eq!(
            error.to_string(),
            "the worker process was killed by signal 11 (segmentation fault), last known: accuracy, after sample 3 of 9, in hand: `c.jpg`, `b.jpg`"
        );
        assert!(
            matches!(
                events.as_slice(),
                [
                    Event::Progress { .. },
                    Event::Warned(_),
                    Event::Died {
                        sample: Some(_),
                        ..
                    }
                ]
            ),
            "{events:?}"
        );
    }

    #[test]
    fn per_mille_are_no_samples_and_finished_threads_have_nothing_in_hand() {
        let mut in_hand = InHand::default();
        assert_eq!(in_hand.words(), None);
        in_hand.on(&Event::Working {
            worker: 2,
            ids: vec!["a".into()],
        });
        in_hand.on(&Event::Working {
            worker: 2,
            ids: Vec::new(),
        });
        in_hand.on(&Event::Progress {
            stage: "performance".into(),
            done: 40,
            total: 1000,
        });
        assert_eq!(in_hand.words().as_deref(), Some("performance at 40 ‰"));
    }

    #[test]
    fn the_last_word_decides() {
        assert!(
            shell(r#"cat >/dev/null; echo '{"event":"finished","partial":false}'"#)
                .0
                .is_ok()
        );
        assert!(matches!(
            shell(r#"echo '{"event":"finished","partial":false}'; exit 3"#).0,
            Err(RunError::Died { .. })
        ));
        assert!(
            matches!(shell("exit 0").0, Err(RunError::Died { .. })),
            "it never finished"
        );
        let failed = shell(r#"echo '{"event":"failed","errors":["a","b"],"code":3}'; exit 3"#)
            .0
            .expect_err("it failed");
        assert_eq!(
            (failed.to_string().as_str(), failed.exit_code()),
            ("a: b", 3)
        );
    }

    #[test]
    fn a_child_does_not_outlive_its_watcher() {
        let child = Command::new("sleep").arg("300").spawn().expect("sleep");
        let start = Instant::now();
        drop(Watched(child));
        assert!(
            start.elapsed().as_secs() < 100,
            "it was waited for, not killed"
        );
    }
}
