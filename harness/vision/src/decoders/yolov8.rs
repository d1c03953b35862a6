//! `yolov8`: `[N, 4 + C, A]`, boxes as cx, cy, w, h in network pixels, classes already sigmoid, no
//! objectness (Ultralytics' v8 and the models that share its head). A candidate is kept when
//! `score > threshold`.

use super::boxes::{Boxes, corners};
use super::shared::{
    classes_of, extent, grid, is_shape, item, may_be, misfit, misfit_run, parameters, values,
};
use dyno_core::{
    DecodeError, Decoder, DecoderContext, DecoderKind, Geometry, Prediction, PredictionKind,
    TensorView,
};
use serde::Deserialize;

const ID: &str = "yolov8";
/// Rows before the classes.
const FIXED: usize = 4;

/// Row of the decoder table.
#[derive(Debug, Clone, Copy)]
pub struct Yolov8;

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Parameters {
    strides: Vec<u32>,
    multi_label: bool,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            strides: vec![8, 16, 32],
            multi_label: false,
        }
    }
}

struct Yolov8Decoder {
    anchors: usize,
    expected: [Option<usize>; 3],
    multi_label: bool,
    boxes: Boxes,
    scratch: Vec<f32>,
    best: Vec<f32>,
    class: Vec<u32>,
}

fn expectation(rows: Option<usize>, anchors: usize) -> String {
    let rows = rows.map_or_else(|| "4 + classes".to_owned(), |n| n.to_string());
    format!("one output [N, {rows}, {anchors}]")
}

impl DecoderKind for Yolov8 {
    fn id(&self) -> &'static str {
        ID
    }

    fn about(&self) -> &'static str {
        "one output [N, 4 + classes, cells]: cx, cy, w, h in network pixels, classes already sigmoid; parameters `multi_label` (every class above the \
         threshold, default false: the best), `strides` (default [8, 16, 32]; none for boxes of any grid), `class_agnostic`, `clip_to_image`"
    }

    fn suppresses(&self) -> bool {
        true
    }

    fn predicts(&self) -> PredictionKind {
        PredictionKind::Detections
    }

    fn build(&self, context: &DecoderContext<'_>) -> Result<Box<dyn Decoder>, DecodeError> {
        let (common, own) = parameters::<Parameters>(ID, &context.spec.parameters)?;
        let [output] = context.io.outputs.as_slice() else {
            return Err(misfit(ID, expectation(None, 0), context.io));
        };
        let anchors = match extent(output, 2).filter(|_| own.strides.is_empty()) {
            Some(boxes) => boxes,
            None => grid(ID, context.network_size, &own.strides, 0.0)?.len(),
        };
        if !may_be(output, &[None, None, Some(anchors)]) {
            return Err(misfit(ID, expectation(None, anchors), context.io));
        }
        let classes = classes_of(context, ID, extent(output, 1), FIXED)?;
        Ok(Box::new(Yolov8Decoder {
            anchors,
            expected: [None, classes.map(|c| c + FIXED), Some(anchors)],
            multi_label: own.multi_label,
            boxes: Boxes::new(ID, context, common, None)?,
            scratch: Vec::new(),
            best: Vec::new(),
            class: Vec::new(),
        }))
    }
}

/// Adds the box of `anchor`; `geometry_rows` are the planes of cx, cy, w, h.
fn push(
    boxes: &mut Boxes,
    planes: &[f32],
    anchors: usize,
    anchor: usize,
    class: usize,
    score: f32,
) {
    let plane = |row: usize| {
        planes
            .get(row * anchors + anchor)
            .copied()
            .unwrap_or(f32::NAN)
    };
    let (cx, cy, w, h) = (plane(0), plane(1), plane(2), plane(3));
    boxes.push(
        anchor,
        class,
        score,
        corners(cx - w / 2.0, cy - h / 2.0, cx + w / 2.0, cy + h / 2.0),
    );
}

impl Decoder for Yolov8Decoder {
    fn decode(
        &mut self,
        outputs: &[TensorView<'_>],
        geometries: &[Geometry],
        predictions: &mut Vec<Prediction>,
    ) -> Result<(), DecodeError> {
        let anchors = self.anchors;
        let wrong = || misfit_run(ID, expectation(self.expected[1], anchors), outputs);
        let [output] = outputs else {
            return Err(wrong());
        };
        let &[batch, rows, _] = output.shape() else {
            return Err(wrong());
        };
        if !is_shape(output.shape(), &self.expected) || batch < geometries.len() || rows <= FIXED {
            return Err(wrong());
        }
        let all = values(output, &mut self.scratch);
        let least = self.boxes.score();
        self.boxes.clear();
        for (index, geometry) in geometries.iter().enumerate() {
            let planes = item(all, batch, index);
            let classes = planes.chunks_exact(anchors).skip(FIXED);
            if self.multi_label {
                for (class, scores) in classes.enumerate() {
                    for (anchor, &score) in scores.iter().enumerate() {
                        if score > least {
                            push(&mut self.boxes, planes, anchors, anchor, class, score);
                        }
                    }
                }
            } else {
                super::shared::best_by_plane(classes, anchors, &mut self.best, &mut self.class);
                for (anchor, (&score, &class)) in self.best.iter().zip(&self.class).enumerate() {
                    if score > least {
                        push(
                            &mut self.boxes,
                            planes,
                            anchors,
                            anchor,
                            class as usize,
                            score,
                        );
                    }
                }
            }
            predictions.push(self.boxes.finish(geometry));
        }
        Ok(())
    }
}
