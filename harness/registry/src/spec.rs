//! `dyno.json` of a package and `manifest.dyno.json` of a registry folder, and how they meet the
//! vendor's manifest.

use crate::{
    RegistryError,
    alwaysai::AlwaysAiManifest,
    files::read_document,
    json_edit::{Document, Json, Path as JsonPath},
    translate,
};
use dyno_core::{InputSpec, Layout, MODEL_SCHEMA, ModelSpec, unknown_keys};
use std::path::Path;

/// Name of the file in a package.
pub const DYNO_JSON: &str = "dyno.json";
/// Name of the file in a registry folder: `{"name@version": {…}}`.
pub const DYNO_MANIFEST: &str = "manifest.dyno.json";

fn parse(path: &Path, text: &str, base_line: usize) -> Result<ModelSpec, RegistryError> {
    let located = |e: serde_json::Error| {
        RegistryError::invalid(
            path,
            if base_line > 1 {
                format!("{e} (counted from line {base_line})")
            } else {
                e.to_string()
            },
        )
    };
    let spec: ModelSpec = serde_json::from_str(text).map_err(located)?;
    if spec.schema != MODEL_SCHEMA {
        return Err(RegistryError::invalid(
            path,
            format!("`schema` is `{}`, not `{MODEL_SCHEMA}`", spec.schema),
        ));
    }
    let given = serde_json::from_str(text).map_err(located)?;
    let read = serde_json::to_value(&spec).map_err(located)?;
    // A misspelt key would be taken for silence.
    let problems: Vec<String> = unknown_keys(&given, &read)
        .into_iter()
        .map(|key| format!("unknown key `{key}`"))
        .collect();
    if problems.is_empty() {
        Ok(spec)
    } else {
        Err(RegistryError::Invalid {
            path: path.to_owned(),
            problems,
        })
    }
}

/// The package's `dyno.json`; `None` when there is none.
pub(crate) fn read_package_spec(folder: &Path) -> Result<Option<ModelSpec>, RegistryError> {
    let path = folder.join(DYNO_JSON);
    if !path.exists() {
        return Ok(None);
    }
    let document = read_document(&path)?;
    parse(&path, document.raw(document.root()), 1).map(Some)
}

/// What a registry folder's `manifest.dyno.json` says about one entry.
pub(crate) fn read_entry_spec(
    models_dir: &Path,
    entry: &str,
) -> Result<Option<ModelSpec>, RegistryError> {
    let path = models_dir.join(DYNO_MANIFEST);
    if !path.exists() {
        return Ok(None);
    }
    let document = read_document(&path)?;
    let Some(node) = document.get(&[JsonPath::Key(entry)]) else {
        return Ok(None);
    };
    parse(&path, document.raw(node), document.position(node.start).0).map(Some)
}

/// The merged description of a package, or every point at which its two files contradict each
/// other.
pub(crate) fn merge(
    manifest: &AlwaysAiManifest,
    own: Option<ModelSpec>,
) -> Result<ModelSpec, Vec<String>> {
    let mut spec = own.unwrap_or_default();
    let mut problems = Vec::new();
    let mut differ = |key: &str, manifest: &str, own: &str| {
        problems.push(format!(
            "`{key}` is `{manifest}` in {} and `{own}` in {DYNO_JSON}",
            crate::ALWAYSAI_MANIFEST
        ));
    };
    match spec.framework {
        Some(own) if own != manifest.framework => {
            differ("framework", manifest.framework.name(), own.name());
        }
        _ => spec.framework = Some(manifest.framework),
    }
    match (spec.purpose, manifest.purpose) {
        (Some(own), Some(theirs)) if own != theirs => {
            differ("purpose", &format!("{theirs:?}"), &format!("{own:?}"));
        }
        (None, theirs) => spec.purpose = theirs,
        _ => {}
    }
    if spec.outputs.is_empty() {
        spec.outputs.clone_from(&manifest.output_layer_names);
    } else if !manifest.output_layer_names.is_empty() && manifest.output_layer_names != spec.outputs
    {
        differ(
            "outputs",
            &manifest.output_layer_names.join(", "),
            &spec.outputs.join(", "),
        );
    }
    match (&spec.labels, &manifest.label_file) {
        (Some(own), Some(theirs)) if own != theirs => differ("labels", theirs, own),
        (None, theirs) => spec.labels.clone_from(theirs),
        _ => {}
    }
    let translated = translate::decoder(
        manifest.purpose,
        manifest.architecture.as_deref(),
        manifest.softmax,
    );
    match (&mut spec.decoder, translated) {
        (Some(own), Some(theirs)) => {
            if let Some(kind) = own.kind.as_ref().filter(|kind| **kind != theirs.kind) {
                differ("decoder", &theirs.kind, kind);
            } else if let (Some(theirs), Some(own)) = (
                manifest.softmax,
                own.parameters
                    .get("softmax")
                    .and_then(serde_json::Value::as_bool),
            ) && theirs != own
            {
                differ("softmax", &theirs.to_string(), &own.to_string());
            }
            // Where a recipe is named, what is silent here is the recipe's to say.
            if spec.recipe.is_none() {
                own.kind.get_or_insert(theirs.kind);
                if own.parameters.is_null() {
                    own.parameters = theirs.parameters;
                }
            }
        }
        (None, theirs) if spec.recipe.is_none() => spec.decoder = theirs.map(Into::into),
        _ => {}
    }
    let blob = &manifest.blob;
    match spec.inputs.first_mut() {
        Some(input) if !input.preprocess.is_empty() => {
            problems.extend(blob.conflicts(&input.preprocess));
        }
        // A named recipe fills in; the caller compares its steps with the manifest's keys.
        _ if spec.recipe.is_some() => {}
        Some(input) => input.preprocess = blob.steps().unwrap_or_default(),
        None => {
            if let Some(preprocess) = blob.steps() {
                spec.inputs.push(InputSpec {
                    name: None,
                    dtype: None,
                    layout: Layout::default(),
                    shape: None,
                    preprocess,
                });
            }
        }
    }
    if problems.is_empty() {
        Ok(spec)
    } else {
        Err(problems)
    }
}

/// A specification as ordered JSON: `schema` first, then in the order of the type.
pub(crate) fn spec_json(spec: &ModelSpec) -> Json {
    let value = serde_json::to_value(spec).unwrap_or_default();
    let order = [
        "schema",
        "framework",
        "purpose",
        "recipe",
        "origin",
        "inputs",
        "outputs",
        "decoder",
        "labels",
        "colors_order",
        "reference",
    ];
    let members = order
        .iter()
        .filter_map(|k| {
            value
                .get(*k)
                .map(|v| ((*k).to_owned(), Json::from_value(v.clone())))
        })
        .collect();
    Json::Object(members)
}

/// Opens the text that holds a specification, making it if it is missing; the second value is the
/// path to the object in it.
pub(crate) fn open_spec<'e>(
    file: &Path,
    entry: Option<&'e str>,
) -> Result<(Document, Vec<JsonPath<'e>>), RegistryError> {
    let empty = Json::Object(vec![("schema".to_owned(), Json::of(MODEL_SCHEMA))]);
    let path: Vec<JsonPath<'e>> = entry.map(JsonPath::Key).into_iter().collect();
    let mut document = match (file.exists(), entry) {
        (true, _) => read_document(file)?,
        (false, None) => Document::new(&empty).map_err(RegistryError::json(file))?,
        (false, Some(_)) => {
            Document::new(&Json::Object(vec![])).map_err(RegistryError::json(file))?
        }
    };
    if let Some(entry) = entry
        && document.get(&path).is_none()
    {
        document
            .set(&[], entry, &empty)
            .map_err(RegistryError::json(file))?;
    }
    Ok((document, path))
}

/// Refuses a text in which an edit would leave something that does not read back.
pub(crate) fn check_spec(
    file: &Path,
    document: &Document,
    path: &[JsonPath<'_>],
) -> Result<ModelSpec, RegistryError> {
    let node = document
        .get(path)
        .ok_or_else(|| RegistryError::invalid(file, "the model is missing"))?;
    parse(file, document.raw(node), document.position(node.start).0)
}
