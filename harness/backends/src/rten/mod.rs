//! `rten`: the second built-in engine, in pure Rust (crate `rten`).

mod backend;
mod defaults;
mod model;
mod slot;

pub use backend::Rten;
