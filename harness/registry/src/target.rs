//! A manifest open for editing, at the object that has the plain fields.

use crate::{
    ALWAYSAI_MANIFEST, ETA_MANIFEST, RegistryError, ResolvedModel,
    eta::EtaManifest,
    files::{read_document, written},
    json_edit::{Document, Json, Path as JsonPath},
    search::Location,
};
use dyno_evidence::{EvidenceStore, atomic_write};
use serde_json::Value;
use std::fs;

/// A manifest open for editing, at the object that has the fields.
pub(crate) struct Target {
    pub(crate) store: EvidenceStore,
    pub(crate) path: std::path::PathBuf,
    document: Document,
    index: Option<usize>,
}

impl Target {
    pub(crate) fn open(location: &Location) -> Result<Self, RegistryError> {
        let path = location.manifest_path();
        let Some(store) = crate::resolve::evidence_of(location) else {
            return Err(RegistryError::NotWritable {
                path,
                reason: "a bare model file has no manifest: make one with `dyno models configure`"
                    .to_owned(),
            });
        };
        match location {
            Location::Entry {
                models_dir,
                name,
                version,
            } => {
                let manifest = EtaManifest::read(models_dir)?;
                let index = manifest.entry(name, version.as_deref()).map(|e| e.index);
                if index.is_none() {
                    return Err(RegistryError::invalid(
                        &path,
                        format!("the entry `{name}` is gone"),
                    ));
                }
                Ok(Self {
                    store,
                    path,
                    document: manifest.document,
                    index,
                })
            }
            _ => Ok(Self {
                store,
                document: read_document(&path)?,
                path,
                index: None,
            }),
        }
    }

    fn object(&self) -> Vec<JsonPath<'static>> {
        self.index.map_or_else(Vec::new, |i| {
            vec![JsonPath::Key("models"), JsonPath::Index(i)]
        })
    }

    pub(crate) fn value(&self, field: &'static str) -> Option<Value> {
        let mut path = self.object();
        path.push(JsonPath::Key(field));
        self.document
            .get(&path)
            .and_then(|n| self.document.value(n).ok())
    }

    pub(crate) fn set(&mut self, field: &str, value: &Value) -> Result<(), RegistryError> {
        let object = self.object();
        self.document
            .set(&object, field, &Json::from_value(value.clone()))
            .map_err(RegistryError::json(&self.path))
    }

    /// The manifest as it would be written.
    pub(crate) fn text(&self) -> &str {
        self.document.text()
    }

    pub(crate) fn save(&self) -> Result<(), RegistryError> {
        Ok(atomic_write(&self.path, self.text().as_bytes())?)
    }
}

/// The manifest is no link that leads out of its folder: what is written would land elsewhere.
///
/// # Errors
/// [`RegistryError::NotWritable`].
pub(crate) fn confined(location: &Location) -> Result<(), RegistryError> {
    match location {
        Location::Package { folder } => written(folder, ALWAYSAI_MANIFEST).map(drop),
        Location::Entry { models_dir, .. } => written(models_dir, ETA_MANIFEST).map(drop),
        Location::Bare { .. } => Ok(()),
    }
}

/// The model can take numbers: it has a manifest, and manifest and folder can be written. To be
/// asked before a run.
///
/// # Errors
/// [`RegistryError::NotWritable`] with the reason.
pub fn check_writable(model: &ResolvedModel) -> Result<(), RegistryError> {
    let target = Target::open(&model.location)?;
    confined(&model.location)?;
    let reason = |reason: String| RegistryError::NotWritable {
        path: target.path.clone(),
        reason,
    };
    let meta = fs::metadata(&target.path).map_err(RegistryError::io("read", &target.path))?;
    if meta.permissions().readonly() {
        return Err(reason("the manifest is read-only".to_owned()));
    }
    if target.store.folder().exists() {
        return target.store.lock().map(drop).map_err(|e| {
            reason(format!(
                "{e}: {}",
                std::error::Error::source(&e).map_or_else(String::new, ToString::to_string)
            ))
        });
    }
    // Nothing of a question stays behind: the evidence is made by the first write.
    let probe = target.path.with_file_name(format!(
        ".dyno-probe-{}-{:?}",
        std::process::id(),
        std::thread::current().id()
    ));
    let made = fs::File::create_new(&probe).and_then(|_| fs::remove_file(&probe));
    made.map_err(|e| reason(format!("its folder cannot be written: {e}")))
}
