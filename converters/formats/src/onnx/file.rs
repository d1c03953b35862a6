//! A model's ONNX file as engines and converters get it: read, checked, and complete.

use super::{
    external::{folder_of, resolve},
    graph::GraphFacts,
    inline::inlined,
};
use crate::FormatError;
use dyno_core::{FileRole, ModelContent, ModelSource};
use std::{borrow::Cow, fs, io::Read as _, path::Path};

/// Most bytes of an ONNX file: Protocol Buffers' limit of a message.
pub const MAX_ONNX_BYTES: u64 = i32::MAX as u64;

/// A checked ONNX file with all its weights.
#[derive(Debug, Clone)]
pub struct OnnxFile<'a> {
    /// The whole model. Weights of other files have been put in, so that readers need no path, and
    /// what was checked is what runs.
    pub bytes: Cow<'a, [u8]>,
    /// What it declares.
    pub facts: GraphFacts,
}

impl<'a> OnnxFile<'a> {
    /// The file of role `model`, with the values that it keeps in files of role `weights`. Those
    /// must lie in the model's folder or below it, and be listed in `model`.
    ///
    /// # Errors
    /// When a file cannot be read or is no regular file, the bytes are no ONNX file, the graph is
    /// of no use, weights are not to be had, or all together exceed [`MAX_ONNX_BYTES`].
    pub fn read(model: &'a ModelSource) -> Result<Self, FormatError> {
        let file = model.file(FileRole::Model).ok_or(FormatError::NoModel)?;
        let bytes = match &file.content {
            ModelContent::Bytes(bytes) => Cow::Borrowed(bytes.as_slice()),
            ModelContent::Path(path) => Cow::Owned(read_file(path)?),
        };
        let facts = GraphFacts::read(&bytes)?;
        let Some(first) = facts.external.first() else {
            return Ok(Self { bytes, facts });
        };
        let ModelContent::Path(path) = &file.content else {
            return Err(first.error("a model in memory has no folder to look in"));
        };
        let listed: Vec<&Path> = model
            .files
            .iter()
            .filter_map(|f| match (&f.content, f.role) {
                (ModelContent::Path(path), FileRole::Weights) => Some(path.as_path()),
                _ => None,
            })
            .collect();
        let values = resolve(&facts.external, folder_of(path), &listed)?;
        let bytes = Cow::Owned(inlined(&bytes, &values)?);
        Ok(Self { bytes, facts })
    }
}

/// The bytes of a regular file of at most [`MAX_ONNX_BYTES`].
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, FormatError> {
    let read = |source| FormatError::Read {
        path: path.to_owned(),
        source,
    };
    // Before opening: a pipe would wait for its other end.
    if !fs::metadata(path).map_err(read)?.is_file() {
        return Err(FormatError::NotAFile {
            path: path.to_owned(),
        });
    }
    let file = fs::File::open(path).map_err(read)?;
    let size = file.metadata().map_err(read)?.len();
    if size > MAX_ONNX_BYTES {
        return Err(FormatError::TooLarge {
            what: format!("`{}`", path.display()),
            bytes: size,
            limit: MAX_ONNX_BYTES,
        });
    }
    let mut bytes = Vec::new();
    let capacity = usize::try_from(size).unwrap_or(usize::MAX);
    bytes
        .try_reserve_exact(capacity)
        .map_err(|e| read(e.into()))?;
    // A file that grows meanwhile is read up to the size that was checked.
    file.take(size).read_to_end(&mut bytes).map_err(read)?;
    Ok(bytes)
}
