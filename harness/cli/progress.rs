//! Progress on a terminal, nothing elsewhere, and nothing while a query is timed.

use crate::say;
use dyno_core::Event;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{io::IsTerminal as _, sync::Once};

/// Shows the events of a run on standard error.
pub(crate) struct Progress {
    bar: ProgressBar,
    terminal: bool,
    quiet: bool,
    begun: Once,
}

impl Progress {
    /// A display for one run; `quiet` shows failures only. `NO_COLOR` is taken for the wish that
    /// nothing moves the cursor either (<https://no-color.org>).
    pub(crate) fn new(quiet: bool) -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
        let terminal = std::io::stderr().is_terminal() && !quiet && !plain;
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
        if let Ok(style) =
            ProgressStyle::with_template("{msg:12} [{bar:40}] {pos}/{len} {per_sec} {eta} left")
        {
            bar.set_style(style.progress_chars("=> "));
        }
        Self {
            bar,
            terminal,
            quiet,
            begun: Once::new(),
        }
    }

    /// Takes one event.
    pub(crate) fn on(&self, event: &Event) {
        match event {
            // A bar of nothing would be drawn full.
            Event::Progress { total: 0, .. } => {}
            Event::Progress { stage, done, total } => {
                if self.bar.message() != *stage {
                    self.bar.reset();
                    self.bar.set_message(stage.clone());
                }
                self.bar.set_length(*total);
                self.bar.set_position(*done);
                if self.terminal {
                    self.begun.call_once(|| {
                        self.bar
                            .set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
                    });
                }
            }
            Event::SampleFailed(failure) => self.line(&format!(
                "sample failed: `{}`: {}",
                failure.id, failure.error
            )),
            Event::Warned(warning) if !self.quiet => {
                self.line(&format!("warning: {}: {}", warning.code, warning.detail));
            }
            Event::Finished { .. } | Event::Died { .. } | Event::Failed { .. } => {
                self.bar.finish_and_clear();
            }
            _ => {}
        }
    }

    fn line(&self, text: &str) {
        self.bar.suspend(|| say::line(text));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
