//! `null`: an engine that computes nothing, for measuring everything around an engine and for
//! testing failures.

mod backend;
mod engine;
mod settings;

pub use backend::Null;
