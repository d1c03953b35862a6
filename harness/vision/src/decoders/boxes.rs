//! The way of boxes from network pixels to detections in the image.
//!
//! Boxes travel in pixels of the network's input until [`Boxes::finish`], which suppresses there
//! and only then undoes the resize in f64, `(x − offset) / scale`. Thresholds of scores are rounded
//! to f32 first, as every f32 pipeline compares them. Every box carries its position in the model's
//! outputs, so that what belongs to it there (a mask's coefficients, keypoints) is found again
//! after suppression.

use super::shared::{Common, wrong};
use crate::nms::{Candidate, Nms, NmsOptions};
use dyno_core::{
    DecodeError, DecoderContext, Detection, Geometry, LabelId, Prediction, Thresholds, Xyxy,
};

/// Collects boxes of one image, suppresses, and returns to the image's pixels.
#[derive(Debug)]
pub(super) struct Boxes {
    common: Common,
    options: NmsOptions,
    score: f32,
    nms: Nms,
    candidates: Vec<Candidate>,
    /// Per candidate, its position in the model's outputs.
    positions: Vec<usize>,
}

impl Boxes {
    /// A collector with checked thresholds. Without any the decoder cannot work, unless `default`
    /// says what applies then.
    pub(super) fn new(
        decoder: &'static str,
        context: &DecoderContext<'_>,
        common: Common,
        default: Option<Thresholds>,
    ) -> Result<Self, DecodeError> {
        let Some(t) = context.thresholds.or(default) else {
            return Err(wrong(
                decoder,
                "the model has no thresholds (`evaluate` or `deploy` with `score` and `iou`)",
            ));
        };
        let share = |name: &str, v: f64| {
            if (0.0..=1.0).contains(&v) {
                Ok(())
            } else {
                Err(wrong(
                    decoder,
                    format!("threshold `{name}` must lie in 0 to 1, found {v}"),
                ))
            }
        };
        share("score", t.score)?;
        if let Some(iou) = t.iou {
            share("iou", iou)?;
        }
        let options = NmsOptions {
            iou: t.iou,
            class_agnostic: common.class_agnostic,
            max: t.max.map(|m| m as usize),
        };
        Ok(Self {
            common,
            options,
            score: t.score as f32,
            nms: Nms::new(),
            candidates: Vec::new(),
            positions: Vec::new(),
        })
    }

    /// Least score, as f32.
    pub(super) fn score(&self) -> f32 {
        self.score
    }

    /// Adds a box in network pixels; a non-finite one is dropped. `position`: which cell, anchor or
    /// row of the model's outputs it comes from.
    pub(super) fn push(&mut self, position: usize, class: usize, score: f32, bbox: Xyxy) {
        let Ok(class) = u32::try_from(class) else {
            return;
        };
        let candidate = Candidate { class, score, bbox };
        if candidate.is_finite() {
            self.candidates.push(candidate);
            self.positions.push(position);
        }
    }

    /// The detections of the image, by falling score; empties the collector.
    pub(super) fn finish(&mut self, geometry: &Geometry) -> Prediction {
        self.finish_with(geometry, |_| ())
    }

    /// [`Self::finish`], which also tells `kept` the position of each detection in the model's
    /// outputs, in the order of the detections.
    pub(super) fn finish_with(
        &mut self,
        geometry: &Geometry,
        mut kept: impl FnMut(usize),
    ) -> Prediction {
        let survivors = self.nms.run(&self.candidates, &self.options);
        let g = geometry;
        let mut detections = Vec::with_capacity(survivors.len());
        for &i in survivors {
            let (Some(c), Some(&position)) = (
                self.candidates.get(i as usize),
                self.positions.get(i as usize),
            ) else {
                continue;
            };
            let bbox = Xyxy {
                x1: (c.bbox.x1 - g.offset_x) / g.scale_x,
                y1: (c.bbox.y1 - g.offset_y) / g.scale_y,
                x2: (c.bbox.x2 - g.offset_x) / g.scale_x,
                y2: (c.bbox.y2 - g.offset_y) / g.scale_y,
            };
            let bbox = if self.common.clip_to_image {
                bbox.clip(f64::from(g.image_width), f64::from(g.image_height))
            } else {
                bbox
            };
            if bbox.is_finite() {
                kept(position);
                detections.push(Detection {
                    label: LabelId(c.class),
                    score: c.score,
                    bbox,
                });
            }
        }
        self.clear();
        Prediction::Detections(detections)
    }

    /// Forgets boxes of an image that was given up.
    pub(super) fn clear(&mut self) {
        self.candidates.clear();
        self.positions.clear();
    }
}

/// A box from f32 corners.
pub(super) fn corners(x1: f32, y1: f32, x2: f32, y2: f32) -> Xyxy {
    Xyxy {
        x1: f64::from(x1),
        y1: f64::from(y1),
        x2: f64::from(x2),
        y2: f64::from(y2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dyno_core::{DecoderSpec, IoSpec, LabelMap};
    use serde_json::Value;

    #[test]
    fn a_kept_box_knows_where_it_comes_from() {
        let spec = DecoderSpec {
            kind: "any".to_owned(),
            parameters: Value::Null,
            evaluate: None,
            deploy: None,
        };
        let thresholds = Thresholds {
            score: 0.1,
            iou: Some(0.5),
            max: None,
        };
        let context = DecoderContext {
            spec: &spec,
            thresholds: Some(thresholds),
            io: &IoSpec::default(),
            network_size: [100, 100],
            labels: &LabelMap::default(),
        };
        let mut boxes = Boxes::new("any", &context, Common::default(), None).expect("thresholds");
        let geometry = Geometry {
            image_width: 100,
            image_height: 100,
            network_width: 100,
            network_height: 100,
            scale_x: 1.0,
            scale_y: 1.0,
            offset_x: 0.0,
            offset_y: 0.0,
        };
        boxes.push(7, 0, 0.5, corners(0.0, 0.0, 10.0, 10.0));
        boxes.push(8, 0, f32::NAN, corners(0.0, 0.0, 10.0, 10.0));
        boxes.push(9, 0, 0.9, corners(0.0, 0.0, 10.0, 9.0));
        boxes.push(30, 1, 0.7, corners(50.0, 50.0, 60.0, 60.0));
        let mut positions = Vec::new();
        let prediction = boxes.finish_with(&geometry, |p| positions.push(p));
        assert_eq!(positions, [9, 30], "7 is suppressed by 9, 8 is no number");
        let Prediction::Detections(detections) = prediction else {
            panic!("boxes are detections");
        };
        assert_eq!(detections.len(), 2);
        assert_eq!(boxes.finish(&geometry), Prediction::Detections(Vec::new()));
    }
}
