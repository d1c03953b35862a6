//! What machine a number was obtained on.
//!
//! [`describe`] gives the record's `machine`; [`Sensors`] reads temperatures and clocks at the
//! start and the end of a run; [`peak_memory_bytes`] is the process's own high-water mark. Facts
//! come from files of Linux (`/proc`, `/sys`, `/etc`); where a file is missing, as on other
//! systems, the fact is missing, and nothing here fails. The parsers are functions over text.

mod board;
mod describe;
mod memory;
mod parse;
mod sensors;

pub use board::board_of;
pub use describe::{cores, describe};
pub use memory::{current_memory_bytes, peak_memory_bytes, reset_peak};
pub use sensors::{Reading, Sensors};
