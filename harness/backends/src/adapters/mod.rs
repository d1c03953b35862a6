//! Sessions made of synchronous engines.

mod inline;
mod threaded;

#[cfg(test)]
mod tests;

pub use inline::inline;
pub use threaded::threaded;
