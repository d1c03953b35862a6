//! One run from its folder to its exit code.

use super::{Options, export, folder, measure, prepare::Prepared, write_back};
use crate::{context::Context, exit, say};
use dyno_core::{Plan, Record};
use dyno_evidence::RunFolder;
use dyno_runner::RunOutcome;

/// A record with the folder that holds its files.
pub(crate) struct Finished {
    /// The record.
    pub(crate) record: Record,
    /// Its run folder.
    pub(crate) folder: RunFolder,
}

/// Runs one plan. What was measured comes back even when something fails after it.
pub(super) fn run(
    prepared: &Prepared,
    options: &Options,
    context: &Context,
) -> (Option<Finished>, anyhow::Result<u8>) {
    let (plan, folder) = match begin(prepared, options, context) {
        Ok(begun) => begun,
        Err(error) => return (None, Err(error)),
    };
    let measured = measure::run(&plan, options, context);
    let Some(outcome) = measured.outcome else {
        if let Some(failure) = measured.failure {
            return (None, Err(failure));
        }
        // Quiet or not: whoever ended it must know that there is nothing.
        say::line("interrupted before the first shard was finished: nothing was saved");
        return (None, Ok(exit::INTERRUPTED));
    };
    let kept = folder
        .set_record_aside()
        .and_then(|()| folder.write_record(&outcome.record));
    let place = folder.path().display().to_string();
    let short = outcome.record.short_id().to_owned();
    let code = match (kept, measured.failure) {
        (_, Some(failure)) => {
            context.say(&format!(
                "what was measured before is record {short} in `{place}`"
            ));
            Err(failure)
        }
        (Err(error), None) => Err(error.into()),
        (Ok(()), None) => {
            context.say(&format!("record {short} in `{place}`"));
            conclude(prepared, &plan, &outcome, &folder, options, context)
        }
    };
    let record = outcome.record;
    (Some(Finished { record, folder }), code)
}

fn begin(
    prepared: &Prepared,
    options: &Options,
    context: &Context,
) -> anyhow::Result<(Plan, RunFolder)> {
    let mut plan = prepared.planned.plan.clone();
    let folder = folder::open(&plan, options.resume, context)?;
    folder.path().clone_into(&mut plan.bindings.run_folder);
    folder.write_plan(&plan)?;
    Ok((plan, folder))
}

/// What follows from an outcome, expectations left aside: predictions, doubts, the manifest.
fn conclude(
    prepared: &Prepared,
    plan: &Plan,
    outcome: &RunOutcome,
    folder: &RunFolder,
    options: &Options,
    context: &Context,
) -> anyhow::Result<u8> {
    if let Some(path) = &options.export_predictions {
        export::write(plan, outcome, path)?;
    }
    let mut code = exit::OK;
    if let Some(missed) = &outcome.missed_reference {
        say::line(&format!("reference missed: {missed}"));
        code = exit::worst(code, exit::VERDICT);
    }
    if outcome.too_many_failures {
        say::line(&format!(
            "{} of {} samples failed, {} are allowed (--max-errors)",
            outcome.failures.len(),
            plan.bindings.sample_set.count,
            prepared.request.max_errors
        ));
        code = exit::worst(code, exit::FAILED);
    }
    if outcome.partial {
        code = exit::worst(code, exit::INTERRUPTED);
    }
    if let Some(write) = prepared.request.write {
        if outcome.partial || outcome.too_many_failures || outcome.missed_reference.is_some() {
            say::line("nothing was written to the manifest");
        } else {
            let model = &prepared.planned.model;
            let written = write_back::run(model, &outcome.record, write, folder, context)?;
            code = exit::worst(code, written);
        }
    }
    Ok(code)
}
