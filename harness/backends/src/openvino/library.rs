//! The library and its core, opened once a process; both stay.

use super::ffi::{Api, Core};
use crate::native::{
    elf,
    installed::with_installed,
    search::{FoundLibrary, Wanted, version_in_name},
};
use dyno_core::{Absence, Reason, Remedy, Tried};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// The oldest release whose element types are numbered as here: year, release.
pub(super) const OLDEST: (u32, u32) = (2025, 1);

const WANTED: Wanted = Wanted {
    variables: &["DYNO_OPENVINO"],
    package: "openvino/libs",
    installations: &[
        (
            "INTEL_OPENVINO_DIR",
            &["runtime/lib/intel64", "runtime/lib/aarch64", "runtime/lib"],
        ),
        (
            "OPENVINO_INSTALL_DIR",
            &["runtime/lib/intel64", "runtime/lib/aarch64", "runtime/lib"],
        ),
    ],
    folders: &[
        "/opt/intel/openvino/runtime/lib/intel64",
        "/opt/intel/openvino/runtime/lib/aarch64",
    ],
    version_of: |file| version_in_name("openvino_c", file),
};

/// Files that may be the C library of OpenVINO, in the order in which they are tried: the variable
/// `DYNO_OPENVINO` (a file or a folder), Python installations (that of `DYNO_PYTHON`, `VIRTUAL_ENV`,
/// `CONDA_PREFIX`, that of the first `python3` on the path, the user's, the system's), the
/// installations that `INTEL_OPENVINO_DIR` and `OPENVINO_INSTALL_DIR` name, the system's library
/// folders.
pub fn find_openvino() -> Vec<FoundLibrary> {
    WANTED.find()
}

/// The opened library.
#[derive(Clone)]
pub(super) struct Loaded {
    pub(super) core: Arc<Core>,
    pub(super) path: PathBuf,
    /// What led to the file.
    pub(super) source: &'static str,
    pub(super) version: String,
}

static LOADED: Mutex<Option<Loaded>> = Mutex::new(None);

/// The library: the one already opened, else `explicit`, else the first candidate that can be
/// opened.
///
/// # Errors
/// Every file that was tried, with the reason, and what mends it; also when `explicit` is not the
/// file already opened.
pub(super) fn load(explicit: Option<&Path>) -> Result<Loaded, Absence> {
    // A panic while the lock was held leaves nothing half-written: the value is set in one step.
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(there) = loaded.as_ref() {
        return match explicit {
            Some(path) if canonical(path) != canonical(&there.path) => {
                let says = format!(
                    "library `{}`: this process already uses `{}`, and there can be one only",
                    path.display(),
                    there.path.display()
                );
                Err(Absence::lasting(Reason::Refused { says }))
            }
            _ => Ok(there.clone()),
        };
    }
    let candidates = match explicit {
        Some(path) => vec![FoundLibrary {
            path: path.to_owned(),
            source: "the setting `library`",
            explicit: true,
        }],
        None => with_installed(find_openvino(), super::backend::ID, None),
    };
    let mut tried = Vec::new();
    for candidate in candidates {
        let FoundLibrary {
            path,
            source,
            explicit,
        } = candidate;
        match open(&path) {
            Ok((core, version)) => {
                return Ok(loaded
                    .insert(Loaded {
                        core: Arc::new(core),
                        path,
                        source,
                        version,
                    })
                    .clone());
            }
            Err(problem) => tried.push(Tried {
                path: path.display().to_string(),
                source: source.to_owned(),
                problem,
            }),
        }
        if explicit {
            break;
        }
    }
    let needs = format!("OpenVINO, {}.{} or newer,", OLDEST.0, OLDEST.1);
    Err(Absence {
        reason: Reason::NoLibrary { needs, tried },
        remedy: Some(Remedy::Install {
            runtime: "openvino".to_owned(),
        }),
    })
}

fn open(path: &Path) -> Result<(Core, String), String> {
    let path = fs::canonicalize(path).map_err(|e| e.to_string())?;
    if !path.is_file() {
        return Err("not a file".to_owned());
    }
    elf::check(&path)?;
    check_neighbours(&path)?;
    let (api, build) = Api::open(&path)?;
    let version = new_enough(&build)?;
    api.check_elements()?;
    Ok((api.core()?, version))
}

/// The C library opens the core library and the plugins, which lie beside it: a file among them
/// that was cut would kill the process as surely as the C library itself.
fn check_neighbours(library: &Path) -> Result<(), String> {
    let Some(entries) = library.parent().and_then(|f| fs::read_dir(f).ok()) else {
        return Ok(());
    };
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("libopenvino") && name.contains(".so") && entry.path().is_file() {
            elf::check(&entry.path())
                .map_err(|reason| format!("its neighbour `{name}`: {reason}"))?;
        }
    }
    Ok(())
}

/// Year, release and patch of a build text such as `2026.4.1-22982-e213a147257-releases/2026/4`.
fn new_enough(build: &str) -> Result<String, String> {
    let version = build.split('-').next().unwrap_or("");
    let mut parts = version.split('.').map(|p| p.parse::<u32>().ok());
    match (parts.next().flatten(), parts.next().flatten()) {
        (Some(year), Some(release)) if (year, release) >= OLDEST => Ok(version.to_owned()),
        (Some(_), Some(_)) => Err(format!(
            "it is OpenVINO {version}, which is older than {}.{}",
            OLDEST.0, OLDEST.1
        )),
        _ => Err(format!("it says `{build}` of itself, which is no version")),
    }
}

fn canonical(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_a_build_text() {
        assert_eq!(
            new_enough("2026.4.1-22982-e213a147257-releases/2026/4"),
            Ok("2026.4.1".to_owned())
        );
        assert_eq!(new_enough("2025.1.0-1"), Ok("2025.1.0".to_owned()));
        for old in ["2025.0.0-1", "2024.6.0-1"] {
            let error = new_enough(old).expect_err("old");
            assert!(error.contains("older than 2025.1"), "{error}");
        }
        for none in ["", "custom_master", "x.y"] {
            let error = new_enough(none).expect_err("no version");
            assert!(error.contains("no version"), "{error}");
        }
    }
}
