//! Where the native library of an engine may lie.
//!
//! [`Wanted::find`] is the one function of this crate that reads the environment: where a native
//! library lies is a property of the machine, not of a plan. It starts no process.

use std::{
    cmp::Reverse,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

/// A file that may be the library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundLibrary {
    /// The file.
    pub path: PathBuf,
    /// What led to it: `DYNO_ONNXRUNTIME`, `a Python installation`, …
    pub source: &'static str,
    /// It was named by the user: when it cannot be loaded, no other is tried.
    pub explicit: bool,
}

/// What is looked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    /// Variables that name the file or its folder; the first that is set counts.
    pub(crate) variables: &'static [&'static str],
    /// The folder of the library in a Python package, below `site-packages`.
    pub(crate) package: &'static str,
    /// Variables that name an installation, and the folders of libraries in one.
    pub(crate) installations: &'static [(&'static str, &'static [&'static str])],
    /// Folders besides the system's own.
    pub(crate) folders: &'static [&'static str],
    /// The version in a file name, empty when it holds none; `None` when the file is not the
    /// library (its neighbours are named similarly).
    pub(crate) version_of: fn(&str) -> Option<Vec<u32>>,
}

/// What the search looks at.
#[derive(Debug, Clone, Default)]
struct Places {
    named: Vec<(&'static str, PathBuf)>,
    /// Roots of Python installations: `lib/python3*/site-packages` and so on are looked for below.
    python: Vec<PathBuf>,
    folders: Vec<(&'static str, PathBuf)>,
}

impl Wanted {
    /// Candidates in the order in which they are tried: the variables that name it (a file or a
    /// folder), Python installations (that of `DYNO_PYTHON`, `VIRTUAL_ENV`, `CONDA_PREFIX`, that of
    /// the first `python3` on the path, the user's, the system's), the vendor's installations, the
    /// system's library folders.
    pub(crate) fn find(&self) -> Vec<FoundLibrary> {
        let path = |name: &str| {
            std::env::var_os(name)
                .filter(|v| !v.is_empty())
                .map(PathBuf::from)
        };
        let mut places = Places::default();
        for &name in self.variables {
            places.named.extend(path(name).map(|p| (name, p)));
        }
        if let Some(python) = path("DYNO_PYTHON") {
            places.python.extend(roots(&python));
        }
        places
            .python
            .extend(["VIRTUAL_ENV", "CONDA_PREFIX"].into_iter().filter_map(path));
        if let Some(list) = std::env::var_os("PATH") {
            let python = first_program(std::env::split_paths(&list), "python3");
            places.python.extend(python.iter().flat_map(|p| roots(p)));
        }
        places.python.extend(path("HOME").map(|p| p.join(".local")));
        places
            .python
            .extend(["/usr/local", "/usr"].map(PathBuf::from));
        for &(name, inside) in self.installations {
            if let Some(root) = path(name) {
                places
                    .folders
                    .extend(inside.iter().map(|f| (name, root.join(f))));
            }
        }
        let system = |folder: PathBuf| ("a system folder", folder);
        if let Some(list) = std::env::var_os("LD_LIBRARY_PATH") {
            places.folders.extend(
                std::env::split_paths(&list)
                    .filter(|p| p.is_absolute())
                    .map(system),
            );
        }
        let usual = ["/usr/local/lib"]
            .iter()
            .chain(self.folders)
            .chain(&["/usr/lib", "/usr/lib64", "/opt/homebrew/lib"])
            .map(PathBuf::from);
        places.folders.extend(usual.map(system));
        places.folders.push(system(PathBuf::from(format!(
            "/usr/lib/{}-linux-gnu",
            std::env::consts::ARCH
        ))));
        self.search(&places)
    }

    fn search(&self, places: &Places) -> Vec<FoundLibrary> {
        let mut found: Vec<FoundLibrary> = Vec::new();
        let mut add = |path: PathBuf, source: &'static str, explicit: bool| {
            if found.iter().all(|f| f.path != path) {
                found.push(FoundLibrary {
                    path,
                    source,
                    explicit,
                });
            }
        };
        for (source, path) in &places.named {
            match self.libraries(path).into_iter().next() {
                Some(inside) => add(inside, source, true),
                // A file, or something that is not there: loading it says what is wrong.
                None => add(path.clone(), source, true),
            }
        }
        for root in &places.python {
            for lib in ["lib", "lib64", "Lib"] {
                let lib = root.join(lib);
                let versions = entries(&lib)
                    .into_iter()
                    .filter(|p| name(p).starts_with("python3"));
                for folder in versions.chain([lib.clone()]) {
                    for packages in ["site-packages", "dist-packages"] {
                        for file in self.libraries(&folder.join(packages).join(self.package)) {
                            add(file, "a Python installation", false);
                        }
                    }
                }
            }
        }
        for (source, folder) in &places.folders {
            for file in self.libraries(folder) {
                add(file, source, false);
            }
        }
        found
    }

    /// The files of `folder` that are named like the library, newest version first.
    fn libraries(&self, folder: &Path) -> Vec<PathBuf> {
        let version = |path: &Path| (self.version_of)(name(path));
        let mut files: Vec<PathBuf> = entries(folder)
            .into_iter()
            .filter(|p| version(p).is_some())
            .collect();
        files.sort_by_key(|p| Reverse(version(p).unwrap_or_default()));
        files
    }
}

/// The version in the name of a library called `stem`: `libSTEM.so.1.2`, `libSTEM.1.2.dylib`,
/// `STEM.dll`; empty when the name holds none, `None` for every other name.
pub(crate) fn version_in_name(stem: &str, file: &str) -> Option<Vec<u32>> {
    let unix = file
        .strip_prefix("lib")
        .and_then(|f| f.strip_prefix(stem))
        .unwrap_or("");
    let windows = file.strip_prefix(stem) == Some(".dll");
    let rest = if windows {
        ""
    } else {
        unix.strip_prefix(".so")
            .or_else(|| unix.strip_suffix(".dylib"))
            .filter(|rest| rest.is_empty() || rest.starts_with('.'))?
    };
    rest.split('.')
        .filter(|p| !p.is_empty())
        .map(|p| p.parse().ok())
        .collect()
}

/// The first file of that name in `folders`.
fn first_program(folders: impl Iterator<Item = PathBuf>, name: &str) -> Option<PathBuf> {
    folders
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// The installation that a Python belongs to: the folder above the one it lies in, which in a
/// virtual environment holds the packages; then the same of the file that it is a link to.
fn roots(python: &Path) -> Vec<PathBuf> {
    let above = |file: &Path| file.parent().and_then(Path::parent).map(Path::to_owned);
    let linked = fs::canonicalize(python).ok();
    let mut roots: Vec<PathBuf> = [Some(python), linked.as_deref()]
        .into_iter()
        .flatten()
        .filter_map(above)
        .collect();
    roots.dedup();
    roots
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .map(|d| d.filter_map(|e| e.ok().map(|e| e.path())).collect())
        .unwrap_or_default();
    entries.sort();
    entries
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(OsStr::to_str).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANTED: Wanted = Wanted {
        variables: &["DYNO_ONNXRUNTIME"],
        package: "onnxruntime/capi",
        installations: &[],
        folders: &[],
        version_of: |file| version_in_name("onnxruntime", file),
    };

    #[test]
    fn names_of_the_library_and_of_its_neighbours() {
        let version_of = WANTED.version_of;
        assert_eq!(version_of("libonnxruntime.so.1.31.1"), Some(vec![1, 31, 1]));
        assert_eq!(version_of("libonnxruntime.so"), Some(vec![]));
        assert_eq!(version_of("libonnxruntime.dylib"), Some(vec![]));
        assert_eq!(
            version_of("libonnxruntime.1.24.0.dylib"),
            Some(vec![1, 24, 0])
        );
        assert_eq!(version_of("onnxruntime.dll"), Some(vec![]));
        for other in [
            "libonnxruntime_providers_shared.so",
            "libonnxruntime.so.x",
            "libonnx.so",
            "libonnxruntime.sox",
            "onnxruntime.so",
        ] {
            assert_eq!(version_of(other), None, "{other}");
        }
        // OpenVINO writes year, release and patch without points.
        let openvino = |file| version_in_name("openvino_c", file);
        assert_eq!(openvino("libopenvino_c.so.2641"), Some(vec![2641]));
        assert_eq!(openvino("libopenvino.so.2641"), None);
    }

    #[test]
    fn named_files_come_first_and_newer_versions_before_older() {
        let root = std::env::temp_dir().join(format!("dyno-ort-search-{}", std::process::id()));
        let capi = root.join("venv/lib/python3.11/site-packages/onnxruntime/capi");
        fs::create_dir_all(&capi).expect("a temporary folder");
        for file in [
            "libonnxruntime.so.1.9.0",
            "libonnxruntime.so.1.31.1",
            "libonnxruntime_providers_shared.so",
        ] {
            fs::write(capi.join(file), "").expect("a file");
        }
        let named = root.join("mine.so");
        let found = WANTED.search(&Places {
            named: vec![("DYNO_ONNXRUNTIME", named.clone())],
            python: vec![root.join("venv")],
            folders: vec![("a system folder", capi.clone())],
        });
        let paths: Vec<&Path> = found.iter().map(|f| f.path.as_path()).collect();
        assert_eq!(
            paths,
            [
                named.as_path(),
                &capi.join("libonnxruntime.so.1.31.1"),
                &capi.join("libonnxruntime.so.1.9.0")
            ]
        );
        assert_eq!(
            found.iter().map(|f| f.explicit).collect::<Vec<_>>(),
            [true, false, false]
        );
        fs::remove_dir_all(&root).expect("the folder is ours");
    }

    #[cfg(unix)]
    #[test]
    fn the_first_python_on_the_path_leads_to_its_packages() {
        let root = std::env::temp_dir().join(format!("dyno-ort-python-{}", std::process::id()));
        let venv = root.join("venv");
        let base = root.join("base");
        let capi = |root: &Path| root.join("lib/python3.11/site-packages/onnxruntime/capi");
        for installation in [&venv, &base] {
            fs::create_dir_all(capi(installation)).expect("a temporary folder");
            fs::create_dir_all(installation.join("bin")).expect("a temporary folder");
            fs::write(capi(installation).join("libonnxruntime.so.1.31.1"), "").expect("a file");
        }
        fs::write(base.join("bin/python3.11"), "").expect("a file");
        let python = venv.join("bin/python3");
        std::os::unix::fs::symlink(base.join("bin/python3.11"), &python).expect("a link");
        let path = [root.join("none"), venv.join("bin"), base.join("bin")];
        let found = first_program(path.into_iter(), "python3").expect("there is one");
        assert_eq!(found, python);
        let found = WANTED.search(&Places {
            python: roots(&found),
            ..Places::default()
        });
        let base = fs::canonicalize(&base).expect("it is there");
        let expected = [&venv, &base].map(|i| capi(i).join("libonnxruntime.so.1.31.1"));
        assert_eq!(
            found.iter().map(|f| f.path.clone()).collect::<Vec<_>>(),
            expected
        );
        fs::remove_dir_all(&root).expect("the folder is ours");
    }
}
