//! Tests of every row of the table: stored cases, the contract of models and slots, and real models. A row
//! that was not compiled in is named on stderr; the suite covers the others.
#![expect(clippy::print_stderr, reason = "skipped parts and rows must be seen")]

mod assets;
mod conformance;
mod contract;
mod failures;
#[cfg(feature = "openvino")]
mod openvino;
mod providers;
mod references;
mod sharing;
mod support;
mod versions;
