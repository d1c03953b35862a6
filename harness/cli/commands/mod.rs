//! One file per verb.

pub(crate) mod backends;
pub(crate) mod cache;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod convert;
pub(crate) mod datasets;
pub(crate) mod decoders;
pub(crate) mod description;
pub(crate) mod doctor;
pub(crate) mod inspect;
pub(crate) mod models;
pub(crate) mod quickstart;
pub(crate) mod recipes;
pub(crate) mod records;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod runtimes;
pub(crate) mod verdicts;
pub(crate) mod verify;
pub(crate) mod worker;

use crate::{args::Command, context::Context};

/// Runs a verb and returns the exit code.
///
/// # Errors
/// When the verb fails; [`crate::exit::report`] knows the code.
pub(crate) fn run(command: Command, context: &Context) -> anyhow::Result<u8> {
    match command {
        Command::Run(args) => run::run(&args, context),
        Command::Models(command) => models::run(command, context),
        Command::Report(args) => report::run(&args, context),
        Command::Records(command) => records::run(command, context),
        Command::Datasets(command) => datasets::run(command, context),
        Command::Recipes { name } => recipes::run(name.as_deref(), context),
        Command::Decoders => decoders::run(context),
        Command::Backends(command) => backends::run(&command, context),
        Command::Doctor => doctor::run(context),
        Command::Quickstart(args) => quickstart::run(&args, context),
        Command::Config(command) => config::run(&command, context),
        Command::Cache(command) => cache::run(&command, context),
        Command::Completions(args) => completions::run(&args),
        Command::Convert(args) => convert::run(&args, context),
        Command::Inspect(args) => inspect::run(&args, context),
        Command::Verify(args) => verify::run(&args, context),
        Command::Worker(args) => worker::run(&args),
    }
}
