//! Detection heads that are cut: what they say goes to a decoder.

use dyno_core::{DecoderSpec, ImportSays, Thresholds};
use serde_json::json;

/// A head that was cut.
#[derive(Debug, Clone)]
pub(super) enum Head {
    /// Darknet's.
    Region(Region),
}

/// `RegionYolo`.
#[derive(Debug, Clone)]
pub(super) struct Region {
    /// What it reads.
    pub(super) output: String,
    /// Width and height of its anchors; `None` where the file does not say them.
    pub(super) anchors: Option<Vec<[f32; 2]>>,
    pub(super) classes: usize,
    /// YOLO v2's, with anchors in cells; else v3's, with anchors in pixels.
    pub(super) softmax: bool,
}

fn thresholds(score: f64, iou: f64) -> Thresholds {
    Thresholds {
        score,
        iou: Some(iou),
        max: None,
    }
}

/// Says how the outputs of cut heads are read.
pub(super) fn describe(regions: &[Region], says: &mut ImportSays) {
    let Some(first) = regions.first() else {
        return;
    };
    says.notes.push(format!(
        "{} layers `RegionYolo` were cut: the decoder reads what they read",
        regions.len()
    ));
    says.outputs = regions.iter().map(|r| r.output.clone()).collect();
    says.classes = Some(first.classes);
    let alike = regions
        .iter()
        .all(|r| r.softmax == first.softmax && r.classes == first.classes);
    let parameters: Option<Vec<_>> = regions
        .iter()
        .map(|r| {
            let anchors = r.anchors.as_ref()?;
            Some(if r.softmax {
                json!({"output": r.output, "anchors": anchors, "softmax": true})
            } else {
                json!({"output": r.output, "anchors": anchors})
            })
        })
        .collect();
    let Some(parameters) = parameters.filter(|_| alike) else {
        says.notes
            .push("the file does not say the anchors: name a decoder".to_owned());
        return;
    };
    says.decoder = Some(DecoderSpec {
        kind: if first.softmax { "region" } else { "yolo" }.to_owned(),
        parameters: json!({"classes": first.classes, "heads": parameters}),
        evaluate: Some(thresholds(0.001, 0.45)),
        deploy: Some(thresholds(0.25, 0.45)),
    });
}
