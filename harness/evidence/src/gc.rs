//! Files of bulk data that nothing names any more.
//!
//! What a record names is read off its text and not off its types: a record of a version to come,
//! or one that no longer reads, keeps its files too.

use crate::{
    EvidenceError, EvidenceStore, RunFolder,
    atomic::sweep,
    file::{DataFolder, check_sha256, read_text},
    lists::is_list,
};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Most bytes of a file that is searched for hashes.
const MAX_SEARCHED_BYTES: u64 = 1 << 30;

/// A file that nothing names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreferenced {
    /// The file.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
}

/// Removes, or only finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GcMode {
    /// Says what would go.
    Find,
    /// Removes it.
    Remove,
}

/// Every run of exactly 64 lower-case hexadecimal digits.
fn hashes_in(text: &str, found: &mut BTreeSet<String>) {
    for word in text.split(|c: char| !c.is_ascii_alphanumeric()) {
        if check_sha256(word).is_ok() {
            found.insert(word.to_owned());
        }
    }
}

/// The hashes in the files of `folder` with this extension.
fn named_in(folder: &Path, extension: &str) -> Result<BTreeSet<String>, EvidenceError> {
    let mut named = BTreeSet::new();
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(named),
        Err(e) => return Err(EvidenceError::io("list", folder)(e)),
    };
    for entry in entries {
        let path = entry.map_err(EvidenceError::io("list", folder))?.path();
        if path.extension().is_some_and(|e| e == extension) {
            hashes_in(&read_text(&path, MAX_SEARCHED_BYTES)?, &mut named);
        }
    }
    Ok(named)
}

/// The files of `data` whose names are hashes that are neither among `named` nor in a list that is;
/// others are not ours.
fn collect(
    data: &DataFolder,
    mut named: BTreeSet<String>,
    mode: GcMode,
) -> Result<Vec<Unreferenced>, EvidenceError> {
    let folder = &data.0;
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(EvidenceError::io("list", folder)(e)),
    };
    let mut files = Vec::new();
    let mut in_lists = BTreeSet::new();
    for entry in entries {
        let path = entry.map_err(EvidenceError::io("list", folder))?.path();
        let name = path.file_name().and_then(|n| n.to_str());
        let Some((stem, _)) = name.and_then(|n| n.split_once('.')) else {
            continue;
        };
        if check_sha256(stem).is_err() {
            continue;
        }
        if name.is_some_and(is_list) && named.contains(stem) {
            hashes_in(&read_text(&path, MAX_SEARCHED_BYTES)?, &mut in_lists);
        }
        files.push((stem.to_owned(), path));
    }
    named.append(&mut in_lists);
    let mut found = Vec::new();
    for (_, path) in files.into_iter().filter(|(s, _)| !named.contains(s)) {
        let meta = fs::symlink_metadata(&path).map_err(EvidenceError::io("read", &path))?;
        if meta.is_file() {
            found.push(Unreferenced {
                path,
                bytes: meta.len(),
            });
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    if mode == GcMode::Remove {
        for file in &found {
            fs::remove_file(&file.path).map_err(EvidenceError::io("remove", &file.path))?;
        }
    }
    Ok(found)
}

impl EvidenceStore {
    /// Data that no record of the folder names: what a shown record needs, and what any other
    /// record here needs, stays. Returns the files, by name.
    ///
    /// # Errors
    /// When the folder is locked or cannot be read, or a file not be removed. Nothing is removed
    /// when a record cannot be read.
    pub fn gc(&self, mode: GcMode) -> Result<Vec<Unreferenced>, EvidenceError> {
        // A package without data may be read-only, and has nothing to lock for.
        if !self.data().0.is_dir() {
            return Ok(Vec::new());
        }
        let _guard = self.lock()?;
        let named = named_in(self.folder(), "json")?;
        collect(&self.data(), named, mode)
    }
}

impl RunFolder {
    /// Data that neither the record nor the journal of the run names: shards that were measured
    /// anew. A run that has not come to its record keeps everything, because it may be under way.
    /// Returns the files, by name.
    ///
    /// # Errors
    /// When the folder is locked or cannot be read, or a file not be removed.
    pub fn gc(&self, mode: GcMode) -> Result<Vec<Unreferenced>, EvidenceError> {
        if !self.is_finished() {
            return Ok(Vec::new());
        }
        let _guard = self.guard()?;
        sweep(self.path());
        sweep(&self.data().0);
        let mut named = named_in(self.path(), "json")?;
        named.extend(self.journal()?.into_values().map(|a| a.sha256));
        collect(&self.data(), named, mode)
    }
}
