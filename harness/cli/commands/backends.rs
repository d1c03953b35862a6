//! `dyno backends`.

use crate::{child, context::Context, exit};
use clap::Subcommand;
use dyno_reports::table::{Column, Table};

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
    let BackendsCommand::List = command;
    let columns = ["backend", "reads", "devices", "state", "about"];
    let mut table = Table::new(columns.map(Column::text));
    for backend in dyno_backends::BACKENDS {
        let availability = child::probe(backend.id());
        let state = availability
            .first_problem()
            .map_or_else(|| "usable".to_owned(), |p| p.to_string());
        let reads: Vec<&str> = backend.reads().iter().map(|f| f.name()).collect();
        table.push([
            backend.id(),
            &reads.join(" "),
            &availability.usable_devices().collect::<Vec<_>>().join(" "),
            &state,
            backend.about(),
        ]);
    }
    context.list(&table)?;
    Ok(exit::OK)
}
