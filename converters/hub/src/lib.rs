//! Converters between frameworks, with ONNX as the hub.
//!
//! Importers build a [`graph::Graph`], which mirrors ONNX: its operators, attributes and names.
//! Passes simplify it without changing its outputs, and it is written as one ONNX file that every
//! ONNX engine runs. An operator that cannot be expressed exactly is an error that names every
//! such operator of the model; a silently different result is the one thing that may not happen.
//!
//! [`IMPORTERS`] is the table: one folder and one row a framework.

mod check;
mod compare;
mod error;
mod eval;
pub mod graph;
pub mod import;
mod infer;
pub mod inspect;
pub mod onnx;
pub mod passes;

pub use compare::first_difference;
pub use error::HubError;
pub use import::IMPORTERS;
