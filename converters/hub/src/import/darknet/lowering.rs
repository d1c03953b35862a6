//! Heads as part of the graph: one output `[N, 4 + classes, boxes]` with centre, width and height in
//! pixels of the model's input and one score a class, objectness times class. Suppression stays
//! outside: this is what the decoder `yolov8` reads with `multi_label`.
//!
//! Boxes stand head by head, anchor by anchor, row by row. With `σ` the sigmoid: `[yolo]`
//! `x = (σ(t)·s − (s − 1)/2 + column)·W/columns`, `w = e^t·anchor`; with `new_coords` without `σ` and
//! with `w = (2t)²·anchor`; `[region]` `x = (σ(t) + column)·W/columns`,
//! `w = e^t·anchor·W/columns`.

use super::{
    heads::{Decoding, Head, malformed},
    net::Net,
};
use crate::graph::{ElementType, Tensor, Value};
use dyno_core::ImportError;

/// Most cells of all heads: their coordinates become constants of the graph.
const MAX_CELLS: usize = 1 << 20;

/// Shorthand for one operation of the head that is being lowered.
struct Lower<'n> {
    net: &'n mut Net,
    name: String,
}

impl Lower<'_> {
    fn add(&mut self, op: &str, inputs: &[&str]) -> String {
        self.net.builder.add(op, &self.name, inputs, [])
    }

    fn constant(&mut self, dims: Vec<usize>, values: &[f32]) -> Result<String, ImportError> {
        let tensor = Tensor::f32(dims, values);
        let tensor = tensor.map_err(|e| malformed(&self.net.file, &e.to_string()))?;
        let name = format!("{}.constant", self.name);
        Ok(self.net.builder.constant(&name, tensor))
    }

    fn reshape(&mut self, value: &str, shape: &[usize]) -> String {
        let shape = self.net.integers(&format!("{}.shape", self.name), shape);
        self.add("Reshape", &[value, &shape])
    }

    fn sigmoid(&mut self, value: &str) -> String {
        self.add("Sigmoid", &[value])
    }
}

/// The output that holds the boxes of all heads.
pub(super) fn lower(net: &mut Net, heads: &[Head]) -> Result<String, ImportError> {
    let cells = heads.iter().map(|h| h.input.height * h.input.width);
    if cells.fold(0usize, usize::saturating_add) > MAX_CELLS {
        let problem = format!("heads of more than {MAX_CELLS} cells cannot be part of a graph");
        return Err(malformed(&net.file, &problem));
    }
    let mut parts = Vec::with_capacity(heads.len());
    for (number, head) in heads.iter().enumerate() {
        let mut lower = Lower {
            name: format!("head_{number}"),
            net: &mut *net,
        };
        parts.push(one(&mut lower, head)?);
    }
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let output = net
        .builder
        .add("Concat", "boxes", &parts, [("axis", 2.into())]);
    let boxes = heads
        .iter()
        .map(|h| h.anchors.len() * h.input.height * h.input.width);
    let classes = heads.first().map_or(0, |h| h.classes);
    let shape = [net.batch, 4 + classes, boxes.sum()];
    let value = Value::new(output.clone(), ElementType::F32, &shape);
    net.builder.state(value);
    net.builder.output(&output);
    Ok(output)
}

/// Boxes of one head: `[N, 4 + classes, anchors · cells]`.
fn one(lower: &mut Lower<'_>, head: &Head) -> Result<String, ImportError> {
    let (rows, columns) = (head.input.height, head.input.width);
    let cells = rows * columns;
    let (batch, anchors, classes) = (lower.net.batch, head.anchors.len(), head.classes);
    let x = lower.reshape(&head.input.value, &[batch, anchors, 5 + classes, cells]);
    let lengths = lower
        .net
        .integers(&format!("{}.lengths", lower.name), &[2, 2, 1, classes]);
    let name = lower.name.clone();
    let split = [("axis", 2.into())];
    let split = lower
        .net
        .builder
        .add_many("Split", &name, &[&x, &lengths], split, 4);
    let [xy, wh, objectness, scores] = split.as_slice() else {
        return Err(malformed(&lower.net.file, "a head cannot be split"));
    };

    // Pixels of a cell.
    let cell = [
        lower.net.input.width as f32 / columns as f32,
        lower.net.input.height as f32 / rows as f32,
    ];
    let (raw, scale_x_y, unit) = match head.decoding {
        Decoding::Yolo {
            scale_x_y,
            new_coords,
        } => (new_coords, scale_x_y, [1.0, 1.0]),
        Decoding::Region { .. } => (false, 1.0, cell),
    };
    let mut centre = if raw { xy.clone() } else { lower.sigmoid(xy) };
    if (scale_x_y - 1.0).abs() > 0.0 {
        let factor = lower.constant(Vec::new(), &[scale_x_y])?;
        let shift = lower.constant(Vec::new(), &[-0.5 * (scale_x_y - 1.0)])?;
        centre = lower.add("Mul", &[&centre, &factor]);
        centre = lower.add("Add", &[&centre, &shift]);
    }
    let mut grid: Vec<f32> = (0..cells).map(|i| (i % columns) as f32).collect();
    grid.extend((0..cells).map(|i| (i / columns) as f32));
    let grid = lower.constant(vec![1, 1, 2, cells], &grid)?;
    let pixels = lower.constant(vec![1, 1, 2, 1], &cell)?;
    let centre = lower.add("Add", &[&centre, &grid]);
    let centre = lower.add("Mul", &[&centre, &pixels]);

    let factor = if raw { 4.0 } else { 1.0 };
    let sizes: Vec<f32> = head
        .anchors
        .iter()
        .flat_map(|a| [a[0] * unit[0] * factor, a[1] * unit[1] * factor])
        .collect();
    let sizes = lower.constant(vec![1, anchors, 2, 1], &sizes)?;
    let extent = if raw {
        lower.add("Mul", &[wh, wh])
    } else {
        lower.add("Exp", &[wh])
    };
    let extent = lower.add("Mul", &[&extent, &sizes]);

    let (objectness, scores) = if raw {
        (objectness.clone(), scores.clone())
    } else if head.decoding == (Decoding::Region { softmax: true }) {
        let axis = [("axis", 2.into())];
        let scores = lower.net.builder.add("Softmax", &name, &[scores], axis);
        (lower.sigmoid(objectness), scores)
    } else {
        (lower.sigmoid(objectness), lower.sigmoid(scores))
    };
    let scores = lower.add("Mul", &[&scores, &objectness]);

    let axis = [("axis", 2.into())];
    let parts: [&str; 3] = [&centre, &extent, &scores];
    let joined = lower.net.builder.add("Concat", &name, &parts, axis);
    let order = [("perm", vec![0i64, 2, 1, 3].into())];
    let joined = lower.net.builder.add("Transpose", &name, &[&joined], order);
    Ok(lower.reshape(&joined, &[batch, 4 + classes, anchors * cells]))
}
