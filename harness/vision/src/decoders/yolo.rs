//! `yolo`: the heads of Darknet's YOLO v3, v4, v7 and Fastest, cut before their `[yolo]` layer.
//! Convention, with `σ` the sigmoid: centre `(σ(t)·s − (s − 1)/2 + cell) · pixels of a cell`, extent
//! `e^t · anchor`, score `σ(objectness) · σ(class)`; with `new_coords` the numbers are activated
//! already and the extent is `(2t)² · anchor`. Anchors are in pixels of the model's input.

use super::anchor_heads::{Activation, HeadParameters, build};
use dyno_core::{DecodeError, Decoder, DecoderContext, DecoderKind, PredictionKind};
use serde::Deserialize;

const ID: &str = "yolo";

/// Row of the decoder table.
#[derive(Debug, Clone, Copy)]
pub struct Yolo;

fn one() -> f32 {
    1.0
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    #[serde(default)]
    output: Option<String>,
    anchors: Vec<[f64; 2]>,
    #[serde(default = "one")]
    scale_x_y: f32,
    #[serde(default)]
    new_coords: bool,
}

impl HeadParameters for Head {
    fn output(&self) -> Option<&str> {
        self.output.as_deref()
    }

    fn anchors(&self) -> &[[f64; 2]] {
        &self.anchors
    }

    fn activation(&self) -> Activation {
        if self.new_coords {
            Activation::Activated(self.scale_x_y)
        } else {
            Activation::Yolo(self.scale_x_y)
        }
    }
}

impl DecoderKind for Yolo {
    fn id(&self) -> &'static str {
        ID
    }

    fn about(&self) -> &'static str {
        "one output [N, anchors * (5 + classes), rows, columns] a head of Darknet's [yolo], raw; parameters `classes`, `heads` (each `anchors` in pixels, `output`, \
         `scale_x_y`, `new_coords`), `class_agnostic`, `clip_to_image`"
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
