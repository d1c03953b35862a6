//! `fastestdet`: `[N, 5 + C, H, W]`, planes of objectness, x, y, w, h and classes over one grid
//! (dog-qiuqiu's FastestDet). Convention: centre `(tanh(xy) + cell) / grid`, extent `sigmoid(wh)`,
//! both as shares of the input; score `objectness^0.6 · best class^0.4`, kept when
//! `score > threshold`. The grid's coordinates are f64 and the network's numbers f32, as in the
//! reference.

use super::boxes::Boxes;
use super::shared::{
    best_by_plane, classes_of, extent, is_shape, item, may_be, misfit, misfit_run, parameters,
    sigmoid, values,
};
use dyno_core::{
    DecodeError, Decoder, DecoderContext, DecoderKind, Geometry, Prediction, PredictionKind,
    TensorView, Xyxy,
};
use serde::Deserialize;

const ID: &str = "fastestdet";
/// Planes before the classes.
const FIXED: usize = 5;

/// Row of the decoder table.
#[derive(Debug, Clone, Copy)]
pub struct Fastestdet;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Parameters {}

struct FastestdetDecoder {
    network: [f64; 2],
    expected: [Option<usize>; 4],
    boxes: Boxes,
    scratch: Vec<f32>,
    best: Vec<f32>,
    class: Vec<u32>,
}

const EXPECTATION: &str = "one output [N, 5 + classes, rows, columns]";

impl DecoderKind for Fastestdet {
    fn id(&self) -> &'static str {
        ID
    }

    fn about(&self) -> &'static str {
        "one output [N, 5 + classes, rows, columns] with objectness first, boxes undecoded, scores already activated; parameters `class_agnostic`, `clip_to_image`"
    }

    fn suppresses(&self) -> bool {
        true
    }

    fn predicts(&self) -> PredictionKind {
        PredictionKind::Detections
    }

    fn build(&self, context: &DecoderContext<'_>) -> Result<Box<dyn Decoder>, DecodeError> {
        let (common, Parameters {}) = parameters::<Parameters>(ID, &context.spec.parameters)?;
        let [output] = context.io.outputs.as_slice() else {
            return Err(misfit(ID, EXPECTATION, context.io));
        };
        if !may_be(output, &[None; 4]) {
            return Err(misfit(ID, EXPECTATION, context.io));
        }
        let [width, height] = context.network_size.map(|n| n as usize);
        let (rows, columns) = (extent(output, 2), extent(output, 3));
        let whole = |cells: Option<usize>, pixels: usize| {
            cells.is_none_or(|n| n > 0 && pixels.is_multiple_of(n))
        };
        if !whole(rows, height) || !whole(columns, width) {
            return Err(misfit(
                ID,
                format!("{EXPECTATION} whose grid divides the input of {width}x{height}"),
                context.io,
            ));
        }
        // One cell is no grid: such an output is a classifier's [N, C, 1, 1].
        if (rows, columns) == (Some(1), Some(1)) {
            return Err(misfit(ID, EXPECTATION, context.io));
        }
        let classes = classes_of(context, ID, extent(output, 1), FIXED)?;
        Ok(Box::new(FastestdetDecoder {
            network: context.network_size.map(f64::from),
            expected: [None, classes.map(|c| c + FIXED), rows, columns],
            boxes: Boxes::new(ID, context, common, None)?,
            scratch: Vec::new(),
            best: Vec::new(),
            class: Vec::new(),
        }))
    }
}

/// `base^exponent`, both f32, rounded once.
fn power(base: f32, exponent: f32) -> f32 {
    f64::from(base).powf(f64::from(exponent)) as f32
}

impl Decoder for FastestdetDecoder {
    fn decode(
        &mut self,
        outputs: &[TensorView<'_>],
        geometries: &[Geometry],
        predictions: &mut Vec<Prediction>,
    ) -> Result<(), DecodeError> {
        let wrong = || misfit_run(ID, EXPECTATION, outputs);
        let [output] = outputs else {
            return Err(wrong());
        };
        let &[batch, planes, rows, columns] = output.shape() else {
            return Err(wrong());
        };
        if !is_shape(output.shape(), &self.expected)
            || batch < geometries.len()
            || planes <= FIXED
            || rows == 0
            || columns == 0
        {
            return Err(wrong());
        }
        let cells = rows * columns;
        let all = values(output, &mut self.scratch);
        let least = self.boxes.score();
        let [width, height] = self.network;
        self.boxes.clear();
        for (index, geometry) in geometries.iter().enumerate() {
            let data = item(all, batch, index);
            best_by_plane(
                data.chunks_exact(cells).skip(FIXED),
                cells,
                &mut self.best,
                &mut self.class,
            );
            for cell in 0..cells {
                let plane = |row: usize| data.get(row * cells + cell).copied().unwrap_or(f32::NAN);
                let score = power(plane(0), 0.6) * power(self.best[cell], 0.4);
                if score > least {
                    let (x, y) = ((cell % columns) as f64, (cell / columns) as f64);
                    let tanh = |v: f32| f64::from(f64::from(v).tanh() as f32);
                    let (cx, cy) = (
                        (tanh(plane(1)) + x) / columns as f64,
                        (tanh(plane(2)) + y) / rows as f64,
                    );
                    let (w, h) = (
                        f64::from(sigmoid(plane(3)) / 2.0),
                        f64::from(sigmoid(plane(4)) / 2.0),
                    );
                    let bbox = Xyxy {
                        x1: (cx - w) * width,
                        y1: (cy - h) * height,
                        x2: (cx + w) * width,
                        y2: (cy + h) * height,
                    };
                    self.boxes
                        .push(cell, self.class[cell] as usize, score, bbox);
                }
            }
            predictions.push(self.boxes.finish(geometry));
        }
        Ok(())
    }
}
