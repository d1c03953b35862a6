//! Files that hold weights of an ONNX file (*external data*), and what a model may name there.
//!
//! A record names its files by hash, so such a file must be one of the model's: inside the model's
//! folder (no absolute path, no `..`, no link that leads out), and listed among its files.

use super::{
    file::read_file,
    walk::{ExternalTensor, check},
};
use crate::FormatError;
use std::{
    collections::BTreeMap,
    fs,
    ops::Range,
    path::{Component, Path, PathBuf},
};

/// Where the values of a tensor are, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Values {
    pub(super) tensor: ExternalTensor,
    /// The file, without links.
    pub(super) path: PathBuf,
    /// Which of its bytes.
    pub(super) bytes: Range<u64>,
}

impl ExternalTensor {
    /// An error about this tensor's values.
    pub(super) fn error(&self, problem: impl Into<String>) -> FormatError {
        FormatError::Weights {
            tensor: self.name.clone(),
            location: self.location.clone(),
            problem: problem.into(),
        }
    }
}

/// The files in which the ONNX file `onnx` keeps weights: each once, in the order of their names,
/// as paths below its folder. Empty for a model that is complete in itself.
///
/// # Errors
/// When the file cannot be read, is no ONNX file, or names something that is no regular file inside
/// its folder.
pub fn external_files(onnx: &Path) -> Result<Vec<PathBuf>, FormatError> {
    let folder = folder_of(onnx);
    let mut found = BTreeMap::new();
    for tensor in check(&read_file(onnx)?)? {
        let canonical = locate(folder, &tensor)?;
        found
            .entry(canonical)
            .or_insert_with(|| folder.join(&tensor.location));
    }
    Ok(found.into_values().collect())
}

/// The folder of a file.
pub(super) fn folder_of(file: &Path) -> &Path {
    file.parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// The file that `tensor` names, without links.
fn locate(folder: &Path, tensor: &ExternalTensor) -> Result<PathBuf, FormatError> {
    let location = Path::new(&tensor.location);
    if !location
        .components()
        .all(|c| matches!(c, Component::Normal(_) | Component::CurDir))
    {
        return Err(tensor.error("not a path inside the model's folder"));
    }
    let io = |e: std::io::Error| tensor.error(e.to_string());
    let folder = fs::canonicalize(folder).map_err(io)?;
    let file = fs::canonicalize(folder.join(location)).map_err(io)?;
    if !file.starts_with(&folder) {
        return Err(tensor.error("a link that leads out of the model's folder"));
    }
    if !fs::metadata(&file).map_err(io)?.is_file() {
        return Err(tensor.error("not a regular file"));
    }
    Ok(file)
}

/// Where the values of all tensors are, in the order of the model file.
///
/// # Errors
/// [`FormatError::Weights`] for the first tensor whose file may not be used or is too short.
pub(super) fn resolve(
    tensors: &[ExternalTensor],
    folder: &Path,
    listed: &[&Path],
) -> Result<Vec<Values>, FormatError> {
    let listed: Vec<PathBuf> = listed
        .iter()
        .filter_map(|p| fs::canonicalize(p).ok())
        .collect();
    let mut values = tensors
        .iter()
        .map(|tensor| {
            let path = locate(folder, tensor)?;
            if !listed.contains(&path) {
                return Err(tensor.error("not listed among the model's files"));
            }
            let size = fs::metadata(&path)
                .map_err(|e| tensor.error(e.to_string()))?
                .len();
            Ok(Values {
                bytes: range(tensor, size)?,
                tensor: tensor.clone(),
                path,
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    values.sort_by_key(|v| v.tensor.message.start);
    Ok(values)
}

/// Which bytes of a file of `size` bytes are the tensor's.
fn range(tensor: &ExternalTensor, size: u64) -> Result<Range<u64>, FormatError> {
    let begin = tensor.offset;
    let length = tensor.length.or_else(|| size.checked_sub(begin));
    let end = length
        .and_then(|l| begin.checked_add(l))
        .filter(|&end| end <= size)
        .ok_or_else(|| {
            let asked = tensor
                .length
                .map_or_else(String::new, |l| format!(" of {l}"));
            tensor.error(format!(
                "bytes{asked} from {begin} on, and the file has {size}"
            ))
        })?;
    match tensor.needed {
        Some(needed) if needed != end - begin => Err(tensor.error(format!(
            "the shape needs {needed} bytes, and there are {}",
            end - begin
        ))),
        _ => Ok(begin..end),
    }
}
