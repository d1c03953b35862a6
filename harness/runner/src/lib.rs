//! From a Plan to events to a Record.
//!
//! A [`worker`] reads a plan and writes events; the same code runs in the process of `dyno run` or
//! in a child ([`isolate`]). A [`Collector`] turns events into the record. This crate sees traits,
//! never an engine, dataset, decoder or metric: those come in [`Tables`].

mod accuracy;
mod bound;
mod collect;
mod error;
mod guard;
mod isolate;
mod open;
mod performance;
mod prepare;
mod results;
mod score;
mod tables;
mod verdict;
mod worker;

pub use collect::{Collector, RunOutcome};
pub use error::RunError;
pub use isolate::{WorkerCommand, isolate};
pub use open::model_source;
pub use prepare::{PrepareTimes, Prepared, Preparer};
pub use score::{Predictions, read_predictions, score, to_dataset};
pub use tables::Tables;
pub use worker::worker;
