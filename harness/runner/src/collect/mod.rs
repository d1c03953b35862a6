//! From the events of one run, of one worker or of several, to its record.

mod collector;
mod finish;
mod warnings;

pub use collector::Collector;
pub use finish::RunOutcome;
