//! `dyno report`: records to text, later.

use crate::{commands::records::find, context::Context, exit, output, tables};
use clap::Args;
use dyno_core::{Record, Report, lookup};
use std::path::PathBuf;

/// Render stored records.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Records: path, unique prefix of an id, or `latest`
    #[arg(required = true, value_name = "RECORD")]
    records: Vec<String>,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Renders them.
///
/// # Errors
/// When a record is not found or changed since it was written.
pub(crate) fn run(args: &ReportArgs, context: &Context) -> anyhow::Result<u8> {
    let records = args
        .records
        .iter()
        .map(|r| find(r, context).map(|(_, record)| record))
        .collect::<anyhow::Result<Vec<_>>>()?;
    render(&records, context, args.out.as_deref())?;
    Ok(exit::OK)
}

/// Renders records in the form that was asked for.
///
/// # Errors
/// When the reporter refuses or the output cannot be written.
pub(crate) fn render(
    records: &[Record],
    context: &Context,
    out: Option<&std::path::Path>,
) -> anyhow::Result<()> {
    let reporter = lookup("format", dyno_reports::REPORTERS, context.format.reporter())?;
    let width = tables::terminal_width();
    let text = reporter.render(&Report { records, width })?;
    output::write(&text, out)
}
