//! Ctrl-C: the first asks the run to end with what it has, the second ends the process.

use std::sync::atomic::{AtomicBool, Ordering};

static STOP: AtomicBool = AtomicBool::new(false);

/// Installs the handler and returns the flag that it sets.
pub(crate) fn install() -> &'static AtomicBool {
    let handler = || {
        if STOP.swap(true, Ordering::Relaxed) {
            // What is on disk is whole: every write is atomic, and a run is taken up with --resume.
            #[expect(clippy::exit, reason = "the second Ctrl-C asks for exactly this")]
            std::process::exit(i32::from(crate::exit::INTERRUPTED));
        }
        eprintln!("interrupted: finishing what is in hand; again to end at once");
    };
    // A second installation in one process (several models) finds the first in place, which is what
    // is wanted.
    let _ = ctrlc::set_handler(handler);
    &STOP
}
