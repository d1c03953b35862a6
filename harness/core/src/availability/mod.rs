//! What a backend has on this machine, as typed facts: compiled in, library, devices, precisions,
//! execution providers. Every *no* has its reason and what mends it.
//!
//! Facts go through a pipe as JSON, because a damaged library can kill the process that looks; the
//! words for people are made in one place (`words`).

mod facts;
mod words;

pub use facts::{Absence, Availability, Capability, Library, Presence, Reason, Remedy, Tried};
pub use words::Problem;

#[cfg(test)]
mod tests;
