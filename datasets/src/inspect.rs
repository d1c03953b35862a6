//! Looking at a dataset before it is used: every picture is opened, every box compared with it.

use crate::hash_cache::HashCache;
use dyno_core::{
    Annotation, Dataset, ExifOrientation, ImageAnnotation, InputData, SampleIndex, sha256_hex,
};
use dyno_image::{Image, Limits, Orientation, decode_into, header};
use rayon::prelude::*;
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

/// Examples of each finding.
const EXAMPLES: usize = 5;
/// Boxes look like corners when at least this share of them reaches beyond its picture as
/// `[x, y, width, height]` …
const OUTSIDE_SHARE: f64 = 0.1;
/// … and this share would be a box inside it as `[x1, y1, x2, y2]`.
const CORNERS_SHARE: f64 = 0.95;
/// Fewer boxes say nothing of their form.
const LEAST_BOXES: u64 = 10;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingKind {
    /// A picture that cannot be decoded, or a truth that cannot be read.
    Unreadable,
    /// A picture of another size than its annotation says.
    SizeDiffers,
    /// A picture whose size is the annotated one lying on its side, with an orientation in EXIF.
    SizeTurned,
    /// Boxes that reach beyond their picture.
    BoxesOutside,
    /// Boxes without area.
    BoxesEmpty,
    /// Boxes that look like two corners where width and height are expected.
    BoxesLikeCorners,
    /// Every sample has the same class: a folder of pictures was taken for a class.
    OneClass,
    /// The same picture more than once, with one truth.
    Repeated,
    /// The same picture more than once, with different truths.
    RepeatedDifferently,
    /// Pictures with an orientation in EXIF, taken as they are stored.
    ExifTagged,
    /// Pictures in forms that are not read.
    Skipped,
}

impl FindingKind {
    /// Its name in machine-readable output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::SizeDiffers => "size-differs",
            Self::SizeTurned => "size-turned",
            Self::BoxesOutside => "boxes-outside",
            Self::BoxesEmpty => "boxes-empty",
            Self::BoxesLikeCorners => "boxes-like-corners",
            Self::OneClass => "one-class",
            Self::Repeated => "repeated",
            Self::RepeatedDifferently => "repeated-differently",
            Self::ExifTagged => "exif-tagged",
            Self::Skipped => "skipped",
        }
    }

    /// A run on such data fails or says something wrong; others are worth knowing.
    pub fn is_error(self) -> bool {
        match self {
            Self::Unreadable
            | Self::SizeDiffers
            | Self::SizeTurned
            | Self::BoxesLikeCorners
            | Self::OneClass
            | Self::RepeatedDifferently => true,
            Self::BoxesOutside
            | Self::BoxesEmpty
            | Self::Repeated
            | Self::ExifTagged
            | Self::Skipped => false,
        }
    }

    /// What it is, in words, and what to do about it.
    pub fn about(self) -> &'static str {
        match self {
            Self::Unreadable => "pictures cannot be decoded; a run counts them as failed",
            Self::SizeDiffers => {
                "pictures have another size than annotated: they are not the ones that were annotated, or were resized"
            }
            Self::SizeTurned => {
                "pictures were annotated upright and are stored on their side: `exif=apply` turns them"
            }
            Self::BoxesOutside => "boxes reach beyond their picture by more than a pixel",
            Self::BoxesEmpty => "boxes have no area; nothing can match them",
            Self::BoxesLikeCorners => {
                "boxes look like [x1, y1, x2, y2]; COCO's are [x, y, width, height]"
            }
            Self::OneClass => {
                "every sample has the same class: is this a flat folder of pictures? then its kind is `folder`"
            }
            Self::Repeated => {
                "pictures stand in the set more than once; statistics count each once"
            }
            Self::RepeatedDifferently => {
                "pictures stand in the set more than once, with different truths"
            }
            Self::ExifTagged => {
                "pictures have an orientation in EXIF and are taken as stored (`exif=apply` turns them)"
            }
            Self::Skipped => {
                "files look like pictures in a form that is not read, and were left out"
            }
        }
    }
}

/// One kind of finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was found.
    pub kind: FindingKind,
    /// How often.
    pub count: u64,
    /// The first of them, by sample.
    pub examples: Vec<String>,
}

/// The report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inspection {
    /// Pictures looked at.
    pub samples: u64,
    /// Objects in them.
    pub objects: u64,
    /// Samples, or objects where there are any, of each class, in the order of classes.
    pub per_class: Vec<u64>,
    /// What was found, errors first.
    pub findings: Vec<Finding>,
}

impl Inspection {
    /// Nothing that would fail a run or make it say something wrong.
    pub fn is_clean(&self) -> bool {
        !self.findings.iter().any(|f| f.kind.is_error())
    }
}

/// What one sample gave.
#[derive(Default)]
struct Seen {
    findings: Vec<(FindingKind, String)>,
    sha256: Option<String>,
    truth: Option<Annotation>,
    boxes: u64,
    outside: u64,
    like_corners: u64,
}

/// Looks at every sample of a dataset, on all cores. `progress` is told how many are done.
pub fn inspect(
    dataset: &dyn Dataset,
    cache: &HashCache,
    progress: &(dyn Fn(u64) + Sync),
) -> Inspection {
    let done = AtomicU64::new(0);
    let seen: Vec<Seen> = (0..dataset.entries().len() as u32)
        .into_par_iter()
        .map_init(Image::default, |image, index| {
            let seen = look(dataset, SampleIndex(index), image, cache);
            progress(done.fetch_add(1, Ordering::Relaxed) + 1);
            seen
        })
        .collect();
    // A cache is an aid; its file may be on a medium that cannot be written.
    let _ = cache.save();
    summary(dataset, seen)
}

fn look(dataset: &dyn Dataset, index: SampleIndex, image: &mut Image, cache: &HashCache) -> Seen {
    let mut seen = Seen::default();
    let id = dataset
        .entries()
        .get(index.index())
        .map_or("?", |e| e.id.as_str());
    let mut unreadable = |why: String| {
        seen.findings
            .push((FindingKind::Unreadable, format!("`{id}`: {why}")));
    };
    let truth = match dataset.truth(index) {
        Ok(truth) => Some(truth),
        Err(e) => {
            unreadable(e.to_string());
            None
        }
    };
    let bytes = match dataset.load(index) {
        Ok(sample) => sample.inputs.into_iter().find_map(|i| match i.data {
            InputData::EncodedImage(bytes) => Some(bytes),
            InputData::Tensor(_) | InputData::Scalars(_) => None,
        }),
        Err(e) => {
            unreadable(e.to_string());
            None
        }
    };
    if let Some(bytes) = &bytes {
        let orientation = match dataset.facts().exif {
            ExifOrientation::Apply => Orientation::Apply,
            ExifOrientation::Ignore => Orientation::Ignore,
        };
        match decode_into(bytes, orientation, &Limits::default(), image) {
            Ok(()) => {
                let size = [image.width(), image.height()];
                let tag = header(bytes).map_or(1, |h| h.orientation);
                if tag > 1 && orientation == Orientation::Ignore {
                    seen.findings
                        .push((FindingKind::ExifTagged, format!("`{id}`: {tag}")));
                }
                if let Some(truth) = &truth {
                    compare(truth, size, tag >= 5, id, &mut seen);
                }
            }
            Err(e) => unreadable(e.to_string()),
        }
        let path = dataset
            .entries()
            .get(index.index())
            .and_then(|e| e.path.as_deref());
        seen.sha256 = match path {
            Some(path) => cache.sha256(path).ok(),
            None => Some(sha256_hex(bytes)),
        };
    }
    seen.truth = truth;
    seen
}

/// Compares the truth with the picture's size.
fn compare(truth: &Annotation, size: [u32; 2], on_its_side: bool, id: &str, seen: &mut Seen) {
    let [width, height] = size;
    if let Some(annotated) = truth.size().filter(|annotated| *annotated != size) {
        let turned = on_its_side && annotated == [height, width];
        let kind = if turned {
            FindingKind::SizeTurned
        } else {
            FindingKind::SizeDiffers
        };
        let [w, h] = annotated;
        seen.findings
            .push((kind, format!("`{id}`: {width}x{height}, annotated {w}x{h}")));
    }
    let Annotation::Objects(ImageAnnotation { objects, .. }) = truth else {
        return;
    };
    let [w, h] = [f64::from(width), f64::from(height)];
    for object in objects {
        let b = object.bbox;
        seen.boxes += 1;
        let shown = || format!("`{id}`: [{}, {}, {}, {}]", b.x, b.y, b.w, b.h);
        if b.w <= 0.0 || b.h <= 0.0 {
            seen.findings.push((FindingKind::BoxesEmpty, shown()));
        }
        if b.x < -1.0 || b.y < -1.0 || b.x + b.w > w + 1.0 || b.y + b.h > h + 1.0 {
            seen.outside += 1;
            seen.findings.push((FindingKind::BoxesOutside, shown()));
        }
        let corners = b.w > b.x && b.h > b.y && b.w <= w + 1.0 && b.h <= h + 1.0;
        seen.like_corners += u64::from(corners);
    }
}

fn summary(dataset: &dyn Dataset, seen: Vec<Seen>) -> Inspection {
    let facts = dataset.facts();
    let mut report = Inspection {
        samples: seen.len() as u64,
        per_class: vec![0; facts.labels.len()],
        ..Inspection::default()
    };
    let mut found: BTreeMap<FindingKind, Finding> = BTreeMap::new();
    let mut add = |kind: FindingKind, example: String| {
        let finding = found.entry(kind).or_insert(Finding {
            kind,
            count: 0,
            examples: Vec::new(),
        });
        finding.count += 1;
        if finding.examples.len() < EXAMPLES {
            finding.examples.push(example);
        }
    };
    let (mut outside, mut like_corners) = (0, 0);
    let mut classified = 0u64;
    let mut first: BTreeMap<String, (usize, Option<Annotation>)> = BTreeMap::new();
    for (at, sample) in seen.into_iter().enumerate() {
        report.objects += sample.boxes;
        outside += sample.outside;
        like_corners += sample.like_corners;
        for (kind, example) in sample.findings {
            add(kind, example);
        }
        let mut count = |label: dyno_core::LabelId| {
            if let Some(n) = report.per_class.get_mut(label.index()) {
                *n += 1;
            }
        };
        match &sample.truth {
            Some(Annotation::Class(label)) => {
                classified += 1;
                count(*label);
            }
            Some(Annotation::Objects(image)) => image.objects.iter().for_each(|o| count(o.label)),
            Some(Annotation::None) | None => {}
        }
        let Some(sha256) = sample.sha256 else {
            continue;
        };
        let name = |at: usize| dataset.entries().get(at).map_or("?", |e| e.id.as_str());
        match first.get(&sha256) {
            None => {
                first.insert(sha256, (at, sample.truth));
            }
            Some((before, truth)) => {
                let same = match (truth, &sample.truth) {
                    (Some(a), Some(b)) => agree(a, b),
                    _ => true,
                };
                let kind = if same {
                    FindingKind::Repeated
                } else {
                    FindingKind::RepeatedDifferently
                };
                add(kind, format!("`{}` is `{}`", name(at), name(*before)));
            }
        }
    }
    for name in dataset.skipped() {
        add(FindingKind::Skipped, format!("`{name}`"));
    }
    let boxes = report.objects as f64;
    if report.objects >= LEAST_BOXES
        && outside as f64 >= OUTSIDE_SHARE * boxes
        && like_corners as f64 >= CORNERS_SHARE * boxes
    {
        add(
            FindingKind::BoxesLikeCorners,
            format!(
                "{outside} of {} boxes reach beyond their picture, {like_corners} are boxes inside it when read as corners",
                report.objects
            ),
        );
    }
    let used = report.per_class.iter().filter(|n| **n > 0).count();
    if classified > 1 && used == 1 {
        let class = report.per_class.iter().position(|n| *n > 0);
        let name = class.and_then(|i| facts.labels.labels.get(i));
        add(
            FindingKind::OneClass,
            format!("all {classified} are `{}`", name.map_or("?", |l| &l.name)),
        );
    }
    report.findings = found.into_values().collect();
    report
        .findings
        .sort_by_key(|f| (!f.kind.is_error(), f.kind));
    report
}

/// The two say the same of a picture; numbers that only files give to images and objects are left
/// out.
fn agree(a: &Annotation, b: &Annotation) -> bool {
    match (a, b) {
        (Annotation::Objects(a), Annotation::Objects(b)) => {
            a.objects.len() == b.objects.len()
                && a.objects
                    .iter()
                    .zip(&b.objects)
                    .all(|(a, b)| a.label == b.label && a.bbox == b.bbox && a.iscrowd == b.iscrowd)
        }
        (a, b) => a == b,
    }
}

#[cfg(test)]
mod tests;
