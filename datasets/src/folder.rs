//! A folder of images of which nothing is known.

use crate::{
    check::Problems,
    files::{FileSet, Picture, is_image, is_other_image, list},
    name::dataset_name,
    request::Options,
};
use dyno_core::{
    Annotation, AnnotationKind, Dataset, DatasetError, DatasetFacts, DatasetKind, DatasetRequest,
    LabelMap,
};
use std::path::Path;

/// Depth of folders that is still looked into.
const DEPTH: usize = 32;

/// Row of the table.
pub(crate) struct Folder;

impl DatasetKind for Folder {
    fn id(&self) -> &'static str {
        "folder"
    }

    fn about(&self) -> &'static str {
        "a folder of .jpg, .jpeg and .png files at any depth, without annotations (links to folders are not followed)"
    }

    fn open(&self, request: &DatasetRequest) -> Result<Box<dyn Dataset>, DatasetError> {
        let options = Options::new(request, &[])?;
        if let Some(split) = &request.split {
            return Err(DatasetError::Usage(format!(
                "a folder has no splits, got `{split}`"
            )));
        }
        let mut found = Found::default();
        walk(&request.path, "", DEPTH, &mut found)?;
        let facts = DatasetFacts {
            kind: "folder".to_owned(),
            name: dataset_name(request, &options)?,
            exif: options.exif()?,
            annotation: AnnotationKind::None,
            labels: LabelMap::default(),
            metrics: Vec::new(),
        };
        let set = FileSet::new(facts, found.pictures, Problems::default(), &request.path)?;
        Ok(Box::new(set.with_skipped(found.skipped)))
    }
}

/// What a folder holds.
#[derive(Default)]
pub(crate) struct Found {
    /// Images.
    pub(crate) pictures: Vec<Picture>,
    /// Pictures in forms that are not read.
    pub(crate) skipped: Vec<String>,
}

/// Collects the images below a folder; ids are relative to the first, with `/`.
pub(crate) fn walk(
    folder: &Path,
    prefix: &str,
    depth: usize,
    found: &mut Found,
) -> Result<(), DatasetError> {
    for (name, kind) in list(folder)? {
        let path = folder.join(&name);
        if kind.is_dir() {
            let depth = depth.checked_sub(1).ok_or_else(|| {
                DatasetError::Usage(format!(
                    "folders are nested too deep at `{}`",
                    path.display()
                ))
            })?;
            walk(&path, &format!("{prefix}{name}/"), depth, found)?;
        } else if is_image(&name) {
            found.pictures.push(Picture {
                id: format!("{prefix}{name}"),
                path,
                truth: Annotation::None,
            });
        } else if is_other_image(&name) {
            found.skipped.push(format!("{prefix}{name}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{open, parse_request};
    use dyno_core::{InputData, SampleIndex};
    use std::fs;

    #[test]
    fn images_at_any_depth_are_samples_in_order() {
        let dir = tempfile::tempdir().expect("temporary folder");
        fs::create_dir_all(dir.path().join("b/c")).expect("creates");
        for name in [
            "z.JPG",
            "b/c/x.png",
            "b/a.jpeg",
            "notes.txt",
            "._z.jpg",
            "b/none",
            "b/y.heic",
        ] {
            fs::write(dir.path().join(name), name).expect("writes");
        }
        let request = parse_request(&format!("folder:{}", dir.path().display())).expect("reads");
        let set = open(&request).expect("opens");
        assert_eq!(
            set.entries()
                .iter()
                .map(|e| e.id.as_str())
                .collect::<Vec<_>>(),
            ["b/a.jpeg", "b/c/x.png", "z.JPG"]
        );
        assert_eq!(
            set.load(SampleIndex(1)).expect("loads").inputs[0].data,
            InputData::EncodedImage(b"b/c/x.png".to_vec())
        );
        assert!(set.load(SampleIndex(3)).is_err());
        assert_eq!(set.skipped(), ["b/y.heic"]);
        assert_eq!(
            (set.facts().annotation, set.facts().metrics.len()),
            (AnnotationKind::None, 0)
        );
    }

    #[test]
    fn an_empty_or_absent_folder_is_an_error() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let at = |path: &Path| {
            open(&parse_request(&format!("folder:{}", path.display())).expect("reads"))
                .map(|_| ())
                .expect_err("no images")
        };
        assert!(matches!(at(dir.path()), DatasetError::Usage(_)));
        assert!(matches!(
            at(&dir.path().join("absent")),
            DatasetError::Io { .. }
        ));
    }
}
