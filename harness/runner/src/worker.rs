//! The worker: reads a plan, writes events. All measuring happens here.

use crate::{accuracy, bound, error::RunError, guard::guarded, open, performance, tables::Tables};
use dyno_core::{Event, Plan};
use dyno_evidence::RunFolder;
use std::sync::atomic::{AtomicBool, Ordering};

/// Runs a plan and tells `sink` what happens. Setting `stop` ends it early with what was measured.
///
/// # Errors
/// When the run cannot go on; what was measured before stands in the run folder and was told to
/// `sink`. [`RunError::Changed`] when the model's files are not those that the plan names, at the
/// beginning or at the end.
pub fn worker(
    plan: &Plan,
    tables: &Tables,
    sink: &(dyn Fn(Event) + Sync),
    stop: &AtomicBool,
) -> Result<(), RunError> {
    sink(Event::Started {
        plan_sha256: plan.spec.sha256()?,
    });
    bound::check(plan)?;
    let folder = RunFolder::open(&plan.bindings.run_folder)?;
    let dataset = open::dataset(plan, tables)?;
    guarded(
        || "in the accuracy run".to_owned(),
        || accuracy::run(plan, tables, dataset.as_ref(), &folder, sink, stop),
    )?;
    let mut interrupted = false;
    for (number, performance) in plan.spec.performance.iter().enumerate() {
        interrupted |= stop.load(Ordering::Relaxed);
        if interrupted {
            break;
        }
        let result = guarded(
            || format!("in performance measurement {number}"),
            || {
                performance::run(
                    plan,
                    performance,
                    number as u32,
                    tables,
                    dataset.as_ref(),
                    &folder,
                    sink,
                    stop,
                )
            },
        )?;
        match result {
            Some(result) => sink(Event::Performance(result)),
            None => interrupted = true,
        }
    }
    // An engine reads its files when it likes: what ran is only known when they are still the same.
    bound::check_files(plan)?;
    sink(Event::Finished {
        partial: interrupted || stop.load(Ordering::Relaxed),
    });
    Ok(())
}
