//! Values that a model is known to reach.

use crate::{
    RegistryError,
    files::written,
    json_edit::{Json, Kind, Path as JsonPath},
    name::full_name,
    search::Location,
    spec::{DYNO_JSON, DYNO_MANIFEST, check_spec, open_spec},
};
use dyno_core::Reference;
use dyno_evidence::atomic_write;
use std::path::PathBuf;

/// Sets a reference of a model in `dyno.json` (or `manifest.dyno.json`), which is made if it is
/// missing: an entry of the same metric and sample set is replaced, another is added. Returns the
/// file.
///
/// # Errors
/// [`RegistryError::NotWritable`] for a bare file; [`RegistryError::Refused`] for a value that is
/// no share or a tolerance that is negative or missing; errors of reading and writing.
pub fn reference_set(location: &Location, reference: &Reference) -> Result<PathBuf, RegistryError> {
    let (folder, file, entry) = match location {
        Location::Package { folder } => (folder, written(folder, DYNO_JSON)?, None),
        Location::Entry {
            models_dir,
            name,
            version,
        } => (
            models_dir,
            written(models_dir, DYNO_MANIFEST)?,
            Some(full_name(name, version.as_deref())),
        ),
        Location::Bare { path } => {
            return Err(RegistryError::NotWritable {
                path: path.clone(),
                reason: "a bare model file has no manifest: make one with `dyno models configure`"
                    .to_owned(),
            });
        }
    };
    let tolerance = |t: Option<f64>| t.is_none_or(|t| t.is_finite() && t >= 0.0);
    if !(0.0..=1.0).contains(&reference.value)
        || !tolerance(reference.abs)
        || !tolerance(reference.rel)
        || (reference.abs.is_none() && reference.rel.is_none())
    {
        let reason = "a reference is a share from 0 to 1 with an absolute or relative tolerance that is not negative".to_owned();
        return Err(RegistryError::Refused {
            reference: location.describe(),
            reason,
        });
    }
    let _guard = dyno_evidence::EvidenceStore::for_folder(folder).lock()?;
    let (mut document, path) = open_spec(&file, entry.as_deref())?;
    let json = RegistryError::json(&file);
    let value = serde_json::to_value(reference).unwrap_or_default();
    let members = ["metric", "value", "sample_set", "abs", "rel", "source"]
        .iter()
        .filter_map(|k| {
            value
                .get(*k)
                .map(|v| ((*k).to_owned(), Json::from_value(v.clone())))
        })
        .collect();
    let new = Json::Object(members);
    let mut list = path.clone();
    list.push(JsonPath::Key("reference"));
    let text = |index: usize, key: &'static str| {
        let mut at = list.clone();
        at.extend([JsonPath::Index(index), JsonPath::Key(key)]);
        document
            .get(&at)
            .and_then(|n| document.value(n).ok())
            .and_then(|v| v.as_str().map(str::to_owned))
    };
    let count = match document.get(&list).map(|n| &n.kind) {
        Some(Kind::Array(items)) => Some(items.len()),
        _ => None,
    };
    let existing = (0..count.unwrap_or(0)).find(|i| {
        text(*i, "metric").as_deref() == Some(&reference.metric)
            && text(*i, "sample_set").as_deref() == Some(&reference.sample_set)
    });
    match (count, existing) {
        (None, _) => document.set(&path, "reference", &Json::Array(vec![new])),
        (Some(_), None) => document.push(&list, &new),
        (Some(_), Some(i)) => {
            let mut at = list.clone();
            at.push(JsonPath::Index(i));
            document.replace(&at, &new)
        }
    }
    .map_err(json)?;
    check_spec(&file, &document, &path)?;
    atomic_write(&file, document.text().as_bytes())?;
    Ok(file)
}
