//! `dyno report`: records to text, and expectations judged on them, later.

use super::{
    records::{find, stores},
    run::Finished,
    verdicts::{Judging, VerdictArgs},
};
use crate::{context::Context, exit, output, tables};
use clap::Args;
use dyno_core::{Artifacts, Record, Records, ReportError};
use dyno_evidence::{EvidenceError, EvidenceStore, RunFolder};
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

/// The files behind records: in the folders of their runs, and in the evidence beside models.
pub(crate) struct AtHand {
    folders: Vec<RunFolder>,
    stores: Vec<EvidenceStore>,
}

impl AtHand {
    /// Of runs that have just ended.
    pub(crate) fn of_runs(finished: &[Finished]) -> Self {
        Self {
            folders: finished.iter().map(|f| f.folder.clone()).collect(),
            stores: Vec::new(),
        }
    }

    /// Of records that were found, with the folders that some came from.
    pub(crate) fn of_found(folders: Vec<RunFolder>, context: &Context) -> Self {
        Self {
            folders,
            stores: stores(context),
        }
    }
}

impl Artifacts for AtHand {
    fn get(&self, _: &Record, sha256: &str) -> Result<Option<Vec<u8>>, ReportError> {
        let folders = self.folders.iter().map(|f| f.get_sha256(sha256));
        let stores = self.stores.iter().map(|s| s.get_data(sha256));
        for found in folders.chain(stores) {
            match found {
                Ok(bytes) => return Ok(Some(bytes)),
                Err(EvidenceError::NotFound { .. }) => {}
                Err(error) => {
                    return Err(ReportError {
                        reporter: "files behind the numbers",
                        reason: error.to_string(),
                    });
                }
            }
        }
        Ok(None)
    }
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
    let artifacts = AtHand::of_found(folders, context);
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
