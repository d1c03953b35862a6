//! `dyno models show`.

use super::output::resolve_options;
use crate::{args::Format, context::Context, output};
use dyno_core::ModelContent;
use dyno_registry::{locate, resolve_listed};
use serde_json::json;
use std::fmt::Write as _;

/// Arguments of `models show`.
#[derive(Debug, clap::Args)]
pub(crate) struct ShowArgs {
    /// Name, package folder, manifest (`manifest.json#name`) or model file
    model: String,
    /// Framework of an ambiguous file
    #[arg(long)]
    framework: Option<dyno_core::Framework>,
}

/// Shows a model as one JSON object, or as lines for people.
pub(super) fn run(args: &ShowArgs, context: &Context) -> anyhow::Result<u8> {
    let options = dyno_registry::ResolveOptions {
        framework: args.framework,
        ..resolve_options()
    };
    let listed = locate(&args.model, &context.search_path, &options)?;
    let shown = match &listed.location {
        dyno_registry::Location::Package { folder } => {
            dyno_evidence::EvidenceStore::for_folder(folder).shown()?
        }
        dyno_registry::Location::Entry { models_dir, .. } => {
            dyno_evidence::EvidenceStore::for_entry(models_dir, &listed.name()).shown()?
        }
        dyno_registry::Location::Bare { .. } => std::collections::BTreeMap::new(),
    };
    let resolved = resolve_listed(listed.clone(), &options);
    let mut value = json!({
        "name": listed.name(),
        "manifest_path": listed.location.manifest_path(),
        "manifest": listed.manifest,
        "shown": shown,
    });
    if let Ok(model) = &resolved {
        let files: Vec<_> = model
            .files
            .iter()
            .filter_map(|f| {
                if let ModelContent::Path(path) = &f.content {
                    Some(json!({"role": f.role, "path": path}))
                } else {
                    None
                }
            })
            .collect();
        value["model"] = json!({
            "framework": model.framework,
            "purpose": model.purpose,
            "files": files,
            "spec": model.spec,
            "labels": model.labels.as_ref().map(|(source, map)| json!({"source": source, "count": map.len()})),
            "writable": model.writable,
        });
    }
    if context.format == Format::Json {
        output::write(&(serde_json::to_string_pretty(&value)? + "\n"), None)?;
    } else {
        let mut text = String::new();
        writeln!(text, "{}  ({})", listed.name(), listed.location.describe())?;
        if let Ok(model) = &resolved {
            writeln!(text, "framework  {}", model.framework)?;
            if let Some(purpose) = model.purpose {
                writeln!(text, "purpose    {purpose:?}")?;
            }
            for file in &model.files {
                if let ModelContent::Path(path) = &file.content {
                    writeln!(text, "file       {:?}: {}", file.role, path.display())?;
                }
            }
            if let Some((source, map)) = &model.labels {
                writeln!(text, "labels     {source}, {} classes", map.len())?;
            }
            for input in &model.spec.inputs {
                for step in &input.preprocess {
                    writeln!(text, "preprocess {}", serde_json::to_string(step)?)?;
                }
            }
            if let Some(decoder) = &model.spec.decoder {
                writeln!(text, "decoder    {}", serde_json::to_string(decoder)?)?;
            }
            for reference in &model.spec.reference {
                writeln!(text, "reference  {}", serde_json::to_string(reference)?)?;
            }
        }
        for field in [
            dyno_registry::ACCURACY,
            dyno_registry::TOP_1,
            dyno_registry::TOP_5,
            dyno_registry::INFERENCE_TIME,
        ] {
            if let Some(value) = listed
                .manifest
                .get(field)
                .filter(|v| !v.is_null() && v.as_str() != Some("") && v.as_f64() != Some(0.0))
            {
                let evidence = shown
                    .get(field)
                    .map_or_else(|| "no evidence".to_owned(), |r| format!("evidence {r}"));
                writeln!(text, "{field}  {value}  ({evidence})")?;
            }
        }
        output::write(&text, None)?;
    }
    if let Err(e) = resolved {
        context.say(&format!("warning: the model cannot be run as it is: {e}"));
    }
    Ok(0)
}
