//! Ctrl-C: the first asks the run to end with what it has, the second ends the process.

use crate::{exit, say};
use std::sync::atomic::{AtomicBool, Ordering};

static STOP: AtomicBool = AtomicBool::new(false);

/// Installs the handler and returns the flag that it sets.
pub(crate) fn install() -> &'static AtomicBool {
    let handler = || {
        if STOP.swap(true, Ordering::Relaxed) {
            // What is on disk is whole: every write is atomic, and a run is taken up with --resume.
            end(exit::INTERRUPTED);
        }
        say::line("interrupted: finishing what is in hand; again to end at once");
    };
    // A second installation in one process (several models) finds the first in place, which is what
    // is wanted.
    let _ = ctrlc::set_handler(handler);
    &STOP
}

/// Ends the process at once.
pub(crate) fn end(code: u8) {
    #[expect(
        clippy::exit,
        reason = "nothing else ends a process whose engine does not return, or whose user asks twice"
    )]
    std::process::exit(i32::from(code));
}
