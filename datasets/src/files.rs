//! Datasets whose samples are image files, and bounded reading.

use crate::check::Problems;
use dyno_core::{
    Annotation, Dataset, DatasetError, DatasetFacts, InputData, LabelMap, Sample, SampleEntry,
    SampleIndex, SampleInput,
};
use rayon::prelude::*;
use std::{
    fs::{self, File},
    io::Read,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

/// Largest image file.
pub(crate) const IMAGE_LIMIT: u64 = 256 << 20;
/// Largest list of images or classes.
pub(crate) const LIST_LIMIT: u64 = 256 << 20;

/// Extensions of images, in lower case.
const EXTENSIONS: [&str; 7] = ["bmp", "jpeg", "jpg", "png", "tif", "tiff", "webp"];

/// The file's content, at most `limit` bytes.
pub(crate) fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>, DatasetError> {
    let io = |source| DatasetError::Io {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(io)?;
    let expected = file.metadata().map_err(io)?.len();
    let mut bytes = Vec::with_capacity(usize::try_from(expected.min(limit)).unwrap_or(0));
    file.take(limit + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > limit {
        return Err(malformed(
            path,
            None,
            None,
            format!("larger than {limit} bytes, which no file of this kind is"),
        ));
    }
    Ok(bytes)
}

pub(crate) fn malformed(
    path: &Path,
    line: Option<usize>,
    column: Option<usize>,
    reason: impl Into<String>,
) -> DatasetError {
    DatasetError::Malformed {
        path: path.to_owned(),
        line,
        column,
        reason: reason.into(),
    }
}

/// Runs a parser of an untrusted file; its panic becomes an error of that file.
pub(crate) fn guarded<T>(
    path: &Path,
    parser: impl FnOnce() -> Result<T, DatasetError>,
) -> Result<T, DatasetError> {
    catch_unwind(AssertUnwindSafe(parser)).unwrap_or_else(|payload| {
        let words = payload
            .downcast_ref::<&str>()
            .map(ToString::to_string)
            .or_else(|| payload.downcast_ref::<String>().cloned());
        let words = words.unwrap_or_else(|| "without words".to_owned());
        Err(malformed(
            path,
            None,
            None,
            format!("its reader panicked: {words}"),
        ))
    })
}

/// Without the mark that some editors of Windows put in front of UTF-8.
pub(crate) fn without_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// The file's content as text, without a byte-order mark.
pub(crate) fn read_text(path: &Path, limit: u64) -> Result<String, DatasetError> {
    String::from_utf8(without_bom(&read_bounded(path, limit)?).to_vec()).map_err(|e| {
        let before = &e.as_bytes()[..e.utf8_error().valid_up_to()];
        let line = before.split(|b| *b == b'\n').count();
        malformed(path, Some(line), None, "not UTF-8 text")
    })
}

/// Classes of a text file, one a line, no empty line between them, no class twice.
pub(crate) fn read_labels(path: &Path) -> Result<LabelMap, DatasetError> {
    let text = read_text(path, LIST_LIMIT)?;
    let names: Vec<&str> = text.trim_end().lines().map(str::trim).collect();
    if let Some(i) = names.iter().position(|n| n.is_empty()) {
        return Err(malformed(path, Some(i + 1), None, "a class without a name"));
    }
    let mut problems = Problems::default();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    for pair in sorted.windows(2).filter(|p| p[0] == p[1]) {
        problems.add("classes stand in the list twice", || pair[0].to_owned());
    }
    problems.finish()?;
    Ok(LabelMap::from_names(names))
}

/// Names of what is in a folder, sorted; names that are not UTF-8 are an error.
pub(crate) fn list(folder: &Path) -> Result<Vec<(String, fs::FileType)>, DatasetError> {
    let io = |source| DatasetError::Io {
        path: folder.to_owned(),
        source,
    };
    let mut names = Vec::new();
    let mut problems = Problems::default();
    for entry in fs::read_dir(folder).map_err(io)? {
        let entry = entry.map_err(io)?;
        match entry.file_name().into_string() {
            Ok(name) => names.push((name, entry.file_type().map_err(io)?)),
            Err(raw) => problems.add("file names are not UTF-8", || {
                raw.to_string_lossy().into_owned()
            }),
        }
    }
    problems.finish()?;
    names.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    Ok(names)
}

/// An image by its extension, and not one of the hidden files that some systems leave beside each.
pub(crate) fn is_image(name: &str) -> bool {
    !name.starts_with('.')
        && Path::new(name)
            .extension()
            .and_then(|e| e.to_str())
            .is_some_and(|e| EXTENSIONS.contains(&e.to_ascii_lowercase().as_str()))
}

/// Extensions of pictures in forms that are not read, in lower case.
const OTHERS: [&str; 9] = [
    "avif", "gif", "heic", "heif", "jfif", "jp2", "jxl", "pgm", "ppm",
];

/// A picture by its extension, in a form that is not read.
pub(crate) fn is_other_image(name: &str) -> bool {
    !name.starts_with('.')
        && Path::new(name)
            .extension()
            .and_then(|e| e.to_str())
            .is_some_and(|e| OTHERS.contains(&e.to_ascii_lowercase().as_str()))
}

/// Names of the `.EXT` files of a folder without the extension, for messages; empty when the folder
/// cannot be read.
pub(crate) fn stems(folder: &Path, prefix: &str, extension: &str) -> String {
    let names = list(folder).unwrap_or_default();
    let stems: Vec<String> = names
        .iter()
        .filter_map(|(n, _)| n.strip_prefix(prefix)?.strip_suffix(extension))
        .filter(|n| !n.is_empty())
        .take(12)
        .map(|n| format!("`{n}`"))
        .collect();
    if stems.is_empty() {
        "there is none".to_owned()
    } else {
        format!("there are: {}", stems.join(", "))
    }
}

/// A picture with what is true of it.
pub(crate) struct Picture {
    /// Path relative to the folder of the pictures.
    pub(crate) id: String,
    /// The file.
    pub(crate) path: PathBuf,
    /// What is true of it.
    pub(crate) truth: Annotation,
}

/// An open dataset of files.
pub(crate) struct FileSet {
    facts: DatasetFacts,
    entries: Vec<SampleEntry>,
    truths: Vec<Annotation>,
    truth_files: Vec<PathBuf>,
    skipped: Vec<String>,
}

impl FileSet {
    /// With the files that say what is true of the samples.
    pub(crate) fn with_truth_files(mut self, files: Vec<PathBuf>) -> Self {
        self.truth_files = files;
        self
    }

    /// With the names of pictures in forms that are not read.
    pub(crate) fn with_skipped(mut self, skipped: Vec<String>) -> Self {
        self.skipped = skipped;
        self
    }

    /// Sorts the samples by id; refuses none at all, an id twice and files that are missing, each
    /// counted.
    pub(crate) fn new(
        facts: DatasetFacts,
        mut pictures: Vec<Picture>,
        mut problems: Problems,
        place: &Path,
    ) -> Result<Self, DatasetError> {
        pictures.sort_by(|a, b| a.id.cmp(&b.id));
        for pair in pictures.windows(2).filter(|p| p[0].id == p[1].id) {
            problems.add("images are listed twice", || format!("`{}`", pair[0].id));
        }
        let missing: Vec<&Picture> = pictures.par_iter().filter(|p| !p.path.is_file()).collect();
        for picture in missing {
            problems.add("images are missing", || {
                format!("`{}`", picture.path.display())
            });
        }
        problems.finish()?;
        if pictures.is_empty() {
            return Err(DatasetError::Usage(format!(
                "no image in `{}`",
                place.display()
            )));
        }
        if u32::try_from(pictures.len()).is_err() {
            return Err(DatasetError::Usage(format!(
                "{} images in `{}`, more than a dataset can have",
                pictures.len(),
                place.display()
            )));
        }
        let (entries, truths) = pictures
            .into_iter()
            .map(|picture| {
                let entry = SampleEntry {
                    id: picture.id,
                    path: Some(picture.path),
                    truth: None,
                };
                (entry, picture.truth)
            })
            .unzip();
        Ok(Self {
            facts,
            entries,
            truths,
            truth_files: Vec::new(),
            skipped: Vec::new(),
        })
    }
}

impl Dataset for FileSet {
    fn facts(&self) -> &DatasetFacts {
        &self.facts
    }

    fn entries(&self) -> &[SampleEntry] {
        &self.entries
    }

    fn truth_files(&self) -> &[PathBuf] {
        &self.truth_files
    }

    fn skipped(&self) -> &[String] {
        &self.skipped
    }

    fn load(&self, index: SampleIndex) -> Result<Sample, DatasetError> {
        let entry = self.entries.get(index.index());
        let path: &PathBuf = entry
            .and_then(|e| e.path.as_ref())
            .ok_or_else(|| no_sample(index, self.entries.len()))?;
        let data = InputData::EncodedImage(read_bounded(path, IMAGE_LIMIT)?);
        Ok(Sample {
            inputs: vec![SampleInput { name: None, data }],
        })
    }

    fn truth(&self, index: SampleIndex) -> Result<Annotation, DatasetError> {
        self.truths
            .get(index.index())
            .cloned()
            .ok_or_else(|| no_sample(index, self.truths.len()))
    }
}

/// A sample was asked for that does not exist.
pub(crate) fn no_sample(index: SampleIndex, count: usize) -> DatasetError {
    DatasetError::Usage(format!("sample {} of a dataset of {count}", index.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_a_parser_is_an_error_of_its_file() {
        let path = Path::new("a.xml");
        let e = guarded::<()>(path, || panic!("index {} out of bounds", 7))
            .expect_err("it panicked")
            .to_string();
        assert_eq!(e, "`a.xml`: its reader panicked: index 7 out of bounds");
        assert_eq!(guarded(path, || Ok(3)).expect("it did not"), 3);
    }
}
