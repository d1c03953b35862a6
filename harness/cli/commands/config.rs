//! `dyno config`.

use crate::{context::Context, output::listing};
use clap::Subcommand;

/// Settings in force.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Show every setting, its value and where it comes from
    Show,
}

/// Runs the verb.
///
/// # Errors
/// When standard output cannot be written.
pub(crate) fn run(command: &ConfigCommand, context: &Context) -> anyhow::Result<u8> {
    match command {
        ConfigCommand::Show => {
            let s = &context.settings;
            let dirs = s
                .models_dirs
                .value
                .iter()
                .map(|d| d.display().to_string())
                .collect::<Vec<_>>()
                .join(":");
            let row = |key: &str, value: String, source: &str| {
                vec![key.to_owned(), value, source.to_owned()]
            };
            let mut rows = vec![
                row("models_dirs", dirs, &s.models_dirs.source),
                row("backend", s.backend.value.clone(), &s.backend.source),
                row(
                    "runs_dir",
                    s.runs_dir.value.display().to_string(),
                    &s.runs_dir.source,
                ),
                row(
                    "cache_dir",
                    s.cache_dir.value.display().to_string(),
                    &s.cache_dir.source,
                ),
            ];
            for file in &s.files {
                rows.push(row("(file)", file.display().to_string(), "read"));
            }
            listing(context.format, &["setting", "value", "source"], &rows)
        }
    }
}
