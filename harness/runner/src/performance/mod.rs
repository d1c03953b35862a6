//! The performance half of a run: samples prepared beforehand, queries pulled by the slots of one
//! open model.
//!
//! The library of samples is drawn in the order of hashes over the whole set. Every trial is kept;
//! what disturbed it is read over its window; outputs of a random part of its queries are compared
//! with those of the accuracy run.

mod compare;
mod disturbance;
mod expected;
mod library;
mod result;
mod run;
mod trials;
mod work;

#[cfg(test)]
mod tests;

pub(crate) use library::library_positions;
pub(crate) use run::run;
