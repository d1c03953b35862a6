//! Imported models in the cache folder: each an ONNX file named by its own hash, found through a
//! note that is named by what it was made from.
//!
//! ```text
//! <cache>/imports/<sha256 of importer, version and files>.json   {"sha256": "…"}
//! <cache>/imports/<sha256 of its content>.onnx
//! ```
//!
//! A file whose content does not have its hash is made anew, and a note that leads nowhere is
//! written anew: the cache never decides what a model computes. A hash finds accidents, not a forger, as everywhere here.

use crate::error::RunError;
use dyno_core::{
    FileRole, Framework, ImportFacts, ImportOptions, ImportSays, Imported, Importer, ModelContent,
    ModelFile, ModelSource, canonical_sha256, sha256_hex,
};
use dyno_evidence::{EvidenceError, atomic_write, hash_file};
use serde::{Deserialize, Serialize};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

/// What a note says.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    sha256: String,
    says: ImportSays,
    /// Of what the note belongs to and what it says: a note that was changed or put in another's
    /// place is not believed.
    check: String,
}

impl Note {
    fn new(key: &str, sha256: String, says: ImportSays) -> Result<Self, RunError> {
        let check = canonical_sha256(&(key, &sha256, &says))?;
        Ok(Self {
            sha256,
            says,
            check,
        })
    }

    fn is_sound(&self, key: &str) -> bool {
        canonical_sha256(&(key, &self.sha256, &self.says)).is_ok_and(|c| c == self.check)
    }
}

/// Longest note that is read or written.
const NOTE_BYTES: u64 = 1 << 18;

/// An imported model as an engine gets it.
pub(super) struct Made {
    /// The ONNX file.
    pub(super) onnx: ModelSource,
    /// How it came about.
    pub(super) facts: ImportFacts,
    /// What the files say beside the graph.
    pub(super) says: ImportSays,
}

/// The model as ONNX.
///
/// # Errors
/// When the importer refuses, or a file of model or cache cannot be read or written.
pub(super) fn to_onnx(
    importer: &dyn Importer,
    source: &ModelSource,
    options: &ImportOptions,
    cache_dir: Option<&Path>,
) -> Result<Made, RunError> {
    let import = || {
        let imported = importer.import(&source.files, options);
        imported.map_err(RunError::Import)
    };
    let made = |content: ModelContent, sha256: String, says: ImportSays| Made {
        onnx: onnx(content),
        facts: ImportFacts {
            id: importer.id().to_owned(),
            version: importer.version(),
            options: options.clone(),
            sha256,
        },
        says,
    };
    let Some(cache_dir) = cache_dir else {
        let Imported { onnx, says } = import()?;
        let sha256 = sha256_hex(&onnx);
        return Ok(made(ModelContent::Bytes(Arc::new(onnx)), sha256, says));
    };
    let folder = cache_dir.join("imports");
    let key = key(importer, source, options)?;
    let note = folder.join(format!("{key}.json"));
    if let Some((path, note)) = kept(&folder, &note, &key) {
        return Ok(made(ModelContent::Path(path), note.sha256, note.says));
    }
    let Imported { onnx, says } = import()?;
    let sha256 = sha256_hex(&onnx);
    fs::create_dir_all(&folder).map_err(|source| EvidenceError::Io {
        action: "make",
        path: folder.clone(),
        source,
    })?;
    let path = folder.join(format!("{sha256}.onnx"));
    atomic_write(&path, &onnx)?;
    let kept = Note::new(&key, sha256.clone(), says)?;
    let text = serde_json::to_vec(&kept).map_err(dyno_core::CanonicalError::from)?;
    atomic_write(&note, &text)?;
    Ok(made(ModelContent::Path(path), sha256, kept.says))
}

fn onnx(content: ModelContent) -> ModelSource {
    ModelSource {
        framework: Framework::Onnx,
        files: vec![ModelFile {
            role: FileRole::Model,
            content,
        }],
    }
}

/// The note, and the file that it names, if that is there with the content that its name says.
fn kept(folder: &Path, note: &Path, key: &str) -> Option<(PathBuf, Note)> {
    let is_small = fs::metadata(note).is_ok_and(|m| m.is_file() && m.len() <= NOTE_BYTES);
    let note: Note = serde_json::from_slice(&fs::read(note).ok().filter(|_| is_small)?).ok()?;
    if !note.is_sound(key) {
        return None;
    }
    let is_hash = note.sha256.len() == 64 && note.sha256.bytes().all(|b| b.is_ascii_hexdigit());
    let path = folder.join(format!("{}.onnx", is_hash.then_some(&note.sha256)?));
    let (found, _) = hash_file(&path).ok()?;
    (found == note.sha256).then_some((path, note))
}

/// Hash of everything that decides what the importer makes.
fn key(
    importer: &dyn Importer,
    source: &ModelSource,
    options: &ImportOptions,
) -> Result<String, RunError> {
    let mut files = Vec::with_capacity(source.files.len());
    for file in &source.files {
        let sha256 = match &file.content {
            ModelContent::Path(path) => hash_file(path)?.0,
            ModelContent::Bytes(bytes) => sha256_hex(bytes),
        };
        files.push((file.role, sha256));
    }
    Ok(canonical_sha256(&(
        importer.id(),
        importer.version(),
        options,
        files,
    ))?)
}
