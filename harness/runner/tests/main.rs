//! Runs over toys (`toy.rs`): what a worker tells, what becomes of it, and what faults do.

mod accuracy;
mod importer;
mod performance;
mod plans;
mod toy;
mod workers;
