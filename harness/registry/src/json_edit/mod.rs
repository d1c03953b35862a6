//! Edits of JSON text that change the bytes of the edited value and nothing else.
//!
//! Vendors' manifests are read by vendors' tools and kept under version control: unknown keys,
//! order, white space, spelling of numbers, a byte order mark and CRLF survive. The text is parsed
//! into spans (RFC 8259, strict, duplicate keys refused), an edit splices the text, and the result
//! is parsed again.

mod document;
mod parse;
mod print;

#[cfg(test)]
mod tests;

pub use document::{Document, Path};
pub use parse::{JsonError, Kind, MAX_DEPTH, Member, Node};
pub use print::Json;
