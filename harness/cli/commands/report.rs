//! `dyno report`: records to text, and expectations judged on them, later.

use super::{
    records::{find, stores},
    verdicts::{Judging, VerdictArgs},
};
use crate::{context::Context, exit, output, tables};
use clap::Args;
use dyno_core::{Artifacts, Record, Records};
use dyno_reports::StoredArtifacts;
use std::path::{Path, PathBuf};

/// Render stored records.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Records: path, unique prefix of an id, or `latest`
    #[arg(required = true, value_name = "RECORD")]
    records: Vec<String>,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    verdicts: VerdictArgs,
}

/// Renders and judges them.
///
/// # Errors
/// When a record is not found or changed since it was written.
pub(crate) fn run(args: &ReportArgs, context: &Context) -> anyhow::Result<u8> {
    if let Some(path) = &args.out {
        output::check_place(path)?;
    }
    let judging = Judging::new(&args.verdicts)?;
    context.reporter()?;
    let (mut records, mut folders) = (Vec::new(), Vec::new());
    for reference in &args.records {
        let (folder, record) = find(reference, context)?;
        folders.extend(folder);
        records.push(record);
    }
    let artifacts = StoredArtifacts::new(folders, stores(context));
    render(&records, &artifacts, context, args.out.as_deref())?;
    if args.verdicts.is_silent() {
        return Ok(exit::OK);
    }
    judging.judge(&records, &artifacts, context.quiet)
}

/// Renders records in the form that was asked for.
///
/// # Errors
/// When there is no such form, the reporter refuses, or the output cannot be written.
pub(crate) fn render(
    records: &[Record],
    artifacts: &dyn Artifacts,
    context: &Context,
    out: Option<&Path>,
) -> anyhow::Result<()> {
    let width = out.is_none().then(tables::terminal_width).flatten();
    let mut sink = output::ReportSink::new(out);
    context
        .reporter()?
        .render(&Records { records, width }, artifacts, &mut sink)?;
    sink.finish()
}
