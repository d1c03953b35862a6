//! Shared libraries out of a wheel, checked.
//!
//! A wheel is a zip file whose `RECORD` lists every file with its SHA-256 and size (*Binary
//! distribution format* of the Python packaging specifications, PEP 427). The list is the wheel's
//! own: it finds damage and a file that somebody put in, not a wheel that was made to deceive. Its
//! sizes bound what is written. Nothing is run.

use super::{error::RuntimeError, place::failed, table::Runtime};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read, Write as _},
    path::{Path, PathBuf},
};
use zip::ZipArchive;

/// Most entries of a wheel.
const MOST_ENTRIES: usize = 50_000;
/// Longest list or description in a wheel.
const MOST_TEXT: u64 = 16 << 20;
/// Most bytes that are written for one runtime: twice what the largest one has.
const MOST_BYTES: u64 = 4 << 30;

/// What was unpacked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpacked {
    /// Version of the package.
    pub version: String,
    /// File name of the library that the engine opens, in the folder `lib`.
    pub library: String,
    /// SHA-256 of the wheel.
    pub wheel_sha256: String,
    /// Files in `lib`.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// A line of `RECORD`.
struct Listed {
    sha256: Vec<u8>,
    size: u64,
}

struct Wheel<'a> {
    path: &'a Path,
    archive: ZipArchive<File>,
    names: Vec<String>,
    record: BTreeMap<String, Listed>,
}

/// Unpacks the shared libraries of `wheel` into `into/lib` and its licences into `into/licenses`.
///
/// # Errors
/// When the file is no wheel of that runtime, holds a name that leads out of its folder, a link, a
/// file that is not listed or differs from its listed hash or size, more than the bounds, or no
/// library.
pub fn unpack(runtime: &Runtime, wheel: &Path, into: &Path) -> Result<Unpacked, RuntimeError> {
    let wheel_sha256 = sha256_of(wheel)?;
    let mut opened = Wheel::open(wheel)?;
    let (folder, version) = opened.describe(runtime.name)?;
    opened.record = opened.list(&folder)?;
    let names = std::mem::take(&mut opened.names);
    let (lib, licenses) = (into.join("lib"), into.join("licenses"));
    for dir in [&lib, &licenses] {
        fs::create_dir_all(dir).map_err(failed("write", dir))?;
    }
    let (mut files, mut bytes) = (0, 0);
    let mut libraries = Vec::new();
    for name in &names {
        if let Some(file) = name.strip_prefix(runtime.folder).filter(|f| is_library(f)) {
            bytes += opened.extract(name, &lib.join(file), MOST_BYTES - bytes)?;
            files += 1;
            if file.starts_with(runtime.library) {
                libraries.push(file.to_owned());
            }
        } else if let Some(file) = license(name, &folder) {
            bytes += opened.extract(name, &licenses.join(file), MOST_BYTES - bytes)?;
        }
    }
    // The longest name is the most exact version where links of a build became copies.
    libraries.sort_by_key(|l| (l.len(), l.clone()));
    let library = libraries.pop().ok_or_else(|| {
        opened.refused(format!(
            "it has no `{}…` in `{}`",
            runtime.library, runtime.folder
        ))
    })?;
    Ok(Unpacked {
        version,
        library,
        wheel_sha256,
        files,
        bytes,
    })
}

/// SHA-256 of a file, in hexadecimal digits.
///
/// # Errors
/// When it cannot be read.
pub fn sha256_of(path: &Path) -> Result<String, RuntimeError> {
    use std::fmt::Write as _;
    let mut file = File::open(path).map_err(failed("read", path))?;
    let mut hasher = Sha256::new();
    let mut block = vec![0; 1 << 16];
    loop {
        match file.read(&mut block).map_err(failed("read", path))? {
            0 => break,
            n => hasher.update(block.get(..n).unwrap_or_default()),
        }
    }
    Ok(hasher.finalize().iter().fold(String::new(), |mut hex, b| {
        let _ = write!(hex, "{b:02x}");
        hex
    }))
}

/// A shared library that is not an extension of Python: those do not begin with `lib`.
fn is_library(file: &str) -> bool {
    let shared = file.contains(".so") || file.contains(".dylib");
    shared && file.starts_with("lib") && !file.contains('/')
}

/// The name under which a licence is kept.
fn license(name: &str, folder: &str) -> Option<String> {
    let (place, file) = name.rsplit_once('/')?;
    let upper = file.to_uppercase();
    let listed =
        place == format!("{folder}/licenses") || place.starts_with(&format!("{folder}/licenses/"));
    let word = [
        "LICENSE",
        "LICENCE",
        "THIRDPARTYNOTICES",
        "NOTICE",
        "COPYING",
    ]
    .iter()
    .any(|w| upper.starts_with(w));
    (listed || word)
        .then(|| name.replace('/', "-"))
        .filter(|n| !file.is_empty() && n.len() < 200)
}

impl<'a> Wheel<'a> {
    fn open(path: &'a Path) -> Result<Self, RuntimeError> {
        let file = File::open(path).map_err(failed("read", path))?;
        let wrong = |reason: String| RuntimeError::Wheel {
            wheel: path.to_owned(),
            reason,
        };
        let archive =
            ZipArchive::new(file).map_err(|e| wrong(format!("it is no zip file: {e}")))?;
        if archive.len() > MOST_ENTRIES {
            return Err(wrong(format!("it has {} entries", archive.len())));
        }
        let mut wheel = Self {
            path,
            archive,
            names: Vec::new(),
            record: BTreeMap::new(),
        };
        for index in 0..wheel.archive.len() {
            let entry = wheel.archive.by_index_raw(index);
            let entry = entry.map_err(|e| wrong(format!("entry {index}: {e}")))?;
            let name = entry.name();
            let name = name
                .map_err(|e| wrong(format!("entry {index}: {e}")))?
                .into_owned();
            let inside = entry.enclosed_name().is_some()
                && !name.starts_with('/')
                && !name.contains(['\\', '\0'])
                && name.split('/').all(|part| part != ".." && part != ".");
            if !inside {
                return Err(wrong(format!("`{name}` leads out of its folder")));
            }
            if entry.is_symlink() {
                return Err(wrong(format!("`{name}` is a link")));
            }
            drop(entry);
            wheel.names.push(name);
        }
        Ok(wheel)
    }

    fn refused(&self, reason: String) -> RuntimeError {
        RuntimeError::Wheel {
            wheel: self.path.to_owned(),
            reason,
        }
    }

    fn text(&mut self, name: &str) -> Result<Vec<u8>, RuntimeError> {
        let path = self.path;
        let wrong = |reason: String| RuntimeError::Wheel {
            wheel: path.to_owned(),
            reason,
        };
        let entry = self
            .archive
            .by_name(name)
            .map_err(|e| wrong(format!("`{name}`: {e}")))?;
        let mut bytes = Vec::new();
        entry
            .take(MOST_TEXT + 1)
            .read_to_end(&mut bytes)
            .map_err(|e| wrong(format!("`{name}`: {e}")))?;
        if bytes.len() as u64 > MOST_TEXT {
            return Err(wrong(format!("`{name}` is longer than {MOST_TEXT} bytes")));
        }
        Ok(bytes)
    }

    /// The folder of its description, and its version; the package must be `package`.
    fn describe(&mut self, package: &str) -> Result<(String, String), RuntimeError> {
        let folders: Vec<String> = self
            .names
            .iter()
            .filter_map(|n| n.strip_suffix(".dist-info/METADATA"))
            .filter(|n| !n.contains('/'))
            .map(|n| format!("{n}.dist-info"))
            .collect();
        let [folder] = folders.as_slice() else {
            return Err(self.refused("it has no single `.dist-info/METADATA`".to_owned()));
        };
        let text = self.text(&format!("{folder}/METADATA"))?;
        let text = String::from_utf8_lossy(&text);
        let field = |key: &str| {
            text.lines()
                .take_while(|l| !l.is_empty())
                .find_map(|l| l.strip_prefix(key)?.strip_prefix(':').map(str::trim))
                .unwrap_or_default()
        };
        let (name, version) = (field("Name"), field("Version"));
        if name.to_lowercase().replace(['_', '.'], "-") != package {
            return Err(self.refused(format!("it is `{name}`, not `{package}`")));
        }
        let good = |c: char| c.is_ascii_alphanumeric() || "._+-".contains(c);
        if version.is_empty() || version.len() > 60 || !version.chars().all(good) {
            return Err(self.refused(format!("its version is `{version}`")));
        }
        Ok((folder.clone(), version.to_owned()))
    }

    /// Its list of files.
    fn list(&mut self, folder: &str) -> Result<BTreeMap<String, Listed>, RuntimeError> {
        let name = format!("{folder}/RECORD");
        let bytes = self.text(&name)?;
        let mut record = BTreeMap::new();
        let mut lines = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(bytes.as_slice());
        for line in lines.records() {
            let line = line.map_err(|e| self.refused(format!("`{name}`: {e}")))?;
            let cell = |at: usize| line.get(at).unwrap_or_default();
            let hash = cell(1)
                .strip_prefix("sha256=")
                .and_then(|h| URL_SAFE_NO_PAD.decode(h).ok());
            let (Some(sha256), Ok(size)) = (hash, cell(2).parse()) else {
                // `RECORD` itself is listed without; another file without is refused when needed.
                continue;
            };
            let listed = Listed { sha256, size };
            if record.insert(cell(0).to_owned(), listed).is_some() {
                return Err(self.refused(format!("`{name}` lists `{}` twice", cell(0))));
            }
        }
        Ok(record)
    }

    /// Writes one file, at most `room` bytes; returns how many.
    fn extract(&mut self, name: &str, to: &PathBuf, room: u64) -> Result<u64, RuntimeError> {
        let path = self.path;
        let wrong = |reason: String| RuntimeError::Wheel {
            wheel: path.to_owned(),
            reason,
        };
        let listed = self
            .record
            .get(name)
            .ok_or_else(|| wrong(format!("`{name}` is not in its list of hashes")))?;
        if listed.size > room {
            return Err(wrong(format!(
                "`{name}` would make it larger than {MOST_BYTES} bytes"
            )));
        }
        let entry = self
            .archive
            .by_name(name)
            .map_err(|e| wrong(format!("`{name}`: {e}")))?;
        let mut file = File::create_new(to).map_err(failed("write", to))?;
        let mut hasher = Sha256::new();
        let mut source = entry.take(listed.size.saturating_add(1));
        let mut block = vec![0; 1 << 16];
        let mut written = 0_u64;
        loop {
            let n = match source.read(&mut block) {
                Ok(0) => break,
                Ok(n) => n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(wrong(format!("`{name}`: {e}"))),
            };
            let part = block.get(..n).unwrap_or_default();
            hasher.update(part);
            file.write_all(part).map_err(failed("write", to))?;
            written += n as u64;
        }
        if written != listed.size {
            return Err(wrong(format!(
                "`{name}` has not the {} bytes of its list",
                listed.size
            )));
        }
        if hasher.finalize().as_slice() != listed.sha256.as_slice() {
            return Err(wrong(format!("`{name}` has another hash than its list")));
        }
        file.sync_all().map_err(failed("write", to))?;
        Ok(written)
    }
}
