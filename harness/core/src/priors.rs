//! Prior boxes of SSD detectors, as Caffe's `PriorBox` layer lays them out.
//!
//! Convention: `prior_box_layer.cpp` of weiliu89/caffe (branch `ssd`). Every cell of a feature map
//! has, for each least size, a square of that size, a square of √(least · greatest) when there are
//! greatest sizes, and one box for each aspect ratio but 1. Sizes that are no whole numbers are
//! taken as they are, which is what OpenCV does; that layer cuts them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Most numbers of all boxes of a grid: bounds what absurd sizes can make us allocate.
const MAX_NUMBERS: usize = 1 << 24;

/// The prior boxes of one feature map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PriorGrid {
    /// Columns and rows of the feature map.
    pub cells: [usize; 2],
    /// Width and height of the picture in pixels: boxes are shares of it.
    pub image: [f32; 2],
    /// Least sizes in pixels.
    pub min_sizes: Vec<f32>,
    /// Greatest sizes in pixels: none, or one for each least size.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub max_sizes: Vec<f32>,
    /// Width to height, beside 1, which is always there; each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aspect_ratios: Vec<f32>,
    /// Boxes are cut at the picture's border.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub clip: bool,
    /// Pixels from cell to cell, horizontally and vertically.
    pub step: [f32; 2],
    /// Where in its cell a box has its centre, as a share of the cell.
    pub offset: f32,
    /// By how much offsets of left, top, right and bottom (or of centre and size) are scaled.
    pub variances: [f32; 4],
}

impl PriorGrid {
    /// Boxes of a cell.
    pub fn per_cell(&self) -> usize {
        let sizes = self.min_sizes.len();
        let shapes = self.aspect_ratios.len().saturating_add(1);
        sizes
            .saturating_mul(shapes)
            .saturating_add(self.max_sizes.len())
    }

    /// Boxes of the grid; `None` when they are absurdly many, or the grid contradicts itself: no
    /// or non-positive sizes, another number of greatest than of least sizes, a picture without
    /// extent.
    pub fn count(&self) -> Option<usize> {
        let positive = |v: &f32| v.is_finite() && *v > 0.0;
        let sizes = self.min_sizes.iter().chain(&self.max_sizes);
        let sound = !self.min_sizes.is_empty()
            && (self.max_sizes.is_empty() || self.max_sizes.len() == self.min_sizes.len())
            && sizes.chain(&self.aspect_ratios).all(positive)
            && self.image.iter().chain(&self.step).all(positive)
            && self.offset.is_finite();
        let [columns, rows] = self.cells;
        columns
            .checked_mul(rows)?
            .checked_mul(self.per_cell())
            .filter(|&n| sound && n <= MAX_NUMBERS / 4)
    }

    /// All boxes, cell by cell, rows outside, columns inside: left, top, right, bottom as shares of
    /// the picture. `None` as for [`Self::count`].
    pub fn boxes(&self) -> Option<Vec<[f32; 4]>> {
        let mut boxes = Vec::with_capacity(self.count()?);
        let shapes = self.shapes();
        let [columns, rows] = self.cells;
        for row in 0..rows {
            for column in 0..columns {
                let x = (column as f32 + self.offset) * self.step[0];
                let y = (row as f32 + self.offset) * self.step[1];
                boxes.extend(shapes.iter().map(|&[w, h]| self.shares(x, y, w, h)));
            }
        }
        Some(boxes)
    }

    /// Width and height of the boxes of a cell, in their order.
    fn shapes(&self) -> Vec<[f32; 2]> {
        let mut shapes = Vec::with_capacity(self.per_cell());
        for (at, &size) in self.min_sizes.iter().enumerate() {
            shapes.push([size, size]);
            if let Some(&greatest) = self.max_sizes.get(at) {
                let side = (size * greatest).sqrt();
                shapes.push([side, side]);
            }
            let roots = self.aspect_ratios.iter().map(|r| r.sqrt());
            shapes.extend(roots.map(|root| [size * root, size / root]));
        }
        shapes
    }

    fn shares(&self, x: f32, y: f32, w: f32, h: f32) -> [f32; 4] {
        let [width, height] = self.image;
        let corners = [
            (x - w / 2.0) / width,
            (y - h / 2.0) / height,
            (x + w / 2.0) / width,
            (y + h / 2.0) / height,
        ];
        if self.clip {
            corners.map(|v| v.clamp(0.0, 1.0))
        } else {
            corners
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid() -> PriorGrid {
        PriorGrid {
            cells: [2, 1],
            image: [100.0, 50.0],
            min_sizes: vec![10.0],
            max_sizes: vec![40.0],
            aspect_ratios: vec![4.0],
            clip: false,
            step: [50.0, 50.0],
            offset: 0.5,
            variances: [0.1, 0.1, 0.2, 0.2],
        }
    }

    #[test]
    fn boxes_stand_in_their_order() {
        let boxes = grid().boxes().expect("a sound grid");
        assert_eq!(grid().count(), Some(6));
        let expected = [
            [0.2, 0.4, 0.3, 0.6],
            [0.15, 0.3, 0.35, 0.7],
            [0.15, 0.45, 0.35, 0.55],
            [0.7, 0.4, 0.8, 0.6],
        ];
        for (found, expected) in boxes.iter().zip(expected) {
            for (a, b) in found.iter().zip(expected) {
                assert!((a - b).abs() < 1e-6, "{found:?} {expected:?}");
            }
        }
        let clipped = PriorGrid {
            clip: true,
            min_sizes: vec![80.0],
            ..grid()
        };
        let all = clipped.boxes().expect("a sound grid");
        assert!(all.iter().flatten().all(|v| (0.0..=1.0).contains(v)));
    }

    #[test]
    fn absurd_grids_have_no_boxes() {
        let wrong = [
            PriorGrid {
                cells: [usize::MAX, 2],
                ..grid()
            },
            PriorGrid {
                cells: [1 << 12, 1 << 12],
                ..grid()
            },
            PriorGrid {
                min_sizes: Vec::new(),
                ..grid()
            },
            PriorGrid {
                max_sizes: vec![1.0, 2.0],
                ..grid()
            },
            PriorGrid {
                image: [0.0, 1.0],
                ..grid()
            },
            PriorGrid {
                step: [f32::NAN, 1.0],
                ..grid()
            },
            PriorGrid {
                aspect_ratios: vec![-1.0],
                ..grid()
            },
        ];
        for grid in wrong {
            assert_eq!(grid.boxes(), None, "{grid:?}");
        }
    }
}
