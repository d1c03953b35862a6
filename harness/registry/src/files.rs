//! Reading manifests and the files that they name, bounded and inside their folder.

use crate::{RegistryError, json_edit::Document};
use dyno_core::{Label, LabelMap};
use dyno_evidence::{open_file, write_together};
use std::{
    fs,
    io::Read,
    path::{Component, Path, PathBuf},
};

/// Most bytes of a manifest; the largest known has half a megabyte.
const MAX_MANIFEST_BYTES: u64 = 64 << 20;
/// Most bytes of a label file; ImageNet-21k's has one megabyte.
const MAX_LABEL_BYTES: u64 = 16 << 20;

fn read_text(path: &Path, limit: u64) -> Result<String, RegistryError> {
    let mut bytes = Vec::new();
    open_file(path)?
        .take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(RegistryError::io("read", path))?;
    if bytes.len() as u64 > limit {
        return Err(RegistryError::invalid(
            path,
            format!("more than {limit} bytes"),
        ));
    }
    String::from_utf8(bytes).map_err(|e| {
        RegistryError::invalid(
            path,
            format!("not UTF-8 at byte {}", e.utf8_error().valid_up_to()),
        )
    })
}

/// A manifest with its spans.
pub(crate) fn read_document(path: &Path) -> Result<Document, RegistryError> {
    Document::parse(read_text(path, MAX_MANIFEST_BYTES)?).map_err(RegistryError::json(path))
}

/// `folder/name`, if it stays in the folder: no absolute path, no `..`, no symbolic link that leads
/// out.
pub(crate) fn inside(folder: &Path, name: &str) -> Result<PathBuf, String> {
    let relative = Path::new(name);
    if relative
        .components()
        .any(|c| !matches!(c, Component::Normal(_) | Component::CurDir))
        || name.contains('\0')
    {
        return Err(format!("`{name}` leads out of the folder"));
    }
    let path = folder.join(relative);
    if let (Ok(real), Ok(root)) = (fs::canonicalize(&path), fs::canonicalize(folder))
        && !real.starts_with(&root)
    {
        return Err(format!("`{name}` is a link that leads out of the folder"));
    }
    Ok(path)
}

/// `folder/name` for a file that is written: it lies in the folder, or will.
pub(crate) fn written(folder: &Path, name: &str) -> Result<PathBuf, RegistryError> {
    inside(folder, name).map_err(|reason| RegistryError::NotWritable {
        path: folder.join(name),
        reason,
    })
}

/// Writes edited documents, all or none, and returns their paths.
pub(crate) fn save(files: Vec<(PathBuf, Document)>) -> Result<Vec<PathBuf>, RegistryError> {
    let texts: Vec<(&Path, &[u8])> = files
        .iter()
        .map(|(path, document)| (path.as_path(), document.text().as_bytes()))
        .collect();
    write_together(&texts)?;
    Ok(files.into_iter().map(|(path, _)| path).collect())
}

/// Classes of a label file: one a line, the line's index is the class. Blanks and CR at line ends
/// and empty lines at the end are dropped; an empty line between two classes is a class without a
/// name.
///
/// # Errors
/// When it cannot be read, is no UTF-8 or has more than 16 MiB.
pub fn read_labels(path: &Path) -> Result<LabelMap, RegistryError> {
    let text = read_text(path, MAX_LABEL_BYTES)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let labels = text
        .trim_end()
        .lines()
        .map(|l| Label {
            name: l.trim().to_owned(),
            synonyms: Vec::new(),
            external_id: None,
        })
        .collect();
    Ok(LabelMap {
        scheme: None,
        labels,
    })
}
