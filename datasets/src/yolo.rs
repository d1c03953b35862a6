//! YOLO's layout (Ultralytics): `data.yaml` with folders or lists of images per split, and beside
//! every folder `images` a folder `labels` with a text file an image.
//!
//! A line is `class cx cy w h`, shares of the picture's size, or `class x1 y1 x2 y2 x3 y3 …`, a
//! polygon whose bounding box is taken. A picture without a text file has no objects. Shares become
//! pixels with the size in the picture's own head, when the truth is asked for; `exif=apply` turns
//! that size as it turns the picture.

use crate::{
    check::{Problems, below},
    files::{
        FileSet, IMAGE_LIMIT, Picture, guarded, is_image, is_other_image, malformed, no_sample,
        read_bounded, read_text,
    },
    folder::{Found, walk},
    name::dataset_name,
    request::Options,
};
use dyno_core::{
    Annotation, AnnotationKind, Dataset, DatasetError, DatasetFacts, DatasetKind, DatasetRequest,
    ExifOrientation, ImageAnnotation, LabelId, LabelMap, ObjectAnnotation, Sample, SampleEntry,
    SampleIndex, Xywh,
};
use rayon::prelude::*;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Largest `data.yaml`, list of images and label file of one image.
const LIMIT: u64 = 16 << 20;
/// Depth of folders of images that is still looked into.
const DEPTH: usize = 16;
const DEFAULT_SPLIT: &str = "val";

/// Row of the table.
pub(crate) struct Yolo;

/// One object as its line says: shares of the picture's size.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Line {
    class: u32,
    /// Left, top, width, height.
    shares: [f64; 4],
}

impl DatasetKind for Yolo {
    fn id(&self) -> &'static str {
        "yolo"
    }

    fn about(&self) -> &'static str {
        "Ultralytics' data.yaml, or the folder with it: splits train, val (default) and test, labels beside images; `root=DIR` where the images lie elsewhere than the file says"
    }

    fn open(&self, request: &DatasetRequest) -> Result<Box<dyn Dataset>, DatasetError> {
        let options = Options::new(request, &["root"])?;
        let file = if request.path.is_dir() {
            request.path.join("data.yaml")
        } else {
            request.path.clone()
        };
        let data = Data::read(&file)?;
        let split = request.split.as_deref().unwrap_or(DEFAULT_SPLIT);
        let base = data.base(&file, options.get("root").map(Path::new));
        let mut found = Found::default();
        let mut truth_files = vec![file.clone()];
        for place in data.places(&file, split)? {
            collect(&base, &place, &mut found, &mut truth_files)?;
        }
        let mut problems = Problems::default();
        let labels = LabelMap::from_names(data.names);
        let lines: Vec<(PathBuf, Result<Vec<Line>, DatasetError>)> = found
            .pictures
            .par_iter()
            .map(|p| {
                let path = label_file(&p.path);
                let lines = lines(&path, labels.len());
                (path, lines)
            })
            .collect();
        let mut counts = std::collections::BTreeMap::new();
        for (picture, (path, lines)) in found.pictures.iter().zip(lines) {
            match lines {
                Ok(lines) => {
                    let has_file = !lines.is_empty() || path.is_file();
                    counts.insert(picture.id.clone(), (lines.len(), has_file.then_some(path)));
                }
                Err(DatasetError::Malformed {
                    path, line, reason, ..
                }) => problems.add("label files are malformed", || {
                    format!("`{}` line {}: {reason}", path.display(), line.unwrap_or(0))
                }),
                Err(e) => return Err(e),
            }
        }
        let facts = DatasetFacts {
            kind: self.id().to_owned(),
            name: dataset_name(request, &options)?,
            exif: options.exif()?,
            annotation: AnnotationKind::Objects,
            labels,
            metrics: vec!["coco-ap".to_owned()],
        };
        let files = FileSet::new(facts, found.pictures, problems, &file)?
            .with_truth_files(truth_files)
            .with_skipped(found.skipped);
        let mut first_ids = Vec::with_capacity(files.entries().len());
        let mut entries = files.entries().to_vec();
        let mut next = 1i64;
        for entry in &mut entries {
            first_ids.push(next);
            if let Some((count, path)) = counts.remove(&entry.id) {
                next += count as i64;
                entry.truth = path;
            }
        }
        Ok(Box::new(Set {
            files,
            entries,
            first_ids,
        }))
    }
}

/// What `data.yaml` says.
struct Data {
    value: Value,
    names: Vec<String>,
}

impl Data {
    fn read(file: &Path) -> Result<Self, DatasetError> {
        let text = read_text(file, LIMIT)?;
        // Its budgets bound depth, nodes and what aliases unfold to.
        let value: Value = guarded(file, || {
            serde_saphyr::from_str(&text).map_err(|e| {
                let at = e.location();
                let line = at.as_ref().map(|l| l.line() as usize);
                let column = at.as_ref().map(|l| l.column() as usize);
                let text = e.to_string();
                let first = text.lines().next().unwrap_or("not YAML").to_owned();
                malformed(file, line, column, first)
            })
        })?;
        let wrong = |reason: &str| malformed(file, None, None, reason);
        let text = |v: &Value| match v {
            Value::String(s) => Some(s.clone()),
            Value::Number(n) => Some(n.to_string()),
            Value::Bool(b) => Some(b.to_string()),
            _ => None,
        };
        let names = match value.get("names") {
            Some(Value::Array(list)) => list.iter().map(text).collect::<Option<Vec<_>>>(),
            Some(Value::Object(map)) => {
                // Numbers from 0 on, each once, in any order.
                let mut numbered = map
                    .iter()
                    .map(|(k, v)| Some((k.parse::<usize>().ok()?, text(v)?)))
                    .collect::<Option<Vec<_>>>()
                    .ok_or_else(|| wrong("`names` is no map of numbers to names"))?;
                numbered.sort();
                if numbered.iter().enumerate().any(|(i, (n, _))| i != *n) {
                    return Err(wrong("`names` does not number the classes 0, 1, 2, …"));
                }
                Some(numbered.into_iter().map(|(_, name)| name).collect())
            }
            _ => None,
        };
        let names = names
            .filter(|n| !n.is_empty())
            .ok_or_else(|| wrong("`names` is neither a list of classes nor a map"))?;
        if let Some(nc) = value.get("nc").and_then(Value::as_u64)
            && nc != names.len() as u64
        {
            return Err(wrong(&format!(
                "`nc` is {nc}, and `names` has {} classes",
                names.len()
            )));
        }
        Ok(Self { value, names })
    }

    /// The folder that paths of the splits begin in. What the file says must lie below it, so that
    /// a file from elsewhere cannot point anywhere; `root` is the user's own word.
    fn base(&self, file: &Path, root: Option<&Path>) -> PathBuf {
        let own = file.parent().unwrap_or(Path::new(""));
        if let Some(root) = root {
            return root.to_owned();
        }
        let Some(path) = self.value.get("path").and_then(Value::as_str) else {
            return own.to_owned();
        };
        if matches!(path, "" | "." | "./") {
            return own.to_owned();
        }
        match below(own, own, path) {
            Some(inside) if own.join(&inside).is_dir() => own.join(inside),
            // Moved as a whole: the folder that it was written in is gone, its content is here.
            _ => own.to_owned(),
        }
    }

    /// Folders and lists of a split.
    fn places(&self, file: &Path, split: &str) -> Result<Vec<String>, DatasetError> {
        // Both names are in use: Roboflow exports `valid` folders under the key `val`.
        let value = self.value.get(split).filter(|v| !v.is_null());
        let texts = match value {
            Some(Value::String(one)) => Some(vec![one.clone()]),
            Some(Value::Array(list)) => list
                .iter()
                .map(|v| v.as_str().map(str::to_owned))
                .collect::<Option<Vec<_>>>(),
            _ => None,
        };
        texts.filter(|t| !t.is_empty()).ok_or_else(|| {
            let there: Vec<&str> = ["train", "val", "test"]
                .into_iter()
                .filter(|s| self.value.get(*s).is_some_and(|v| !v.is_null()))
                .collect();
            DatasetError::Usage(format!(
                "`{}` has no split `{split}` (there are: {})",
                file.display(),
                there.join(", ")
            ))
        })
    }
}

/// Adds the images of one place of a split: a folder, or a list of files.
fn collect(
    base: &Path,
    place: &str,
    found: &mut Found,
    truth_files: &mut Vec<PathBuf>,
) -> Result<(), DatasetError> {
    // Exports say `../valid/images` and lie in `valid/images`.
    let inside =
        below(base, base, place).or_else(|| below(base, base, place.trim_start_matches("../")));
    let Some(inside) = inside else {
        return Err(DatasetError::Usage(format!(
            "the split `{place}` lies outside `{}`: say where the images are with `root=DIR`",
            base.display()
        )));
    };
    let path = base.join(&inside);
    if path.is_dir() {
        return walk(&path, &format!("{inside}/"), DEPTH, found);
    }
    if !path.is_file() {
        return Err(DatasetError::Usage(format!(
            "`{}` does not exist: say where the images are with `root=DIR`",
            path.display()
        )));
    }
    let mut problems = Problems::default();
    for line in read_text(&path, LIMIT)?.lines() {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        match below(base, base, line.trim_start_matches("./")) {
            Some(id) if is_image(&id) => found.pictures.push(Picture {
                path: base.join(&id),
                id,
                truth: Annotation::None,
            }),
            Some(id) if is_other_image(&id) => found.skipped.push(id),
            _ => problems.add("lines of the list are no images below the folder", || {
                format!("`{line}`")
            }),
        }
    }
    truth_files.push(path);
    problems.finish()
}

/// The text file of an image: its last folder `images` becomes `labels`.
fn label_file(image: &Path) -> PathBuf {
    let parts: Vec<_> = image.components().collect();
    let last = parts.iter().rposition(|c| c.as_os_str() == "images");
    let renamed: PathBuf = parts
        .iter()
        .enumerate()
        .map(|(at, part)| {
            if Some(at) == last {
                std::ffi::OsStr::new("labels")
            } else {
                part.as_os_str()
            }
        })
        .collect();
    renamed.with_extension("txt")
}

/// The objects of a label file; none where there is no file.
fn lines(path: &Path, classes: usize) -> Result<Vec<Line>, DatasetError> {
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let text = read_text(path, LIMIT)?;
    let mut objects = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some((class, rest)) = words.split_first() else {
            continue;
        };
        let wrong = |reason: String| malformed(path, Some(number), None, reason);
        let class: u32 = class
            .parse()
            .ok()
            .filter(|c| (*c as usize) < classes)
            .ok_or_else(|| {
                wrong(format!(
                    "`{class}` is not a class from 0 to {}",
                    classes - 1
                ))
            })?;
        let numbers = rest
            .iter()
            .map(|w| w.parse::<f64>().ok().filter(|v| v.is_finite()))
            .collect::<Option<Vec<f64>>>()
            .ok_or_else(|| wrong("not numbers behind the class".to_owned()))?;
        let shares = match numbers.as_slice() {
            [cx, cy, w, h] => [cx - w / 2.0, cy - h / 2.0, *w, *h],
            polygon if polygon.len() >= 6 && polygon.len().is_multiple_of(2) => {
                let axis = |start: usize| {
                    let values = polygon.iter().skip(start).step_by(2);
                    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
                        (low.min(*v), high.max(*v))
                    })
                };
                let ((x1, x2), (y1, y2)) = (axis(0), axis(1));
                [x1, y1, x2 - x1, y2 - y1]
            }
            other => {
                return Err(wrong(format!(
                    "{} numbers behind the class: a box has 4, a polygon 6 or more, two a point",
                    other.len()
                )));
            }
        };
        if shares[2] < 0.0 || shares[3] < 0.0 {
            return Err(wrong("a box of negative extent".to_owned()));
        }
        objects.push(Line { class, shares });
    }
    Ok(objects)
}

/// An open set: the truth is read when it is asked for.
struct Set {
    files: FileSet,
    entries: Vec<SampleEntry>,
    /// Id of the first object of each picture.
    first_ids: Vec<i64>,
}

impl Dataset for Set {
    fn facts(&self) -> &DatasetFacts {
        self.files.facts()
    }

    fn entries(&self) -> &[SampleEntry] {
        &self.entries
    }

    fn truth_files(&self) -> &[PathBuf] {
        self.files.truth_files()
    }

    fn skipped(&self) -> &[String] {
        self.files.skipped()
    }

    fn load(&self, index: SampleIndex) -> Result<Sample, DatasetError> {
        self.files.load(index)
    }

    fn truth(&self, index: SampleIndex) -> Result<Annotation, DatasetError> {
        let entry = self.entries.get(index.index());
        let first = self.first_ids.get(index.index());
        let (Some(entry), Some(first)) = (entry, first) else {
            return Err(no_sample(index, self.entries.len()));
        };
        let Some(image) = &entry.path else {
            return Err(no_sample(index, self.entries.len()));
        };
        let header = dyno_image::header(&read_bounded(image, IMAGE_LIMIT)?)
            .map_err(|e| malformed(image, None, None, e.to_string()))?;
        // Orientations from 5 on lie on their side.
        let turned = self.facts().exif == ExifOrientation::Apply && header.orientation >= 5;
        let (width, height) = if turned {
            (header.height, header.width)
        } else {
            (header.width, header.height)
        };
        let objects = match &entry.truth {
            Some(path) => lines(path, self.facts().labels.len())?,
            None => Vec::new(),
        };
        let [w, h] = [f64::from(width), f64::from(height)];
        let objects = objects.iter().zip(*first..).map(|(line, id)| {
            let [x, y, sw, sh] = line.shares;
            let bbox = Xywh {
                x: x * w,
                y: y * h,
                w: sw * w,
                h: sh * h,
            };
            ObjectAnnotation {
                id,
                label: LabelId(line.class),
                bbox,
                area: bbox.w * bbox.h,
                iscrowd: false,
                difficult: false,
                truncated: false,
            }
        });
        Ok(Annotation::Objects(ImageAnnotation {
            image_id: i64::from(index.0) + 1,
            width,
            height,
            objects: objects.collect(),
        }))
    }
}

#[cfg(test)]
mod tests;
