//! Darknet: a text of sections (`.cfg`) and a file of weights without names (`.weights`).
//!
//! Sources: the forks of pjreddie and AlexeyAB (`parser.c`, `option_list.c`), whose readers agree
//! but for the width of `seen` in files of old versions.

mod cfg;
#[cfg(test)]
mod tests;
mod weights;

pub use cfg::{Cfg, MAX_CFG_BYTES, MAX_SECTIONS, Section, Setting};
pub use weights::{Header, MAX_WEIGHTS_BYTES, Part, Weights};
