//! From a Plan to events to a Record.
//!
//! A [`worker`] reads a plan and writes events; the same code runs in the process of `dyno run` or
//! in a child ([`isolate`] there, [`serve`] in it). A [`Collector`] turns the events of one worker
//! or of several into the record. This crate sees traits, never an engine, importer, dataset,
//! decoder or metric: those come in [`dyno_core::Tables`]. Engines are opened in one place,
//! [`open_model`].

mod accuracy;
mod bound;
mod child;
mod collect;
mod context;
mod error;
mod guard;
mod open;
mod outputs;
mod performance;
mod prepare;
mod results;
mod sample;
mod score;
mod verdict;
mod verify;
mod watchdog;
mod worker;

// The toys of `tests/` see this crate by its name.
#[cfg(test)]
extern crate self as dyno_runner;
#[cfg(test)]
#[expect(dead_code, reason = "the tests in this crate need few of them")]
#[path = "../tests/plans.rs"]
mod plans;
#[cfg(test)]
#[expect(dead_code, reason = "the tests in this crate need few of them")]
#[path = "../tests/toy.rs"]
mod toy;

pub use child::{
    Answer, Request, WorkerCommand, ask, claim_stdout, describe_exit, isolate, read_request, serve,
};
pub use collect::{Collector, RunOutcome};
pub use context::Identity;
pub use error::RunError;
pub use open::{OpenedModel, model_source, open_model};
pub use score::{Predictions, to_dataset};
pub use verify::{
    Agreement, OutputDifference, PairAgreement, ScoreDifference, Tolerance, Verified, verify,
};
pub use watchdog::Overdue;
pub use worker::{answer, worker};
