//! Greedy non-maximum suppression over scored boxes.
//!
//! Candidates are taken by falling score; one is dropped when its IoU with a kept candidate of its
//! class is *greater* than the threshold. IoU is computed in f64 without a `+ 1` for pixels.
//! Classes are told apart by their number, not by shifting boxes. Among equal scores the candidate
//! listed earlier comes first. (The Python reference takes the later one; on its 128 images the
//! detections of all three models are the same either way.)
//!
//! Sorting dominates: a candidate meets only the kept boxes of its own class, and a class stops at
//! the greatest number that may be returned.

use dyno_core::Xyxy;

/// A scored box before suppression.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// The model's class.
    pub class: u32,
    /// Its score.
    pub score: f32,
    /// The box; suppression only compares boxes with each other, so any pixel frame will do.
    pub bbox: Xyxy,
}

impl Candidate {
    /// Score and box are finite numbers.
    pub fn is_finite(&self) -> bool {
        self.score.is_finite() && self.bbox.is_finite()
    }
}

/// What suppression does.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct NmsOptions {
    /// Greatest IoU with a better box; `None` suppresses nothing and only sorts and cuts.
    pub iou: Option<f64>,
    /// Boxes suppress each other whatever their classes.
    pub class_agnostic: bool,
    /// Most boxes to return, all classes together.
    pub max: Option<usize>,
}

/// A kept box with its area.
#[derive(Debug, Clone, Copy)]
struct Kept {
    bbox: Xyxy,
    area: f64,
}

/// Suppression with buffers that are kept between calls.
#[derive(Debug, Default)]
pub struct Nms {
    order: Vec<(u64, u32)>,
    kept: Vec<Kept>,
    survivors: Vec<(u64, u32)>,
    result: Vec<u32>,
}

/// Sort key: greater scores give smaller keys; zeros of both signs are one score.
fn falling(score: f32) -> u32 {
    let bits = (score + 0.0).to_bits();
    let rising = if bits >> 31 == 1 {
        !bits
    } else {
        bits | 0x8000_0000
    };
    !rising
}

/// IoU of `b` with a kept box is greater than `threshold`.
fn suppresses(kept: &Kept, b: &Xyxy, area: f64, threshold: f64) -> bool {
    let w = kept.bbox.x2.min(b.x2) - kept.bbox.x1.max(b.x1);
    let h = kept.bbox.y2.min(b.y2) - kept.bbox.y1.max(b.y1);
    if w <= 0.0 || h <= 0.0 {
        return false;
    }
    let intersection = w * h;
    intersection / (kept.area + area - intersection) > threshold
}

impl Nms {
    /// A suppressor with empty buffers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Positions in `candidates` of those that survive, by falling score. Candidates with a
    /// non-finite score or box are dropped, and so are those beyond `u32::MAX`.
    pub fn run(&mut self, candidates: &[Candidate], options: &NmsOptions) -> &[u32] {
        let max = options.max.unwrap_or(usize::MAX);
        self.order.clear();
        self.survivors.clear();
        self.result.clear();
        for (candidate, position) in candidates.iter().zip(0u32..) {
            if candidate.is_finite() {
                let class = if options.class_agnostic || options.iou.is_none() {
                    0
                } else {
                    candidate.class
                };
                self.order.push((
                    u64::from(class) << 32 | u64::from(falling(candidate.score)),
                    position,
                ));
            }
        }
        self.order.sort_unstable();
        let Some(threshold) = options.iou else {
            self.result
                .extend(self.order.iter().take(max).map(|&(_, position)| position));
            return &self.result;
        };
        let mut class = None;
        for &(key, position) in &self.order {
            if class != Some(key >> 32) {
                class = Some(key >> 32);
                self.kept.clear();
            }
            if self.kept.len() >= max {
                continue;
            }
            let Some(candidate) = candidates.get(position as usize) else {
                continue;
            };
            let area = candidate.bbox.area();
            if !self
                .kept
                .iter()
                .any(|k| suppresses(k, &candidate.bbox, area, threshold))
            {
                self.kept.push(Kept {
                    bbox: candidate.bbox,
                    area,
                });
                self.survivors
                    .push((u64::from(falling(candidate.score)), position));
            }
        }
        self.survivors.sort_unstable();
        self.result.extend(
            self.survivors
                .iter()
                .take(max)
                .map(|&(_, position)| position),
        );
        &self.result
    }
}

#[cfg(test)]
mod tests;
