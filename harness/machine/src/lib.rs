//! What machine a number was obtained on, and what went on there meanwhile.
//!
//! [`describe`] gives the record's `machine`; [`Sensors`] reads temperatures and power at the start
//! and the end of a measurement; [`Snapshot`] reads the counters whose differences say who else
//! used the processors while time was taken; [`Detected`] tells a person what the machine is and has;
//! [`peak_memory_bytes`] is the process's own high-water
//! mark. Facts come from files of Linux (`/proc`, `/sys`, `/etc`); where a file is missing, as on
//! other systems, the fact is missing, and nothing here fails. The parsers are functions over text.

mod board;
mod counters;
mod describe;
mod detect;
mod disturbance;
mod memory;
mod parse;
mod sensors;

pub use board::board_of;
pub use describe::{cores, describe};
pub use detect::{Accelerator, AcceleratorKind, Container, Detected, Gpu, Host, Load, Processor};
pub use disturbance::{Snapshot, Watched};
pub use memory::{current_memory_bytes, peak_memory_bytes, reset_peak};
pub use sensors::Sensors;
