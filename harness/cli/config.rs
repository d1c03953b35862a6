//! `dyno.toml`: the project's, then the user's. A flag beats the environment, which beats the
//! project, which beats the user.

use crate::exit;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Settings of a file; all optional.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct File {
    /// Folders with registered models; relative ones are relative to the file.
    pub(crate) models_dirs: Option<Vec<PathBuf>>,
    /// Engine when `--backend` is not given.
    pub(crate) backend: Option<String>,
    /// Where run folders go.
    pub(crate) runs_dir: Option<PathBuf>,
    /// Where cached hashes are kept.
    pub(crate) cache_dir: Option<PathBuf>,
}

/// One setting with where it came from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Setting<T> {
    /// The value.
    pub(crate) value: T,
    /// `flag`, `DYNO_…`, a file, or `default`.
    pub(crate) source: String,
}

/// Settings in force.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Folders with registered models.
    pub(crate) models_dirs: Setting<Vec<PathBuf>>,
    /// Engine, where one is set.
    pub(crate) backend: Option<Setting<String>>,
    /// Where run folders go.
    pub(crate) runs_dir: Setting<PathBuf>,
    /// Where cached hashes are kept.
    pub(crate) cache_dir: Setting<PathBuf>,
    /// Files that were read.
    pub(crate) files: Vec<PathBuf>,
}

fn home(variable: &str, below: &str) -> Option<PathBuf> {
    let set = std::env::var_os(variable)
        .filter(|v| !v.is_empty())
        .map(PathBuf::from);
    set.or_else(|| {
        std::env::var_os("HOME")
            .filter(|v| !v.is_empty())
            .map(|h| Path::new(&h).join(below))
    })
}

/// Reads one file; none is no error.
fn read(path: &Path) -> anyhow::Result<Option<File>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(exit::usage(
                format!("cannot read `{}`: {error}", path.display()),
                "",
            ));
        }
    };
    let mut file: File = toml::from_str(&text).map_err(|e| {
        // One line: the file may be a stranger's, and its text is not shown.
        let place = e.span().map_or_else(String::new, |span| {
            let before = text.get(..span.start).unwrap_or_default();
            format!(" line {}", before.matches('\n').count() + 1)
        });
        exit::usage(
            format!("`{}`{place}: {}", path.display(), e.message()),
            "the keys are models_dirs, backend, runs_dir, cache_dir",
        )
    })?;
    let base = path.parent().unwrap_or(Path::new("."));
    for dir in file
        .models_dirs
        .iter_mut()
        .flatten()
        .chain(&mut file.runs_dir)
        .chain(&mut file.cache_dir)
    {
        if dir.is_relative() {
            *dir = base.join(&*dir);
        }
    }
    Ok(Some(file))
}

/// The project's file: `dyno.toml` here or in the nearest folder above.
fn project_file() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    here.ancestors()
        .map(|d| d.join("dyno.toml"))
        .find(|p| p.is_file())
}

/// Settings from all sources.
///
/// # Errors
/// When a file is malformed.
pub(crate) fn settings(
    flag_models_dirs: &[PathBuf],
    flag_runs_dir: Option<&Path>,
) -> anyhow::Result<Settings> {
    let mut layers: Vec<(PathBuf, File)> = Vec::new();
    let user = home("XDG_CONFIG_HOME", ".config").map(|d| d.join("dyno").join("dyno.toml"));
    for path in [project_file(), user].into_iter().flatten() {
        if let Some(file) = read(&path)? {
            layers.push((path, file));
        }
    }
    let variable = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty());
    let path_setting = |name: &str, pick: fn(&File) -> Option<&PathBuf>, default: PathBuf| {
        if let Some(value) = variable(name) {
            return Setting {
                value: value.into(),
                source: name.to_owned(),
            };
        }
        let layer = layers.iter().find_map(|(p, f)| {
            pick(f).map(|v| Setting {
                value: v.clone(),
                source: p.display().to_string(),
            })
        });
        layer.unwrap_or(Setting {
            value: default,
            source: "default".to_owned(),
        })
    };
    let cache_default = home("XDG_CACHE_HOME", ".cache")
        .map_or_else(|| PathBuf::from(".dyno-cache"), |d| d.join("dyno"));
    let runs_dir = flag_runs_dir.map_or_else(
        || {
            path_setting(
                "DYNO_RUNS_DIR",
                |f| f.runs_dir.as_ref(),
                PathBuf::from("dyno-runs"),
            )
        },
        |dir| Setting {
            value: dir.to_owned(),
            source: "flag".to_owned(),
        },
    );
    let cache_dir = path_setting("DYNO_CACHE_DIR", |f| f.cache_dir.as_ref(), cache_default);
    let models_dirs = if !flag_models_dirs.is_empty() {
        Setting {
            value: flag_models_dirs.to_vec(),
            source: "flag".to_owned(),
        }
    } else if let Some(value) = variable("DYNO_MODELS_DIRS") {
        Setting {
            value: std::env::split_paths(&value)
                .filter(|p| !p.as_os_str().is_empty())
                .collect(),
            source: "DYNO_MODELS_DIRS".to_owned(),
        }
    } else if let Some((path, dirs)) = layers
        .iter()
        .find_map(|(p, f)| f.models_dirs.as_ref().map(|d| (p, d)))
    {
        Setting {
            value: dirs.clone(),
            source: path.display().to_string(),
        }
    } else {
        Setting {
            value: vec![PathBuf::from("models")],
            source: "default".to_owned(),
        }
    };
    let backend = variable("DYNO_BACKEND")
        .and_then(|v| v.into_string().ok())
        .map(|value| Setting {
            value,
            source: "DYNO_BACKEND".to_owned(),
        });
    let backend = backend.or_else(|| {
        layers.iter().find_map(|(path, file)| {
            file.backend.as_ref().map(|name| Setting {
                value: name.clone(),
                source: path.display().to_string(),
            })
        })
    });
    Ok(Settings {
        models_dirs,
        backend,
        runs_dir,
        cache_dir,
        files: layers.into_iter().map(|(p, _)| p).collect(),
    })
}
