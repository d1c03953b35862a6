//! Axis-parallel boxes, each convention its own type.
//!
//! Pixels, origin at the top-left corner of the top-left pixel, continuous and half-open: a box
//! that covers exactly the first pixel is `Xyxy { x1: 0, y1: 0, x2: 1, y2: 1 }`. VOC's 1-based
//! inclusive corners are converted on reading.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Two corners.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Xyxy {
    /// Left.
    pub x1: f64,
    /// Top.
    pub y1: f64,
    /// Right.
    pub x2: f64,
    /// Bottom.
    pub y2: f64,
}

/// Top-left corner and extent: COCO's convention.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Xywh {
    /// Left.
    pub x: f64,
    /// Top.
    pub y: f64,
    /// Width.
    pub w: f64,
    /// Height.
    pub h: f64,
}

/// Centre and extent: what most detectors predict.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cxcywh {
    /// Centre, horizontal.
    pub cx: f64,
    /// Centre, vertical.
    pub cy: f64,
    /// Width.
    pub w: f64,
    /// Height.
    pub h: f64,
}

impl Xyxy {
    /// Area in square pixels; 0 for an empty or inverted box.
    pub fn area(&self) -> f64 {
        (self.x2 - self.x1).max(0.0) * (self.y2 - self.y1).max(0.0)
    }

    /// Intersection over union, 0 to 1. An empty or inverted box has IoU 0 with everything; NaN
    /// counts as empty.
    pub fn iou(&self, other: &Self) -> f64 {
        let w = (self.x2.min(other.x2) - self.x1.max(other.x1)).max(0.0);
        let h = (self.y2.min(other.y2) - self.y1.max(other.y1)).max(0.0);
        let intersection = w * h;
        let union = self.area() + other.area() - intersection;
        if union > 0.0 {
            intersection / union
        } else {
            0.0
        }
    }

    /// The part inside `[0, width] × [0, height]`.
    #[must_use]
    pub fn clip(&self, width: f64, height: f64) -> Self {
        Self {
            x1: self.x1.max(0.0).min(width),
            y1: self.y1.max(0.0).min(height),
            x2: self.x2.max(0.0).min(width),
            y2: self.y2.max(0.0).min(height),
        }
    }

    /// All four numbers are finite.
    pub fn is_finite(&self) -> bool {
        self.x1.is_finite() && self.y1.is_finite() && self.x2.is_finite() && self.y2.is_finite()
    }
}

impl From<Xyxy> for Xywh {
    fn from(b: Xyxy) -> Self {
        Self {
            x: b.x1,
            y: b.y1,
            w: b.x2 - b.x1,
            h: b.y2 - b.y1,
        }
    }
}

impl From<Xywh> for Xyxy {
    fn from(b: Xywh) -> Self {
        Self {
            x1: b.x,
            y1: b.y,
            x2: b.x + b.w,
            y2: b.y + b.h,
        }
    }
}

impl From<Cxcywh> for Xyxy {
    fn from(b: Cxcywh) -> Self {
        Self {
            x1: b.cx - b.w / 2.0,
            y1: b.cy - b.h / 2.0,
            x2: b.cx + b.w / 2.0,
            y2: b.cy + b.h / 2.0,
        }
    }
}

impl From<Xyxy> for Cxcywh {
    fn from(b: Xyxy) -> Self {
        Self {
            cx: f64::midpoint(b.x1, b.x2),
            cy: f64::midpoint(b.y1, b.y2),
            w: b.x2 - b.x1,
            h: b.y2 - b.y1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn iou_of_known_boxes() {
        let a = Xyxy {
            x1: 0.0,
            y1: 0.0,
            x2: 2.0,
            y2: 2.0,
        };
        let b = Xyxy {
            x1: 1.0,
            y1: 1.0,
            x2: 3.0,
            y2: 3.0,
        };
        assert!((a.iou(&b) - 1.0 / 7.0).abs() < 1e-15);
        let empty = Xyxy {
            x1: 1.0,
            y1: 1.0,
            x2: 1.0,
            y2: 1.0,
        };
        assert!(a.iou(&empty).abs() < f64::EPSILON);
    }

    proptest! {
        #[test]
        fn corner_forms_round_trip(x in -1e3..1e3, y in -1e3..1e3, w in 0.0..1e3, h in 0.0..1e3) {
            let back = Xywh::from(Xyxy::from(Xywh { x, y, w, h }));
            prop_assert!((back.w - w).abs() < 1e-9 && (back.h - h).abs() < 1e-9);
            let c = Xyxy::from(Cxcywh::from(Xyxy::from(Xywh { x, y, w, h })));
            prop_assert!((c.x1 - x).abs() < 1e-9 && (c.y2 - (y + h)).abs() < 1e-9);
        }
    }
}
