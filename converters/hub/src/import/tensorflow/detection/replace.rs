//! What is put in the place of the loops, and what is said of it.

use super::{Entry, Head, lower};
use crate::{
    graph::ElementType,
    import::tensorflow::{
        rewrite::Instead,
        translate::{Translation, malformed},
        value::{Live, Val},
    },
};
use dyno_core::{
    DType, DecoderSpec, ImportError, ImportSays, InputSpec, Kernel, Layout, PreprocessStep,
    Purpose, ResizeMode, Rounding, Thresholds,
};
use serde_json::{Value, json};

/// Names of the outputs when the head is cut off.
pub(in super::super) const CUT: [&str; 2] = ["box_encodings", "class_predictions"];

/// Row of the decoder table that reads them.
const DECODER: &str = "ssd-anchors";

/// A number of 32 bits as people write it; read back as 32 bits it is the same.
fn short(v: f32) -> Value {
    v.to_string()
        .parse::<f64>()
        .map_or(Value::Null, Value::from)
}

impl Translation<'_> {
    /// The resized picture becomes the input.
    pub(in super::super) fn enter(&mut self, entry: &Entry) -> Result<InputSpec, ImportError> {
        let name = self.cx.net.node(entry.placeholder);
        let name = name.map(|n| n.name.clone()).unwrap_or_default();
        let [height, width] = entry.size;
        let dims = match self.request.shapes.get(&name).map(Vec::as_slice) {
            None => vec![1, height, width, 3],
            Some(given @ &[batch, h, w, 3]) if batch > 0 && [h, w] == entry.size => given.to_vec(),
            Some(given) => {
                return Err(ImportError::Option(format!(
                    "the shape {given:?} of input `{name}`: the graph resizes to {height}×{width} \
                     in RGB, and the ONNX graph begins after that"
                )));
            }
        };
        if entry.size.iter().any(|n| *n == 0 || *n > 1 << 14) {
            return Err(malformed(format!("pictures of {height}×{width}")));
        }
        let name = self.cx.builder.input(&name, ElementType::F32, &dims);
        self.cx.notes.insert(format!(
            "the loop that resizes each picture to {width}×{height} ({}) is left out: the input is \
             a picture of that size, RGB, numbers from 0 to 255",
            entry.convention
        ));
        let live = Live {
            name: name.clone(),
            dtype: ElementType::F32,
            dims: dims.clone(),
            nchw: false,
        };
        self.instead.insert(entry.gather, Instead::Given);
        self.values.insert(entry.gather, vec![Val::Live(live)]);
        let side = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Ok(InputSpec {
            name: Some(name),
            dtype: Some(DType::F32),
            layout: Layout::Nhwc,
            shape: Some(dims),
            preprocess: vec![PreprocessStep::Resize {
                size: [side(width), side(height)],
                mode: ResizeMode::Stretch,
                kernel: Kernel::OpencvLinear,
                rounding: Rounding::Nearest,
            }],
        })
    }

    /// The head's inputs, or its results.
    pub(in super::super) fn detection(
        &mut self,
        head: &Head,
        says: &mut ImportSays,
    ) -> Result<Vec<Val>, ImportError> {
        let ends = [&head.encodings, &head.classes, &head.anchors];
        self.run(&ends.map(|e| e.node))?;
        self.judged()?;
        let [encodings, classes, anchors] = ends.map(|e| self.value(e));
        let wrong = |reason: String| malformed(format!("the head that decodes boxes: {reason}"));
        let anchors = anchors
            .tensor()
            .filter(|t| t.dims().last() == Some(&4))
            .and_then(|t| t.to_f32s().ok())
            .ok_or_else(|| wrong("its anchors are not constant".to_owned()))?;
        let count = anchors.len() / 4;
        let elements: usize = encodings.dims().iter().product();
        let batch = elements / anchors.len().max(1);
        let predictions: usize = classes.dims().iter().product();
        let all = predictions / (batch * count).max(1);
        if count == 0 || batch == 0 || all == 0 || predictions != batch * count * all {
            return Err(wrong(format!(
                "shapes {:?} and {:?} of {count} anchors",
                encodings.dims(),
                classes.dims()
            )));
        }
        let encodings = self
            .cx
            .reshape(&encodings, vec![batch, count, 4], "Postprocessor/encodings")
            .map_err(wrong)?;
        let classes = self
            .cx
            .reshape(&classes, vec![batch, count, all], "Postprocessor/classes")
            .map_err(wrong)?;
        says.purpose = Some(Purpose::ObjectDetection);
        says.classes = Some(all.saturating_sub(usize::from(head.background)));
        if self.request.in_graph {
            let out = lower(&mut self.cx, head, &encodings, &classes, &anchors).map_err(wrong)?;
            self.cx.notes.insert(
                "the loops that decode and suppress boxes are replaced by NonMaxSuppression"
                    .to_owned(),
            );
            return Ok(out.into_iter().map(Val::Live).collect());
        }
        self.cx.notes.insert(format!(
            "the loops that decode and suppress boxes are left out: decoder `{DECODER}` has their \
             anchors and thresholds"
        ));
        says.decoder = Some(spec(head, &anchors));
        says.outputs = CUT.map(str::to_owned).to_vec();
        Ok(vec![encodings, classes])
    }
}

/// The decoder, with the graph's own thresholds: it has no others.
fn spec(head: &Head, anchors: &[f32]) -> DecoderSpec {
    let (rows, _) = anchors.as_chunks::<4>();
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| Value::from(row.map(short).to_vec()))
        .collect();
    let precise = |v: f32| v.to_string().parse::<f64>().unwrap_or(f64::from(v));
    let thresholds = Thresholds {
        score: precise(head.score).max(0.0),
        iou: Some(precise(head.iou)),
        max: u32::try_from(head.total).ok(),
    };
    DecoderSpec {
        kind: DECODER.to_owned(),
        parameters: json!({
            "anchors": rows,
            "scales": head.scales.map(short),
            "scores": head.scores.word(),
            "background": head.background,
            "first_class": head.first_class as i64,
            "clip_to_image": true,
        }),
        evaluate: Some(thresholds),
        deploy: Some(thresholds),
    }
}
