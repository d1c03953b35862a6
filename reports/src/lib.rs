//! Reports rendered from records, listings rendered from tables, and expectations judged against
//! records.
//!
//! [`Human`] and [`Markdown`] lay out the same blocks, so that they cannot disagree; [`Json`] and
//! [`Csv`] are for programs. [`table`] is what listings of the command line are made of.
//! Names in records come from files of strangers: every format escapes what it gives a meaning to,
//! and [`terminal::clean`] is what stands between a name and a terminal.

mod artifacts;
mod blocks;
mod csv;
mod details;
mod expect;
mod human;
mod json;
mod markdown;
mod percentile;
pub mod table;
pub mod terminal;
pub mod text;
pub mod verdicts;
mod view;

#[cfg(test)]
mod tests;

pub use artifacts::StoredArtifacts;
pub use csv::Csv;
pub use expect::{
    Available, ExpectError, Expectation, Judgement, Measured, Operator, ScoreNames, Verdict,
};
pub use human::Human;
pub use json::Json;
pub use markdown::Markdown;

use dyno_core::Reporter;

/// All report formats.
pub const REPORTERS: &[&dyn Reporter] = &[
    &Csv,      //
    &Human,    //
    &Json,     //
    &Markdown, //
];
