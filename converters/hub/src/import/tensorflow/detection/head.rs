//! The head that decodes boxes and suppresses them: what it reads, and its numbers.

use crate::import::tensorflow::net::Net;
use dyno_formats::tensorflow::{Input, Node};

/// How a raw class prediction becomes a score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Scores {
    Sigmoid,
    Softmax,
}

impl Scores {
    /// The word of the decoder's parameter.
    pub(in super::super) fn word(self) -> &'static str {
        match self {
            Self::Sigmoid => "sigmoid",
            Self::Softmax => "softmax",
        }
    }
}

/// A decoding head.
#[derive(Debug, Clone)]
pub(in super::super) struct Head {
    /// Box encodings, `[B, N, 4]` or of as many elements: y, x, height, width.
    pub(in super::super) encodings: Input,
    /// Raw class predictions, `[B, N, C]`.
    pub(in super::super) classes: Input,
    /// Anchors, `[N, 4]`: least y, least x, greatest y, greatest x.
    pub(in super::super) anchors: Input,
    /// What encodings are divided by.
    pub(in super::super) scales: [f32; 4],
    pub(in super::super) scores: Scores,
    /// The first class prediction is the background's.
    pub(in super::super) background: bool,
    /// A box is kept when its score is greater.
    pub(in super::super) score: f32,
    /// A box is suppressed when its overlap with a better one is greater.
    pub(in super::super) iou: f32,
    /// Most boxes a class.
    pub(in super::super) per_class: usize,
    /// Most boxes of all classes, and rows of the outputs.
    pub(in super::super) total: usize,
    /// What is added to the number of a class.
    pub(in super::super) first_class: f32,
}

/// Names of the API's outputs: boxes, scores, classes, their number.
pub(in super::super) const OUTPUTS: [&str; 4] = [
    "detection_boxes",
    "detection_scores",
    "detection_classes",
    "num_detections",
];

impl Head {
    /// The head of a graph; `None` when there is none that is known in full.
    pub(in super::super) fn find(net: &Net) -> Option<Self> {
        let [_, scores, classes, _] = OUTPUTS.map(|name| net.find(name));
        let suppression = net
            .nodes
            .iter()
            .find(|n| n.op.starts_with("NonMaxSuppressionV"))?;
        let decoded = Decoded::find(net)?;
        let (converted, kind) = conversion(net, suppression)?;
        let activation = net.node(converted)?;
        let score = if suppression.inputs.len() > 4 {
            net.number(suppression, 4)?
        } else {
            filtered(net, suppression)?
        };
        if suppression.inputs.len() > 5 && net.number(suppression, 5)? != 0.0 {
            return None;
        }
        let limit = net.made_by(suppression, 2, "Minimum")?;
        let limit = net.ints(limit, 0).or_else(|| net.ints(limit, 1))?;
        let gathered = net.node(net.source(net.node(scores?)?, 0)?.node)?;
        let total = match gathered.shape("element_shape")?.dims.as_slice() {
            [Some(total)] => *total,
            _ => return None,
        };
        let first_class = net.node(net.source(net.node(classes?)?, 0)?.node)?;
        let first_class = match first_class.op.as_str() {
            "Add" | "AddV2" => net.number(first_class, 1)?,
            _ => 0.0,
        };
        Some(Self {
            encodings: decoded.encodings,
            anchors: decoded.anchors,
            scales: decoded.scales,
            classes: net.source(activation, 0)?,
            scores: kind,
            background: drops_first(net, converted),
            score,
            iou: net.number(suppression, 3)?,
            per_class: usize::try_from(*limit.first()?).ok()?,
            total,
            first_class,
        })
    }
}

struct Decoded {
    encodings: Input,
    anchors: Input,
    scales: [f32; 4],
}

impl Decoded {
    /// The decoding of boxes: four parts of the encodings, the last two of which go through `Exp`
    /// and are multiplied by the extents of anchors.
    fn find(net: &Net) -> Option<Self> {
        let nodes = net.nodes.iter().enumerate();
        nodes
            .filter(|(_, n)| n.op == "Exp")
            .find_map(|(index, exp)| Self::at(net, index, exp))
    }

    fn at(net: &Net, index: usize, exp: &Node) -> Option<Self> {
        let mut part = net.source(exp, 0)?;
        if net.node(part.node)?.op == "RealDiv" {
            part = net.source(net.node(part.node)?, 0)?;
        }
        let parts = net.node(part.node).filter(|n| n.op == "Unpack")?;
        if !(2..4).contains(&part.output) {
            return None;
        }
        let scale = |output: usize| {
            let reader = net.readers(part.node).iter().find_map(|r| {
                let node = net.node(*r).filter(|n| n.op == "RealDiv")?;
                let is = Input {
                    node: part.node,
                    output,
                };
                (node.inputs.first() == Some(&is)).then(|| net.number(node, 1))?
            });
            reader.unwrap_or(1.0)
        };
        let product = net
            .readers(index)
            .iter()
            .find_map(|r| net.node(*r).filter(|n| n.op == "Mul"))?;
        let extent = [0, 1]
            .iter()
            .find_map(|at| net.made_by(product, *at, "Sub"))?;
        let of_anchors = net.made_by(extent, 0, "Unpack")?;
        Some(Self {
            encodings: before(net, parts, &["Transpose", "Reshape"])?,
            anchors: before(
                net,
                of_anchors,
                &["Transpose", "Reshape", "Tile", "ExpandDims"],
            )?,
            scales: [scale(0), scale(1), scale(2), scale(3)],
        })
    }
}

/// The value behind the first input of a node, past one each of `passed`.
fn before(net: &Net, node: &Node, passed: &[&str]) -> Option<Input> {
    let mut value = net.source(node, 0)?;
    for op in passed {
        let node = net.node(value.node)?;
        if node.op == *op {
            value = net.source(node, 0)?;
        }
    }
    Some(value)
}

/// The node that turns class predictions into scores, found upstream of the suppression.
fn conversion(net: &Net, suppression: &Node) -> Option<(usize, Scores)> {
    let mut found = Vec::new();
    let mut seen = vec![suppression.inputs.get(1)?.node];
    let mut at = 0;
    while let Some(&index) = seen.get(at) {
        at += 1;
        let node = net.node(index)?;
        let kind = match node.op.as_str() {
            "Sigmoid" => Some(Scores::Sigmoid),
            "Softmax" => Some(Scores::Softmax),
            _ => None,
        };
        if let Some(kind) = kind {
            found.push((index, kind));
            continue;
        }
        // Shapes and boxes lead elsewhere.
        if ["Shape", "Size", "Rank", "Exp", "Conv2D"].contains(&node.op.as_str()) {
            continue;
        }
        for input in &node.inputs {
            if !seen.contains(&input.node) {
                seen.push(input.node);
            }
        }
        if seen.len() > 2000 {
            return None;
        }
    }
    match found.as_slice() {
        [one] => Some(*one),
        _ => None,
    }
}

/// Scores are cut so that the first class is left out: `Slice` from 1 along the last axis.
fn drops_first(net: &Net, converted: usize) -> bool {
    let mut at = vec![converted];
    for _ in 0..6 {
        let readers: Vec<usize> = at.iter().flat_map(|i| net.readers(*i)).copied().collect();
        for reader in &readers {
            let Some(node) = net.node(*reader) else {
                continue;
            };
            let is_cut = matches!(node.op.as_str(), "Slice" | "StridedSlice");
            if is_cut && net.ints(node, 1).is_some_and(|b| b.last() == Some(&1)) {
                return true;
            }
        }
        at = readers
            .into_iter()
            .filter(|r| {
                net.node(*r)
                    .is_some_and(|n| matches!(n.op.as_str(), "Identity" | "Reshape"))
            })
            .collect();
    }
    false
}

/// The threshold of scores where the suppression has none of its own: `Greater` before it.
fn filtered(net: &Net, suppression: &Node) -> Option<f32> {
    let mut seen = vec![suppression.inputs.get(1)?.node];
    let mut at = 0;
    while let Some(&index) = seen.get(at) {
        at += 1;
        let node = net.node(index)?;
        if node.op == "Greater" {
            return net.number(node, 1);
        }
        for input in &node.inputs {
            let leads_out = net
                .node(input.node)
                .is_none_or(|n| n.op.starts_with("TensorArray"));
            if !leads_out && !seen.contains(&input.node) {
                seen.push(input.node);
            }
        }
        if seen.len() > 200 {
            return None;
        }
    }
    None
}
