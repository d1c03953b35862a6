//! The load generator: scenarios, clock, recorder, stop rules.
//!
//! Vocabulary and rules are those of MLPerf's LoadGen (`specs`: latency from the scheduled time,
//! both minima must hold, the estimator `sorted[floor(n*p)]`, early-stopping bounds). It knows no
//! tensors and no models: it drives a [`Target`].
//!
//! A query is *scheduled* when its slot is free and the generator turns to it; its latency counts
//! from there to [`Done::at`]. Recording, choosing samples and telling progress happen outside that
//! interval.

mod clock;
mod order;
mod outcome;
mod recorder;
mod run;
mod settings;
mod target;

#[cfg(test)]
mod tests;

pub use clock::{Clock, ManualClock, MonotonicClock};
pub use outcome::{Bound, Latency, Outcome, Summary};
pub use recorder::RAW_LIMIT;
pub use run::{MAX_FAILURES, PROGRESS_INTERVAL, run};
pub use settings::{Code, LoadError, Phase, Progress, Scenario, Settings, StopReason};
pub use target::{Done, STAGE_COUNT, Stages, Target, TargetError};
