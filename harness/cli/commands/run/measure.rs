//! Carrying out a plan: a worker in this process or in a child, and its events made a record.

use super::Options;
use crate::{
    child, context::Context, engines, interrupt, progress::Progress, tables::TABLES, version,
};
use dyno_core::{Event, Plan};
use dyno_evidence::RunFolder;
use dyno_runner::{Collector, Identity, RunError, RunOutcome};
use std::sync::{Mutex, PoisonError, atomic::Ordering};

/// What came of a run.
pub(super) struct Measured {
    /// The record with what stands behind it; absent when nothing was measured. Without a failure
    /// the user ended the run before there was anything.
    pub(super) outcome: Option<RunOutcome>,
    /// Why the run failed; then the outcome holds what was done before.
    pub(super) failure: Option<anyhow::Error>,
}

/// Measures. The plan's run folder exists.
pub(super) fn run(plan: &Plan, options: &Options, context: &Context) -> Measured {
    match carry_out(plan, options, context) {
        Ok(measured) => measured,
        Err(error) => Measured {
            outcome: None,
            failure: Some(told(plan, error)),
        },
    }
}

fn carry_out(plan: &Plan, options: &Options, context: &Context) -> Result<Measured, RunError> {
    let stop = interrupt::install();
    let progress = Progress::new(context.quiet);
    // The collector, and the first event that it could not take.
    let state = Mutex::new((Collector::new(plan)?, None::<RunError>));
    let sink = |event: Event| {
        progress.on(&event);
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let (collector, refused) = &mut *state;
        if let Err(error) = collector.on(&event) {
            stop.store(true, Ordering::Relaxed);
            refused.get_or_insert(error);
        }
    };
    let worked = if options.isolate {
        child::worker(options.include_host)
            .map_err(|e| RunError::Child(std::io::Error::other(e)))
            .and_then(|command| dyno_runner::isolate(plan, &command, &sink))
    } else {
        let identity = Identity {
            tool: version::tool(),
            include_host: options.include_host,
        };
        dyno_runner::worker(plan, &TABLES, &identity, &sink, stop, &engines::overdue)
    };
    drop(progress);
    let (collector, refused) = state.into_inner().unwrap_or_else(PoisonError::into_inner);
    let failure = refused.or(worked.err());
    let interrupted = stop.load(Ordering::Relaxed) && failure.is_none();
    if !collector.has_measured() && (failure.is_some() || interrupted) {
        return Ok(Measured {
            outcome: None,
            failure: failure.map(|e| told(plan, e)),
        });
    }
    let (outcome, failure) = match (collector.finish(plan, &TABLES), failure) {
        (Ok(outcome), failure) => (Some(outcome), failure),
        // Why the run failed says more than why what is left of it makes no record.
        (Err(_), Some(failure)) => (None, Some(failure)),
        (Err(error), None) => (None, Some(error)),
    };
    Ok(Measured {
        outcome,
        failure: failure.map(|e| told(plan, e)),
    })
}

/// An error of a run, with what it leaves behind.
fn told(plan: &Plan, error: RunError) -> anyhow::Error {
    let shards = RunFolder::open(&plan.bindings.run_folder)
        .and_then(|f| f.shards())
        .map_or(0, |s| s.len());
    let kept = if shards > 0 {
        format!(
            "; {shards} finished shards are kept in `{}`, --resume goes on from there",
            plan.bindings.run_folder.display()
        )
    } else {
        String::new()
    };
    let reference = &plan.spec.model.reference;
    anyhow::Error::new(error).context(format!("the run of `{reference}` failed{kept}"))
}
