//! `dyno models promote`.

use super::output::{changes, resolve_options};
use crate::{commands::records, context::Context, exit};
use dyno_registry::{ResolvedModel, promote, resolve};

/// Arguments of `models promote`.
#[derive(Debug, clap::Args)]
pub(crate) struct PromoteArgs {
    /// Record: path, prefix of its id, or `latest`; `#n` for one measurement of it
    record: String,
    /// The model; default: the one that the record names
    #[arg(long)]
    model: Option<String>,
    /// Framework of an ambiguous file
    #[arg(long)]
    framework: Option<dyno_core::Framework>,
}

/// Shows the record in the fields whatever they showed before.
pub(super) fn run(args: &PromoteArgs, context: &Context) -> anyhow::Result<u8> {
    let (name, only) =
        match args.record.rsplit_once('#') {
            Some((name, n)) => (
                name,
                Some(n.parse::<usize>().map_err(|_| {
                    exit::usage(format!("not the number of a measurement: `{n}`"), "")
                })?),
            ),
            None => (args.record.as_str(), None),
        };
    let options = dyno_registry::ResolveOptions {
        framework: args.framework,
        ..resolve_options()
    };
    let named = args
        .model
        .as_deref()
        .map(|m| resolve(m, &context.search_path, &options))
        .transpose()?;
    // A package that is named by its path need not be on the search path: its own evidence comes
    // first.
    let own = named
        .as_ref()
        .and_then(ResolvedModel::evidence)
        .and_then(|store| store.get(name).ok());
    let (folder, record) = match own {
        Some(record) => (None, record),
        None => records::find(name, context)?,
    };
    let model = match named {
        Some(model) => model,
        None => match record.subjects.as_slice() {
            [one] => resolve(&one.reference, &context.search_path, &options)?,
            _ => {
                return Err(exit::usage(
                    format!("record {} has several models", record.short_id()),
                    "name the one with --model",
                ));
            }
        },
    };
    let done = promote(&model, &record, only, folder.as_ref())?;
    changes(context, &done)?;
    Ok(exit::OK)
}
