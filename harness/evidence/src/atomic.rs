//! Files that are replaced in one step, alone or together.
//!
//! Rename is what makes a write atomic (POSIX `rename`), and two fsyncs make it last: one of the
//! file before the rename, one of the folder after it. A new file that a killed process left behind
//! is called `.dyno-….tmp`; whoever holds the folder's lock next sweeps it.

use crate::{EvidenceError, file::parent};
use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};
use tempfile::NamedTempFile;

/// Names of new files before they get their own.
const PREFIX: &str = ".dyno-";
const SUFFIX: &str = ".tmp";

/// Replaces the content of `path` in one step: a reader sees the old file or the new one, a full
/// disk leaves the old one.
///
/// Permissions of an existing file are kept, and its owner and group where the process may set
/// them; a symbolic link stays and its target is replaced. The folder must exist.
///
/// # Errors
/// [`EvidenceError::Io`] with the path and what was tried: nothing was changed.
/// [`EvidenceError::Unsynced`]: the new content stands.
pub fn atomic_write(path: &Path, bytes: &[u8]) -> Result<(), EvidenceError> {
    write_together(&[(path, bytes)])
}

/// As [`atomic_write`] for several files: all of them, or when one cannot be replaced none. They
/// are replaced in their order, so a process that is killed in between leaves the first ones new.
///
/// # Errors
/// As [`atomic_write`]; [`EvidenceError::HalfWritten`] when a file cannot be replaced and one
/// before it cannot be set back.
pub fn write_together(files: &[(&Path, &[u8])]) -> Result<(), EvidenceError> {
    replace_all(stage_all(files)?, &sync_folder)
}

/// A file of new content that waits for its name.
struct Staged {
    target: PathBuf,
    new: NamedTempFile,
    undo: Undo,
}

/// What takes a replacement back.
enum Undo {
    /// There was no file.
    Remove,
    /// The old content.
    Put(NamedTempFile),
    /// Nothing comes after it.
    Never,
}

/// Everything that can fail for want of space or rights happens here, before the first rename; the
/// copies that would undo it included.
fn stage_all(files: &[(&Path, &[u8])]) -> Result<Vec<Staged>, EvidenceError> {
    let last = files.len().saturating_sub(1);
    files
        .iter()
        .enumerate()
        .map(|(i, (path, bytes))| Staged::new(path, bytes, i < last))
        .collect()
}

fn replace_all(
    staged: Vec<Staged>,
    sync: &dyn Fn(&Path) -> io::Result<()>,
) -> Result<(), EvidenceError> {
    let mut done: Vec<(PathBuf, Undo)> = Vec::with_capacity(staged.len());
    for Staged { target, new, undo } in staged {
        if let Err(e) = new.persist(&target) {
            let first = EvidenceError::io("replace", &target)(e.error);
            return Err(set_back(done, first));
        }
        done.push((target, undo));
    }
    let mut folders: Vec<PathBuf> = done.iter().map(|(target, _)| parent(target)).collect();
    folders.dedup();
    // The new content stands from here on: whoever reads, reads it. So nothing is taken back.
    for folder in folders {
        sync(&folder).map_err(|source| EvidenceError::Unsynced { folder, source })?;
    }
    Ok(())
}

/// Takes replacements back, the last one first. Returns the error that led to it, with what could
/// not be taken back.
fn set_back(done: Vec<(PathBuf, Undo)>, first: EvidenceError) -> EvidenceError {
    let mut stuck: Option<(PathBuf, io::Error)> = None;
    for (path, undo) in done.into_iter().rev() {
        let undone = match undo {
            Undo::Remove => fs::remove_file(&path),
            Undo::Put(old) => old.persist(&path).map(drop).map_err(|e| e.error),
            Undo::Never => Ok(()),
        };
        if let Err(e) = undone {
            stuck.get_or_insert((path, e));
        }
    }
    match stuck {
        None => first,
        Some((path, e)) => EvidenceError::HalfWritten {
            path,
            undo: e.to_string(),
            source: Box::new(first),
        },
    }
}

impl Staged {
    fn new(path: &Path, bytes: &[u8], undoable: bool) -> Result<Self, EvidenceError> {
        let target = match fs::symlink_metadata(path) {
            Ok(m) if m.file_type().is_symlink() => {
                fs::canonicalize(path).map_err(EvidenceError::io("follow the link", path))?
            }
            _ => path.to_owned(),
        };
        let meta = match fs::metadata(&target) {
            Ok(meta) => Some(meta),
            Err(e) if e.kind() == io::ErrorKind::NotFound => None,
            Err(e) => return Err(EvidenceError::io("read", &target)(e)),
        };
        let refuse = |kind, words: &'static str| {
            Err(EvidenceError::io("replace", &target)(io::Error::new(
                kind, words,
            )))
        };
        if let Some(meta) = &meta {
            if !meta.is_file() {
                return refuse(io::ErrorKind::InvalidInput, "it is not a regular file");
            }
            if meta.permissions().readonly() {
                return refuse(io::ErrorKind::PermissionDenied, "the file is read-only");
            }
        }
        let undo = match (&meta, undoable) {
            (_, false) => Undo::Never,
            (None, true) => Undo::Remove,
            (Some(_), true) => {
                let old = fs::read(&target).map_err(EvidenceError::io("read", &target))?;
                Undo::Put(stage(&target, meta.as_ref(), &old)?)
            }
        };
        Ok(Self {
            new: stage(&target, meta.as_ref(), bytes)?,
            target,
            undo,
        })
    }
}

/// A file beside `target` that holds `bytes` on the disk and is like `target` in all else.
fn stage(
    target: &Path,
    meta: Option<&fs::Metadata>,
    bytes: &[u8],
) -> Result<NamedTempFile, EvidenceError> {
    let folder = parent(target);
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    #[cfg(unix)]
    {
        // The process's umask still applies, as for any file that is created.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = builder
        .tempfile_in(&folder)
        .map_err(EvidenceError::io("write in", &folder))?;
    claim(file.as_file());
    if let Some(meta) = meta {
        // Before the permissions: a change of owner takes set-user-id away.
        keep_owner(file.as_file(), meta);
        file.as_file()
            .set_permissions(meta.permissions())
            .map_err(EvidenceError::io("set the permissions of", target))?;
    }
    file.write_all(bytes)
        .and_then(|()| file.as_file().sync_all())
        .map_err(EvidenceError::io("write", target))?;
    Ok(file)
}

/// Gives a new file the owner and group of the one that it replaces, as far as the process may: it
/// always may as root, and the group if it belongs to it.
fn keep_owner(file: &File, meta: &fs::Metadata) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, fchown};
        let Ok(own) = file.metadata() else { return };
        if own.uid() != meta.uid() && fchown(file, Some(meta.uid()), Some(meta.gid())).is_ok() {
            return;
        }
        if own.gid() != meta.gid() {
            // Who may not give files away writes his own, as an editor does.
            drop(fchown(file, None, Some(meta.gid())));
        }
    }
    #[cfg(not(unix))]
    let _ = (file, meta);
}

/// Marks a new file as one whose writer lives, for [`sweep`].
fn claim(file: &File) {
    // Elsewhere a lock would keep readers out.
    if cfg!(unix) {
        // A file system without locks has no mark; sweeping it is refused in the same way.
        drop(file.try_lock());
    }
}

/// Removes what killed writers left in `folder`. To be called by the holder of the lock under which
/// files of this folder are written.
pub(crate) fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name();
        let is_new = name
            .to_str()
            .is_some_and(|n| n.starts_with(PREFIX) && n.ends_with(SUFFIX));
        if !is_new || !entry.file_type().is_ok_and(|t| t.is_file()) {
            continue;
        }
        let path = entry.path();
        // Its writer holds a lock on it as long as he lives.
        let dead = File::open(&path).is_ok_and(|f| f.try_lock().is_ok());
        if dead {
            // Left where it is when it cannot be removed: it harms nobody.
            drop(fs::remove_file(&path));
        }
    }
}

/// Makes renames in `folder` last through a power cut.
fn sync_folder(folder: &Path) -> io::Result<()> {
    // Elsewhere than on Unix a folder cannot be opened as a file.
    if cfg!(unix) {
        File::open(folder).and_then(|f| f.sync_all())
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
