//! Reports rendered from records, and expectations checked against them.
//!
//! A record is the only input of a report. [`Human`] and [`Markdown`] lay out the same blocks, so
//! that they cannot disagree; [`Json`] and [`Csv`] are for programs. Names in records come from
//! files of strangers: every format escapes what it gives a meaning to.

mod blocks;
mod csv;
mod expect;
mod human;
mod json;
mod markdown;
mod text;
mod view;

#[cfg(test)]
mod tests;

pub use csv::Csv;
pub use expect::{ExpectError, Expectation, ExpectationResult, Operator, Verdict};
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
