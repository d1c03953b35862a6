//! Detection heads: `[yolo]` of v3 and later, `[region]` of v2. The graph ends before them; anchors
//! and the way of decoding go to the decoders `yolo` and `region`.

use super::{
    lowering,
    net::{Layer, Net},
};
use dyno_core::{DecoderSpec, Framework, ImportError, Thresholds};
use dyno_formats::darknet::Section;
use serde_json::{Value, json};

/// Most anchors of a head.
const MAX_ANCHORS: usize = 1_024;

/// Thresholds of accuracy runs.
const EVALUATE: Thresholds = Thresholds {
    score: 0.001,
    iou: Some(0.45),
    max: None,
};
/// Thresholds of timed runs.
const DEPLOY: Thresholds = Thresholds {
    score: 0.25,
    iou: Some(0.45),
    max: None,
};

/// How the numbers of a head become boxes and scores.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Decoding {
    /// `[yolo]`; anchors in pixels of the model's input.
    Yolo {
        /// Stretches centres about the middle of their cell.
        scale_x_y: f32,
        /// Numbers are activated already, extents are `(2t)²·anchor`.
        new_coords: bool,
    },
    /// `[region]`; anchors in cells.
    Region {
        /// Classes exclude each other; otherwise each has a sigmoid.
        softmax: bool,
    },
}

/// A detection head.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Head {
    /// What it reads: per anchor x, y, w, h, objectness and classes.
    pub(super) input: Layer,
    /// Width and height of its anchors.
    pub(super) anchors: Vec<[f32; 2]>,
    pub(super) classes: usize,
    pub(super) decoding: Decoding,
}

/// The first `[width, height]` pairs of `anchors`.
fn pairs(net: &Net, section: &Section, least: usize) -> Result<Vec<[f32; 2]>, ImportError> {
    let numbers: Vec<f32> = net.needed(section, "anchors")?;
    let (pairs, _) = numbers.as_chunks::<2>();
    if pairs.len() < least || numbers.iter().any(|a| !(a.is_finite() && *a > 0.0)) {
        let problem = format!(
            "`anchors` must be at least {least} pairs of positive numbers, here are {} numbers",
            numbers.len()
        );
        return Err(net.malformed(section, problem));
    }
    Ok(pairs.to_vec())
}

fn push(
    net: &mut Net,
    section: &Section,
    anchors: Vec<[f32; 2]>,
    decoding: Decoding,
) -> Result<Layer, ImportError> {
    let input = net.before();
    let classes = net.count(section, "classes", 20, 1)?;
    let expected = (classes + 5).saturating_mul(anchors.len());
    if input.channels != expected {
        let problem = format!(
            "{} anchors with {classes} classes need {expected} channels, the layer before gives {}",
            anchors.len(),
            input.channels
        );
        return Err(net.malformed(section, problem));
    }
    net.heads.push(Head {
        input: input.clone(),
        anchors,
        classes,
        decoding,
    });
    Ok(input)
}

/// `[yolo]`: those of all `anchors` that `mask` names.
pub(super) fn yolo(net: &mut Net, section: &Section) -> Result<Layer, ImportError> {
    let total = net.count(section, "num", 1, 1)?;
    let mask: Option<Vec<usize>> = net.list(section, "mask")?;
    let mask = match mask {
        Some(mask) => mask,
        None => (0..total.min(MAX_ANCHORS)).collect(),
    };
    let greatest = mask.iter().max().copied().unwrap_or(0);
    if greatest >= total || total > MAX_ANCHORS || mask.len() > MAX_ANCHORS {
        let problem = format!("`mask` names anchor {greatest} of `num={total}`");
        return Err(net.malformed(section, problem));
    }
    let all = pairs(net, section, greatest + 1)?;
    let anchors = mask.iter().filter_map(|&m| all.get(m).copied()).collect();
    let scale_x_y: f32 = net.number(section, "scale_x_y", 1.0)?;
    if !scale_x_y.is_finite() {
        return Err(net.malformed(section, "`scale_x_y` is no number"));
    }
    let new_coords = net.flag(section, "new_coords")?;
    if net.text(section, "nms_kind", "default")? != "default" {
        let note = format!(
            "{}: `nms_kind` (suppression by distance too) is not used; boxes are suppressed by IoU",
            section.place()
        );
        net.notes.push(note);
    }
    let decoding = Decoding::Yolo {
        scale_x_y,
        new_coords,
    };
    push(net, section, anchors, decoding)
}

/// `[region]`: all its `num` anchors.
pub(super) fn region(net: &mut Net, section: &Section) -> Result<Layer, ImportError> {
    let total = net.count(section, "num", 1, 1)?;
    if total > MAX_ANCHORS {
        let problem = format!("`num={total}` must be at most {MAX_ANCHORS}");
        return Err(net.malformed(section, problem));
    }
    if net.count(section, "coords", 4, 0)? != 4 {
        return Err(net.unsupported(section, "`coords` other than 4"));
    }
    let mut anchors = pairs(net, section, total)?;
    anchors.truncate(total);
    let softmax = net.flag(section, "softmax")?;
    push(net, section, anchors, Decoding::Region { softmax })
}

/// The kind of decoder that reads these heads; all must be of one.
fn kind(heads: &[Head]) -> Option<&'static str> {
    let one = |head: &Head| match head.decoding {
        Decoding::Yolo { .. } => "yolo",
        Decoding::Region { .. } => "region",
    };
    let first = one(heads.first()?);
    heads.iter().all(|h| one(h) == first).then_some(first)
}

fn parameters(head: &Head, output: &str) -> Value {
    match head.decoding {
        Decoding::Yolo {
            scale_x_y,
            new_coords,
        } => json!({
            "output": output,
            "anchors": head.anchors,
            "scale_x_y": scale_x_y,
            "new_coords": new_coords,
        }),
        Decoding::Region { softmax } => json!({
            "output": output,
            "anchors": head.anchors,
            "softmax": softmax,
        }),
    }
}

/// What becomes of the heads: outputs of the graph, and how they are read.
pub(super) struct Heads {
    pub(super) decoder: DecoderSpec,
    pub(super) classes: usize,
    pub(super) outputs: Vec<String>,
}

/// Declares the outputs of a graph with heads; `None` when it has none.
pub(super) fn finish(net: &mut Net, in_graph: bool) -> Result<Option<Heads>, ImportError> {
    let heads = std::mem::take(&mut net.heads);
    let Some(first) = heads.first() else {
        return Ok(None);
    };
    let classes = first.classes;
    let kind = kind(&heads).filter(|_| heads.iter().all(|h| h.classes == classes));
    let Some(kind) = kind else {
        return Err(ImportError::Unsupported {
            operators: vec![format!(
                "{}: heads of different kinds or numbers of classes",
                net.file
            )],
        });
    };
    if in_graph {
        let output = lowering::lower(net, &heads)?;
        return Ok(Some(Heads {
            decoder: spec("yolov8", json!({ "multi_label": true, "strides": [] })),
            classes,
            outputs: vec![output],
        }));
    }
    let mut outputs: Vec<String> = Vec::with_capacity(heads.len());
    let mut described = Vec::with_capacity(heads.len());
    for head in &heads {
        let mut output = head.input.value.clone();
        // An output is made by a node, and named once.
        if outputs.contains(&output) || output == net.input.value {
            output = net.builder.add("Identity", "head", &[&output], []);
            net.state(&head.input.with(output.clone()));
        }
        net.builder.output(&output);
        described.push(parameters(head, &output));
        outputs.push(output);
    }
    Ok(Some(Heads {
        decoder: spec(kind, json!({ "classes": classes, "heads": described })),
        classes,
        outputs,
    }))
}

fn spec(kind: &str, parameters: Value) -> DecoderSpec {
    DecoderSpec {
        kind: kind.to_owned(),
        parameters,
        evaluate: Some(EVALUATE),
        deploy: Some(DEPLOY),
    }
}

/// An error of the whole model.
pub(super) fn malformed(file: &str, problem: &str) -> ImportError {
    ImportError::Malformed {
        framework: Framework::Darknet,
        reason: format!("{file}: {problem}"),
    }
}
