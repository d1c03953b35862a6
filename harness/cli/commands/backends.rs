//! `dyno backends`.

use crate::{context::Context, output::listing};
use clap::Subcommand;

/// Inference engines.
#[derive(Debug, Subcommand)]
pub(crate) enum BackendsCommand {
    /// List the engines of this build and whether they can run here
    List,
}

/// Runs the verb.
///
/// # Errors
/// When standard output cannot be written.
pub(crate) fn run(command: &BackendsCommand, context: &Context) -> anyhow::Result<u8> {
    match command {
        BackendsCommand::List => {
            let rows: Vec<Vec<String>> = dyno_backends::BACKENDS
                .iter()
                .map(|backend| {
                    let availability = backend.probe();
                    let state = availability.first_problem().map_or_else(
                        || "usable".to_owned(),
                        |p| format!("{}: {}", p.what, p.detail),
                    );
                    let reads = backend
                        .reads()
                        .iter()
                        .map(|f| f.name())
                        .collect::<Vec<_>>()
                        .join(" ");
                    vec![
                        backend.id().to_owned(),
                        reads,
                        availability.devices.join(" "),
                        state,
                        backend.about().to_owned(),
                    ]
                })
                .collect();
            listing(
                context.format,
                &["backend", "reads", "devices", "state", "about"],
                &rows,
            )
        }
    }
}
