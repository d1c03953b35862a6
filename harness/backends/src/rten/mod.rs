//! `rten`: the second built-in engine, in pure Rust (crate `rten`).

mod backend;
mod defaults;
mod engine;

pub use backend::Rten;
