//! `dyno config`.

use crate::{context::Context, exit};
use clap::Subcommand;
use dyno_reports::table::{Column, Table};

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
    let ConfigCommand::Show = command;
    let s = &context.settings;
    let mut table = Table::new(["setting", "value", "source"].map(Column::text));
    let dirs = s.models_dirs.value.iter().map(|d| d.display().to_string());
    let dirs: Vec<String> = dirs.collect();
    table.push(["models_dirs", &dirs.join(":"), &s.models_dirs.source]);
    match &s.backend {
        Some(backend) => table.push(["backend", &backend.value, &backend.source]),
        None => table.push(["backend", "the first that reads the model", "default"]),
    }
    for (name, setting) in [("runs_dir", &s.runs_dir), ("cache_dir", &s.cache_dir)] {
        let value = setting.value.display().to_string();
        table.push([name, &value, &setting.source]);
    }
    for file in &s.files {
        table.push(["(file)", &file.display().to_string(), "read"]);
    }
    context.list(&table)?;
    Ok(exit::OK)
}
