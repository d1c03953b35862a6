//! Weights that a model file keeps in other files.

use dyno_core::{FileRole, Framework, ModelContent, ModelFile};
use dyno_formats::{FormatError, onnx::external_files};

/// Lists the files in which an ONNX model keeps weights, so that they are hashed, recorded and
/// handed to the engine like the model itself.
///
/// # Errors
/// What the model names and may not be used: a file that is missing or outside the model's folder.
pub(crate) fn list_external(
    files: &mut Vec<ModelFile>,
    framework: Framework,
) -> Result<(), String> {
    let model = files.iter().find(|f| f.role == FileRole::Model);
    let Some(ModelContent::Path(path)) = model.map(|f| &f.content) else {
        return Ok(());
    };
    if framework != Framework::Onnx {
        return Ok(());
    }
    match external_files(path) {
        Ok(found) => {
            files.extend(found.into_iter().map(|path| ModelFile {
                role: FileRole::Weights,
                content: ModelContent::Path(path),
            }));
            Ok(())
        }
        Err(e @ FormatError::Weights { .. }) => Err(e.to_string()),
        // A damaged file names nothing. Whoever opens the model walks over the same bytes and says
        // what is wrong; a list of models must still show it.
        Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use crate::{RegistryError, ResolveOptions, ResolvedModel, SearchPath, resolve};
    use dyno_core::{FileRole, sha256_hex};
    use std::{fs, path::Path};

    /// A field of Protocol Buffers that holds bytes; all lengths here are below 128.
    fn bytes(number: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).expect("short");
        [&[number << 3 | 2, length], content].concat()
    }

    /// An ONNX file with one tensor of two floats, kept in `location`.
    fn onnx(location: &str) -> Vec<u8> {
        let entry = [bytes(1, b"location"), bytes(2, location.as_bytes())].concat();
        let tensor = [
            vec![1 << 3, 2],
            vec![2 << 3, 1],
            bytes(8, b"w"),
            bytes(13, &entry),
            vec![14 << 3, 1],
        ]
        .concat();
        [vec![1 << 3, 8], bytes(7, &bytes(5, &tensor))].concat()
    }

    fn resolved(folder: &Path, location: &str) -> Result<ResolvedModel, RegistryError> {
        let path = folder.join("m.onnx");
        fs::write(&path, onnx(location)).expect("written");
        resolve(
            &path.to_string_lossy(),
            &SearchPath::default(),
            &ResolveOptions::default(),
        )
    }

    #[test]
    fn weights_outside_the_model_file_are_listed_hashed_and_compared() {
        let dir = tempfile::tempdir().expect("a folder");
        fs::create_dir(dir.path().join("w")).expect("made");
        fs::write(dir.path().join("w/a.bin"), [0; 8]).expect("written");
        let model = resolved(dir.path(), "w/a.bin").expect("resolves");
        let files = model.plan_files().expect("hashed");
        let listed: Vec<_> = files.iter().map(|f| (f.role, f.name.as_str())).collect();
        assert_eq!(
            listed,
            [(FileRole::Model, "m.onnx"), (FileRole::Weights, "w/a.bin")]
        );
        assert_eq!(files[1].sha256, sha256_hex(&[0; 8]));
        let measured: Vec<_> = files
            .iter()
            .map(|f| dyno_core::RecordFile {
                role: f.role,
                sha256: f.sha256.clone(),
            })
            .collect();
        let weights = || crate::weights::Weights::of(&model).expect("hashed");
        assert_eq!(weights().difference(&measured), None);
        fs::write(dir.path().join("w/a.bin"), [1; 8]).expect("written");
        let difference = weights().difference(&measured).expect("one");
        assert!(
            difference.contains("`a.bin` is not the file"),
            "{difference}"
        );
        let difference = weights().difference(&measured[..1]).expect("one");
        assert!(difference.contains("`a.bin` was not there"), "{difference}");
    }

    #[test]
    fn weights_that_are_missing_or_elsewhere_are_refused() {
        let dir = tempfile::tempdir().expect("a folder");
        for location in ["none.bin", "../a.bin", "/etc/hostname"] {
            let error = resolved(dir.path(), location)
                .expect_err(location)
                .to_string();
            assert!(error.contains(location) && error.contains("`w`"), "{error}");
        }
    }
}
