//! Threads that cannot be made, and a slot of the model that cannot be had.

use super::run::run_with;
use crate::{context::Context, error::RunError, plans, toy, watchdog::Watchdog};
use dyno_core::{Event, Plan};
use dyno_evidence::RunFolder;
use std::{
    sync::{Mutex, atomic::AtomicBool},
    time::Duration,
};

/// Runs the accuracy half with stacks of these sizes; what was told.
fn go(plan: &Plan, stack: &dyn Fn(u32) -> usize) -> (Result<(), RunError>, Vec<Event>) {
    plans::write_plan(plan);
    let events = Mutex::new(Vec::new());
    let identity = plans::identity("c0ffee");
    let dataset = crate::open::dataset(plan, &toy::TABLES).expect("the toy's");
    let result = run_with(
        &Context {
            plan,
            plan_sha256: &plan.spec.sha256().expect("JSON"),
            tables: &toy::TABLES,
            tool: &identity.tool,
            machine: &dyno_machine::describe(false),
            dataset: dataset.as_ref(),
            folder: &RunFolder::open(&plan.bindings.run_folder).expect("it has a plan"),
            sink: &|event| events.lock().expect("no panic").push(event),
            stop: &AtomicBool::new(false),
            watchdog: &Watchdog::new(Duration::from_hours(1)),
        },
        stack,
    );
    (result.map(|_| ()), events.into_inner().expect("no panic"))
}

/// No system has such a stack.
const IMPOSSIBLE: usize = 1 << 60;

#[test]
fn a_thread_that_cannot_be_made_ends_the_run_and_keeps_nobody_waiting() {
    use dyno_core::Division;
    for division in [
        Division::Fused {
            workers: 5,
            threads: 1,
        },
        Division::Staged {
            preparing: 3,
            slots: 2,
            threads: 1,
        },
    ] {
        for refused in [0, 2, 4] {
            let machine = plans::Machine::new();
            let mut plan = machine.plan();
            plan.bindings.division = division;
            let stack = |number| {
                if number == refused {
                    IMPOSSIBLE
                } else {
                    1 << 20
                }
            };
            let (result, events) = go(&plan, &stack);
            match result {
                Err(RunError::Threads { made, wanted, .. }) => {
                    assert_eq!((made, wanted), (refused, 5));
                }
                other => panic!("{other:?}"),
            }
            let worked = |e: &Event| matches!(e, Event::Working { ids, .. } if !ids.is_empty());
            assert!(!events.iter().any(worked), "nobody begins");
        }
    }
}

#[test]
fn a_run_that_is_done_needs_no_threads() {
    let machine = plans::Machine::new();
    let plan = machine.plan();
    go(&plan, &|_| 1 << 20).0.expect("measured");
    go(&plan, &|_| IMPOSSIBLE).0.expect("nothing left to do");
}
