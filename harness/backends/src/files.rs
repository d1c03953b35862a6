//! Bytes of a model's files, for engines whose own readers take bytes.

use dyno_core::{FileRole, ModelContent, ModelFile, ModelSource};
use std::{borrow::Cow, fs, io::Read as _, path::Path};

/// Largest file that is read.
const MAX_BYTES: u64 = 4 << 30;

/// The file of role `model`.
///
/// # Errors
/// When there is none.
pub(crate) fn model(source: &ModelSource) -> Result<&ModelFile, String> {
    source
        .file(FileRole::Model)
        .ok_or_else(|| "no file of role `model` was given".to_owned())
}

/// The bytes of a file: a regular one, of at most 4 GiB.
///
/// # Errors
/// A text with the path.
pub(crate) fn bytes(file: &ModelFile) -> Result<Cow<'_, [u8]>, String> {
    match &file.content {
        ModelContent::Bytes(bytes) => Ok(Cow::Borrowed(bytes.as_slice())),
        ModelContent::Path(path) => read(path)
            .map(Cow::Owned)
            .map_err(|e| format!("`{}`: {e}", path.display())),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let kind = fs::metadata(path).map_err(|e| e.to_string())?;
    if !kind.is_file() {
        return Err("not a regular file".to_owned());
    }
    let mut bytes = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|e| e.to_string())?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("more than {MAX_BYTES} bytes"));
    }
    Ok(bytes)
}
