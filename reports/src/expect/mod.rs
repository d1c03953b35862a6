//! Expectations such as `AP>=0.295`, `p90<=12ms` or `samples/s>=100`: read from the command line,
//! checked before a run against the names that it will have, and judged on its record.
//!
//! `[SCENARIO:]NAME OPERATOR NUMBER[UNIT]` with `<`, `<=`, `>`, `>=`. Names are the scores of the
//! record, those of one class (`AP/person`), and the quantities of performance, called as the report
//! prints them. A unit that does not belong to the name is refused when the expectation is read.
//! Without a scenario, `throughput` means offline and everything else single-stream, where the
//! record has such; of several measurements that fit, the one that meets the expectation least
//! counts.
//!
//! Nothing is decided by a number that is refused, that stands in an INVALID measurement, or that
//! rests on the samples that survived.

mod available;
mod judge;
mod quantity;
mod syntax;

pub use available::{Available, ScoreNames};
pub use judge::{Judgement, Measured, Verdict};
pub use syntax::{ExpectError, Expectation, Operator};
