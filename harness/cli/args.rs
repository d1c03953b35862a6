//! The command line.

use crate::commands::{
    backends::BackendsCommand, cache::CacheCommand, completions::CompletionsArgs,
    config::ConfigCommand, convert::ConvertArgs, datasets::DatasetsCommand, inspect::InspectArgs,
    models::ModelsCommand, quickstart::QuickstartArgs, records::RecordsCommand, report::ReportArgs,
    run::RunArgs, verify::VerifyArgs, worker::WorkerArgs,
};
use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// Measures what a vision model really delivers: accuracy and latency, with the evidence behind
/// both.
#[derive(Debug, Parser)]
#[command(name = "dyno", version = crate::version::text(), arg_required_else_help = true, propagate_version = false)]
#[command(
    after_help = "Exit codes: 0 ok, 1 a verdict failed, 2 usage, 3 cannot run here, 4 undecided or INVALID, 5 failed while running, 130 interrupted."
)]
pub(crate) struct Cli {
    /// Flags of every verb.
    #[command(flatten)]
    pub(crate) common: Common,
    /// The verb.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags of every verb.
#[derive(Debug, clap::Args)]
pub(crate) struct Common {
    /// Form of what goes to standard output: human, json, csv, markdown
    #[arg(long, global = true, default_value = "human")]
    pub(crate) format: String,
    /// Say nothing but errors on standard error
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Say more on standard error
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
    /// Folder with registered models (an ETA `manifest.json`, or packages as `publisher/name`); may
    /// be repeated
    #[arg(long = "models-dir", value_name = "DIR", global = true)]
    pub(crate) models_dirs: Vec<PathBuf>,
    /// Folder that runs are kept in
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) runs_dir: Option<PathBuf>,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Measure accuracy and latency of models
    Run(RunArgs),
    /// Compare what several engines make of the same inputs
    Verify(VerifyArgs),
    /// Convert a model to ONNX
    Convert(ConvertArgs),
    /// Show what a model file is made of and what it costs
    Inspect(InspectArgs),
    /// Registered models and packages
    #[command(subcommand)]
    Models(ModelsCommand),
    /// Render stored records
    Report(ReportArgs),
    /// Stored records
    #[command(subcommand)]
    Records(RecordsCommand),
    /// Data sets
    #[command(subcommand)]
    Datasets(DatasetsCommand),
    /// Known combinations of preprocessing, decoder and thresholds
    Recipes {
        /// Show this one whole
        name: Option<String>,
    },
    /// How outputs of models are read
    Decoders,
    /// Inference engines
    #[command(subcommand)]
    Backends(BackendsCommand),
    /// What this machine has: engines, libraries, devices
    Doctor,
    /// Measure two small models on generated pictures: no network, no library
    Quickstart(QuickstartArgs),
    /// Settings in force
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Cached hashes
    #[command(subcommand)]
    Cache(CacheCommand),
    /// Shell completions and the manual page
    Completions(CompletionsArgs),
    /// Run a plan or answer a question from standard input, write events to standard output
    #[command(hide = true)]
    Worker(WorkerArgs),
}
