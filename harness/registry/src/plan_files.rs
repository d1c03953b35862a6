//! A model's files by content, as a plan names them.

use crate::{RegistryError, ResolvedModel};
use dyno_core::{FileRole, ModelContent, PlanFile};
use std::path::Path;

impl ResolvedModel {
    /// The model's files with their hashes, in their order. A file is called by its name; weights
    /// that stand outside the model file, by their path below its folder.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn plan_files(&self) -> Result<Vec<PlanFile>, RegistryError> {
        let folder = self.path(FileRole::Model).and_then(Path::parent);
        let mut files = Vec::with_capacity(self.files.len());
        for file in &self.files {
            let ModelContent::Path(path) = &file.content else {
                continue;
            };
            let (sha256, size_bytes) = dyno_evidence::hash_file(path)?;
            let below = (file.role == FileRole::Weights)
                .then(|| path.strip_prefix(folder?).ok())
                .flatten();
            let name = below.or_else(|| path.file_name().map(Path::new));
            files.push(PlanFile {
                role: file.role,
                name: name.map_or_else(String::new, |n| n.to_string_lossy().into_owned()),
                sha256,
                size_bytes,
            });
        }
        Ok(files)
    }
}
