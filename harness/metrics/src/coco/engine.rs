//! Driving `hotcoco`: dyno's samples in, matches and precision out.
//!
//! Ids are dense and ours (images, classes, objects and detections count from 1), so that no id of
//! a file can collide or hit pycocotools' trap that an object with id 0 never counts as matched.
//! Images stand by rising image id and detections in the model's order, as in pycocotools, where
//! both orders decide between equal scores. Nothing here prints: `run` and `summarize` of hotcoco
//! would.

use super::{categories::Categories, metric::ID};
use crate::state::DetectedImage;
use dyno_core::{MetricError, Xywh};
use hotcoco::{Annotation, COCO, COCOeval, Category, Dataset, Image, IouType};

/// Which area ranges are evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Areas {
    /// Any area: all that `AP` and `AP50` need, at a quarter of the memory.
    Any,
    /// COCO's four: all, small, medium, large.
    Four,
}

/// Matches detections and objects of `images`, which stand in the order of their ids.
pub(super) fn evaluate(
    images: &[&DetectedImage],
    categories: &Categories,
    areas: Areas,
) -> Result<COCOeval, MetricError> {
    let class = |label| categories.position(label).map(|at| at as u64 + 1);
    let (mut truths, mut found, mut records) =
        (Vec::new(), Vec::new(), Vec::with_capacity(images.len()));
    for (image_id, image) in (1u64..).zip(images) {
        records.push(Image {
            id: image_id,
            width: image.truth.width,
            height: image.truth.height,
            ..Image::default()
        });
        for object in &image.truth.objects {
            let Some(category_id) = class(object.label) else {
                continue;
            };
            let b = object.bbox;
            truths.push(Annotation {
                id: truths.len() as u64 + 1,
                image_id,
                category_id,
                bbox: Some([b.x, b.y, b.w, b.h]),
                area: Some(object.area),
                iscrowd: object.iscrowd,
                ..Annotation::default()
            });
        }
        for detection in &image.detections {
            let Some(category_id) = class(detection.label) else {
                continue;
            };
            let b = Xywh::from(detection.bbox);
            found.push(Annotation {
                id: found.len() as u64 + 1,
                image_id,
                category_id,
                bbox: Some([b.x, b.y, b.w, b.h]),
                area: Some(b.w * b.h),
                score: Some(f64::from(detection.score)),
                ..Annotation::default()
            });
        }
    }
    let names: Vec<Category> = (1..=categories.len() as u64)
        .map(|id| Category {
            id,
            name: format!("{id}"),
            supercategory: None,
            skeleton: None,
            keypoints: None,
            frequency: None,
            isthing: None,
            extra: hotcoco::Extra::new(),
        })
        .collect();
    let dataset = |annotations| {
        COCO::from_dataset(Dataset {
            images: records.clone(),
            annotations,
            categories: names.clone(),
            ..Dataset::default()
        })
    };
    let mut eval = COCOeval::new(dataset(truths), dataset(found), IouType::Bbox);
    if areas == Areas::Any {
        eval.params.area_ranges.retain(|range| range.label == "all");
    }
    eval.evaluate().map_err(|e| MetricError::Engine {
        metric: ID,
        reason: e.to_string(),
    })?;
    Ok(eval)
}
