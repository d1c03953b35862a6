//! A new entry of an ETA manifest.

use crate::{
    DYNO_MANIFEST, ETA_MANIFEST, RegistryError,
    eta::EtaManifest,
    files::{inside, save, written},
    json_edit::{Document, Json, Path as JsonPath},
    name::{FilenameMode, filename, full_name},
    spec::{check_spec, open_spec, spec_json},
};
use dyno_core::ModelSpec;
use dyno_evidence::EvidenceStore;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// What is registered.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RegisterOptions {
    /// `base_name`; no `@`.
    pub name: String,
    /// Version.
    pub version: Option<String>,
    /// The file, relative to the models folder and there already. With a version it is named as ETA
    /// names it: `x-v1.0.onnx`.
    pub file: String,
    /// A sentence.
    pub description: Option<String>,
    /// Licence.
    pub license: Option<String>,
    /// Tags.
    pub tags: Vec<String>,
    /// dyno's own facts, for `manifest.dyno.json`; written if they say anything.
    pub spec: ModelSpec,
}

/// Appends an entry to `<models_dir>/manifest.json`, which is made if it is missing. Every byte
/// that was there stays. Returns the files that were written.
///
/// # Errors
/// [`RegistryError::Invalid`] with all problems: a name or file that is taken, a versioned beside
/// an unversioned entry, a missing file; errors of reading and writing.
pub fn register(
    models_dir: &Path,
    options: &RegisterOptions,
    now: jiff::Timestamp,
) -> Result<Vec<PathBuf>, RegistryError> {
    let path = written(models_dir, ETA_MANIFEST)?;
    if !models_dir.is_dir() {
        return Err(RegistryError::FileMissing {
            path: models_dir.to_owned(),
            hint: "make the folder and put the model's file there".to_owned(),
        });
    }
    let _guard = EvidenceStore::for_folder(models_dir).lock()?;
    let existing = if path.exists() {
        Some(EtaManifest::read(models_dir)?)
    } else {
        None
    };
    let full = full_name(&options.name, options.version.as_deref());
    let mut problems = Vec::new();
    if options.name.is_empty()
        || options.name.contains(['@', '#'])
        || options.name.starts_with(['.', '/', '~'])
    {
        problems.push(format!("not a name: `{}`", options.name));
    }
    // ETA inserts the version into the file name when it looks for the file.
    let subdir = existing.as_ref().and_then(|m| m.subdir.as_deref());
    let below = subdir.map_or(Some(options.file.as_str()), |s| {
        options
            .file
            .strip_prefix(s)
            .and_then(|f| f.strip_prefix('/'))
    });
    let base = below.and_then(|f| {
        options.version.as_deref().map_or_else(
            || Some(f.to_owned()),
            |v| {
                f.contains(&format!("-v{v}"))
                    .then(|| f.replacen(&format!("-v{v}"), "", 1))
            },
        )
    });
    let base = base.filter(|b| {
        filename(b, options.version.as_deref(), subdir, FilenameMode::Eta) == options.file
    });
    if base.is_none() {
        let wanted = filename(
            below.unwrap_or(&options.file),
            options.version.as_deref(),
            subdir,
            FilenameMode::Eta,
        );
        problems.push(format!(
            "ETA looks for this entry's file at another place than `{}`: rename it to `{wanted}`",
            options.file
        ));
    }
    match inside(models_dir, &options.file) {
        Err(p) => problems.push(p),
        Ok(p) if !p.is_file() => problems.push(format!("the file `{}` is missing", options.file)),
        Ok(_) => {}
    }
    for entry in existing.iter().flat_map(|m| &m.entries) {
        if entry.name() == full {
            problems.push(format!("`{full}` is there already"));
        } else if entry.base_name == options.name
            && entry.version.is_some() != options.version.is_some()
        {
            problems.push(format!(
                "`{}` is there: entries of one name have versions or have none",
                entry.name()
            ));
        } else if entry.base_filename.is_some()
            && entry.base_filename == base
            && entry.version == options.version
        {
            problems.push(format!(
                "`{}` has the file `{}` already",
                entry.name(),
                options.file
            ));
        }
    }
    if !problems.is_empty() {
        return Err(RegistryError::Invalid { path, problems });
    }
    let text = |v: &Option<String>| Json::of(v.clone().map_or(Value::Null, Value::from));
    let manager = Json::Object(vec![
        (
            "type".to_owned(),
            Json::of("eta.core.models.ETAModelManager"),
        ),
        ("config".to_owned(), Json::Object(vec![])),
    ]);
    let mut entry = vec![
        ("base_name".to_owned(), Json::of(options.name.as_str())),
        ("base_filename".to_owned(), text(&base)),
        ("version".to_owned(), text(&options.version)),
        ("description".to_owned(), text(&options.description)),
        ("license".to_owned(), text(&options.license)),
        // Without a manager ETA answers that the model has no file; an empty one means "the file is
        // there".
        ("manager".to_owned(), manager),
        (
            "date_added".to_owned(),
            Json::of(now.strftime("%Y-%m-%dT%H:%M:%S").to_string()),
        ),
    ];
    if !options.tags.is_empty() {
        entry.push(("tags".to_owned(), Json::of(options.tags.clone())));
    }
    let json = || RegistryError::json(&path);
    let models = [JsonPath::Key("models")];
    let mut document = match existing {
        Some(manifest) => manifest.document,
        None => Document::new(&Json::Object(vec![(
            "models".to_owned(),
            Json::Array(vec![]),
        )]))
        .map_err(json())?,
    };
    if document
        .get(&models)
        .is_none_or(|n| n.kind == crate::json_edit::Kind::Null)
    {
        document
            .set(&[], "models", &Json::Array(vec![]))
            .map_err(json())?;
    }
    document
        .push(&models, &Json::Object(entry))
        .map_err(json())?;
    let mut files: Vec<(PathBuf, Document)> = Vec::new();
    if options.spec != ModelSpec::default() {
        let file = written(models_dir, DYNO_MANIFEST)?;
        let (mut own, at) = open_spec(&file, Some(&full))?;
        own.set(&[], &full, &spec_json(&options.spec))
            .map_err(RegistryError::json(&file))?;
        check_spec(&file, &own, &at)?;
        files.push((file, own));
    }
    files.push((path, document));
    save(files)
}
