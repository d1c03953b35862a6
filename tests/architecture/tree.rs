//! Reading a tree of sources.

use super::lexer::{Token, tokens, without_tests};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Content of a file of the tree.
///
/// # Panics
/// When it cannot be read: the checks then look in the wrong place.
pub(super) fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// What a folder holds, by name; nothing, if there is no such folder.
pub(super) fn children(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .map(|entry| entry.expect("a folder that opens can be listed").path())
        .collect();
    found.sort();
    found
}

/// Name of a file or folder.
pub(super) fn name(path: &Path) -> &str {
    path.file_name().and_then(|n| n.to_str()).unwrap_or("")
}

/// Path for people: from the root of the tree, with `/`.
pub(super) fn shown(root: &Path, path: &Path) -> String {
    let inside = path.strip_prefix(root).unwrap_or(path);
    inside.display().to_string().replace('\\', "/")
}

/// Folders in a folder, without hidden ones, `target` and `generated`.
pub(super) fn subfolders(folder: &Path) -> Vec<PathBuf> {
    let mut found = children(folder);
    found.retain(|path| {
        let skipped = matches!(name(path), "target" | "generated") || name(path).starts_with('.');
        path.is_dir() && !skipped
    });
    found
}

/// All Rust files below a folder (or the file itself), without hidden folders, `target` and
/// `generated`.
pub(super) fn sources(at: &Path) -> Vec<PathBuf> {
    if at.is_file() {
        let is_source = at.extension().is_some_and(|e| e == "rs");
        return is_source.then(|| at.to_owned()).into_iter().collect();
    }
    let files = children(at).into_iter().filter(|path| path.is_file());
    let inside = subfolders(at).into_iter().chain(files);
    inside.flat_map(|path| sources(&path)).collect()
}

/// Whether all of a file is tests.
pub(super) fn is_test_file(root: &Path, path: &Path) -> bool {
    let inside = path.strip_prefix(root).unwrap_or(path);
    let in_folder = inside.components().any(|c| c.as_os_str() == "tests");
    in_folder || name(path) == "tests.rs" || name(path).ends_with("_tests.rs")
}

/// The code of a file or of all files below a folder, without comments and tests.
pub(super) fn code(root: &Path, at: &Path) -> Vec<Token> {
    let files = sources(at).into_iter().filter(|f| !is_test_file(root, f));
    files
        .flat_map(|file| without_tests(&tokens(&read(&file))))
        .collect()
}
