//! The accuracy half of a run: every sample through the pipeline once, shard by shard.
//!
//! The model is opened once and every thread has a slot of it. Two divisions of the machine
//! ([`dyno_core::Division`]). *Fused*: every thread takes samples all the way; for an engine that
//! runs on the CPU there is nothing to overlap with, so the fewest hand-overs win. *Staged*:
//! preparing threads feed slots through a bounded queue; for an engine whose device is elsewhere,
//! preparation hides behind it.

mod checkpoint;
mod run;
mod shards;
mod threads;
mod unit;

#[cfg(test)]
mod tests;

use run::Job;
pub(crate) use run::{HASHED_SAMPLES, Measured, run};
