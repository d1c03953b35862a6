//! The one integration-test binary: one link, modules inside.
#![expect(clippy::print_stderr, reason = "skipped tests say so")]

mod architecture;
mod cli;
mod faults;
mod parity;
mod support;
