//! `dyno models show`.

use super::output::resolve_options;
use crate::{context::Context, exit, output, say};
use dyno_core::{ModelContent, ModelFile};
use dyno_evidence::{EvidenceStore, RecordRef};
use dyno_registry::{
    ACCURACY, INFERENCE_TIME, ListedModel, Location, ResolveOptions, ResolvedModel, TOP_1, TOP_5,
    locate, resolve_listed,
};
use dyno_reports::{
    table::Listing,
    terminal::{clean, clean_json},
};
use serde::Serialize;
use serde_json::{Value, json};
use std::{collections::BTreeMap, path::Path};

/// Arguments of `models show`.
#[derive(Debug, clap::Args)]
pub(crate) struct ShowArgs {
    /// Name, package folder, manifest (`manifest.json#name`) or model file
    model: String,
    /// Framework of an ambiguous file
    #[arg(long)]
    framework: Option<dyno_core::Framework>,
}

/// Which measurement each field shows.
type Shown = BTreeMap<String, RecordRef>;

/// Shows a model as one JSON object, or as lines for people.
pub(super) fn run(args: &ShowArgs, context: &Context) -> anyhow::Result<u8> {
    let options = ResolveOptions {
        framework: args.framework,
        ..resolve_options()
    };
    let listed = locate(&args.model, &context.search_path, &options)?;
    let shown = match &listed.location {
        Location::Package { folder } => EvidenceStore::for_folder(folder).shown()?,
        Location::Entry { models_dir, .. } => {
            EvidenceStore::for_entry(models_dir, &listed.name()).shown()?
        }
        Location::Bare { .. } => Shown::new(),
    };
    let resolved = resolve_listed(listed.clone(), &options);
    let text = if context.listing()? == Listing::Json {
        let value = object(&listed, &shown, resolved.as_ref().ok());
        clean_json(&serde_json::to_string_pretty(&value)?).into_owned() + "\n"
    } else {
        lines(&listed, &shown, resolved.as_ref().ok())
    };
    output::write(text.as_bytes(), None)?;
    if let Err(e) = resolved {
        say::warning(&format!("the model cannot be run as it is: {e}"));
    }
    Ok(exit::OK)
}

fn path(file: &ModelFile) -> Option<&Path> {
    match &file.content {
        ModelContent::Path(path) => Some(path),
        ModelContent::Bytes(_) => None,
    }
}

fn object(listed: &ListedModel, shown: &Shown, model: Option<&ResolvedModel>) -> Value {
    let mut value = json!({
        "name": listed.name(),
        "manifest_path": listed.location.manifest_path(),
        "manifest": listed.manifest,
        "shown": shown,
    });
    if let Some(model) = model {
        let files = model
            .files
            .iter()
            .filter_map(|f| Some(json!({"role": f.role, "path": path(f)?})));
        let files: Vec<Value> = files.collect();
        value["model"] = json!({
            "framework": model.framework,
            "purpose": model.purpose,
            "files": files,
            "spec": model.spec,
            "labels": model.labels.as_ref().map(|(source, map)| json!({"source": source, "count": map.len()})),
            "writable": model.writable,
        });
    }
    value
}

fn text<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn lines(listed: &ListedModel, shown: &Shown, model: Option<&ResolvedModel>) -> String {
    let mut out = String::new();
    let mut line = |what: &str, value: &str| {
        out.push_str(&clean(format!("{what:10} {value}").trim_end()));
        out.push('\n');
    };
    line(
        "model",
        &format!("{} ({})", listed.name(), listed.location.describe()),
    );
    if let Some(model) = model {
        line("framework", model.framework.name());
        if let Some(purpose) = model.purpose {
            line("purpose", &format!("{purpose:?}"));
        }
        for file in &model.files {
            if let Some(path) = path(file) {
                line("file", &format!("{:?}: {}", file.role, path.display()));
            }
        }
        if let Some((source, map)) = &model.labels {
            line("labels", &format!("{source}, {} classes", map.len()));
        }
        for step in model.spec.inputs.iter().flat_map(|i| &i.preprocess) {
            line("preprocess", &text(step));
        }
        if let Some(decoder) = &model.spec.decoder {
            line("decoder", &text(decoder));
        }
        for reference in &model.spec.reference {
            line("reference", &text(reference));
        }
    }
    for field in [ACCURACY, TOP_1, TOP_5, INFERENCE_TIME] {
        let value = listed.manifest.get(field);
        let blank = |v: &&Value| v.is_null() || v.as_str() == Some("") || v.as_f64() == Some(0.0);
        if let Some(value) = value.filter(|v| !blank(v)) {
            let evidence = shown
                .get(field)
                .map_or_else(|| "no evidence".to_owned(), |r| format!("evidence {r}"));
            line(field, &format!("{value}  ({evidence})"));
        }
    }
    out
}
