//! The files that decide what a model computes, by content.

use crate::{RegistryError, ResolvedModel};
use dyno_core::{FileRole, ModelContent, RecordFile};
use dyno_evidence::hash_file;
use std::path::Path;

/// The weights of a model as they lie on disk, each file hashed once.
pub(crate) struct Weights(Vec<Weight>);

struct Weight {
    role: FileRole,
    name: String,
    sha256: String,
}

fn short(sha256: &str) -> &str {
    sha256.get(..12).unwrap_or(sha256)
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}

impl Weights {
    /// # Errors
    /// When a file cannot be read.
    pub(crate) fn of(model: &ResolvedModel) -> Result<Self, RegistryError> {
        let mut all = Vec::new();
        for file in model.files.iter().filter(|f| f.role.is_weights()) {
            if let ModelContent::Path(path) = &file.content {
                all.push(Weight {
                    role: file.role,
                    name: name_of(path),
                    sha256: hash_file(path)?.0,
                });
            }
        }
        Ok(Self(all))
    }

    /// What tells these files from those that were measured; `None` where they are the same, file
    /// by file.
    pub(crate) fn difference(&self, measured: &[RecordFile]) -> Option<String> {
        let mut left: Vec<&RecordFile> = measured.iter().filter(|f| f.role.is_weights()).collect();
        if left.is_empty() {
            return Some("the record names no model file".to_owned());
        }
        for weight in &self.0 {
            let same = left
                .iter()
                .position(|f| f.role == weight.role && f.sha256 == weight.sha256);
            if let Some(position) = same {
                left.swap_remove(position);
                continue;
            }
            let other = left.iter().find(|f| f.role == weight.role);
            return Some(match other {
                Some(other) => format!(
                    "`{}` is not the file that was measured: it is {}…, measured was {}…",
                    weight.name,
                    short(&weight.sha256),
                    short(&other.sha256)
                ),
                None => format!("`{}` was not there when it was measured", weight.name),
            });
        }
        left.first().map(|f| {
            format!(
                "measured with a file ({:?}) that the model does not have: {}…",
                f.role,
                short(&f.sha256)
            )
        })
    }
}
