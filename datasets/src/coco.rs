//! COCO's instances: one JSON file of images, annotations and categories, and a folder of images.
//!
//! Boxes are `[x, y, width, height]` in pixels, 0-based and half-open, as in `instances_*.json` of
//! COCO 2017. Masks, keypoints and captions are skipped while reading. Classes are the categories
//! in the order of their ids.

use crate::{
    check::{OUTSIDE, Problems, below, split_name},
    files::{FileSet, Picture, guarded, malformed, read_bounded, stems, without_bom},
    name::dataset_name,
    request::Options,
};
use dyno_core::{
    Annotation, AnnotationKind, Dataset, DatasetError, DatasetFacts, DatasetKind, DatasetRequest,
    ImageAnnotation, Label, LabelId, LabelMap, LabelScheme, ObjectAnnotation, Xywh,
    coco80_to_coco91,
};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

/// Largest annotation file: train2017 has 450 MB.
const LIMIT: u64 = 4 << 30;
const DEFAULT_SPLIT: &str = "val2017";

/// Row of the table.
pub(crate) struct Coco;

#[derive(Deserialize)]
struct File {
    images: Vec<Image>,
    annotations: Vec<Object>,
    categories: Vec<Category>,
}

#[derive(Deserialize)]
struct Image {
    id: i64,
    file_name: String,
    #[serde(default)]
    width: u32,
    #[serde(default)]
    height: u32,
}

#[derive(Deserialize)]
struct Object {
    id: i64,
    image_id: i64,
    category_id: i64,
    bbox: [f64; 4],
    area: Option<f64>,
    #[serde(default)]
    iscrowd: Crowd,
}

/// COCO writes 0 and 1, other tools false and true.
#[derive(Deserialize)]
#[serde(untagged)]
enum Crowd {
    Number(i64),
    Truth(bool),
}

impl Default for Crowd {
    fn default() -> Self {
        Self::Number(0)
    }
}

#[derive(Deserialize)]
struct Category {
    id: i64,
    name: String,
}

/// Where the parts are.
struct Place {
    annotations: PathBuf,
    images: PathBuf,
}

impl DatasetKind for Coco {
    fn id(&self) -> &'static str {
        "coco"
    }

    fn about(&self) -> &'static str {
        "a folder with annotations/instances_SPLIT.json and images/SPLIT or SPLIT (default val2017), or ANNOTATIONS.json with `images=DIR`"
    }

    fn open(&self, request: &DatasetRequest) -> Result<Box<dyn Dataset>, DatasetError> {
        let options = Options::new(request, &["images"])?;
        let place = find(request, &options)?;
        let bytes = read_bounded(&place.annotations, LIMIT)?;
        let file: File = guarded(&place.annotations, || {
            serde_json::from_slice(without_bom(&bytes)).map_err(|e| {
                let (line, column) = (e.line(), e.column());
                let text = e.to_string();
                let reason = text
                    .rsplit_once(" at line ")
                    .map_or(text.as_str(), |(r, _)| r);
                malformed(&place.annotations, Some(line), Some(column), reason)
            })
        })?;
        drop(bytes);
        let base = place.annotations.parent().unwrap_or(Path::new(""));
        let (labels, entries, problems) = build(file, &place.images, base);
        let facts = DatasetFacts {
            kind: "coco".to_owned(),
            name: dataset_name(request, &options)?,
            exif: options.exif()?,
            annotation: AnnotationKind::Objects,
            labels,
            metrics: vec!["coco-ap".to_owned()],
        };
        let set = FileSet::new(facts, entries, problems, &place.annotations)?;
        Ok(Box::new(set.with_truth_files(vec![place.annotations])))
    }
}

fn find(request: &DatasetRequest, options: &Options<'_>) -> Result<Place, DatasetError> {
    let root = &request.path;
    let images = options.get("images").map(PathBuf::from);
    let missing = |what: &Path, why: String| {
        DatasetError::Usage(format!("`{}` does not exist; {why}", what.display()))
    };
    if root.is_file() {
        let images = images.ok_or_else(|| {
            DatasetError::Usage(format!(
                "`{}` is an annotation file, say where its images are: `,images=DIR`",
                root.display()
            ))
        })?;
        if !images.is_dir() {
            return Err(missing(
                &images,
                "it was given as the folder of the images".to_owned(),
            ));
        }
        return Ok(Place {
            annotations: root.clone(),
            images,
        });
    }
    if !root.is_dir() {
        return Err(missing(
            root,
            "a COCO dataset is a folder or an annotation file".to_owned(),
        ));
    }
    let split = split_name(request.split.as_deref().unwrap_or(DEFAULT_SPLIT))?;
    let folder = root.join("annotations");
    let annotations = folder.join(format!("instances_{split}.json"));
    if !annotations.is_file() {
        return Err(missing(
            &annotations,
            format!(
                "splits of this dataset: {}",
                stems(&folder, "instances_", ".json")
            ),
        ));
    }
    let places = images.map_or_else(
        || vec![root.join("images").join(split), root.join(split)],
        |i| vec![i],
    );
    let images = places.iter().find(|p| p.is_dir()).ok_or_else(|| {
        let tried = places
            .iter()
            .map(|p| format!("`{}`", p.display()))
            .collect::<Vec<_>>()
            .join(" nor in ");
        DatasetError::Usage(format!("no images of split `{split}` in {tried}"))
    })?;
    Ok(Place {
        annotations,
        images: images.clone(),
    })
}

fn labels(
    mut categories: Vec<Category>,
    problems: &mut Problems,
) -> (LabelMap, BTreeMap<i64, LabelId>) {
    categories.sort_by_key(|c| c.id);
    for pair in categories.windows(2).filter(|p| p[0].id == p[1].id) {
        problems.add("category ids stand twice", || pair[0].id.to_string());
    }
    let mut names = BTreeSet::new();
    for category in &categories {
        if !names.insert(category.name.as_str()) {
            problems.add("category names stand twice", || {
                format!("`{}`", category.name)
            });
        }
    }
    let ids = (0..)
        .zip(&categories)
        .map(|(i, c)| (c.id, LabelId(i)))
        .collect();
    let labels: Vec<Label> = categories
        .into_iter()
        .map(|c| Label {
            name: c.name,
            synonyms: Vec::new(),
            external_id: Some(c.id),
        })
        .collect();
    let standard = LabelMap::builtin("coco80").unwrap_or_default();
    let is_standard = labels.len() == standard.len()
        && (0..).zip(&labels).zip(&standard.labels).all(|((i, l), s)| {
            l.name == s.name
                && l.external_id == coco80_to_coco91(LabelId(i)).map(|c| i64::from(c.0))
        });
    (
        LabelMap {
            scheme: is_standard.then_some(LabelScheme::Coco80),
            labels,
        },
        ids,
    )
}

/// Joins images, annotations and categories; what does not fit is counted.
fn build(file: File, folder: &Path, base: &Path) -> (LabelMap, Vec<Picture>, Problems) {
    let mut problems = Problems::default();
    let (labels, categories) = labels(file.categories, &mut problems);
    let mut images: BTreeMap<i64, (String, ImageAnnotation)> = BTreeMap::new();
    // Their annotations are no problem of their own.
    let mut refused = BTreeSet::new();
    for image in file.images {
        let Some(id) = below(folder, base, &image.file_name) else {
            problems.add(OUTSIDE, || format!("`{}`", image.file_name));
            refused.insert(image.id);
            continue;
        };
        let annotation = ImageAnnotation {
            image_id: image.id,
            width: image.width,
            height: image.height,
            objects: Vec::new(),
        };
        if images.insert(image.id, (id, annotation)).is_some() {
            problems.add("image ids stand twice", || image.id.to_string());
        }
    }
    let mut seen = BTreeSet::new();
    for object in file.annotations {
        if !seen.insert(object.id) {
            problems.add("annotation ids stand twice", || object.id.to_string());
        }
        let [x, y, w, h] = object.bbox;
        let area = object.area.unwrap_or(w * h);
        if !object.bbox.iter().all(|v| v.is_finite()) || w < 0.0 || h < 0.0 {
            problems.add("boxes have a negative or infinite extent", || {
                format!("annotation {}: {:?}", object.id, object.bbox)
            });
        } else if !area.is_finite() || area < 0.0 {
            problems.add("areas are negative or infinite", || {
                format!("annotation {}: {area}", object.id)
            });
        }
        let iscrowd = match object.iscrowd {
            Crowd::Number(0) | Crowd::Truth(false) => false,
            Crowd::Number(1) | Crowd::Truth(true) => true,
            Crowd::Number(n) => {
                problems.add("`iscrowd` is neither 0 nor 1", || {
                    format!("annotation {}: {n}", object.id)
                });
                false
            }
        };
        let Some(label) = categories.get(&object.category_id) else {
            problems.add("annotations name an unknown category", || {
                format!("annotation {}: category {}", object.id, object.category_id)
            });
            continue;
        };
        if refused.contains(&object.image_id) {
            continue;
        }
        let Some((_, image)) = images.get_mut(&object.image_id) else {
            problems.add("annotations name an unknown image", || {
                format!("annotation {}: image {}", object.id, object.image_id)
            });
            continue;
        };
        let (difficult, truncated) = (false, false);
        image.objects.push(ObjectAnnotation {
            id: object.id,
            label: *label,
            bbox: Xywh { x, y, w, h },
            area,
            iscrowd,
            difficult,
            truncated,
        });
    }
    let entries = images
        .into_values()
        .map(|(id, a)| Picture {
            path: folder.join(&id),
            id,
            truth: Annotation::Objects(a),
        })
        .collect();
    (labels, entries, problems)
}

#[cfg(test)]
mod tests;
