//! ImageNet's classification: a list of files with classes, or a folder a class.
//!
//! The classes are those of `synset_words.txt` (`n01440764 tench, Tinca tinca`), `synsets.txt` (an
//! id a line), both counted from 0, or the names that the list or the folders have, sorted. A class
//! of ImageNet is called by its synset id; the whole of its words is its one synonym, because
//! single words are not unique (`crane` is a bird and a machine).

mod list;

use crate::{
    check::{Problems, split_name},
    files::{FileSet, list, read_labels},
    folder::{Found, walk},
    name::dataset_name,
    request::Options,
};
use dyno_core::{
    Annotation, AnnotationKind, Dataset, DatasetError, DatasetFacts, DatasetKind, DatasetRequest,
    Label, LabelMap, LabelScheme, sha256_hex,
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

const DEFAULT_SPLIT: &str = "val";
/// sha256 of the 1000 synset ids of ILSVRC2012, sorted and joined by line feeds.
const ILSVRC2012: &str = "385e0240499426c022b773be1ae4da780f057b89c9694c7f47199f62746b6edd";

/// Row of the table.
pub(crate) struct Imagenet;

impl DatasetKind for Imagenet {
    fn id(&self) -> &'static str {
        "imagenet"
    }

    fn about(&self) -> &'static str {
        "a folder with SPLIT.txt (`FILE CLASS` lines, default val) or SPLIT.csv and SPLIT/, the classes in synset_words.txt or synsets.txt; such a list with `images=DIR`; or a folder a class, below SPLIT/ or directly"
    }

    fn open(&self, request: &DatasetRequest) -> Result<Box<dyn Dataset>, DatasetError> {
        let options = Options::new(request, &["images"])?;
        let root = &request.path;
        let asked = split_name(request.split.as_deref().unwrap_or(DEFAULT_SPLIT))?;
        let own = options.get("images").map(PathBuf::from);
        let (file, beside) = if root.is_file() {
            (Some(root.clone()), root.parent().unwrap_or(Path::new("")))
        } else {
            let files = ["txt", "csv"].map(|kind| root.join(format!("{asked}.{kind}")));
            (files.into_iter().find(|f| f.is_file()), root.as_path())
        };
        let (listed, mut truth_files) = listed_classes(beside)?;
        let mut problems = Problems::default();
        let mut skipped = Vec::new();
        let (labels, pictures) = if let Some(file) = file {
            let folder = own.unwrap_or_else(|| {
                let below = beside.join(asked);
                if below.is_dir() {
                    below
                } else {
                    beside.to_owned()
                }
            });
            truth_files.push(file.clone());
            list::read(&file, &folder, listed, &mut problems)?
        } else {
            let below = own.unwrap_or_else(|| root.join(asked));
            let folder = if below.is_dir() {
                below
            } else if request.split.is_none() && root.is_dir() {
                root.clone()
            } else {
                return Err(DatasetError::Usage(format!(
                    "no split `{asked}` in `{}`: neither `{asked}.txt` nor `{asked}.csv` nor a folder `{asked}`",
                    root.display()
                )));
            };
            let mut found = Found::default();
            let labels = folders(&folder, listed, &mut problems, &mut found)?;
            skipped = found.skipped;
            (labels, found.pictures)
        };
        let facts = DatasetFacts {
            kind: "imagenet".to_owned(),
            name: dataset_name(request, &options)?,
            exif: options.exif()?,
            annotation: AnnotationKind::Class,
            labels,
            metrics: vec!["top-k".to_owned()],
        };
        let set = FileSet::new(facts, pictures, problems, root)?;
        Ok(Box::new(
            set.with_truth_files(truth_files).with_skipped(skipped),
        ))
    }
}

/// The standard list when the names are exactly its ids in their order.
fn with_scheme(mut map: LabelMap) -> LabelMap {
    if map.len() == 1000 {
        let ids: Vec<&str> = map.labels.iter().map(|l| l.name.as_str()).collect();
        map.scheme = (sha256_hex(ids.join("\n").as_bytes()) == ILSVRC2012)
            .then_some(LabelScheme::Imagenet1000);
    }
    map
}

/// The classes as the files beside the list say, and those files; both must agree.
fn listed_classes(root: &Path) -> Result<(Option<LabelMap>, Vec<PathBuf>), DatasetError> {
    let (words, ids) = (root.join("synset_words.txt"), root.join("synsets.txt"));
    let files: Vec<PathBuf> = [&words, &ids]
        .into_iter()
        .filter(|f| f.is_file())
        .cloned()
        .collect();
    let ids = if ids.is_file() {
        Some(read_labels(&ids)?)
    } else {
        None
    };
    if !words.is_file() {
        return Ok((ids.map(with_scheme), files));
    }
    let mut map = read_labels(&words)?;
    for label in &mut map.labels {
        if let Some((id, words)) = label.name.split_once(char::is_whitespace) {
            *label = Label {
                name: id.to_owned(),
                synonyms: vec![words.trim().to_owned()],
                external_id: None,
            };
        }
    }
    let mut problems = Problems::default();
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    for (i, label) in map.labels.iter().enumerate() {
        if let Some(first) = numbers.insert(&label.name, i) {
            problems.add("classes stand in `synset_words.txt` twice", || {
                format!("`{}` on lines {} and {}", label.name, first + 1, i + 1)
            });
        }
    }
    if let Some(ids) = ids {
        if ids.len() != map.len() {
            problems.add("`synset_words.txt` and `synsets.txt` differ", || {
                format!("{} and {} classes", map.len(), ids.len())
            });
        }
        for (i, (a, b)) in map
            .labels
            .iter()
            .zip(&ids.labels)
            .enumerate()
            .filter(|(_, (a, b))| a.name != b.name)
        {
            problems.add("`synset_words.txt` and `synsets.txt` differ", || {
                format!("line {}: `{}` and `{}`", i + 1, a.name, b.name)
            });
        }
    }
    problems.finish()?;
    Ok((Some(with_scheme(map)), files))
}

/// A folder a class.
fn folders(
    root: &Path,
    listed: Option<LabelMap>,
    problems: &mut Problems,
    found: &mut Found,
) -> Result<LabelMap, DatasetError> {
    let names: Vec<String> = list(root)?
        .into_iter()
        .filter(|(n, _)| !n.starts_with('.') && root.join(n).is_dir())
        .map(|(n, _)| n)
        .collect();
    if names.is_empty() {
        return Err(DatasetError::Usage(format!(
            "`{}` has no folders, one a class, and there is no list beside it",
            root.display()
        )));
    }
    let labels = listed.unwrap_or_else(|| with_scheme(LabelMap::from_names(&names)));
    let classes = list::by_name(&labels);
    for name in &names {
        let Some(label) = classes.get(name.as_str()) else {
            problems.add("folders name an unknown class", || format!("`{name}`"));
            continue;
        };
        let first = found.pictures.len();
        walk(&root.join(name), &format!("{name}/"), 4, found)?;
        for picture in found.pictures.iter_mut().skip(first) {
            picture.truth = Annotation::Class(*label);
        }
    }
    drop(classes);
    Ok(labels)
}

#[cfg(test)]
mod tests;
