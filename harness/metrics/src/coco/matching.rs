//! Matching the detections of one image, kept in a form that is small and enough for every score.
//!
//! Source: pycocotools 2.0.11, `COCOeval.evaluateImg`: objects that count before those that do not,
//! detections by falling score, both stable; no more than [`CAP`] detections of a class. Overlap and
//! assignment are `hotcoco`'s (`bbox_iou_flat`, `greedy_match_masked`).

use super::categories::Categories;
use crate::state::DetectedImage;
use dyno_core::Xywh;
use hotcoco::{
    IouType, Params,
    primitives::{
        greedy::{GtMasks, coco_match_floor, greedy_match_masked},
        sim::bbox_iou_flat,
    },
};

/// Overlaps at which detections are matched: 0.50, 0.55, … 0.95.
pub(super) const THRESHOLDS: usize = 10;
/// Area ranges: all, small, medium, large.
pub(super) const AREAS: usize = 4;
/// Most detections of one class in one image: not of the image as a whole.
pub(super) const CAP: u32 = 100;

/// The grids of the evaluation: COCO's, as `hotcoco` has them.
#[derive(Debug, Clone)]
pub(super) struct Grids {
    /// Overlaps.
    pub(super) overlaps: Vec<f64>,
    /// Points of recall at which precision is read: 0.00, 0.01, … 1.00.
    pub(super) recalls: Vec<f64>,
    /// Least and greatest area of each range, both within it.
    areas: [[f64; 2]; AREAS],
    floors: Vec<f64>,
}

impl Grids {
    pub(super) fn new() -> Self {
        let params = Params::new(IouType::Bbox);
        let mut areas = [[0.0; 2]; AREAS];
        for (area, range) in areas.iter_mut().zip(&params.area_ranges) {
            *area = range.range;
        }
        Self {
            floors: params
                .iou_thrs
                .iter()
                .map(|t| coco_match_floor(*t))
                .collect(),
            overlaps: params.iou_thrs,
            recalls: params.rec_thrs,
            areas,
        }
    }
}

/// One bit an overlap.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Flags {
    /// Matched to an object that counts.
    pub(super) hit: u16,
    /// Neither hit nor miss: matched to a crowd or to an object outside the area range, or
    /// unmatched and itself outside.
    pub(super) ignored: u16,
}

/// One detection after matching.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Found {
    /// Position of its class.
    pub(super) class: u32,
    pub(super) score: f32,
    /// Per area range.
    pub(super) flags: [Flags; AREAS],
}

/// One image after matching.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Outcome {
    /// Id of the image in the dataset's files: images with equal scores stand in its order.
    pub(super) image_id: i64,
    /// Per class with objects, by rising position: the position, and how many of them count in
    /// each area range.
    pub(super) truths: Box<[(u32, [u32; AREAS])]>,
    /// By rising position of the class, then falling score; no more than [`CAP`] of a class.
    pub(super) found: Box<[Found]>,
}

struct Object {
    bbox: [f64; 4],
    area: f64,
    crowd: bool,
}

/// Matches one image. Detections of classes that the dataset does not have are left out: nothing
/// could match them, and no mean counts them.
pub(super) fn match_image(
    image: &DetectedImage<'_>,
    categories: &Categories,
    grids: &Grids,
) -> Outcome {
    let mut objects: Vec<(u32, Object)> = Vec::with_capacity(image.truth.objects.len());
    for o in &image.truth.objects {
        if let Some(class) = categories.position(o.label) {
            let object = Object {
                bbox: [o.bbox.x, o.bbox.y, o.bbox.w, o.bbox.h],
                area: o.area,
                crowd: o.iscrowd,
            };
            objects.push((class as u32, object));
        }
    }
    objects.sort_by_key(|(class, _)| *class);
    let mut detections: Vec<(u32, f32, [f64; 4])> = Vec::with_capacity(image.detections.len());
    for d in image.detections {
        if let Some(class) = categories.position(d.label) {
            let b = Xywh::from(d.bbox);
            detections.push((class as u32, d.score, [b.x, b.y, b.w, b.h]));
        }
    }
    // Stable, as numpy's mergesort; scores are finite. Not `total_cmp`: zeros of both signs are one
    // score.
    detections.sort_by(|a, b| {
        a.0.cmp(&b.0)
            .then(b.1.partial_cmp(&a.1).unwrap_or(std::cmp::Ordering::Equal))
    });
    let mut truths = Vec::new();
    let mut found = Vec::with_capacity(detections.len());
    let mut objects = objects.chunk_by(|a, b| a.0 == b.0).peekable();
    let mut none_found = detections.chunk_by(|a, b| a.0 == b.0).peekable();
    loop {
        let next_object = objects.peek().and_then(|o| o.first()).map(|o| o.0);
        let next_found = none_found.peek().and_then(|d| d.first()).map(|d| d.0);
        let Some(class) = [next_object, next_found].into_iter().flatten().min() else {
            break;
        };
        let of_class = |next: Option<u32>| next == Some(class);
        let own = if of_class(next_object) {
            objects.next().unwrap_or_default()
        } else {
            &[]
        };
        let seen = if of_class(next_found) {
            none_found.next().unwrap_or_default()
        } else {
            &[]
        };
        let seen = seen.get(..CAP as usize).unwrap_or(seen);
        if !own.is_empty() {
            let mut counts = [0; AREAS];
            for (count, range) in counts.iter_mut().zip(&grids.areas) {
                *count = own.iter().filter(|(_, o)| counts_in(o, range)).count() as u32;
            }
            truths.push((class, counts));
        }
        match_class(own, seen, grids, &mut found);
    }
    Outcome {
        image_id: image.truth.image_id,
        truths: truths.into(),
        found: found.into(),
    }
}

fn inside(area: f64, [low, high]: &[f64; 2]) -> bool {
    (*low..=*high).contains(&area)
}

fn counts_in(object: &Object, range: &[f64; 2]) -> bool {
    !object.crowd && inside(object.area, range)
}

/// Matches one class in each area range and appends its detections to `all`.
fn match_class(
    objects: &[(u32, Object)],
    detections: &[(u32, f32, [f64; 4])],
    grids: &Grids,
    all: &mut Vec<Found>,
) {
    let first = all.len();
    let every = (1u16 << THRESHOLDS) - 1;
    for (class, score, bbox) in detections {
        let area = bbox[2] * bbox[3];
        let mut flags = [Flags::default(); AREAS];
        for (flags, range) in flags.iter_mut().zip(&grids.areas) {
            flags.ignored = if inside(area, range) { 0 } else { every };
        }
        all.push(Found {
            class: *class,
            score: *score,
            flags,
        });
    }
    if objects.is_empty() || detections.is_empty() {
        return;
    }
    let boxes: Vec<[f64; 4]> = detections.iter().map(|d| d.2).collect();
    for (at, range) in grids.areas.iter().enumerate() {
        // Objects that count first, each part in the order of the file.
        let (counted, ignored): (Vec<&Object>, Vec<&Object>) = objects
            .iter()
            .map(|(_, o)| o)
            .partition(|o| counts_in(o, range));
        let order: Vec<&Object> = counted.iter().chain(&ignored).copied().collect();
        let truths: Vec<[f64; 4]> = order.iter().map(|o| o.bbox).collect();
        let crowd: Vec<bool> = order.iter().map(|o| o.crowd).collect();
        let overlaps = bbox_iou_flat(&boxes, &truths, &crowd);
        let masks = GtMasks {
            rematchable: crowd.contains(&true).then_some(&crowd),
            phase2_eligible: None,
        };
        let matches = greedy_match_masked(
            &overlaps,
            boxes.len(),
            truths.len(),
            counted.len(),
            masks,
            &grids.floors,
        );
        for t in 0..THRESHOLDS {
            let bit = 1u16 << t;
            for (found, matched) in all.iter_mut().skip(first).zip(matches.dt_gt.row(t)) {
                let Some(flags) = found.flags.get_mut(at) else {
                    continue;
                };
                match matched {
                    Some(object) if *object < counted.len() => {
                        flags.hit |= bit;
                        flags.ignored &= !bit;
                    }
                    Some(_) => flags.ignored |= bit,
                    None => {}
                }
            }
        }
    }
}
