//! From a request to a plan.
//!
//! A [`RunRequest`] is everything that anybody can ask of a run, as plain data: flags of a command
//! line, a cell of a sweep, a side of a gate and the quickstart all build one. [`plan`] makes the
//! [`dyno_core::Plan`] of it, or says in a [`PlanError`] what contradicts what. Engines, data sets,
//! decoders, metrics and recipes are seen through [`dyno_core::Tables`]; the two things that only
//! crates above this one can do, opening engines and taking samples, come as [`Engines`] and
//! [`Samples`] in the [`Environment`].

mod ask;
mod environment;
mod error;
mod labels;
mod measure;
mod model;
mod outputs;
mod plan;
mod profile;
mod recipe;
mod refuse;
mod request;

#[cfg(test)]
mod tests;

pub use environment::{Answer, EngineError, Engines, Environment, Samples};
pub use error::PlanError;
pub use model::describe_model;
pub use plan::{Planned, plan};
pub use profile::Profile;
pub use request::{DEFAULT_ENGINE_TIMEOUT_NS, Only, RunRequest, WriteBack};
