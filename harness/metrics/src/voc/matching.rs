//! Matching by the rules of VOC's development kit.
//!
//! Source: VOCdevkit 2012, `VOCevaldet.m`. Detections of a class are taken by falling score (equal
//! scores by sample, then in the model's order); each looks for the object of its class and image
//! that it overlaps most, the first of equals, taken objects included. An overlap of at least the
//! threshold is a hit, unless the object was hit before, which makes it a miss, or is difficult,
//! which makes it neither. Boxes here are half-open, which is the kit's 1-based inclusive pixels
//! with its `+ 1`.

use crate::state::DetectedImage;
use dyno_core::{LabelId, Xyxy};
use std::cmp::Ordering;

/// One detection that is a hit or a miss.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Judged {
    pub(super) class: u32,
    pub(super) score: f32,
    pub(super) hit: bool,
}

/// One image after matching.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Outcome {
    /// Per class with objects that are not difficult, rising: the class, and their number.
    pub(super) truths: Box<[(u32, u32)]>,
    /// By rising class, then falling score, equal scores in the model's order.
    pub(super) judged: Box<[Judged]>,
}

/// One class of the set.
#[derive(Debug, Default)]
pub(super) struct ClassMatches {
    /// Per image with objects of the class that are not difficult: its position and their number.
    pub(super) truths: Vec<(u32, u32)>,
    /// Per detection that is a hit or a miss, by falling score: score, position of its image, and
    /// whether it is a hit.
    pub(super) judged: Vec<(f32, u32, bool)>,
}

/// Overlap of two boxes, `None` where they do not meet.
fn overlap(a: &Xyxy, b: &Xyxy) -> Option<f64> {
    let w = a.x2.min(b.x2) - a.x1.max(b.x1);
    let h = a.y2.min(b.y2) - a.y1.max(b.y1);
    if w <= 0.0 || h <= 0.0 {
        return None;
    }
    let union = (a.x2 - a.x1) * (a.y2 - a.y1) + (b.x2 - b.x1) * (b.y2 - b.y1) - w * h;
    Some(w * h / union)
}

fn falling(a: f32, b: f32) -> Ordering {
    b.partial_cmp(&a).unwrap_or(Ordering::Equal)
}

/// Matches one image. Detections of classes that the dataset does not have (`classes` of them) are
/// left out: nothing could match them, and no mean counts them.
pub(super) fn match_image(image: &DetectedImage<'_>, classes: usize, threshold: f64) -> Outcome {
    struct Object {
        label: LabelId,
        bbox: Xyxy,
        difficult: bool,
        taken: bool,
    }
    let mut objects: Vec<Object> = image
        .truth
        .objects
        .iter()
        .map(|o| Object {
            label: o.label,
            bbox: Xyxy::from(o.bbox),
            difficult: o.difficult,
            taken: false,
        })
        .collect();
    let mut counted: Vec<LabelId> = objects
        .iter()
        .filter(|o| !o.difficult)
        .map(|o| o.label)
        .collect();
    counted.sort_unstable();
    let truths = counted
        .chunk_by(|a, b| a == b)
        .filter_map(|same| Some((same.first()?.0, same.len() as u32)))
        .collect();
    let mut found: Vec<_> = image
        .detections
        .iter()
        .filter(|d| d.label.index() < classes)
        .collect();
    found.sort_by(|a, b| a.label.cmp(&b.label).then(falling(a.score, b.score)));
    let mut judged = Vec::with_capacity(found.len());
    for d in found {
        let mut best: Option<(f64, &mut Object)> = None;
        for object in objects.iter_mut().filter(|o| o.label == d.label) {
            if let Some(o) = overlap(&d.bbox, &object.bbox)
                && best.as_ref().is_none_or(|(b, _)| o > *b)
            {
                best = Some((o, object));
            }
        }
        let hit = match best {
            Some((o, object)) if o >= threshold => {
                if object.difficult {
                    continue;
                }
                !std::mem::replace(&mut object.taken, true)
            }
            _ => false,
        };
        judged.push(Judged {
            class: d.label.0,
            score: d.score,
            hit,
        });
    }
    Outcome {
        truths,
        judged: judged.into(),
    }
}

impl ClassMatches {
    /// Takes a class from `outcomes`, which stand in sample order.
    pub(super) fn fill(&mut self, outcomes: &[&Outcome], class: u32) {
        self.truths.clear();
        self.judged.clear();
        for (image, outcome) in (0u32..).zip(outcomes) {
            if let Ok(at) = outcome.truths.binary_search_by_key(&class, |(c, _)| *c)
                && let Some((_, n)) = outcome.truths.get(at)
            {
                self.truths.push((image, *n));
            }
            let first = outcome.judged.partition_point(|j| j.class < class);
            let own = outcome.judged.iter().skip(first);
            self.judged.extend(
                own.take_while(|j| j.class == class)
                    .map(|j| (j.score, image, j.hit)),
            );
        }
        self.judged.sort_by(|a, b| falling(a.0, b.0));
    }

    /// Objects that count.
    pub(super) fn objects(&self) -> u64 {
        self.truths.iter().map(|&(_, n)| u64::from(n)).sum()
    }

    /// Leaves out the misses after the last hit: they change no average, of the set or of a part.
    pub(super) fn cut(&mut self) {
        let last = self.judged.iter().rposition(|(_, _, hit)| *hit);
        self.judged.truncate(last.map_or(0, |at| at + 1));
    }
}
