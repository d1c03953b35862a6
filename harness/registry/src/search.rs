//! What the search path holds: registry folders and model packages.

use crate::{
    ALWAYSAI_MANIFEST, RegistryError,
    eta::{ETA_MANIFEST, EtaManifest},
    files::read_document,
    name::{eta_name, full_name},
};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Folders in which models are looked for, in their order.
///
/// A folder may hold an ETA `manifest.json`, packages (`<folder>/<name>/alwaysai.model.json`),
/// packages below a publisher (`<folder>/<publisher>/<name>/…`), or be a package itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchPath {
    /// The folders; one that does not exist is passed over.
    pub dirs: Vec<PathBuf>,
}

/// Where a model is described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A folder with `alwaysai.model.json`.
    Package {
        /// The folder.
        folder: PathBuf,
    },
    /// An entry of an ETA manifest.
    Entry {
        /// The folder of `manifest.json`.
        models_dir: PathBuf,
        /// `base_name`.
        name: String,
        /// Version.
        version: Option<String>,
    },
    /// A model file by itself.
    Bare {
        /// The file.
        path: PathBuf,
    },
}

impl Location {
    /// The manifest, or the bare file.
    pub fn manifest_path(&self) -> PathBuf {
        match self {
            Self::Package { folder } => folder.join(ALWAYSAI_MANIFEST),
            Self::Entry { models_dir, .. } => models_dir.join(ETA_MANIFEST),
            Self::Bare { path } => path.clone(),
        }
    }

    /// For people: the folder, or `manifest.json#name`.
    pub fn describe(&self) -> String {
        match self {
            Self::Package { folder } => format!("package `{}`", folder.display()),
            Self::Entry { name, version, .. } => format!(
                "entry `{}#{}`",
                self.manifest_path().display(),
                full_name(name, version.as_deref())
            ),
            Self::Bare { path } => format!("file `{}`", path.display()),
        }
    }
}

/// A model of the search path.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedModel {
    /// Name without version: `publisher/name` or `base_name`.
    pub base: String,
    /// Version.
    pub version: Option<String>,
    /// Where it is described.
    pub location: Location,
    /// The package's manifest, or the entry.
    pub manifest: serde_json::Value,
}

impl ListedModel {
    /// `name@version`.
    pub fn name(&self) -> String {
        full_name(&self.base, self.version.as_deref())
    }

    /// A field of the manifest as text; empty for an absent one.
    pub fn field(&self, key: &str) -> String {
        let value = self.manifest.get(key).or_else(|| {
            self.manifest
                .get("model_parameters")
                .and_then(|p| p.get(key))
        });
        match value {
            None | Some(serde_json::Value::Null) => String::new(),
            Some(serde_json::Value::String(s)) => s.clone(),
            Some(other) => other.to_string(),
        }
    }

    /// `name` (without version) means this model: its full name, or the part behind its publisher.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.base == name
            || matches!(self.location, Location::Package { .. })
                && self.base.rsplit('/').next() == Some(name)
    }

    pub(crate) fn eta_alias(&self) -> String {
        eta_name(&self.base, self.version.as_deref())
    }
}

/// Everything that a search path holds.
#[derive(Debug, Default)]
pub struct Scan {
    /// The models, folder by folder; a name that an earlier folder has is left out.
    pub models: Vec<ListedModel>,
    /// Manifests that cannot be read; the others are listed all the same.
    pub problems: Vec<RegistryError>,
    /// Shadowed names and things read leniently.
    pub warnings: Vec<String>,
}

impl SearchPath {
    /// These folders.
    pub fn new(dirs: impl IntoIterator<Item = PathBuf>) -> Self {
        Self {
            dirs: dirs.into_iter().collect(),
        }
    }

    /// Reads all manifests.
    pub fn scan(&self) -> Scan {
        let mut scan = Scan::default();
        let mut visited = BTreeSet::new();
        for dir in &self.dirs {
            let Ok(real) = fs::canonicalize(dir) else {
                continue;
            };
            if visited.insert(real) {
                scan.folder(dir);
            }
        }
        scan
    }
}

impl Scan {
    fn folder(&mut self, dir: &Path) {
        let mut found = Vec::new();
        if dir.join(ETA_MANIFEST).is_file() {
            match EtaManifest::read(dir) {
                Ok(manifest) => {
                    self.warnings.extend(
                        manifest
                            .warnings
                            .iter()
                            .map(|w| format!("{}: {w}", manifest.path.display())),
                    );
                    found.extend(manifest.entries.into_iter().map(|e| ListedModel {
                        location: Location::Entry {
                            models_dir: dir.to_owned(),
                            name: e.base_name.clone(),
                            version: e.version.clone(),
                        },
                        base: e.base_name,
                        version: e.version,
                        manifest: e.value,
                    }));
                }
                Err(e) => self.problems.push(e),
            }
        }
        self.package(dir, &mut found);
        for first in folders(dir) {
            if !self.package(&first, &mut found) {
                for second in folders(&first) {
                    self.package(&second, &mut found);
                }
            }
        }
        for model in found {
            let name = model.name();
            if let Some(earlier) = self.models.iter().find(|m| m.name() == name) {
                self.warnings.push(format!(
                    "`{name}`: {} hides {}",
                    earlier.location.describe(),
                    model.location.describe()
                ));
            } else {
                self.models.push(model);
            }
        }
    }

    /// Lists a package; whether the folder is one.
    fn package(&mut self, folder: &Path, found: &mut Vec<ListedModel>) -> bool {
        let path = folder.join(ALWAYSAI_MANIFEST);
        if !path.is_file() {
            return false;
        }
        match read_document(&path)
            .and_then(|d| d.value(d.root()).map_err(RegistryError::json(&path)))
        {
            Ok(manifest) => found.push(package_listing(folder, manifest)),
            Err(e) => self.problems.push(e),
        }
        true
    }
}

/// A package by its id, or by its folder where it has none.
pub(crate) fn package_listing(folder: &Path, manifest: serde_json::Value) -> ListedModel {
    let id = manifest
        .get("id")
        .and_then(serde_json::Value::as_str)
        .map(|s| s.trim_start_matches('@'))
        .filter(|s| !s.is_empty());
    let base = id.map_or_else(|| folder_name(folder), str::to_owned);
    let version = match manifest.get("version") {
        Some(serde_json::Value::Number(n)) => Some(n.to_string()),
        Some(serde_json::Value::String(s)) if !s.is_empty() => Some(s.clone()),
        _ => None,
    };
    ListedModel {
        base,
        version,
        location: Location::Package {
            folder: folder.to_owned(),
        },
        manifest,
    }
}

fn folder_name(folder: &Path) -> String {
    let real = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    real.file_name()
        .map_or_else(|| "model".to_owned(), |n| n.to_string_lossy().into_owned())
}

/// Sub-folders by name, without hidden ones.
fn folders(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Vec::new();
    };
    let visible =
        |e: &fs::DirEntry| !e.file_name().to_string_lossy().starts_with('.') && e.path().is_dir();
    let mut out: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .filter(visible)
        .map(|e| e.path())
        .collect();
    out.sort();
    out
}
