//! The worker in a process of its own: what kills it does not kill the run.
//!
//! One document on standard input, a plan or a question; events on standard output, one a line, and
//! nothing else: what a library prints goes to standard error ([`claim_stdout`]). Whoever starts the
//! worker and stays sends the line `attended` after the document and keeps the pipe open as long as
//! it lives; when that pipe ends, the worker ends. Without that line (a plan redirected from a file)
//! the end of standard input means nothing.

mod isolate;
mod request;
mod serve;
mod stdio;

#[cfg(all(test, unix))]
mod tests;

pub use isolate::{Answer, WorkerCommand, ask, describe_exit, isolate};
pub use request::{Request, read_request};
pub use serve::serve;
pub use stdio::claim_stdout;
