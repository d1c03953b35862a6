//! Run-time libraries that dyno can install for its engines, and where it keeps them.
//!
//! A runtime comes as the vendor's own wheel. Only its shared libraries and licences are unpacked,
//! each held against the wheel's list of hashes; nothing of a wheel is ever run. What is installed
//! lies in `<data folder>/engines/<name>-<version>/` and is found by the engines from then on:
//! after a file that the user names, before the packages of a Python.

mod error;
mod place;
mod table;
mod wheel;

pub use error::RuntimeError;
pub use place::{Engines, Installed};
pub use table::{RUNTIMES, Runtime};
pub use wheel::{Unpacked, sha256_of, unpack};

#[cfg(test)]
mod tests;
