//! Locks, hashes and bounded reading of files, and folders of files named by their hash.

use crate::{EvidenceError, atomic::atomic_write};
use dyno_core::Artifact;
use sha2::{Digest, Sha256};
use std::{
    fmt::Write as _,
    fs::{self, File, TryLockError},
    io::{self, Read},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// How long [`lock`] waits.
pub const LOCK_WAIT: Duration = Duration::from_secs(10);

/// The folder of a path; `.` for a bare name.
pub(crate) fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// A held lock; dropping it releases it. The lock file stays: removing it would race with a waiting
/// process.
#[derive(Debug)]
pub struct FileLock {
    _file: File,
}

/// Takes the exclusive lock on the lock file `path` (made if missing), waiting [`LOCK_WAIT`] at
/// most.
///
/// The lock is advisory, belongs to the open file, and ends with the process. Taking it twice in
/// one process blocks too.
///
/// # Errors
/// [`EvidenceError::Locked`] when another holder keeps it, [`EvidenceError::Io`] when the file
/// cannot be made or is no regular file.
pub fn lock(path: &Path) -> Result<FileLock, EvidenceError> {
    lock_within(path, LOCK_WAIT)
}

/// As [`lock`], with another bound.
///
/// # Errors
/// As [`lock`].
pub fn lock_within(path: &Path, wait: Duration) -> Result<FileLock, EvidenceError> {
    // Opening a pipe to write would wait for who reads it.
    if fs::symlink_metadata(path).is_ok_and(|m| !m.is_file()) {
        return Err(EvidenceError::io("open the lock", path)(not_a_file()));
    }
    let file = File::options()
        .create(true)
        .append(true)
        .open(path)
        .map_err(EvidenceError::io("open the lock", path))?;
    let start = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(FileLock { _file: file }),
            Err(TryLockError::WouldBlock) if start.elapsed() < wait => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(TryLockError::WouldBlock) => {
                return Err(EvidenceError::Locked {
                    path: path.to_owned(),
                    waited_ms: start.elapsed().as_millis(),
                });
            }
            Err(TryLockError::Error(e)) => return Err(EvidenceError::io("lock", path)(e)),
        }
    }
}

fn not_a_file() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file")
}

/// Opens a regular file: opening a pipe would wait for who writes it, and a device has no end.
///
/// # Errors
/// [`EvidenceError::Io`] when it cannot be opened or is something else.
pub fn open_file(path: &Path) -> Result<File, EvidenceError> {
    let read = || EvidenceError::io("read", path);
    if !fs::metadata(path).map_err(read())?.is_file() {
        return Err(read()(not_a_file()));
    }
    File::open(path).map_err(read())
}

/// Lower-case hexadecimal sha256 of a file and its size in bytes, read in pieces.
///
/// # Errors
/// [`EvidenceError::Io`] when it cannot be read.
pub fn hash_file(path: &Path) -> Result<(String, u64), EvidenceError> {
    let mut file = open_file(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0u8; 1 << 16];
    let mut size = 0u64;
    loop {
        let n = file
            .read(&mut buffer)
            .map_err(EvidenceError::io("read", path))?;
        let Some(piece) = buffer.get(..n).filter(|p| !p.is_empty()) else {
            break;
        };
        hasher.update(piece);
        size = size.saturating_add(n as u64);
    }
    let mut hex = String::with_capacity(64);
    for byte in hasher.finalize() {
        write!(hex, "{byte:02x}").expect("writing to a String cannot fail");
    }
    Ok((hex, size))
}

/// Reads a text file of at most `limit` bytes.
pub(crate) fn read_text(path: &Path, limit: u64) -> Result<String, EvidenceError> {
    let mut text = String::new();
    open_file(path)?
        .take(limit.saturating_add(1))
        .read_to_string(&mut text)
        .map_err(EvidenceError::io("read", path))?;
    if text.len() as u64 > limit {
        let large = io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("more than {limit} bytes"),
        );
        return Err(EvidenceError::io("read", path)(large));
    }
    Ok(text)
}

/// `sha256` is 64 lower-case hexadecimal digits, so it may become a file name.
pub(crate) fn check_sha256(sha256: &str) -> Result<(), EvidenceError> {
    if sha256.len() == 64
        && sha256
            .bytes()
            .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    {
        Ok(())
    } else {
        Err(EvidenceError::BadName {
            what: "sha256",
            value: sha256.to_owned(),
        })
    }
}

/// What stands at `path` lies in `root` or is to lie there: nothing is there, or it is no link that
/// leads out.
///
/// # Errors
/// [`EvidenceError::LeadsOut`].
pub(crate) fn stays_in(root: &Path, path: &Path) -> Result<(), EvidenceError> {
    let Ok(meta) = fs::symlink_metadata(path) else {
        return Ok(());
    };
    if !meta.file_type().is_symlink() {
        return Ok(());
    }
    // A link to nothing would be written to as well, wherever that is.
    match (fs::canonicalize(path), fs::canonicalize(root)) {
        (Ok(real), Ok(root)) if real.starts_with(&root) => Ok(()),
        _ => Err(EvidenceError::LeadsOut {
            path: path.to_owned(),
        }),
    }
}

/// A folder of files named `<sha256>.<format>`.
#[derive(Debug, Clone)]
pub(crate) struct DataFolder(pub(crate) PathBuf);

impl DataFolder {
    /// Writes `bytes` under its hash unless it is there, intact.
    pub(crate) fn put(&self, format: &str, bytes: &[u8]) -> Result<String, EvidenceError> {
        if format.is_empty()
            || format.len() > 16
            || !format
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'.')
            || format.contains("..")
        {
            return Err(EvidenceError::BadName {
                what: "format of an artifact",
                value: format.to_owned(),
            });
        }
        let sha256 = dyno_core::sha256_hex(bytes);
        fs::create_dir_all(&self.0).map_err(EvidenceError::io("make", &self.0))?;
        let path = self.0.join(format!("{sha256}.{format}"));
        if !matches!(hash_file(&path), Ok((found, _)) if found == sha256) {
            atomic_write(&path, bytes)?;
        }
        Ok(sha256)
    }

    /// The file whose content has this hash, by its name.
    pub(crate) fn path(&self, sha256: &str) -> Result<PathBuf, EvidenceError> {
        check_sha256(sha256)?;
        let missing = || EvidenceError::NotFound {
            what: "artifact",
            name: sha256.to_owned(),
            folder: self.0.clone(),
        };
        let entries = fs::read_dir(&self.0).map_err(|_| missing())?;
        let mut found: Vec<PathBuf> = entries
            .filter_map(Result::ok)
            .map(|e| e.path())
            .filter(|p| {
                p.file_name()
                    .and_then(|n| n.to_str())
                    .and_then(|n| n.split_once('.'))
                    .is_some_and(|(stem, _)| stem == sha256)
            })
            .collect();
        found.sort();
        found.into_iter().next().ok_or_else(missing)
    }

    /// The file of an artifact has its hash and size.
    pub(crate) fn verify(&self, artifact: &Artifact) -> Result<bool, EvidenceError> {
        check_sha256(&artifact.sha256)?;
        let named = self
            .0
            .join(format!("{}.{}", artifact.sha256, artifact.format));
        let path = if named.is_file() {
            named
        } else {
            self.path(&artifact.sha256)?
        };
        let (sha256, bytes) = hash_file(&path)?;
        Ok(sha256 == artifact.sha256 && bytes == artifact.bytes)
    }

    /// The content of this hash, checked.
    pub(crate) fn get(&self, sha256: &str) -> Result<Vec<u8>, EvidenceError> {
        let path = self.path(sha256)?;
        let mut bytes = Vec::new();
        open_file(&path)?
            .read_to_end(&mut bytes)
            .map_err(EvidenceError::io("read", &path))?;
        let actual = dyno_core::sha256_hex(&bytes);
        if actual == sha256 {
            Ok(bytes)
        } else {
            Err(EvidenceError::Changed {
                path,
                expected: sha256.to_owned(),
                actual,
            })
        }
    }
}
