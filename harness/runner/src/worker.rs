//! The worker: reads a plan, writes events. All measuring happens here.

use crate::{
    accuracy, bound,
    context::{Context, Identity, now_utc},
    error::RunError,
    guard::guarded,
    open::{self, open_model},
    performance,
    watchdog::{Overdue, Watchdog},
};
use dyno_core::{Event, PLAN_SCHEMA, PROTOCOL, Plan, QUESTION_SCHEMA, Question, Tables};
use dyno_evidence::RunFolder;
use dyno_load::STACK_BYTES;
use std::{
    sync::atomic::AtomicBool,
    thread::{self, Builder},
    time::Duration,
};

/// Runs a plan and tells `sink` what happens. Setting `stop` ends it early with what was measured.
///
/// Every call of the engine has the plan's time limit; `overdue` hears, in another thread, of one
/// that takes longer. In this process nothing stops such a call: a program that must not hang ends
/// itself there.
///
/// # Errors
/// When the run cannot go on; what was measured before stands in the run folder and was told to
/// `sink`. [`RunError::Changed`] when the model's files are not those that the plan names, at the
/// beginning or at the end; [`RunError::SampleChanged`] for the bytes of a sample.
pub fn worker(
    plan: &Plan,
    tables: &Tables,
    identity: &Identity,
    sink: &(dyn Fn(Event) + Sync),
    stop: &AtomicBool,
    overdue: &(dyn Fn(&Overdue) + Sync),
) -> Result<(), RunError> {
    let plan_sha256 = plan.spec.sha256()?;
    let machine = dyno_machine::describe(identity.include_host);
    sink(Event::Started {
        protocol: PROTOCOL,
        plan_sha256: plan_sha256.clone(),
        machine: machine.clone(),
        tool: identity.tool.clone(),
        started_utc: now_utc(),
    });
    if plan.schema != PLAN_SCHEMA {
        return Err(RunError::Plan(format!(
            "schema `{}` is not `{PLAN_SCHEMA}`",
            plan.schema
        )));
    }
    let watchdog = Watchdog::new(limit(plan.bindings.engine_timeout_ns)?);
    attended(&watchdog, overdue, || {
        bound::check(plan)?;
        let folder = RunFolder::open(&plan.bindings.run_folder)?;
        let dataset = open::dataset(plan, tables)?;
        let partial = measure(&Context {
            plan,
            plan_sha256: &plan_sha256,
            tables,
            tool: &identity.tool,
            machine: &machine,
            dataset: dataset.as_ref(),
            folder: &folder,
            sink,
            stop,
            watchdog: &watchdog,
        })?;
        // An engine reads its files when it likes: what ran is only known when they are still the
        // same.
        bound::check_files(plan)?;
        sink(Event::Finished { partial });
        Ok(())
    })
}

/// Both halves of the plan; whether they were interrupted.
fn measure(context: &Context<'_>) -> Result<bool, RunError> {
    let measured = guarded(
        || "in the accuracy run".to_owned(),
        || accuracy::run(context),
    )?;
    // A part of an accuracy run is only that.
    let performance = match context.plan.shards {
        None => context.plan.spec.performance.as_slice(),
        Some(_) => &[],
    };
    for (number, performance) in performance.iter().enumerate() {
        if context.stopped() {
            return Ok(true);
        }
        let number = number as u32;
        let done = guarded(
            || format!("in performance measurement {number}"),
            || performance::run(context, number, performance, measured.as_ref()),
        )?;
        match done {
            Some(done) => (context.sink)(Event::Performance(done)),
            None => return Ok(true),
        }
    }
    Ok(context.stopped())
}

/// The answer to a planner's question: inputs and outputs of a model, and what would run it. The
/// engine has the question's time limit, as in [`worker`].
///
/// # Errors
/// When the model cannot be opened.
pub fn answer(
    question: &Question,
    tables: &Tables,
    overdue: &(dyn Fn(&Overdue) + Sync),
) -> Result<Event, RunError> {
    if question.schema != QUESTION_SCHEMA {
        return Err(RunError::Plan(format!(
            "schema `{}` is not `{QUESTION_SCHEMA}`",
            question.schema
        )));
    }
    let watchdog = Watchdog::new(limit(question.engine_timeout_ns)?);
    attended(&watchdog, overdue, || {
        let opened = watchdog.call(
            || "while it opened the model".to_owned(),
            || {
                guarded(
                    || "while the model was opened".to_owned(),
                    || {
                        open_model(
                            tables,
                            &question.backend,
                            &question.source,
                            &question.config,
                            question.cache_dir.as_deref(),
                        )
                    },
                )
            },
        )??;
        Ok(Event::Answered {
            io: opened.model.io().clone(),
            facts: opened.model.facts(),
            import: opened.import,
            says: opened.says,
        })
    })
}

pub(crate) fn limit(ns: u64) -> Result<Duration, RunError> {
    if ns == 0 {
        return Err(RunError::Plan(
            "`engine_timeout_ns` is 0, but no call of an engine takes no time".to_owned(),
        ));
    }
    Ok(Duration::from_nanos(ns))
}

/// Does `part` in a thread with a stack for engines that walk a graph by recursion, under the
/// watchdog in another.
pub(crate) fn attended<T: Send>(
    watchdog: &Watchdog,
    overdue: &(dyn Fn(&Overdue) + Sync),
    part: impl FnOnce() -> Result<T, RunError> + Send,
) -> Result<T, RunError> {
    let cannot = |made| {
        move |source| RunError::Threads {
            made,
            wanted: 2,
            source,
        }
    };
    thread::scope(|scope| {
        Builder::new()
            .name("watchdog".to_owned())
            .spawn_scoped(scope, || watchdog.watch(overdue))
            .map_err(cannot(0))?;
        let work = Builder::new()
            .name("worker".to_owned())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, || guarded(|| "in the worker".to_owned(), part))
            .map_err(cannot(1));
        let result = work.and_then(|work| {
            work.join()
                .unwrap_or_else(|_| Err(RunError::Panicked("while it ended the worker".to_owned())))
        });
        watchdog.end();
        result
    })
}
