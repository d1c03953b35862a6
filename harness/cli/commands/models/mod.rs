//! `dyno models …`: what the search path holds, packages, evidence, references.

mod check;
mod configure;
mod list;
mod output;
mod promote;
mod reference;
mod register;
mod show;

use crate::context::Context;

/// Verbs of `dyno models`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum ModelsCommand {
    /// List the models of the search path
    List(list::ListArgs),
    /// Show a model: files, preprocessing, fields and their evidence
    Show(show::ShowArgs),
    /// Make or change a model package (`alwaysai.model.json` and `dyno.json`)
    Configure(Box<configure::ConfigureArgs>),
    /// Let the fields of a manifest show a record, or one measurement of it
    Promote(promote::PromoteArgs),
    /// Check that the fields of manifests still tell the truth
    Check(check::CheckArgs),
    /// Set a value that a model is known to reach
    #[command(subcommand)]
    Reference(reference::ReferenceCommand),
    /// Add an entry to an ETA manifest
    Register(register::RegisterArgs),
}

/// Runs a verb; returns the exit code.
///
/// # Errors
/// Whatever the verb cannot do.
pub(crate) fn run(command: ModelsCommand, context: &Context) -> anyhow::Result<u8> {
    match command {
        ModelsCommand::List(args) => list::run(&args, context),
        ModelsCommand::Show(args) => show::run(&args, context),
        ModelsCommand::Configure(args) => configure::run(*args, context),
        ModelsCommand::Promote(args) => promote::run(&args, context),
        ModelsCommand::Check(args) => check::run(&args, context),
        ModelsCommand::Reference(command) => reference::run(command, context),
        ModelsCommand::Register(args) => register::run(args, context),
    }
}
