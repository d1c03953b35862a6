//! This program in a child process, for what may kill the process that does it.

use dyno_core::Availability;
use dyno_runner::WorkerCommand;
use std::{
    ffi::OsStr,
    process::{Command, Stdio},
};

/// How a worker is started: this program, `worker`.
///
/// # Errors
/// When the system does not say where this program is.
pub(crate) fn worker(include_host: bool) -> anyhow::Result<WorkerCommand> {
    let mut arguments = vec!["worker".into()];
    if include_host {
        arguments.push("--include-host".into());
    }
    Ok(WorkerCommand {
        program: std::env::current_exe()?,
        arguments,
    })
}

/// What an engine has on this machine, asked in a child: a damaged library can kill the process
/// that opens it, and that is told as what it is.
///
/// `environment` is added to that of this process.
pub(crate) fn probe(backend: &'static str, environment: &[(&str, &OsStr)]) -> Availability {
    let output = std::env::current_exe().and_then(|program| {
        Command::new(program)
            .args(["worker", "--probe", backend])
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
    });
    match output {
        Err(error) => Availability::unknown(format!("cannot be run: {error}")),
        Ok(output) => match serde_json::from_slice(&output.stdout) {
            Ok(availability) if output.status.success() => availability,
            _ => Availability::unknown(dyno_runner::describe_exit(output.status)),
        },
    }
}
