//! Where installed runtimes lie, and what lies there.

use super::{error::RuntimeError, table::RUNTIMES, wheel::Unpacked};
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Schema of the file that stands in the folder of an installed runtime.
const SCHEMA: &str = "dyno.runtime/1";

/// Name of that file.
const FILE: &str = "runtime.json";

/// Longest such file that is read.
const MOST_BYTES: u64 = 1 << 20;

/// What was installed, as its folder says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Card {
    schema: String,
    runtime: String,
    version: String,
    library: String,
    wheel_sha256: String,
    files: u64,
    bytes: u64,
}

/// An installed runtime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// Its name in the table of runtimes.
    pub runtime: &'static str,
    /// Id of the engine that opens it.
    pub engine: &'static str,
    /// Its version.
    pub version: String,
    /// Its folder.
    pub folder: PathBuf,
    /// The library that the engine opens.
    pub library: PathBuf,
    /// Bytes of its libraries.
    pub bytes: u64,
}

/// The folder that holds installed runtimes.
#[derive(Debug, Clone)]
pub struct Engines {
    root: PathBuf,
}

impl Engines {
    /// The user's: `engines` in `DYNO_DATA_DIR`, else in `$XDG_DATA_HOME/dyno`, else in
    /// `~/.local/share/dyno`. Where native libraries lie is a property of the machine, not of a
    /// plan.
    ///
    /// # Errors
    /// When none of these is set.
    pub fn of_user() -> Result<Self, RuntimeError> {
        let set = |name: &str| {
            std::env::var_os(name)
                .filter(|v| !v.is_empty())
                .map(PathBuf::from)
        };
        set("DYNO_DATA_DIR")
            .or_else(|| set("XDG_DATA_HOME").map(|d| d.join("dyno")))
            .or_else(|| set("HOME").map(|h| h.join(".local/share/dyno")))
            .map(|data| Self::at(data.join("engines")))
            .ok_or(RuntimeError::NoDataFolder)
    }

    /// Those of a folder.
    pub fn at(root: PathBuf) -> Self {
        Self { root }
    }

    /// The folder; it need not exist.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where a runtime of that version lies or would lie.
    pub fn folder(&self, runtime: &str, version: &str) -> PathBuf {
        self.root.join(format!("{runtime}-{version}"))
    }

    /// What is installed, in the order of the table, newest versions first. Folders without a card
    /// of ours are passed over.
    pub fn installed(&self) -> Vec<Installed> {
        let Ok(entries) = fs::read_dir(&self.root) else {
            return Vec::new();
        };
        let mut found: Vec<(usize, Installed)> = entries
            .filter_map(|entry| self.read(&entry.ok()?.path()))
            .collect();
        found.sort_by(|(a, x), (b, y)| {
            let newest = numbers(&y.version).cmp(&numbers(&x.version));
            a.cmp(b).then(newest).then(x.version.cmp(&y.version))
        });
        found.into_iter().map(|(_, installed)| installed).collect()
    }

    fn read(&self, folder: &Path) -> Option<(usize, Installed)> {
        let path = folder.join(FILE);
        if fs::metadata(&path).ok()?.len() > MOST_BYTES {
            return None;
        }
        let card: Card = serde_json::from_slice(&fs::read(&path).ok()?).ok()?;
        let (row, runtime) = RUNTIMES
            .iter()
            .enumerate()
            .find(|(_, r)| r.name == card.runtime)?;
        let plain = Path::new(&card.library).components().count() == 1;
        let known = card.schema == SCHEMA && plain;
        (known && folder == self.folder(&card.runtime, &card.version)).then(|| {
            let library = folder.join("lib").join(&card.library);
            let installed = Installed {
                runtime: runtime.name,
                engine: runtime.engine,
                version: card.version,
                folder: folder.to_owned(),
                library,
                bytes: card.bytes,
            };
            (row, installed)
        })
    }

    /// Libraries of installed runtimes for an engine; those of the runtime `first` before others.
    pub fn libraries(&self, engine: &str, first: Option<&str>) -> Vec<PathBuf> {
        let mut found = self.installed();
        found.retain(|i| i.engine == engine);
        found.sort_by_key(|i| Some(i.runtime) != first);
        found.into_iter().map(|i| i.library).collect()
    }

    /// Gives what was unpacked in `folder` its place and its card. The folder is one of `root`.
    ///
    /// # Errors
    /// When it cannot be written, or a runtime of that version is there already.
    pub fn keep(
        &self,
        runtime: &str,
        unpacked: &Unpacked,
        folder: &Path,
    ) -> Result<PathBuf, RuntimeError> {
        let card = Card {
            schema: SCHEMA.to_owned(),
            runtime: runtime.to_owned(),
            version: unpacked.version.clone(),
            library: unpacked.library.clone(),
            wheel_sha256: unpacked.wheel_sha256.clone(),
            files: unpacked.files,
            bytes: unpacked.bytes,
        };
        let text = serde_json::to_vec_pretty(&card)
            .map_err(|e| failed("write", &folder.join(FILE))(e.into()))?;
        let path = folder.join(FILE);
        fs::write(&path, text).map_err(failed("write", &path))?;
        let place = self.folder(runtime, &unpacked.version);
        if place.exists() {
            return Err(failed("replace", &place)(
                io::ErrorKind::AlreadyExists.into(),
            ));
        }
        fs::rename(folder, &place).map_err(failed("write", &place))?;
        Ok(place)
    }

    /// Removes an installed runtime: first its name goes, so that no engine finds half of it.
    ///
    /// # Errors
    /// When it cannot be deleted.
    pub fn remove(&self, installed: &Installed) -> Result<(), RuntimeError> {
        let aside = self.root.join(format!(
            ".removing-{}-{}-{}",
            installed.runtime,
            installed.version,
            std::process::id()
        ));
        fs::rename(&installed.folder, &aside).map_err(failed("delete", &installed.folder))?;
        fs::remove_dir_all(&aside).map_err(failed("delete", &aside))
    }
}

pub(super) fn failed(
    doing: &'static str,
    path: &Path,
) -> impl FnOnce(io::Error) -> RuntimeError + use<> {
    let path = path.to_owned();
    move |source| RuntimeError::Io {
        doing,
        path,
        source,
    }
}

/// Numbers of a version, for its order.
fn numbers(version: &str) -> Vec<u64> {
    version
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|n| n.parse().ok())
        .collect()
}
