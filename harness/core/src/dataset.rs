//! Samples with what is true of them.

use crate::{
    annotation::{Annotation, AnnotationKind},
    labels::LabelMap,
    table::Row,
    tensor::Tensor,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

/// Position of a sample in the dataset's order, counted from 0. The order is that of the sorted
/// sample ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SampleIndex(pub u32);

impl SampleIndex {
    /// As an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a user asked for: `KIND:PATH[#SPLIT][,KEY=VALUE…]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetRequest {
    /// Row of the dataset table.
    pub kind: String,
    /// Folder or annotation file; empty for a dataset that needs none.
    pub path: PathBuf,
    /// Split; absent for the kind's default.
    pub split: Option<String>,
    /// Further options of the kind (`images=DIR`).
    pub options: BTreeMap<String, String>,
}

/// Why a dataset cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// A file or folder.
    #[error("cannot read `{}`", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file is not what it should be.
    #[error("`{}`{}: {reason}", path.display(), match (line, column) { (Some(l), Some(c)) => format!(" line {l} column {c}"), (Some(l), None) => format!(" line {l}"), _ => String::new() })]
    Malformed {
        /// Where.
        path: PathBuf,
        /// Line, counted from 1.
        line: Option<usize>,
        /// Column, counted from 1.
        column: Option<usize>,
        /// What is wrong.
        reason: String,
    },
    /// The dataset as a whole is inconsistent; all problems of a kind at once.
    #[error("{what} ({count}): {}{}", examples.join(", "), if *count > examples.len() { ", …" } else { "" })]
    Inconsistent {
        /// What is wrong: `images of the annotations are missing`.
        what: String,
        /// How often.
        count: usize,
        /// The first of them.
        examples: Vec<String>,
    },
    /// An option or split that does not exist, or a layout that was not found.
    #[error("{0}")]
    Usage(String),
}

/// Where the name of a sample set comes from: a file format is not a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NameSource {
    /// The files' hashes stand in a sealed card of that set.
    Verified,
    /// Whoever ran it says so: in the request, or in a card beside the data.
    Claimed,
    /// The name of the folder, of generated pictures, or of anything else that names no known set.
    Custom,
    /// A source that this version does not know.
    #[serde(other)]
    Unknown,
}

/// What a dataset is called, and how large the whole of it is known to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetName {
    /// As in the sample-set id: `coco-val2017`, `custom-photos`, `synthetic-shapes`.
    pub name: String,
    /// Who says so.
    pub source: NameSource,
    /// Samples of the named set, where that is known (5,000 of val2017); absent where not.
    pub of: Option<u32>,
}

/// What happens to the orientation that a camera notes in a picture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ExifOrientation {
    /// Stored pixels are taken as they are: what annotations of datasets refer to.
    #[default]
    Ignore,
    /// Pictures are turned upright, because the annotations refer to turned ones.
    Apply,
}

/// A dataset as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DatasetFacts {
    /// Row of the table.
    pub kind: String,
    /// Its name.
    pub name: DatasetName,
    /// How its pictures are turned when they are decoded: the request's option `exif`, and part of
    /// the hash of a sample set.
    pub exif: ExifOrientation,
    /// What is known of its samples.
    pub annotation: AnnotationKind,
    /// Its classes.
    pub labels: LabelMap,
    /// Metrics that belong to it, rows of the metric table, the first being the one that manifests
    /// quote.
    pub metrics: Vec<String>,
}

/// One sample without its data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampleEntry {
    /// Unique id; for images the path relative to the image folder.
    pub id: String,
    /// The file, when the sample is one.
    pub path: Option<PathBuf>,
    /// The file that holds what is true of this sample alone (a mask), when there is one: it is
    /// hashed like the picture.
    pub truth: Option<PathBuf>,
}

/// Data of one input of a sample.
#[derive(Debug, Clone, PartialEq)]
pub enum InputData {
    /// An encoded image (JPEG, PNG).
    EncodedImage(Vec<u8>),
    /// A tensor, ready for the model.
    Tensor(Tensor),
    /// Numbers.
    Scalars(Vec<f64>),
}

/// One input of a sample.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleInput {
    /// The model input that it feeds; absent when the model has one.
    pub name: Option<String>,
    /// The data.
    pub data: InputData,
}

/// The data of a sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The inputs.
    pub inputs: Vec<SampleInput>,
}

/// An open dataset: all of its samples, in the order of their ids, without duplicates.
pub trait Dataset: Send + Sync {
    /// The dataset as a whole.
    fn facts(&self) -> &DatasetFacts;
    /// Its samples.
    fn entries(&self) -> &[SampleEntry];
    /// Files that say what is true of the samples, beyond those of single samples: annotations,
    /// lists, class names.
    fn truth_files(&self) -> &[PathBuf] {
        &[]
    }
    /// Files among the pictures that have the extension of a picture and a form that is not read.
    fn skipped(&self) -> &[String] {
        &[]
    }
    /// Reads the data of a sample.
    ///
    /// # Errors
    /// When the file cannot be read. The bytes are not looked at.
    fn load(&self, index: SampleIndex) -> Result<Sample, DatasetError>;
    /// What is true of a sample. Read when it is asked for: masks are files.
    ///
    /// # Errors
    /// When there is no such sample, or its file cannot be read.
    fn truth(&self, index: SampleIndex) -> Result<Annotation, DatasetError>;
}

/// A kind of dataset: row of the dataset table.
pub trait DatasetKind: Send + Sync {
    /// Kebab-case id, unique in the table.
    fn id(&self) -> &'static str;
    /// One line for people: what the path is and which options there are.
    fn about(&self) -> &'static str;
    /// It reads a folder or file: a request without a path is an error.
    fn needs_path(&self) -> bool {
        true
    }
    /// Opens a dataset: reads annotations, checks that they fit together, reads no image.
    ///
    /// # Errors
    /// With every inconsistency of a kind counted.
    fn open(&self, request: &DatasetRequest) -> Result<Box<dyn Dataset>, DatasetError>;
}

impl Row for dyn DatasetKind {
    fn name(&self) -> &'static str {
        self.id()
    }
}

/// The samples that a run uses, with the identity that makes scores comparable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SampleSet {
    /// `name-N-hash16`.
    pub id: String,
    /// Name of the set that it is, or is part of.
    pub name: String,
    /// Who says so.
    pub name_source: NameSource,
    /// Number of samples.
    pub count: u32,
    /// Samples of the whole: of the named set where that is known, else of the data as found.
    pub of: u32,
    /// Samples with different content: repeated pictures count once.
    pub distinct: u32,
    /// sha256 over sorted sample ids, file hashes and the content of annotations.
    pub sha256: String,
    /// Positions in the dataset, rising.
    pub samples: Vec<SampleIndex>,
    /// sha256 of each sample's file, in the order of `samples`: the bytes that are decoded must be
    /// these. Empty text for a sample that is no file.
    pub file_sha256: Vec<String>,
}

impl SampleSet {
    /// The whole, not a subset of it.
    pub fn full(&self) -> bool {
        self.count >= self.of
    }

    /// Samples whose file has the content of an earlier one, rising. Statistics leave them out: the
    /// same picture says nothing twice. A sample that is no file repeats nothing.
    pub fn repeats(&self) -> BTreeSet<SampleIndex> {
        let mut seen = BTreeSet::new();
        self.samples
            .iter()
            .zip(&self.file_sha256)
            .filter(|(_, sha256)| !sha256.is_empty() && !seen.insert(sha256.as_str()))
            .map(|(index, _)| *index)
            .collect()
    }
}
