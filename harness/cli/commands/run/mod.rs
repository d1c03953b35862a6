//! `dyno run`: accuracy and latency of models, their records, and the manifests.

mod args;
mod dry_run;
mod export;
mod folder;
mod measure;
mod one;
mod prepare;
mod side_by_side;
mod write_back;

pub(crate) use args::RunArgs;
pub(crate) use one::Finished;
pub(crate) use prepare::planned as plan_one;

use crate::{
    commands::{report, verdicts::Judging},
    context::Context,
    exit, interrupt,
};
use dyno_core::Record;
use dyno_planner::RunRequest;
use dyno_reports::StoredArtifacts;
use std::{path::PathBuf, sync::atomic::Ordering};

/// How runs are carried out and told.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub(crate) struct Options {
    /// Several combinations are compared in one table.
    pub(crate) side_by_side: bool,
    /// The newest unfinished run of the same plan is taken up.
    pub(crate) resume: bool,
    /// Engines run in a process of their own.
    pub(crate) isolate: bool,
    /// Nothing is measured.
    pub(crate) dry_run: bool,
    /// The host's name stays in the record.
    pub(crate) include_host: bool,
    /// Where predictions go.
    pub(crate) export_predictions: Option<PathBuf>,
    /// Where the report goes; standard output without.
    pub(crate) out: Option<PathBuf>,
    /// What is expected.
    pub(crate) judging: Judging,
}

/// Runs the verb.
///
/// # Errors
/// As [`execute`].
pub(crate) fn run(args: &RunArgs, context: &Context) -> anyhow::Result<u8> {
    // Before anything is made that an interrupt would leave behind.
    crate::interrupt::install();
    execute(&args.requests()?, &args.options()?, context)
}

/// Carries out requests: all plans before the first run, because a mistake in the last one should
/// not cost the measurements before it.
///
/// # Errors
/// When a plan cannot be made. What fails while it runs is told, and the next request runs.
pub(crate) fn execute(
    requests: &[RunRequest],
    options: &Options,
    context: &Context,
) -> anyhow::Result<u8> {
    prepare::check(requests, options, context)?;
    let prepared = requests
        .iter()
        .map(|request| prepare::one(request, options, context))
        .collect::<anyhow::Result<Vec<_>>>()?;
    if options.dry_run {
        return dry_run::show(&prepared, options, context);
    }
    let mut finished: Vec<Finished> = Vec::new();
    let mut code = exit::OK;
    for one in &prepared {
        let (done, result) = one::run(one, options, context);
        finished.extend(done);
        code = exit::worst(code, result.unwrap_or_else(|error| exit::report(&error)));
        if interrupt::install().load(Ordering::Relaxed) {
            break;
        }
    }
    if finished.is_empty() {
        return Ok(code);
    }
    let folders = finished.iter().map(|f| f.folder.clone()).collect();
    let artifacts = StoredArtifacts::new(folders, Vec::new());
    let records: Vec<Record> = finished.into_iter().map(|f| f.record).collect();
    if options.side_by_side && context.has_listing() {
        side_by_side::print(&records, options.out.as_deref(), context)?;
    } else {
        report::render(&records, &artifacts, context, options.out.as_deref())?;
    }
    let verdict = options
        .judging
        .judge(&records, &artifacts, context.quiet)
        .unwrap_or_else(|error| exit::report(&error));
    Ok(exit::worst(code, verdict))
}
