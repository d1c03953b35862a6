//! ImageNet's classification: a list of files with class numbers, or a folder a class.
//!
//! The classes are those of `synset_words.txt` (`n01440764 tench, Tinca tinca`), `synsets.txt` (an
//! id a line), both counted from 0, or the sorted names of the folders. A class is called by its
//! synset id; the whole of its words is its one synonym, because single words are not unique
//! (`crane` is a bird and a machine).

use crate::{
    check::{Problems, is_inside, split_name},
    files::{FileSet, LIST_LIMIT, Picture, list, malformed, read_labels, read_text},
    folder::walk,
    name::dataset_name,
    request::Options,
};
use dyno_core::{
    Annotation, AnnotationKind, Dataset, DatasetError, DatasetFacts, DatasetKind, DatasetRequest,
    Label, LabelId, LabelMap, LabelScheme, sha256_hex,
};
use std::{collections::BTreeMap, path::Path};

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
        "a folder with SPLIT.txt (`FILE CLASS` lines, default val), SPLIT/ and synset_words.txt or synsets.txt; or a folder a class, below SPLIT/ or directly"
    }

    fn open(&self, request: &DatasetRequest) -> Result<Box<dyn Dataset>, DatasetError> {
        let options = Options::new(request, &[])?;
        let root = &request.path;
        let asked = split_name(request.split.as_deref().unwrap_or(DEFAULT_SPLIT))?;
        let listed = listed_classes(root)?;
        let file = root.join(format!("{asked}.txt"));
        let mut problems = Problems::default();
        let (labels, entries) = if file.is_file() {
            let labels = listed.ok_or_else(|| {
                DatasetError::Usage(format!("`{}` has classes by number, but there is neither synset_words.txt nor synsets.txt beside it", file.display()))
            })?;
            let entries = lines(&file, &root.join(asked), labels.len(), &mut problems)?;
            (labels, entries)
        } else {
            let below = root.join(asked);
            let folder = if below.is_dir() {
                below
            } else if request.split.is_none() && root.is_dir() {
                root.clone()
            } else {
                return Err(DatasetError::Usage(format!(
                    "no split `{asked}` in `{}`: neither `{asked}.txt` nor a folder `{asked}`",
                    root.display()
                )));
            };
            folders(&folder, listed, &mut problems)?
        };
        let facts = DatasetFacts {
            kind: "imagenet".to_owned(),
            name: dataset_name(request, &options)?,
            exif: options.exif()?,
            annotation: AnnotationKind::Class,
            labels,
            metrics: vec!["top-k".to_owned()],
        };
        Ok(Box::new(FileSet::new(facts, entries, problems, root)?))
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

/// The classes as the files beside the list say; both files must agree.
fn listed_classes(root: &Path) -> Result<Option<LabelMap>, DatasetError> {
    let (words, ids) = (root.join("synset_words.txt"), root.join("synsets.txt"));
    let ids = if ids.is_file() {
        Some(read_labels(&ids)?)
    } else {
        None
    };
    if !words.is_file() {
        return Ok(ids.map(with_scheme));
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
    Ok(Some(with_scheme(map)))
}

/// Lines `FILE CLASS`; a file name may hold blanks.
fn lines(
    file: &Path,
    folder: &Path,
    classes: usize,
    problems: &mut Problems,
) -> Result<Vec<Picture>, DatasetError> {
    let text = read_text(file, LIST_LIMIT)?;
    let mut entries = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let parts = line
            .rsplit_once(char::is_whitespace)
            .and_then(|(name, class)| Some((name.trim_end(), class.parse::<u32>().ok()?)));
        let Some((name, class)) = parts else {
            return Err(malformed(
                file,
                Some(number),
                None,
                format!(
                    "`{}` is not `FILE CLASS`",
                    line.chars().take(80).collect::<String>()
                ),
            ));
        };
        if !is_inside(name) {
            problems.add("file names leave the folder of the images", || {
                format!("`{name}`")
            });
            continue;
        }
        if class as usize >= classes {
            problems.add("images have an unknown class", || {
                format!("line {number}: {class} of {classes}")
            });
        }
        entries.push(Picture {
            id: name.to_owned(),
            path: folder.join(name),
            truth: Annotation::Class(LabelId(class)),
        });
    }
    Ok(entries)
}

/// A folder a class.
fn folders(
    root: &Path,
    listed: Option<LabelMap>,
    problems: &mut Problems,
) -> Result<(LabelMap, Vec<Picture>), DatasetError> {
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
    let classes: BTreeMap<&str, LabelId> = (0..)
        .zip(&labels.labels)
        .map(|(i, l)| (l.name.as_str(), LabelId(i)))
        .collect();
    let mut entries = Vec::new();
    for name in &names {
        let Some(label) = classes.get(name.as_str()) else {
            problems.add("folders name an unknown class", || format!("`{name}`"));
            continue;
        };
        let first = entries.len();
        walk(&root.join(name), &format!("{name}/"), 4, &mut entries)?;
        for entry in entries.iter_mut().skip(first) {
            entry.truth = Annotation::Class(*label);
        }
    }
    Ok((labels, entries))
}

#[cfg(test)]
mod tests;
