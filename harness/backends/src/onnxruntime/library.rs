//! The library, loaded once a process. ONNX Runtime allows one environment a process, and a loaded
//! library stays.

use crate::{
    guard::guard,
    native::{
        elf,
        installed::with_installed,
        search::{FoundLibrary, Wanted, version_in_name},
    },
};
use dyno_core::{Absence, Reason, Remedy, Tried};
use ort::environment::Environment;
use std::{
    error::Error as _,
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

const WANTED: Wanted = Wanted {
    variables: &["DYNO_ONNXRUNTIME", "ORT_DYLIB_PATH"],
    package: "onnxruntime/capi",
    installations: &[],
    folders: &["/opt/onnxruntime/lib"],
    version_of,
};

fn version_of(file: &str) -> Option<Vec<u32>> {
    version_in_name("onnxruntime", file)
}

/// Files that may be the library of ONNX Runtime, in the order in which they are tried: the
/// variables `DYNO_ONNXRUNTIME` and `ORT_DYLIB_PATH` (a file or a folder), Python installations
/// (that of `DYNO_PYTHON`, `VIRTUAL_ENV`, `CONDA_PREFIX`, that of the first `python3` on the path,
/// the user's, the system's), the system's library folders.
pub fn find_library() -> Vec<FoundLibrary> {
    WANTED.find()
}

/// A loaded library.
#[derive(Clone)]
pub(super) struct Loaded {
    pub(super) environment: Environment,
    pub(super) path: PathBuf,
    /// What led to the file.
    pub(super) source: &'static str,
    pub(super) version: String,
}

static LOADED: Mutex<Option<Loaded>> = Mutex::new(None);

/// The library: the one already loaded, else `explicit`, else the first candidate that can be
/// loaded: a file that a variable names, then installed runtimes (`runtime` before others), then
/// those of Python and of the system.
///
/// # Errors
/// Every file that was tried, with the reason, and what mends it; also when `explicit` is not the
/// file already loaded.
pub(super) fn load(explicit: Option<&Path>, runtime: Option<&str>) -> Result<Loaded, Absence> {
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
        None => with_installed(find_library(), super::backend::ID, runtime),
    };
    let mut tried = Vec::new();
    for FoundLibrary {
        path,
        source,
        explicit,
    } in candidates
    {
        match open(&path) {
            Ok(environment) => {
                let version = version(&path);
                return Ok(loaded
                    .insert(Loaded {
                        environment,
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
    let needs = format!("ONNX Runtime, 1.{} or newer,", ort::MINOR_VERSION);
    Err(Absence {
        reason: Reason::NoLibrary { needs, tried },
        remedy: Some(Remedy::Install {
            runtime: "onnxruntime".to_owned(),
        }),
    })
}

fn open(path: &Path) -> Result<Environment, String> {
    // `ort` looks for a relative path beside the executable; here it means the working folder.
    let path = fs::canonicalize(path).map_err(|e| e.to_string())?;
    if !path.is_file() {
        return Err("not a file".to_owned());
    }
    elf::check(&path)?;
    // `ort` asserts that the library describes itself well.
    guard(|| {
        let environment = ort::init_from(&path)
            .map_err(|e| reason(&e))?
            .with_name("dyno")
            .with_telemetry(false)
            .build()
            .map_err(|e| e.to_string())?;
        // Errors come back as values. What the library writes to stderr besides (hundreds of warnings
        // for some models, names of a file's nodes as they are) is not ours to escape.
        environment.set_log_level(ort::logging::LogLevel::Fatal);
        Ok(environment)
    })
}

/// What `ort` says, with the loader's own words, which it leaves out.
fn reason(error: &ort::LoadDynamicError) -> String {
    match error {
        ort::LoadDynamicError::Dlopen { error, .. } => error
            .source()
            .map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}")),
        other => other.to_string(),
    }
}

fn canonical(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// The version that stands in the file's name, else the branch in the build information, else the
/// oldest that `ort` accepts.
fn version(path: &Path) -> String {
    let file = canonical(path)
        .file_name()
        .and_then(|n| n.to_str())
        .and_then(version_of)
        .filter(|v| !v.is_empty());
    if let Some(parts) = file {
        return parts
            .iter()
            .map(u32::to_string)
            .collect::<Vec<_>>()
            .join(".");
    }
    branch(ort::info()).map_or_else(
        || format!("1.{} or newer", ort::MINOR_VERSION),
        str::to_owned,
    )
}

/// The version in `git-branch=rel-1.31.1` of a build information text.
fn branch(info: &str) -> Option<&str> {
    let rest = info.split_once("git-branch=rel-")?.1;
    rest.split([',', ' ']).next().filter(|v| !v.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_a_build_text() {
        assert_eq!(
            branch(
                "ORT Build Info: git-branch=rel-1.19.0, git-commit-id=26250ae, build type=Release"
            ),
            Some("1.19.0")
        );
        assert_eq!(
            branch("ORT Build Info: git-branch=main, git-commit-id=26250ae"),
            None
        );
    }

    /// A library that the loader refuses says which symbol or file is missing.
    #[cfg(all(unix, not(target_vendor = "apple")))]
    #[test]
    fn what_the_loader_says_is_told() {
        let own = std::env::current_exe().expect("this test");
        let error = open(&own).map(drop).expect_err("a program is no library");
        assert!(error.starts_with("dlopen failed: "), "{error}");
        assert!(error.contains("cannot dynamically load"), "{error}");
    }

    #[cfg(all(unix, not(target_vendor = "apple")))]
    #[test]
    fn a_file_that_is_no_library_is_refused_with_its_reason() {
        let path =
            std::env::temp_dir().join(format!("dyno-not-a-library-{}.so", std::process::id()));
        fs::write(&path, "this is text").expect("a temporary file");
        let error = open(&path).map(drop).expect_err("text is no library");
        assert_eq!(error, "not a library (no ELF file)");
        assert!(
            open(Path::new("there-is-no-such-library.so"))
                .map(drop)
                .expect_err("missing")
                .contains("No such file")
        );
        fs::remove_file(&path).expect("the file is ours");
    }
}
