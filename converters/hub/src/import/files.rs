//! The bytes of a model's files.

use bytes::Bytes;
use dyno_core::{FileRole, Framework, ImportError, ModelContent, ModelFile};

/// Largest file that is read: ONNX files end at 2 GiB, and graphs are written as one.
const LIMIT: u64 = 2 << 30;

/// `error` of a file of `framework`.
pub(super) fn malformed(framework: Framework, error: &dyn std::fmt::Display) -> ImportError {
    ImportError::Malformed {
        framework,
        reason: error.to_string(),
    }
}

/// The bytes of the file of `role`.
///
/// # Errors
/// [`ImportError::Malformed`] when there is none, or it cannot be read.
pub(super) fn bytes(
    files: &[ModelFile],
    role: FileRole,
    framework: Framework,
) -> Result<Bytes, ImportError> {
    optional(files, role, framework)?
        .ok_or_else(|| malformed(framework, &format!("no file of role {role:?} was given")))
}

/// The bytes of the file of `role`, if there is one.
///
/// # Errors
/// [`ImportError::Malformed`] when it cannot be read.
pub(super) fn optional(
    files: &[ModelFile],
    role: FileRole,
    framework: Framework,
) -> Result<Option<Bytes>, ImportError> {
    let Some(file) = files.iter().find(|f| f.role == role) else {
        return Ok(None);
    };
    match &file.content {
        ModelContent::Bytes(bytes) => Ok(Some(Bytes::copy_from_slice(bytes))),
        ModelContent::Path(path) => {
            let wrong = |problem: &dyn std::fmt::Display| {
                malformed(framework, &format!("`{}`: {problem}", path.display()))
            };
            let found = std::fs::metadata(path).map_err(|e| wrong(&e))?;
            if !found.is_file() {
                return Err(wrong(&"not a regular file"));
            }
            if found.len() > LIMIT {
                let text = format!("{} bytes, and at most {LIMIT} are read", found.len());
                return Err(wrong(&text));
            }
            let bytes = std::fs::read(path).map_err(|e| wrong(&e))?;
            Ok(Some(bytes.into()))
        }
    }
}
