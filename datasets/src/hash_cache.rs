//! File hashes, remembered by path, size and time of change.

use crate::files::read_bounded;
use dyno_core::DatasetError;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs::{self, File},
    io::{self, Read, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

const SCHEMA: &str = "dyno.hash-cache/1";
/// Largest cache file.
const LIMIT: u64 = 512 << 20;
/// A file changed this recently may change again within the resolution of its time stamp: its hash
/// is not kept.
const SETTLED: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    size: u64,
    mtime_ns: u64,
    sha256: String,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    schema: String,
    files: BTreeMap<String, Known>,
}

#[derive(Default)]
struct State {
    known: BTreeMap<String, Known>,
    changed: bool,
}

/// Remembers sha256 of files by absolute path, size and modification time in nanoseconds.
#[derive(Default)]
pub struct HashCache {
    file: Option<PathBuf>,
    state: Mutex<State>,
}

fn read(file: &Path) -> BTreeMap<String, Known> {
    let stored = read_bounded(file, LIMIT)
        .ok()
        .and_then(|bytes| serde_json::from_slice::<Stored>(&bytes).ok());
    let is_hash = |k: &Known| {
        k.sha256.len() == 64
            && k.sha256
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    stored
        .filter(|s| s.schema == SCHEMA && s.files.values().all(is_hash))
        .map(|s| s.files)
        .unwrap_or_default()
}

impl HashCache {
    /// A cache kept in `file`. A file that is absent, damaged or of another version counts as
    /// empty: hashes are then taken anew.
    pub fn open(file: impl Into<PathBuf>) -> Self {
        let file = file.into();
        let known = read(&file);
        Self {
            file: Some(file),
            state: Mutex::new(State {
                known,
                changed: false,
            }),
        }
    }

    /// A cache that remembers nothing beyond its own life.
    pub fn none() -> Self {
        Self::default()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // Every change is one whole insertion, so a panic elsewhere leaves a usable map.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lower-case hexadecimal sha256 of a file.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn sha256(&self, path: &Path) -> Result<String, DatasetError> {
        let error = |source| DatasetError::Io {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(error)?;
        let metadata = file.metadata().map_err(error)?;
        let stamp = metadata.modified().ok().and_then(|t| {
            Some((
                t,
                u64::try_from(t.duration_since(UNIX_EPOCH).ok()?.as_nanos()).ok()?,
            ))
        });
        let key = std::path::absolute(path)
            .ok()
            .and_then(|p| p.into_os_string().into_string().ok());
        if let (Some((_, mtime_ns)), Some(key)) = (stamp, &key)
            && let Some(known) = self.state().known.get(key)
            && known.size == metadata.len()
            && known.mtime_ns == mtime_ns
        {
            return Ok(known.sha256.clone());
        }
        let (sha256, size) = hash(file).map_err(error)?;
        if let (Some((time, mtime_ns)), Some(key)) = (stamp, key)
            && size == metadata.len()
            && SystemTime::now()
                .duration_since(time)
                .is_ok_and(|age| age >= SETTLED)
        {
            let mut state = self.state();
            state.known.insert(
                key,
                Known {
                    size,
                    mtime_ns,
                    sha256: sha256.clone(),
                },
            );
            state.changed = true;
        }
        Ok(sha256)
    }

    /// Writes new hashes to the file of the cache, together with those that another process wrote
    /// meanwhile: temporary file, fsync, rename. Does nothing for [`HashCache::none`] and when
    /// nothing is new.
    ///
    /// # Errors
    /// When the file cannot be written; the old one is then whole.
    pub fn save(&self) -> io::Result<()> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        let mut state = self.state();
        if !state.changed {
            return Ok(());
        }
        let mut files = read(file);
        files.extend(state.known.iter().map(|(k, v)| (k.clone(), v.clone())));
        let folder = file
            .parent()
            .filter(|p| !p.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer(
            io::BufWriter::new(&mut temporary),
            &Stored {
                schema: SCHEMA.to_owned(),
                files,
            },
        )?;
        temporary.flush()?;
        temporary.as_file().sync_all()?;
        temporary.persist(file).map_err(|e| e.error)?;
        state.changed = false;
        Ok(())
    }
}

fn hash(mut file: File) -> io::Result<(String, u64)> {
    let (mut hasher, mut buffer, mut size) = (Sha256::new(), vec![0u8; 1 << 16], 0u64);
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        hasher.update(&buffer[..n]);
        size += n as u64;
    }
    let mut hex = String::with_capacity(64);
    for byte in hasher.finalize() {
        let _ = write!(hex, "{byte:02x}");
    }
    Ok((hex, size))
}

#[cfg(test)]
mod tests {
    use super::*;
    use dyno_core::sha256_hex;

    fn old_file(path: &Path, content: &[u8]) {
        file_of(SystemTime::now() - Duration::from_secs(100), path, content);
    }

    fn file_of(time: SystemTime, path: &Path, content: &[u8]) {
        fs::write(path, content).expect("writes");
        File::options()
            .write(true)
            .open(path)
            .expect("opens")
            .set_modified(time)
            .expect("sets time");
    }

    #[test]
    fn hashes_are_kept_until_size_or_time_change() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let (data, file) = (dir.path().join("data"), dir.path().join("deep/cache.json"));
        old_file(&data, b"one");
        let cache = HashCache::open(&file);
        assert_eq!(cache.sha256(&data).expect("reads"), sha256_hex(b"one"));
        cache.save().expect("saves");
        // The stored hash is used: one that was planted comes back.
        let planted = fs::read_to_string(&file)
            .expect("was saved")
            .replace(&sha256_hex(b"one"), &"a".repeat(64));
        fs::write(&file, planted).expect("writes");
        assert_eq!(
            HashCache::open(&file).sha256(&data).expect("reads"),
            "a".repeat(64)
        );
        assert_eq!(
            HashCache::none().sha256(&data).expect("reads"),
            sha256_hex(b"one")
        );
        // Same size, new time; the file is young however long the test takes, so its hash is not
        // stored.
        let soon = SystemTime::now() + Duration::from_secs(100);
        file_of(soon, &data, b"two");
        let cache = HashCache::open(&file);
        assert_eq!(cache.sha256(&data).expect("reads"), sha256_hex(b"two"));
        assert!(!cache.state().changed);
        old_file(&data, b"three");
        assert_eq!(cache.sha256(&data).expect("reads"), sha256_hex(b"three"));
        assert!(cache.state().changed);
    }

    #[test]
    fn a_damaged_cache_is_empty_and_is_replaced() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let (data, file) = (dir.path().join("data"), dir.path().join("cache.json"));
        old_file(&data, b"one");
        for damage in [
            "",
            "{",
            "null",
            "{\"schema\":\"dyno.hash-cache/2\",\"files\":{}}",
            "\u{0}\u{1}",
        ] {
            fs::write(&file, damage).expect("writes");
            let cache = HashCache::open(&file);
            assert_eq!(cache.sha256(&data).expect("reads"), sha256_hex(b"one"));
            cache.save().expect("saves");
            assert_eq!(read(&file).len(), 1, "after {damage:?}");
        }
    }

    #[test]
    fn two_processes_keep_each_others_hashes() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let file = dir.path().join("cache.json");
        let (a, b) = (HashCache::open(&file), HashCache::open(&file));
        for (cache, name) in [(&a, "x"), (&b, "y")] {
            let data = dir.path().join(name);
            old_file(&data, name.as_bytes());
            cache.sha256(&data).expect("reads");
            cache.save().expect("saves");
        }
        assert_eq!(read(&file).len(), 2);
    }
}
