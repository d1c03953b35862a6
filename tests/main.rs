//! The one integration-test binary: one link, modules inside.

mod architecture;
mod cheats;
mod cli;
mod faults;
mod parity;
mod support;
