//! Atomic writes, locks and hashes of files.
//!
//! Rename is what makes a write atomic (POSIX `rename`), and two fsyncs make it last: one of the
//! file before the rename, one of the folder after it.

use crate::EvidenceError;
use sha2::{Digest, Sha256};
use std::{
    fmt::Write as _,
    fs::{self, File, TryLockError},
    io::{Read, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// How long [`lock`] waits.
pub const LOCK_WAIT: Duration = Duration::from_secs(10);

/// Replaces the content of `path` in one step: a reader sees the old file or the new one, a full
/// disk leaves the old one.
///
/// The permissions of an existing file are kept; a symbolic link stays and its target is replaced.
/// The folder must exist.
///
/// # Errors
/// [`EvidenceError::Io`] with the path and what was tried.
pub fn atomic_write(path: &Path, bytes: &[u8]) -> Result<(), EvidenceError> {
    let target = match fs::symlink_metadata(path) {
        Ok(m) if m.file_type().is_symlink() => {
            fs::canonicalize(path).map_err(EvidenceError::io("follow the link", path))?
        }
        _ => path.to_owned(),
    };
    let folder = parent(&target);
    let mut builder = tempfile::Builder::new();
    builder.prefix(".dyno-").suffix(".tmp");
    #[cfg(unix)]
    {
        // The process's umask still applies, as for any file that is created.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = builder
        .tempfile_in(&folder)
        .map_err(EvidenceError::io("write in", &folder))?;
    if let Ok(meta) = fs::metadata(&target) {
        if meta.permissions().readonly() {
            let denied = std::io::Error::new(
                std::io::ErrorKind::PermissionDenied,
                "the file is read-only",
            );
            return Err(EvidenceError::io("replace", &target)(denied));
        }
        file.as_file()
            .set_permissions(meta.permissions())
            .map_err(EvidenceError::io("set the permissions of", &target))?;
    }
    file.write_all(bytes)
        .and_then(|()| file.as_file().sync_all())
        .map_err(EvidenceError::io("write", &target))?;
    file.persist(&target)
        .map_err(|e| EvidenceError::io("replace", &target)(e.error))?;
    sync_folder(&folder)
}

/// Makes a rename in `folder` last through a power cut.
fn sync_folder(folder: &Path) -> Result<(), EvidenceError> {
    // Elsewhere than on Unix a folder cannot be opened as a file.
    if cfg!(unix) {
        File::open(folder)
            .and_then(|f| f.sync_all())
            .map_err(EvidenceError::io("sync", folder))
    } else {
        Ok(())
    }
}

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
/// cannot be made.
pub fn lock(path: &Path) -> Result<FileLock, EvidenceError> {
    lock_within(path, LOCK_WAIT)
}

/// As [`lock`], with another bound.
///
/// # Errors
/// As [`lock`].
pub fn lock_within(path: &Path, wait: Duration) -> Result<FileLock, EvidenceError> {
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

/// Lower-case hexadecimal sha256 of a file and its size in bytes, read in pieces.
///
/// # Errors
/// [`EvidenceError::Io`] when it cannot be read.
pub fn hash_file(path: &Path) -> Result<(String, u64), EvidenceError> {
    let mut file = File::open(path).map_err(EvidenceError::io("read", path))?;
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
    let file = File::open(path).map_err(EvidenceError::io("read", path))?;
    let mut text = String::new();
    file.take(limit.saturating_add(1))
        .read_to_string(&mut text)
        .map_err(EvidenceError::io("read", path))?;
    if text.len() as u64 > limit {
        let large = std::io::Error::new(
            std::io::ErrorKind::FileTooLarge,
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

    /// The content of this hash, checked.
    pub(crate) fn get(&self, sha256: &str) -> Result<Vec<u8>, EvidenceError> {
        let path = self.path(sha256)?;
        let bytes = fs::read(&path).map_err(EvidenceError::io("read", &path))?;
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
