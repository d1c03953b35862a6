//! `yolox`: `[N, A, 5 + C]` with cx, cy, w, h, objectness and classes per anchor of a grid, boxes
//! undecoded, scores already sigmoid. Convention (YOLOX, Megvii): centre `(xy + cell) · stride`,
//! extent `e^wh · stride`, score `objectness · best class`, one class a box, kept when
//! `score >= threshold`.

use super::boxes::{Boxes, corners};
use super::shared::{
    Cell, best, classes_of, exp, extent, grid, is_shape, item, may_be, misfit, misfit_run,
    parameters, values,
};
use dyno_core::{
    DecodeError, Decoder, DecoderContext, DecoderKind, Geometry, Prediction, PredictionKind,
    TensorView,
};
use serde::Deserialize;

const ID: &str = "yolox";
/// Columns before the classes.
const FIXED: usize = 5;

/// Row of the decoder table.
#[derive(Debug, Clone, Copy)]
pub struct Yolox;

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Parameters {
    strides: Vec<u32>,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            strides: vec![8, 16, 32],
        }
    }
}

struct YoloxDecoder {
    cells: Vec<Cell>,
    expected: [Option<usize>; 3],
    boxes: Boxes,
    scratch: Vec<f32>,
}

fn expectation(cells: usize, columns: Option<usize>) -> String {
    let columns = columns.map_or_else(|| "5 + classes".to_owned(), |n| n.to_string());
    format!("one output [N, {cells}, {columns}]")
}

impl DecoderKind for Yolox {
    fn id(&self) -> &'static str {
        ID
    }

    fn about(&self) -> &'static str {
        "one output [N, cells, 5 + classes]: cx, cy, w, h undecoded, objectness and classes already sigmoid; parameters `strides` (default [8, 16, 32]), \
         `class_agnostic`, `clip_to_image`"
    }

    fn suppresses(&self) -> bool {
        true
    }

    fn predicts(&self) -> PredictionKind {
        PredictionKind::Detections
    }

    fn build(&self, context: &DecoderContext<'_>) -> Result<Box<dyn Decoder>, DecodeError> {
        let (common, own) = parameters::<Parameters>(ID, &context.spec.parameters)?;
        let cells = grid(ID, context.network_size, &own.strides, 0.0)?;
        let [output] = context.io.outputs.as_slice() else {
            return Err(misfit(ID, expectation(cells.len(), None), context.io));
        };
        if !may_be(output, &[None, Some(cells.len()), None]) {
            return Err(misfit(ID, expectation(cells.len(), None), context.io));
        }
        let classes = classes_of(context, ID, extent(output, 2), FIXED)?;
        let expected = [None, Some(cells.len()), classes.map(|c| c + FIXED)];
        Ok(Box::new(YoloxDecoder {
            cells,
            expected,
            boxes: Boxes::new(ID, context, common, None)?,
            scratch: Vec::new(),
        }))
    }
}

impl Decoder for YoloxDecoder {
    fn decode(
        &mut self,
        outputs: &[TensorView<'_>],
        geometries: &[Geometry],
        predictions: &mut Vec<Prediction>,
    ) -> Result<(), DecodeError> {
        let wrong = || misfit_run(ID, expectation(self.cells.len(), self.expected[2]), outputs);
        let [output] = outputs else {
            return Err(wrong());
        };
        let &[batch, _, columns] = output.shape() else {
            return Err(wrong());
        };
        if !is_shape(output.shape(), &self.expected) || batch < geometries.len() || columns <= FIXED
        {
            return Err(wrong());
        }
        let all = values(output, &mut self.scratch);
        let least = self.boxes.score();
        self.boxes.clear();
        for (index, geometry) in geometries.iter().enumerate() {
            for (position, (row, cell)) in item(all, batch, index)
                .chunks_exact(columns)
                .zip(&self.cells)
                .enumerate()
            {
                let [x, y, w, h, objectness, classes @ ..] = row else {
                    continue;
                };
                let Some((class, probability)) = best(classes) else {
                    continue;
                };
                let score = objectness * probability;
                if score >= least {
                    let (cx, cy) = ((x + cell.x) * cell.stride, (y + cell.y) * cell.stride);
                    let (w, h) = (exp(*w) * cell.stride, exp(*h) * cell.stride);
                    self.boxes.push(
                        position,
                        class,
                        score,
                        corners(cx - w / 2.0, cy - h / 2.0, cx + w / 2.0, cy + h / 2.0),
                    );
                }
            }
            predictions.push(self.boxes.finish(geometry));
        }
        Ok(())
    }
}
