//! `null`: an engine that computes nothing, for measuring everything around an engine and for
//! testing failures.

mod backend;
mod model;
mod settings;
mod slot;

pub use backend::Null;
