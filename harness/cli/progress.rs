//! Progress on a terminal, nothing elsewhere, and nothing while a query is timed.

use dyno_core::Event;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal as _;

/// Shows the events of a run on standard error.
pub(crate) struct Progress {
    bar: ProgressBar,
    quiet: bool,
}

impl Progress {
    /// A display for one run; `quiet` shows failures only.
    pub(crate) fn new(quiet: bool) -> Self {
        let terminal = std::io::stderr().is_terminal() && !quiet;
        let target = if terminal {
            ProgressDrawTarget::stderr_with_hz(10)
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        if let Ok(style) =
            ProgressStyle::with_template("{msg:12} [{bar:40}] {pos}/{len} {per_sec} {eta} left")
        {
            bar.set_style(style.progress_chars("=> "));
        }
        Self { bar, quiet }
    }

    /// Takes one event.
    pub(crate) fn on(&self, event: &Event) {
        match event {
            Event::Progress { stage, done, total } => {
                if self.bar.message() != *stage {
                    self.bar.reset();
                    self.bar.set_message(stage.clone());
                }
                self.bar.set_length(*total);
                self.bar.set_position(*done);
            }
            Event::SampleFailed(failure) => self.line(&format!(
                "sample failed: `{}`: {}",
                failure.id, failure.error
            )),
            Event::Warned(warning) if !self.quiet => {
                self.line(&format!("warning: {}: {}", warning.code, warning.detail))
            }
            Event::Finished { .. } | Event::Died { .. } | Event::Failed { .. } => {
                self.bar.finish_and_clear()
            }
            _ => {}
        }
    }

    fn line(&self, text: &str) {
        self.bar.suspend(|| eprintln!("{text}"));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
