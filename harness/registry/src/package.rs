//! A new package, made as a whole: model, classes, colours, manifest and `dyno.json` appear
//! together under the folder's name, or nothing does.

use crate::{
    DYNO_JSON, RegistryError,
    configure::{ConfigureOptions, configure},
    files::written,
};
use dyno_core::ModelSpec;
use dyno_evidence::{EvidenceError, atomic_write};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// What a new package holds.
#[derive(Debug, Clone, Default)]
pub struct NewPackage {
    /// Its files by their name in the folder.
    pub files: Vec<(String, Vec<u8>)>,
    /// What the vendor's manifest says; its files are among [`Self::files`].
    pub manifest: ConfigureOptions,
    /// What `dyno.json` says.
    pub spec: ModelSpec,
}

/// Makes the package as `folder`, which must not exist or be empty. Returns the files, by their
/// path in it.
///
/// # Errors
/// When the folder is not empty, a name leads out of it, or manifest and `dyno.json` contradict
/// each other; then nothing is left behind.
pub fn create_package(folder: &Path, package: &NewPackage) -> Result<Vec<PathBuf>, RegistryError> {
    let in_use = folder.exists() && fs::read_dir(folder).map_or(true, |mut d| d.next().is_some());
    if in_use {
        return Err(RegistryError::NotWritable {
            path: folder.to_owned(),
            reason: "it is there already, and not an empty folder".to_owned(),
        });
    }
    let io = |action: &'static str, path: &Path| {
        let path = path.to_owned();
        move |source| EvidenceError::Io {
            action,
            path,
            source,
        }
    };
    let parent = folder
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(io("make", parent))?;
    let name = folder.file_name().map_or_else(
        || "package".to_owned(),
        |n| n.to_string_lossy().into_owned(),
    );
    let draft = parent.join(format!(".{name}.{}.new", std::process::id()));
    fs::create_dir(&draft).map_err(io("make", &draft))?;
    let made = fill(&draft, package).and_then(|names| {
        // An empty folder is replaced; one that was filled meanwhile makes this fail.
        fs::rename(&draft, folder).map_err(io("rename", &draft))?;
        Ok(names)
    });
    match made {
        Ok(names) => Ok(names.into_iter().map(|n| folder.join(n)).collect()),
        Err(error) => {
            let _ = fs::remove_dir_all(&draft);
            Err(error)
        }
    }
}

/// Puts everything into the draft; returns the names.
fn fill(draft: &Path, package: &NewPackage) -> Result<Vec<PathBuf>, RegistryError> {
    for (name, bytes) in &package.files {
        let path = written(draft, name)?;
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|source| EvidenceError::Io {
                action: "make",
                path: parent.to_owned(),
                source,
            })?;
        }
        atomic_write(&path, bytes)?;
    }
    let described = draft.join(DYNO_JSON);
    let mut spec = serde_json::to_string_pretty(&package.spec)
        .map_err(|e| RegistryError::invalid(&described, e.to_string()))?;
    spec.push('\n');
    atomic_write(&described, spec.as_bytes())?;
    configure(draft, &package.manifest)?;
    // The lock of the first write; there is no evidence yet.
    let _ = fs::remove_dir_all(draft.join("evidence"));
    let mut names: Vec<PathBuf> = package.files.iter().map(|(n, _)| n.into()).collect();
    names.push(crate::ALWAYSAI_MANIFEST.into());
    names.push(DYNO_JSON.into());
    Ok(names)
}
