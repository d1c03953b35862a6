//! The load generator: scenarios, clock, recorder, stop rules.
//!
//! Vocabulary and rules are those of MLPerf's LoadGen (`specs`: latency from the scheduled time,
//! both minima must hold, the estimator `sorted[floor(n*p)]`, early-stopping bounds). It knows no
//! tensors and no models: it drives [`Work`], one for each slot.
//!
//! *Slots pull and nobody pushes.* Each slot runs in a thread of its own (the calling thread, if
//! there is one slot), takes the next arrival from a shared counter when it is free, runs it,
//! stamps its end and records it for itself; what the slots recorded is merged afterwards. That is
//! a first-come-first-served queue before N servers, without an issuer or a hand-over.
//!
//! A query is *scheduled* when its arrival is due, or, in the scenarios that are here, when its
//! slot is free; its latency counts from there to the return of [`Work::run`]. In those scenarios
//! the end of one query is the scheduled time of the next one in that slot: the clock is read once
//! a query, and recording (tens of nanoseconds) is in the latency of the next. Where anything else
//! happened in between (outputs were looked at, progress was told, a query failed) the clock is
//! read anew, and that time is in no latency.

mod arrivals;
mod clock;
mod controls;
mod error;
mod gate;
mod heartbeat;
mod order;
mod outcome;
mod pool;
mod recorder;
mod run;
mod settings;
mod slot;
mod summary;
mod work;

#[cfg(test)]
mod tests;

pub use clock::{Clock, ManualClock, MonotonicClock, SPIN};
pub use controls::{Controls, PROGRESS_INTERVAL, Phase, Progress};
pub use error::LoadError;
pub use heartbeat::{Heartbeat, InFlight};
pub use outcome::Outcome;
pub use pool::GRACE;
pub use recorder::RAW_LIMIT;
pub use run::run;
pub use settings::{Code, STACK_BYTES, Scenario, Settings, StopReason};
pub use slot::MAX_FAILURES;
pub use summary::{Latency, PERCENTILES, Percentile, Stage, Summary};
pub use work::{After, Edge, STAGE_COUNT, Stages, Work, WorkError};
