//! PASCAL VOC: one XML file an image, lists of image ids as splits.
//!
//! VOC's corners count pixels from 1 and are inclusive (devkit of VOC2012); they become 0-based
//! half-open boxes: x = xmin − 1, w = xmax − xmin + 1. A few files of VOC2012 have fractions.

mod xml;

use crate::{
    check::{Problems, is_inside, split_name},
    files::{self, FileSet, LIST_LIMIT, malformed, read_labels, read_text, stems},
    name::dataset_name,
    request::Options,
};
use dyno_core::{
    Annotation, AnnotationKind, Dataset, DatasetError, DatasetFacts, DatasetKind, DatasetRequest,
    ImageAnnotation, LabelId, LabelMap, ObjectAnnotation, Xywh,
};
use rayon::prelude::*;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

const DEFAULT_SPLIT: &str = "val";
const EXTENSIONS: [&str; 4] = ["jpg", "jpeg", "png", "JPG"];

/// Row of the table.
pub(crate) struct Voc;

impl DatasetKind for Voc {
    fn id(&self) -> &'static str {
        "voc"
    }

    fn about(&self) -> &'static str {
        "VOCdevkit, VOC2012 or VOC2007 with Annotations, ImageSets/Main/SPLIT.txt (default val) and JPEGImages; other classes than VOC's in labels.txt"
    }

    fn open(&self, request: &DatasetRequest) -> Result<Box<dyn Dataset>, DatasetError> {
        let options = Options::new(request, &[])?;
        let root = find(&request.path)?;
        let split = split_name(request.split.as_deref().unwrap_or(DEFAULT_SPLIT))?;
        let lists = root.join("ImageSets").join("Main");
        let list = lists.join(format!("{split}.txt"));
        if !list.is_file() {
            return Err(DatasetError::Usage(format!(
                "`{}` does not exist; splits of this dataset: {}",
                list.display(),
                stems(&lists, "", ".txt")
            )));
        }
        let own = root.join("labels.txt");
        let labels = if own.is_file() {
            read_labels(&own)?
        } else {
            LabelMap::builtin("voc20").unwrap_or_default()
        };
        let mut problems = Problems::default();
        let ids = image_ids(&list, &mut problems)?;
        let mut pictures: Vec<(String, PathBuf, Result<xml::Picture, DatasetError>)> = ids
            .par_iter()
            .map(|id| {
                let path = image(&root.join("JPEGImages"), id);
                let name = path
                    .file_name()
                    .map_or_else(|| id.clone(), |n| n.to_string_lossy().into_owned());
                (
                    name,
                    path,
                    xml::read(&root.join("Annotations").join(format!("{id}.xml"))),
                )
            })
            .collect();
        // Numbers are given in the order of the samples, not in that of the list.
        pictures.sort_by(|a, b| a.0.cmp(&b.0));
        let entries = build(pictures, &labels, &mut problems)?;
        let facts = DatasetFacts {
            kind: "voc".to_owned(),
            name: dataset_name(request, &options)?,
            exif: options.exif()?,
            annotation: AnnotationKind::Objects,
            labels,
            metrics: vec!["voc-ap".to_owned()],
        };
        let mut truth_files: Vec<PathBuf> = ids
            .iter()
            .map(|id| root.join("Annotations").join(format!("{id}.xml")))
            .collect();
        truth_files.push(list.clone());
        truth_files.extend(own.is_file().then(|| own.clone()));
        let set = FileSet::new(facts, entries, problems, &list)?;
        Ok(Box::new(set.with_truth_files(truth_files)))
    }
}

/// The folder with `Annotations`: the path itself, or VOC2012 or VOC2007 below it or below
/// `VOCdevkit`.
fn find(path: &Path) -> Result<PathBuf, DatasetError> {
    let below = ["VOC2012", "VOC2007"]
        .into_iter()
        .flat_map(|year| [path.join(year), path.join("VOCdevkit").join(year)]);
    let found = std::iter::once(path.to_owned())
        .chain(below)
        .find(|p| p.join("Annotations").is_dir() && p.join("ImageSets").is_dir());
    found.ok_or_else(|| {
        DatasetError::Usage(format!("no VOC dataset in `{}`: neither it nor VOC2012 or VOC2007 below it has Annotations and ImageSets", path.display()))
    })
}

/// Ids of a list; lists of one class have a flag behind each, which does not matter here.
fn image_ids(list: &Path, problems: &mut Problems) -> Result<Vec<String>, DatasetError> {
    let text = read_text(list, LIST_LIMIT)?;
    let mut ids = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let mut words = line.split_whitespace();
        let Some(id) = words.next() else { continue };
        if words
            .next()
            .is_some_and(|flag| !matches!(flag, "-1" | "0" | "1"))
            || words.next().is_some()
        {
            return Err(malformed(
                list,
                Some(number),
                None,
                "not an image id with or without a flag",
            ));
        }
        if !is_inside(id) || id.contains(['/', '\\']) {
            problems.add("image ids leave the folder of the images", || {
                format!("`{id}`")
            });
            continue;
        }
        ids.push(id.to_owned());
    }
    Ok(ids)
}

/// The image of an id: VOC's are `.jpg`, others are taken where there is none.
fn image(folder: &Path, id: &str) -> PathBuf {
    let path = |extension: &str| folder.join(format!("{id}.{extension}"));
    EXTENSIONS
        .into_iter()
        .map(path)
        .find(|p| p.is_file())
        .unwrap_or_else(|| path("jpg"))
}

fn build(
    pictures: Vec<(String, PathBuf, Result<xml::Picture, DatasetError>)>,
    labels: &LabelMap,
    problems: &mut Problems,
) -> Result<Vec<files::Picture>, DatasetError> {
    let classes: BTreeMap<&str, LabelId> = (0..)
        .zip(&labels.labels)
        .map(|(i, l)| (l.name.as_str(), LabelId(i)))
        .collect();
    let mut entries = Vec::with_capacity(pictures.len());
    let mut object_id = 0i64;
    for (image_id, (id, path, picture)) in (1..).zip(pictures) {
        let picture = match picture {
            Ok(picture) => picture,
            Err(DatasetError::Io { path, source })
                if source.kind() == std::io::ErrorKind::NotFound =>
            {
                problems.add("annotation files are missing", || {
                    format!("`{}`", path.display())
                });
                continue;
            }
            Err(e) => return Err(e),
        };
        let mut objects = Vec::with_capacity(picture.objects.len());
        for object in picture.objects {
            let [xmin, ymin, xmax, ymax] = object.corners;
            let bbox = Xywh {
                x: xmin - 1.0,
                y: ymin - 1.0,
                w: xmax - xmin + 1.0,
                h: ymax - ymin + 1.0,
            };
            if !object.corners.iter().all(|c| c.is_finite()) || bbox.w <= 0.0 || bbox.h <= 0.0 {
                problems.add("boxes are inverted or infinite", || {
                    format!("`{id}`: {:?}", object.corners)
                });
            }
            let Some(label) = classes.get(object.name.as_str()) else {
                problems.add("objects name an unknown class (classes other than VOC's stand in `labels.txt`)", || format!("`{id}`: `{}`", object.name));
                continue;
            };
            object_id += 1;
            let (difficult, truncated) = (object.difficult, object.truncated);
            objects.push(ObjectAnnotation {
                id: object_id,
                label: *label,
                bbox,
                area: bbox.w * bbox.h,
                iscrowd: false,
                difficult,
                truncated,
            });
        }
        let truth = Annotation::Objects(ImageAnnotation {
            image_id,
            width: picture.width,
            height: picture.height,
            objects,
        });
        entries.push(files::Picture { id, path, truth });
    }
    Ok(entries)
}

#[cfg(test)]
mod tests;
