//! PriorBox, whose boxes are known while importing, and DetectionOutput, which is cut off or
//! lowered.

use super::super::{
    blob::{Blob, Source, product},
    params::Params,
    problem::Problem,
    scope::{Lowering, Scope},
};
use super::{detection_graph, window::pair};
use dyno_core::{DecoderSpec, PriorGrid, Thresholds};
use serde_json::json;
use std::sync::Arc;

/// Row of the decoder table that reads what is left when DetectionOutput is cut off.
const DECODER: &str = "ssd-priors";

/// Both numbers of `name`, or of `name_h` and `name_w`, horizontal first.
fn extent(params: &mut Params<'_>, name: &str, each: [&str; 2]) -> Option<[f32; 2]> {
    let one = params.float(name);
    let both = each.map(|n| params.float(n));
    match (one, both) {
        (None, [Some(h), Some(w)]) => Some([w, h]),
        (Some(one), [None, None]) => Some([one; 2]),
        (None, [None, None]) => None,
        _ => {
            let [h, w] = each;
            params.malformed(name, &format!("there is `{name}`, or both `{h}` and `{w}`"));
            None
        }
    }
}

/// Boxes `[1, 2, 4 · P]` around the cells of bottom 0, as shares of bottom 1: corners, then
/// variances.
pub(in super::super) fn prior_box(params: &mut Params<'_>) -> Lowering {
    let min_sizes = params.floats("min_size");
    let max_sizes = params.floats("max_size");
    let flip = params.truth("flip").unwrap_or(true);
    let mut aspect_ratios: Vec<f32> = Vec::new();
    for ratio in params.floats("aspect_ratio") {
        let known = |r: &f32| (ratio - r).abs() < 1e-6;
        if known(&1.0) || aspect_ratios.iter().any(known) {
            continue;
        }
        aspect_ratios.push(ratio);
        if flip {
            aspect_ratios.push(1.0 / ratio);
        }
    }
    let clip = params.truth("clip").unwrap_or(false);
    let variances = match params.floats("variance").as_slice() {
        [] => [0.1; 4],
        &[one] => [one; 4],
        &[a, b, c, d] => [a, b, c, d],
        _ => {
            params.malformed("variance", "there is one, or there are four");
            [0.1; 4]
        }
    };
    let image = pair(params, "img_size", ["img_h", "img_w"]);
    let step =
        extent(params, "step", ["step_h", "step_w"]).filter(|s| s.iter().any(|v| v.abs() > 0.0));
    let offset = params.float("offset").unwrap_or(0.5);
    if min_sizes.is_empty() {
        params.malformed("min_size", "the least sizes are missing");
    }
    Box::new(move |scope| {
        scope.arity(2, 1)?;
        let spatial = |blob: &Blob| match *blob.dims.as_slice() {
            [_, _, height, width] => Ok([width, height]),
            _ => Err(Problem::unsupported(format!(
                "a bottom of shape {:?}",
                blob.dims
            ))),
        };
        let [features, data] = scope.bottoms.as_slice() else {
            return Err(Problem::malformed("a bottom is missing"));
        };
        let (cells, data) = (spatial(features)?, spatial(data)?);
        let image = image.map_or(data, |[h, w]| [w, h]).map(|v| v as f32);
        let [columns, rows] = cells.map(|v| v as f32);
        let grid = PriorGrid {
            cells,
            image,
            min_sizes,
            max_sizes,
            aspect_ratios,
            clip,
            step: step.unwrap_or([image[0] / columns, image[1] / rows]),
            offset,
            variances,
        };
        let boxes = grid.boxes().ok_or_else(|| {
            Problem::malformed("sizes or ratios that are not positive, do not belong together, or give absurdly many boxes")
        })?;
        let count = boxes.len();
        let mut values = boxes.into_flattened();
        values.extend(std::iter::repeat_n(variances, count).flatten());
        scope.set(
            0,
            Blob {
                source: Source::Constant(Arc::new(values)),
                dims: vec![1, 2, count.saturating_mul(4)],
                priors: vec![grid],
            },
        )
    })
}

/// How locations are to be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    Corner,
    CenterSize,
    CornerSize,
}

impl Code {
    fn name(self) -> &'static str {
        match self {
            Self::Corner => "corner",
            Self::CenterSize => "center-size",
            Self::CornerSize => "corner-size",
        }
    }
}

/// Parameters of DetectionOutput.
#[derive(Debug, Clone)]
pub(super) struct Detections {
    pub(super) classes: usize,
    pub(super) background: Option<usize>,
    pub(super) shared: bool,
    pub(super) code: Code,
    pub(super) variance_in_target: bool,
    pub(super) threshold: Option<f32>,
    pub(super) overlap: f32,
    pub(super) top_k: Option<usize>,
    pub(super) keep_top_k: Option<usize>,
}

/// Locations, confidences and prior boxes become detections.
pub(in super::super) fn detection_output(params: &mut Params<'_>) -> Lowering {
    params.ignore(&[
        "save_output_param",
        "visualize",
        "visualize_threshold",
        "save_file",
    ]);
    let limit = |n: Option<i64>| n.and_then(|n| usize::try_from(n).ok());
    let (mut overlap, mut top_k) = (0.3, None);
    if let Some(mut inner) = params.message("nms_param") {
        overlap = inner.float("nms_threshold").unwrap_or(overlap);
        top_k = limit(inner.int("top_k"));
        if inner
            .float("eta")
            .is_some_and(|eta| eta.to_bits() != 1f32.to_bits())
        {
            inner.unsupported("eta", "a threshold that changes on the way");
        }
        params.close(inner);
    }
    let codes = [
        ("CORNER", 1, Code::Corner),
        ("CENTER_SIZE", 2, Code::CenterSize),
        ("CORNER_SIZE", 3, Code::CornerSize),
    ];
    let what = Detections {
        classes: params.count("num_classes").unwrap_or(0),
        background: limit(Some(params.int("background_label_id").unwrap_or(0))),
        shared: params.truth("share_location").unwrap_or(true),
        code: params.choice("code_type", &codes).unwrap_or(Code::Corner),
        variance_in_target: params.truth("variance_encoded_in_target").unwrap_or(false),
        threshold: params.float("confidence_threshold"),
        overlap,
        top_k,
        keep_top_k: limit(params.int("keep_top_k")),
    };
    if params.truth("normalized_bbox") == Some(false) {
        params.unsupported("normalized_bbox", "boxes in pixels");
    }
    if params.truth("clip") == Some(true) {
        params.unsupported("clip", "boxes that are cut at the border");
    }
    if what.classes == 0 {
        params.malformed("num_classes", "the number of classes is missing");
    }
    if !(0.0..=1.0).contains(&what.overlap) {
        params.malformed("nms_threshold", "not between 0 and 1");
    }
    Box::new(move |scope| {
        scope.arity(3, 1)?;
        let [location, confidence, priors] = scope.bottoms.as_slice() else {
            return Err(Problem::malformed("a bottom is missing"));
        };
        let boxes = match priors.dims.as_slice() {
            // Without use for variances they may be missing.
            &[1, rows, numbers]
                if (rows == 2 || (rows == 1 && what.variance_in_target))
                    && numbers > 0
                    && numbers % 4 == 0 =>
            {
                numbers / 4
            }
            dims => return Err(Problem::malformed(format!("prior boxes of shape {dims:?}"))),
        };
        let batch = location.dims.first().copied().unwrap_or(0);
        let per_box = if what.shared {
            4
        } else {
            what.classes.saturating_mul(4)
        };
        let expected = [per_box, what.classes].map(|n| boxes.saturating_mul(n));
        let found = [location, confidence].map(|b| product(b.dims.get(1..).unwrap_or_default()));
        if found != expected || confidence.dims.first() != Some(&batch) || batch == 0 {
            return Err(Problem::malformed(format!(
                "{boxes} prior boxes and {} classes need {expected:?} locations and confidences an image, and there are {found:?}",
                what.classes
            )));
        }
        if scope.net.in_graph {
            return detection_graph::lower(scope, &what, batch, boxes);
        }
        cut(scope, &what)
    })
}

fn cut(scope: &mut Scope<'_>, what: &Detections) -> Result<(), Problem> {
    let grids = scope
        .bottoms
        .get(2)
        .map(|b| b.priors.clone())
        .unwrap_or_default();
    if grids.is_empty() {
        return Err(Problem::unsupported(
            "prior boxes that are not those of PriorBox layers cannot be carried outside of the graph",
        ));
    }
    if scope.net.decoder.is_some() {
        return Err(Problem::unsupported("a second list of detections"));
    }
    let thresholds = Thresholds {
        score: f64::from(what.threshold.unwrap_or(0.0).max(0.0)),
        iou: Some(f64::from(what.overlap)),
        max: what.keep_top_k.and_then(|n| u32::try_from(n).ok()),
    };
    scope.net.decoder = Some(DecoderSpec {
        kind: DECODER.to_owned(),
        parameters: json!({
            "classes": what.classes,
            "background": what.background,
            "share_location": what.shared,
            "code": what.code.name(),
            "variance_in_target": what.variance_in_target,
            "top_k": what.top_k,
            "priors": grids,
        }),
        evaluate: Some(thresholds),
        deploy: None,
    });
    scope.net.classes = Some(what.classes);
    scope.net.cut = scope.layer.bottoms.iter().take(2).cloned().collect();
    let note = format!(
        "the graph ends before `{}`: decoder `{DECODER}` reads `{}`",
        scope.layer.name,
        scope.net.cut.join("` and `")
    );
    scope.net.notes.push(note);
    scope.end(None)
}
