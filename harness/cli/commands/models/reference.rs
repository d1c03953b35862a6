//! `dyno models reference set`.

use super::output::{resolve_options, written};
use crate::{context::Context, exit};
use dyno_core::Reference;
use dyno_registry::{locate, reference_set};

/// Verbs of `dyno models reference`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum ReferenceCommand {
    /// Set the value that a metric is known to reach on a sample set
    Set(SetArgs),
}

/// Arguments of `models reference set`.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("tolerance").required(true).multiple(true).args(["abs", "rel"])))]
pub(crate) struct SetArgs {
    /// Name or package
    model: String,
    /// Metric: AP, top-1, …
    metric: String,
    /// The value, 0 to 1
    value: f64,
    /// Id of the sample set
    #[arg(long, value_name = "ID")]
    sample_set: String,
    /// Greatest absolute difference
    #[arg(long, value_name = "SHARE")]
    abs: Option<f64>,
    /// Greatest difference relative to the value
    #[arg(long, value_name = "SHARE")]
    rel: Option<f64>,
    /// Where the value comes from: a paper, a model card, another program
    #[arg(long, value_name = "TEXT")]
    source: Option<String>,
}

/// Writes the reference; prints the file.
pub(super) fn run(command: ReferenceCommand, context: &Context) -> anyhow::Result<u8> {
    let ReferenceCommand::Set(args) = command;
    let model = locate(&args.model, &context.search_path, &resolve_options())?;
    let reference = Reference {
        metric: args.metric,
        value: args.value,
        sample_set: args.sample_set,
        abs: args.abs,
        rel: args.rel,
        source: args.source,
    };
    let file = reference_set(&model.location, &reference)?;
    written(context, &[file])?;
    Ok(exit::OK)
}
