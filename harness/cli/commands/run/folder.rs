//! Run folders: a new one, or the unfinished one that is taken up.

use crate::{context::Context, exit};
use dyno_core::{Plan, Record, ValidityCode};
use dyno_evidence::RunFolder;
use std::{fs, path::Path};

/// What helps when run folders cannot be written.
const ELSEWHERE: &str = "name another place with --runs-dir or DYNO_RUNS_DIR";

/// Refuses a place for run folders that cannot be written, as far as permissions tell.
///
/// # Errors
/// With what stands against it.
pub(super) fn check_root(root: &Path) -> anyhow::Result<()> {
    let root = std::path::absolute(root)?;
    let Some(there) = root.ancestors().find(|p| p.exists()) else {
        return Ok(());
    };
    let refused = |what: &str| {
        Err(exit::usage(
            format!("runs cannot be kept in `{}`: {what}", root.display()),
            ELSEWHERE,
        ))
    };
    match fs::metadata(there) {
        Ok(m) if !m.is_dir() => refused(&format!("`{}` is no folder", there.display())),
        Ok(m) if m.permissions().readonly() => {
            refused(&format!("`{}` cannot be written", there.display()))
        }
        _ => Ok(()),
    }
}

/// A new run folder, or with `resume` the newest unfinished one of the same plan.
///
/// # Errors
/// When it cannot be made, or there is nothing to take up.
pub(super) fn open(plan: &Plan, resume: bool, context: &Context) -> anyhow::Result<RunFolder> {
    let root = &context.settings.runs_dir.value;
    let sha256 = plan.spec.sha256()?;
    if resume {
        let same = |folder: &RunFolder| {
            folder
                .read_plan()
                .ok()
                .and_then(|p| p.spec.sha256().ok())
                .is_some_and(|s| s == sha256)
        };
        let unfinished = dyno_evidence::list(root)?
            .into_iter()
            .rev()
            .find(|folder| same(folder) && !is_whole(folder, plan));
        return unfinished.ok_or_else(|| {
            exit::usage(
                format!("no unfinished run of this plan in `{}`", root.display()),
                "run without --resume to begin one",
            )
        });
    }
    let create = || -> anyhow::Result<RunFolder> {
        let root = std::path::absolute(root)?;
        fs::create_dir_all(&root)?;
        let now = jiff::Timestamp::now();
        let reference = &plan.spec.model.reference;
        Ok(RunFolder::create(&root, reference, &sha256, now)?)
    };
    create().map_err(|error| {
        let cause = format!("{error:#}");
        exit::coded(
            exit::FAILED,
            format!("runs cannot be kept in `{}`: {cause}", root.display()),
            ELSEWHERE,
        )
    })
}

/// The run came to a record with everything that its plan asks for: a partial record, or one
/// without the latency half, is not the end of its run.
fn is_whole(folder: &RunFolder, plan: &Plan) -> bool {
    let wanted = usize::from(plan.spec.accuracy.is_some()) + plan.spec.performance.len();
    let is_partial = |record: &Record| {
        let mut codes = record.measurements.iter().flat_map(|m| &m.validity.codes);
        codes.any(|code| *code == ValidityCode::Partial)
    };
    folder
        .record()
        .is_ok_and(|r| r.measurements.len() == wanted && !is_partial(&r))
}
