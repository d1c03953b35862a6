//! From what a user writes to the place where a model is described.

use crate::{
    ALWAYSAI_MANIFEST, RegistryError,
    eta::{ETA_MANIFEST, EtaManifest},
    files::read_document,
    name::split_version,
    search::{ListedModel, Location, SearchPath, package_listing},
    version::{VersionOrder, latest_version},
};
use dyno_core::{Framework, nearest};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// What resolution needs to know beside the search path.
#[derive(Debug, Clone, Default)]
pub struct ResolveOptions {
    /// Framework that the user names; it settles an ambiguous file.
    pub framework: Option<Framework>,
    /// What `latest` means.
    pub version_order: VersionOrder,
    /// Folder behind `~`.
    pub home: Option<PathBuf>,
}

/// Extensions that make a reference a path.
fn known_extension(reference: &str) -> bool {
    let extension = Path::new(reference)
        .extension()
        .and_then(|e| e.to_str())
        .unwrap_or("");
    Framework::from_extension(extension).is_some() || matches!(extension, "bin" | "json")
}

/// Finds the model that `reference` means: a path if it begins with `.`, `/` or `~`, ends in a
/// known extension, is `…/manifest.json#name`, or is an existing package folder; else a name of the
/// search path.
///
/// # Errors
/// [`RegistryError::Ambiguous`] where path and name both exist and differ, or a short name fits
/// several publishers; [`RegistryError::NotFound`] with what exists.
pub fn locate(
    reference: &str,
    search: &SearchPath,
    options: &ResolveOptions,
) -> Result<ListedModel, RegistryError> {
    if let Some((path, name)) = reference.rsplit_once('#') {
        let path = expand(path, options);
        let models_dir = if path.is_dir() {
            path
        } else {
            path.parent().map(Path::to_owned).unwrap_or_default()
        };
        return entry_of(&models_dir, name, options);
    }
    let path = expand(reference, options);
    let always_path = reference.starts_with(['.', '/', '~']);
    let path_like = always_path || known_extension(reference);
    let package = path.join(ALWAYSAI_MANIFEST).is_file();
    if always_path {
        return located_path(&path);
    }
    let by_name = by_name(reference, search, options);
    let exists = package || (path_like && path.exists());
    match (exists, by_name) {
        (true, Ok(named)) => {
            let by_path = located_path(&path)?;
            if same_place(&by_path.location, &named.location) {
                return Ok(by_path);
            }
            let candidates = vec![
                format!("the {}", by_path.location.describe()),
                format!("the {} of the search path", named.location.describe()),
            ];
            Err(RegistryError::Ambiguous {
                reference: reference.to_owned(),
                candidates,
            })
        }
        (true, Err(_)) => located_path(&path),
        (false, Ok(named)) => Ok(named),
        (false, Err(RegistryError::NotFound { .. })) if path_like => located_path(&path),
        (false, Err(e)) => Err(e),
    }
}

fn same_place(a: &Location, b: &Location) -> bool {
    matches!((a, b), (Location::Package { folder: a }, Location::Package { folder: b }) if fs::canonicalize(a).ok() == fs::canonicalize(b).ok())
}

fn expand(path: &str, options: &ResolveOptions) -> PathBuf {
    match (path.strip_prefix("~/"), &options.home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}

fn located_path(path: &Path) -> Result<ListedModel, RegistryError> {
    let name = path
        .file_name()
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default();
    if name == ALWAYSAI_MANIFEST {
        return package(path.parent().unwrap_or(Path::new(".")));
    }
    if path.join(ALWAYSAI_MANIFEST).is_file() {
        return package(path);
    }
    let manifest = if name == ETA_MANIFEST {
        path.to_owned()
    } else {
        path.join(ETA_MANIFEST)
    };
    if manifest.is_file() {
        let names: Vec<String> = EtaManifest::read_file(&manifest)?
            .entries
            .iter()
            .map(|e| format!("`{}#{}`", manifest.display(), e.name()))
            .collect();
        return Err(RegistryError::Ambiguous {
            reference: path.display().to_string(),
            candidates: names,
        });
    }
    if path.is_dir() {
        return Err(RegistryError::invalid(
            path,
            format!("the folder has no `{ALWAYSAI_MANIFEST}` and no `{ETA_MANIFEST}`"),
        ));
    }
    if !path.is_file() {
        return Err(RegistryError::FileMissing {
            path: path.to_owned(),
            hint: "there is no such file".to_owned(),
        });
    }
    Ok(ListedModel {
        base: name,
        version: None,
        location: Location::Bare {
            path: path.to_owned(),
        },
        manifest: serde_json::Value::Null,
    })
}

fn package(folder: &Path) -> Result<ListedModel, RegistryError> {
    let path = folder.join(ALWAYSAI_MANIFEST);
    let document = read_document(&path)?;
    Ok(package_listing(
        folder,
        document
            .value(document.root())
            .map_err(RegistryError::json(&path))?,
    ))
}

fn entry_of(
    models_dir: &Path,
    name: &str,
    options: &ResolveOptions,
) -> Result<ListedModel, RegistryError> {
    let models_dir = if models_dir.as_os_str().is_empty() {
        Path::new(".")
    } else {
        models_dir
    };
    let manifest = EtaManifest::read(models_dir)?;
    let models: Vec<ListedModel> = manifest
        .entries
        .into_iter()
        .map(|e| ListedModel {
            location: Location::Entry {
                models_dir: models_dir.to_owned(),
                name: e.base_name.clone(),
                version: e.version.clone(),
            },
            base: e.base_name,
            version: e.version,
            manifest: e.value,
        })
        .collect();
    choose(name, &models, options)
}

fn by_name(
    reference: &str,
    search: &SearchPath,
    options: &ResolveOptions,
) -> Result<ListedModel, RegistryError> {
    let scan = search.scan();
    match choose(reference, &scan.models, options) {
        // A manifest that cannot be read may hold the name: that is the error to see.
        Err(RegistryError::NotFound { .. }) if !scan.problems.is_empty() => Err(scan
            .problems
            .into_iter()
            .next()
            .unwrap_or_else(|| RegistryError::NotFound {
                reference: reference.to_owned(),
                nearest: None,
                known: vec![],
            })),
        other => other,
    }
}

fn choose(
    reference: &str,
    models: &[ListedModel],
    options: &ResolveOptions,
) -> Result<ListedModel, RegistryError> {
    let (name, version) = split_version(reference);
    let fits = |m: &ListedModel| {
        m.is_called(name) && version.is_none_or(|v| m.version.as_deref() == Some(v))
    };
    let mut fitting: Vec<&ListedModel> = models.iter().filter(|m| fits(m)).collect();
    if fitting.is_empty() {
        // Names may hold an `@` themselves, and ETA writes dotted names in a form of its own.
        fitting = models
            .iter()
            .filter(|m| m.is_called(reference) || m.eta_alias() == reference)
            .collect();
    }
    // The full name of a package beats the last part of another's.
    if fitting.iter().any(|m| m.base == name) {
        fitting.retain(|m| m.base == name || m.base == reference || m.eta_alias() == reference);
    }
    let mut bases: Vec<&str> = fitting.iter().map(|m| m.base.as_str()).collect();
    bases.dedup();
    if bases.len() > 1 {
        let candidates = fitting
            .iter()
            .map(|m| format!("`{}` ({})", m.name(), m.location.describe()))
            .collect();
        return Err(RegistryError::Ambiguous {
            reference: reference.to_owned(),
            candidates,
        });
    }
    let versions: Vec<Option<&str>> = fitting.iter().map(|m| m.version.as_deref()).collect();
    let newest = latest_version(&versions, options.version_order)
        .and_then(|i| fitting.get(i))
        .copied()
        .cloned();
    newest.ok_or_else(|| {
        let mut known: Vec<String> = models.iter().map(ListedModel::name).collect();
        known.sort();
        let short = models
            .iter()
            .map(|m| m.base.rsplit('/').next().unwrap_or(&m.base));
        let near =
            nearest(reference, known.iter().map(String::as_str)).or_else(|| nearest(name, short));
        RegistryError::NotFound {
            reference: reference.to_owned(),
            nearest: near,
            known,
        }
    })
}
