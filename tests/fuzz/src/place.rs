//! Files that a target writes for a reader that wants paths.

use std::{fs, path::Path};

/// Writes a file, or removes it where there is no text.
///
/// What is there already is left, and what differs is removed first: a file that is cut and written
/// anew waits for the disk on some file systems, which would take most of a campaign's time.
pub(crate) fn put(path: &Path, text: Option<&[u8]>) {
    if text.is_some_and(|text| fs::read(path).is_ok_and(|old| old == text)) {
        return;
    }
    fs::remove_file(path).unwrap_or_default();
    if let Some(text) = text {
        fs::create_dir_all(path.parent().expect("inside a folder")).expect("a folder");
        fs::write(path, text).expect("writable");
    }
}
