//! The same inputs on several engines: how far their outputs, their answers and their scores lie
//! apart, and which engine is the odd one out.

mod agreement;
mod candidate;
mod compare;
mod run;
#[cfg(test)]
mod tests;

pub use agreement::{
    Agreement, OutputDifference, PairAgreement, ScoreDifference, Tolerance, Verified,
};
pub use run::verify;
