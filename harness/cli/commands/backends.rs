//! `dyno backends`.

use super::runtimes::{self, InstallArgs, RemoveArgs};
use crate::{child, context::Context, exit};
use clap::Subcommand;
use dyno_reports::table::{Column, Table};

/// Inference engines.
#[derive(Debug, Subcommand)]
pub(crate) enum BackendsCommand {
    /// List the engines of this build and whether they can run here
    List,
    /// List run-time libraries that can be installed, and those that are
    Runtimes,
    /// Fetch a vendor's run-time library with your own pip, check it and keep it for the engines
    Install(InstallArgs),
    /// Remove an installed run-time library
    Remove(RemoveArgs),
}

/// Runs the verb.
///
/// # Errors
/// When standard output cannot be written, or a runtime cannot be installed or removed.
pub(crate) fn run(command: &BackendsCommand, context: &Context) -> anyhow::Result<u8> {
    match command {
        BackendsCommand::List => list(context),
        BackendsCommand::Runtimes => runtimes::list(context),
        BackendsCommand::Install(args) => runtimes::install(args, context),
        BackendsCommand::Remove(args) => runtimes::remove(args, context),
    }
}

fn list(context: &Context) -> anyhow::Result<u8> {
    let columns = ["backend", "reads", "devices", "state", "about"];
    let mut table = Table::new(columns.map(Column::text));
    for backend in dyno_backends::BACKENDS {
        let availability = child::probe(backend.id(), &[]);
        let state = availability
            .first_problem()
            .map_or_else(|| "usable".to_owned(), |p| p.to_string());
        let reads: Vec<&str> = backend.reads().iter().map(|f| f.name()).collect();
        let devices: Vec<&str> = availability.usable_devices().collect();
        table.push([
            backend.id(),
            &reads.join(" "),
            &devices.join(" "),
            &state,
            backend.about(),
        ]);
    }
    context.list(&table)?;
    Ok(exit::OK)
}
