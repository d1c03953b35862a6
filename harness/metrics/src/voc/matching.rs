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

/// One class after matching.
#[derive(Debug, Default)]
pub(super) struct ClassMatches {
    /// Per image with objects of the class that are not difficult: its position and their number.
    pub(super) truths: Vec<(u32, u32)>,
    /// Per detection that is a hit or a miss, by falling score: position of its image, and whether
    /// it is a hit.
    pub(super) judged: Vec<(u32, bool)>,
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

/// Matches every class; `images` in sample order.
pub(super) fn match_classes(
    images: &[&DetectedImage],
    classes: usize,
    threshold: f64,
) -> Vec<ClassMatches> {
    // Per class: its objects as (image, box, difficult, taken), and where each image's begin.
    let mut all = Vec::with_capacity(classes);
    let mut detections: Vec<Vec<(f32, u32, Xyxy)>> = vec![Vec::new(); classes];
    for (at, image) in (0u32..).zip(images) {
        for d in &image.detections {
            if let Some(of_class) = detections.get_mut(d.label.index()) {
                of_class.push((d.score, at, d.bbox));
            }
        }
    }
    for (class, mut found) in (0u32..).zip(detections) {
        let mut matches = ClassMatches::default();
        let mut objects: Vec<Vec<(Xyxy, bool, bool)>> = Vec::with_capacity(images.len());
        for (at, image) in (0u32..).zip(images) {
            let own = image
                .truth
                .objects
                .iter()
                .filter(|o| o.label == LabelId(class));
            let own: Vec<_> = own
                .map(|o| (Xyxy::from(o.bbox), o.difficult, false))
                .collect();
            let counted = own.iter().filter(|(_, difficult, _)| !difficult).count() as u32;
            if counted > 0 {
                matches.truths.push((at, counted));
            }
            objects.push(own);
        }
        found.sort_by(|a, b| b.0.partial_cmp(&a.0).unwrap_or(std::cmp::Ordering::Equal));
        for (_, at, bbox) in found {
            let mut best: Option<(f64, &mut (Xyxy, bool, bool))> = None;
            for object in objects.get_mut(at as usize).into_iter().flatten() {
                if let Some(o) = overlap(&bbox, &object.0)
                    && best.as_ref().is_none_or(|(b, _)| o > *b)
                {
                    best = Some((o, object));
                }
            }
            match best {
                Some((o, (_, difficult, taken))) if o >= threshold => {
                    if !*difficult {
                        matches.judged.push((at, !*taken));
                        *taken = true;
                    }
                }
                _ => matches.judged.push((at, false)),
            }
        }
        all.push(matches);
    }
    all
}
