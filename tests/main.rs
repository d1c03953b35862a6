//! The one integration-test binary: one link, modules inside.

mod architecture;
mod cli;
mod faults;
mod parity;
mod support;
