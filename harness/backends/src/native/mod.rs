//! Native libraries of engines that are opened at run time: where they may lie, and whether a file
//! may be opened at all.

pub(crate) mod elf;
pub(crate) mod installed;
pub(crate) mod search;
