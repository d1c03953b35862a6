//! COCO's results file: what pycocotools' `loadRes` reads.

use super::categories::category_id;
use dyno_core::{Detection, LabelMap, Xywh};
use serde::Serialize;
use std::io::Write;

/// Why detections cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A score or coordinate is not finite: JSON has no such number.
    #[error("image {image_id}: detection {index} has a number that is not finite")]
    NotFinite {
        /// Id of the image.
        image_id: i64,
        /// Position of the detection in its image.
        index: usize,
    },
    /// Writing failed.
    #[error("cannot write detections")]
    Write(#[source] std::io::Error),
}

#[derive(Serialize)]
struct Row {
    image_id: i64,
    category_id: i64,
    bbox: [f64; 4],
    score: f64,
}

/// Writes detections as COCO results JSON: a list of
/// `{image_id, category_id, bbox: [x, y, w, h], score}` in the order given, one a line.
///
/// Floats are written so that they come back with the same bits; the score is the exact f64 of its
/// f32. `labels`: the dataset's classes; a class has its `external_id`, or its index plus one.
/// Detections of classes that the dataset does not have are left out.
///
/// # Errors
/// When a number is not finite, or writing fails; what was written before is then incomplete.
pub fn export_coco<'a>(
    mut out: impl Write,
    images: impl IntoIterator<Item = (i64, &'a [Detection])>,
    labels: &LabelMap,
) -> Result<(), ExportError> {
    out.write_all(b"[").map_err(ExportError::Write)?;
    let mut separator: &[u8] = b"\n";
    for (image_id, detections) in images {
        for (index, detection) in detections.iter().enumerate() {
            let Some(category_id) = category_id(labels, detection.label) else {
                continue;
            };
            if !detection.score.is_finite() || !detection.bbox.is_finite() {
                return Err(ExportError::NotFinite { image_id, index });
            }
            let b = Xywh::from(detection.bbox);
            let row = Row {
                image_id,
                category_id,
                bbox: [b.x, b.y, b.w, b.h],
                score: f64::from(detection.score),
            };
            out.write_all(separator).map_err(ExportError::Write)?;
            serde_json::to_writer(&mut out, &row).map_err(|e| ExportError::Write(e.into()))?;
            separator = b",\n";
        }
    }
    out.write_all(b"\n]\n")
        .and_then(|()| out.flush())
        .map_err(ExportError::Write)
}
