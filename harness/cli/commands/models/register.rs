//! `dyno models register`.

use super::output::{purpose, written};
use crate::{context::Context, exit, tables::TABLES};
use anyhow::Context as _;
use dyno_core::{DecoderOverlay, Framework, ModelSpec, Purpose};
use dyno_registry::{RegisterOptions, register, split_version};

/// Arguments of `models register`.
#[derive(Debug, clap::Args)]
pub(crate) struct RegisterArgs {
    /// `name` or `name@version`
    name: String,
    /// The model's file, relative to the models folder and there already
    file: String,
    /// A sentence
    #[arg(long)]
    description: Option<String>,
    /// Licence
    #[arg(long)]
    license: Option<String>,
    /// Tags
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// manifest.dyno.json: framework
    #[arg(long)]
    framework: Option<Framework>,
    /// manifest.dyno.json: what the model is for
    #[arg(long, value_parser = purpose)]
    purpose: Option<Purpose>,
    /// manifest.dyno.json: recipe
    #[arg(long, value_name = "NAME")]
    recipe: Option<String>,
    /// manifest.dyno.json: row of the decoder table
    #[arg(long, value_name = "NAME")]
    decoder: Option<String>,
    /// manifest.dyno.json: label file beside the manifest, or a well-known list
    #[arg(long, value_name = "FILE|LIST")]
    labels: Option<String>,
}

/// Adds the entry to the first folder of the search path (`--models-dir`); prints the files that
/// were written.
pub(super) fn run(args: RegisterArgs, context: &Context) -> anyhow::Result<u8> {
    args.recipe
        .as_deref()
        .map(|r| TABLES.recipe(r))
        .transpose()?;
    args.decoder
        .as_deref()
        .map(|d| TABLES.decoder(d))
        .transpose()?;
    let dir =
        context.search_path.dirs.first().context(
            "the search path is empty: name the folder of the manifest with --models-dir",
        )?;
    let (name, version) = split_version(&args.name);
    let spec = ModelSpec {
        framework: args.framework,
        purpose: args.purpose,
        recipe: args.recipe,
        decoder: args.decoder.map(|kind| DecoderOverlay {
            kind: Some(kind),
            ..DecoderOverlay::default()
        }),
        labels: args.labels,
        ..ModelSpec::default()
    };
    let options = RegisterOptions {
        name: name.to_owned(),
        version: version.map(str::to_owned),
        file: args.file,
        description: args.description,
        license: args.license,
        tags: args.tags,
        spec,
    };
    written(context, &register(dir, &options, jiff::Timestamp::now())?)?;
    Ok(exit::OK)
}
