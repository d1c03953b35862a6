//! Verdicts of expectations for machines: what a CI job reads after a run or a stored record.
//!
//! Beside the expectations stand the measurements themselves: an INVALID one is undecided, because
//! no number of it counts. [`VERDICT_FORMATS`] are the forms.

mod github;
mod human;
mod json;
mod junit;
mod outcome;
mod summary;

pub use github::Github;
pub use human::Human;
pub use json::{Json, VERDICTS_SCHEMA};
pub use junit::Junit;
pub use outcome::{Judged, Outcome, Undecided, VerdictFormat, Verdicts};
pub use summary::Summary;

/// All forms of verdicts.
pub const VERDICT_FORMATS: &[&dyn VerdictFormat] = &[
    &Github,  //
    &Human,   //
    &Json,    //
    &Junit,   //
    &Summary, //
];
