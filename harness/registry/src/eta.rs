//! ETA's `manifest.json`: many models in one folder. FiftyOne's manifests have the same form.
//!
//! Source: `eta/core/models.py` of voxel51/eta at f9659e98. What is not understood (a manager of an
//! unknown type, unknown keys) is kept.

use crate::{
    RegistryError,
    files::{inside, read_document},
    json_edit::{Document, Kind, Path as JsonPath},
    name::{FilenameMode, eta_name, filename, full_name},
};
use std::path::{Path, PathBuf};

/// Name of the file in a models folder.
pub const ETA_MANIFEST: &str = "manifest.json";

/// One model of a manifest.
#[derive(Debug, Clone, PartialEq)]
pub struct EtaEntry {
    /// Its place in `models`.
    pub index: usize,
    /// Name without version.
    pub base_name: String,
    /// Version; an empty one is none.
    pub version: Option<String>,
    /// File name without version.
    pub base_filename: Option<String>,
    /// The entry as it stands.
    pub value: serde_json::Value,
}

impl EtaEntry {
    /// `name@version`.
    pub fn name(&self) -> String {
        full_name(&self.base_name, self.version.as_deref())
    }

    /// The name that ETA's own tools print, which differs for dotted names.
    pub fn eta_name(&self) -> String {
        eta_name(&self.base_name, self.version.as_deref())
    }

    /// A text field of the entry.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.value.get(key).and_then(serde_json::Value::as_str)
    }
}

/// A manifest, losslessly.
#[derive(Debug, Clone)]
pub struct EtaManifest {
    /// The file.
    pub path: PathBuf,
    /// Its text.
    pub document: Document,
    /// Sub-folder of the files: the manifest's `name`.
    pub subdir: Option<String>,
    /// The models in their order.
    pub entries: Vec<EtaEntry>,
    /// What was understood though it is not said as it should be.
    pub warnings: Vec<String>,
}

impl EtaManifest {
    /// Reads `<models_dir>/manifest.json`.
    ///
    /// # Errors
    /// As [`EtaManifest::read_file`].
    pub fn read(models_dir: &Path) -> Result<Self, RegistryError> {
        Self::read_file(&models_dir.join(ETA_MANIFEST))
    }

    /// Reads a manifest whatever its name.
    ///
    /// # Errors
    /// When it cannot be read, is no JSON, or has entries without a name: all of them at once, by
    /// line and column.
    pub fn read_file(path: &Path) -> Result<Self, RegistryError> {
        let document = read_document(path)?;
        let mut problems = Vec::new();
        let mut warnings = Vec::new();
        let mut entries = Vec::new();
        let root = document
            .value(document.root())
            .map_err(RegistryError::json(path))?;
        if !root.is_object() {
            problems.push("the manifest is not an object".to_owned());
        }
        let subdir = match root.get("name") {
            None | Some(serde_json::Value::Null) => None,
            Some(serde_json::Value::String(s)) => (!s.is_empty()).then(|| s.clone()),
            Some(other) => {
                problems.push(format!("`name` is not a text: {other}"));
                None
            }
        };
        let nodes = match document.get(&[JsonPath::Key("models")]) {
            None => &[],
            Some(node) => match &node.kind {
                Kind::Array(nodes) => nodes.as_slice(),
                Kind::Null => &[],
                _ => {
                    problems.push("`models` is not a list".to_owned());
                    &[]
                }
            },
        };
        for (index, node) in nodes.iter().enumerate() {
            let (line, column) = document.position(node.start);
            let at = format!("line {line}, column {column}");
            let value = document.value(node).map_err(RegistryError::json(path))?;
            let text = |key: &str| match value.get(key) {
                None | Some(serde_json::Value::Null) => Ok(None),
                Some(serde_json::Value::String(s)) => Ok(Some(s.clone())),
                Some(other) => Err(format!("{at}: `{key}` is not a text: {other}")),
            };
            let version = match value.get("version") {
                Some(n @ serde_json::Value::Number(_)) => {
                    warnings.push(format!(
                        "{at}: `version` is a number, ETA wants a text: {n}"
                    ));
                    Ok(Some(n.to_string()))
                }
                _ => text("version"),
            };
            if value.get("date_created").is_some() && value.get("date_added").is_none() {
                warnings.push(format!("{at}: `date_created` is read as `date_added`"));
            }
            match (text("base_name"), version, text("base_filename")) {
                (Ok(Some(base_name)), Ok(version), Ok(base_filename)) => {
                    entries.push(EtaEntry {
                        index,
                        base_name,
                        version: version.filter(|v| !v.is_empty()),
                        base_filename,
                        value,
                    });
                }
                (base_name, version, base_filename) => {
                    if matches!(base_name, Ok(None)) {
                        problems.push(format!("{at}: an entry has no `base_name`"));
                    }
                    problems.extend(
                        [base_name, version, base_filename]
                            .into_iter()
                            .filter_map(Result::err),
                    );
                }
            }
        }
        if problems.is_empty() {
            Ok(Self {
                path: path.to_owned(),
                document,
                subdir,
                entries,
                warnings,
            })
        } else {
            Err(RegistryError::Invalid {
                path: path.to_owned(),
                problems,
            })
        }
    }

    /// The entry of this name and version.
    pub fn entry(&self, base_name: &str, version: Option<&str>) -> Option<&EtaEntry> {
        self.entries
            .iter()
            .find(|e| e.base_name == base_name && e.version.as_deref() == version)
    }

    /// Where the entry's file lies, or should lie. ETA's spelling of a versioned archive is taken
    /// where that file exists.
    ///
    /// # Errors
    /// When the entry names no file, or one outside the folder.
    pub fn file(&self, entry: &EtaEntry) -> Result<PathBuf, RegistryError> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let Some(base) = &entry.base_filename else {
            return Err(RegistryError::invalid(
                &self.path,
                format!("`{}` names no file (`base_filename`)", entry.name()),
            ));
        };
        let resolve = |mode| {
            let name = filename(base, entry.version.as_deref(), self.subdir.as_deref(), mode);
            inside(folder, &name)
                .map_err(|p| RegistryError::invalid(&self.path, format!("`{}`: {p}", entry.name())))
        };
        let eta = resolve(FilenameMode::Eta)?;
        if eta.exists() {
            Ok(eta)
        } else {
            resolve(FilenameMode::Fixed)
        }
    }
}
