//! `region`: the head of Darknet's YOLO v2, cut before its `[region]` layer. Convention, with `σ`
//! the sigmoid: centre `(σ(t) + cell) · pixels of a cell`, extent `e^t · anchor`, score
//! `σ(objectness) · class`, where classes are a softmax, or each a sigmoid. Anchors are in cells.

use super::anchor_heads::{Activation, HeadParameters, build};
use dyno_core::{DecodeError, Decoder, DecoderContext, DecoderKind, PredictionKind};
use serde::Deserialize;

const ID: &str = "region";

/// Row of the decoder table.
#[derive(Debug, Clone, Copy)]
pub struct Region;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    #[serde(default)]
    output: Option<String>,
    anchors: Vec<[f64; 2]>,
    softmax: bool,
}

impl HeadParameters for Head {
    fn output(&self) -> Option<&str> {
        self.output.as_deref()
    }

    fn anchors(&self) -> &[[f64; 2]] {
        &self.anchors
    }

    fn activation(&self) -> Activation {
        if self.softmax {
            Activation::RegionSoftmax
        } else {
            Activation::RegionSigmoid
        }
    }
}

impl DecoderKind for Region {
    fn id(&self) -> &'static str {
        ID
    }

    fn about(&self) -> &'static str {
        "one output [N, anchors * (5 + classes), rows, columns] a head of Darknet's [region], raw; parameters `classes`, `heads` (each `anchors` in cells, `softmax`, \
         `output`), `class_agnostic`, `clip_to_image`"
    }

    fn suppresses(&self) -> bool {
        true
    }

    fn predicts(&self) -> PredictionKind {
        PredictionKind::Detections
    }

    fn build(&self, context: &DecoderContext<'_>) -> Result<Box<dyn Decoder>, DecodeError> {
        build::<Head>(ID, context)
    }
}
