//! The worker: reads a plan, writes events. All measuring happens here.

use crate::{accuracy, error::RunError, open, performance, tables::Tables};
use dyno_core::{Event, Plan};
use dyno_evidence::RunFolder;
use std::sync::atomic::{AtomicBool, Ordering};

/// Runs a plan and tells `sink` what happens. Setting `stop` ends it early with what was measured.
///
/// # Errors
/// When the run cannot go on; what was measured before stands in the run folder.
pub fn worker(plan: &Plan, tables: &Tables, sink: &(dyn Fn(Event) + Sync), stop: &AtomicBool) -> Result<(), RunError> {
    sink(Event::Started { plan_sha256: plan.spec.sha256()? });
    let folder = RunFolder::open(&plan.bindings.run_folder)?;
    let dataset = open::dataset(plan, tables)?;
    accuracy::run(plan, tables, dataset.as_ref(), &folder, sink, stop)?;
    for (number, performance) in plan.spec.performance.iter().enumerate() {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let result = performance::run(plan, performance, number as u32, tables, dataset.as_ref(), &folder, sink, stop)?;
        sink(Event::Performance(result));
    }
    sink(Event::Finished { partial: stop.load(Ordering::Relaxed) });
    Ok(())
}
