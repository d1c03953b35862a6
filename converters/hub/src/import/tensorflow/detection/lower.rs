//! The head as operators without a loop: the API's four outputs for one picture.
//!
//! `NonMaxSuppression` does each class by itself, as the API does; after it boxes are cut at the
//! picture's border, those without area go, and the best of all classes are kept. Rows without a
//! detection hold zeros, and the first class.

use super::{Head, Scores};
use crate::{
    graph::{Attribute, ElementType, Tensor},
    import::tensorflow::{
        context::{Context, signed},
        value::{Live, Val},
    },
};

/// Adds operators whose results have no shape that is known beforehand.
struct Tail<'c, 'a> {
    cx: &'c mut Context<'a>,
}

impl Tail<'_, '_> {
    fn add<const N: usize>(
        &mut self,
        op: &str,
        inputs: &[&str],
        attributes: [(&str, Attribute); N],
    ) -> String {
        let name = format!("Postprocessor/{op}");
        let mut names = self.cx.add_many(op, &name, inputs, attributes, 1);
        names.pop().unwrap_or_default()
    }

    fn floats(&mut self, dims: Vec<usize>, values: &[f32]) -> Result<String, String> {
        let tensor = Tensor::f32(dims, values).map_err(|e| e.to_string())?;
        Ok(self.cx.weights("Postprocessor/constant", &tensor))
    }

    fn ints(&mut self, values: &[i64]) -> String {
        self.cx.list("Postprocessor/integers", values)
    }

    fn number(&mut self, value: f32) -> String {
        self.cx
            .weights("Postprocessor/number", &Tensor::scalar(value))
    }
}

/// Corners of boxes `[1, N, 4]`: least y, least x, greatest y, greatest x.
fn decoded(
    tail: &mut Tail<'_, '_>,
    head: &Head,
    encodings: &str,
    anchors: &[f32],
) -> Result<String, String> {
    let count = anchors.len() / 4;
    let (rows, _) = anchors.as_chunks::<4>();
    let mut extents = Vec::with_capacity(2 * count);
    let mut centres = Vec::with_capacity(2 * count);
    for [y1, x1, y2, x2] in rows {
        let (h, w) = (y2 - y1, x2 - x1);
        extents.extend([h, w]);
        centres.extend([y1 + h / 2.0, x1 + w / 2.0]);
    }
    let scales = tail.floats(vec![1, 1, 4], &head.scales)?;
    let extents = tail.floats(vec![1, count, 2], &extents)?;
    let centres = tail.floats(vec![1, count, 2], &centres)?;
    let two = tail.number(2.0);
    let scaled = tail.add("Div", &[encodings, &scales], []);
    let sizes = tail.ints(&[2, 2]);
    let axis = [("axis", 2i64.into())];
    let inputs = [scaled.as_str(), &sizes];
    let halves = tail
        .cx
        .add_many("Split", "Postprocessor/Split", &inputs, axis, 2);
    let [place, size] = halves.as_slice() else {
        return Err("no halves".to_owned());
    };
    let moved = tail.add("Mul", &[place, &extents], []);
    let centre = tail.add("Add", &[&moved, &centres], []);
    let grown = tail.add("Exp", &[size], []);
    let extent = tail.add("Mul", &[&grown, &extents], []);
    let half = tail.add("Div", &[&extent, &two], []);
    let least = tail.add("Sub", &[&centre, &half], []);
    let greatest = tail.add("Add", &[&centre, &half], []);
    Ok(tail.add("Concat", &[&least, &greatest], [("axis", 2i64.into())]))
}

/// The four outputs, by name: boxes `[1, T, 4]`, scores `[1, T]`, classes `[1, T]`, their number
/// `[1]`.
pub(in super::super) fn lower(
    cx: &mut Context<'_>,
    head: &Head,
    encodings: &Val,
    classes: &Val,
    anchors: &[f32],
) -> Result<[Live; 4], String> {
    let count = anchors.len() / 4;
    let &[1, n, all] = classes.dims() else {
        return Err(format!("class predictions of shape {:?}", classes.dims()));
    };
    let kinds = all.saturating_sub(usize::from(head.background));
    if n != count || encodings.dims() != [1, n, 4] || kinds == 0 || head.total == 0 {
        return Err(format!(
            "{n} predictions of {all} classes for {count} anchors"
        ));
    }
    let encodings = cx.plain(encodings, "Postprocessor")?;
    let logits = cx.plain(classes, "Postprocessor")?;
    let mut tail = Tail { cx };
    let boxes = decoded(&mut tail, head, &encodings, anchors)?;
    let mut scores = match head.scores {
        Scores::Sigmoid => tail.add("Sigmoid", &[&logits], []),
        Scores::Softmax => tail.add("Softmax", &[&logits], [("axis", 2i64.into())]),
    };
    if head.background {
        let [begin, end, axis] = [1, i64::MAX, 2].map(|v| tail.ints(&[v]));
        scores = tail.add("Slice", &[&scores, &begin, &end, &axis], []);
    }
    let by_class = tail.add("Transpose", &[&scores], [("perm", vec![0i64, 2, 1].into())]);
    let per_class = tail.ints(&signed(&[head.per_class]));
    let iou = tail.floats(vec![1], &[head.iou])?;
    let least = tail.floats(vec![1], &[head.score])?;
    let inputs = [&boxes, &by_class, &per_class, &iou, &least].map(String::as_str);
    let chosen = tail.add("NonMaxSuppression", &inputs, []);
    outputs(&mut tail, head, [&boxes, &by_class, &chosen], count)
}

/// The best of what was chosen: `chosen` has rows of picture, class, box.
fn outputs(
    tail: &mut Tail<'_, '_>,
    head: &Head,
    [boxes, by_class, chosen]: [&str; 3],
    count: usize,
) -> Result<[Live; 4], String> {
    let total = head.total;
    let column = |tail: &mut Tail<'_, '_>, at: i64| {
        let at = tail.cx.weights(
            "Postprocessor/column",
            &Tensor::i64(Vec::new(), &[at]).map_err(|e| e.to_string())?,
        );
        let axis = [("axis", 1i64.into())];
        Ok::<_, String>(tail.add("Gather", &[chosen, &at], axis))
    };
    let (class, place) = (column(tail, 1)?, column(tail, 2)?);
    // Scores of the chosen, in one list of all classes' scores.
    let stride = tail.ints(&signed(&[count]));
    let flat = tail.ints(&[-1]);
    let first = tail.add("Mul", &[&class, &stride], []);
    let index = tail.add("Add", &[&first, &place], []);
    let list = tail.add("Reshape", &[by_class, &flat], []);
    let score = tail.add("Gather", &[&list, &index], [("axis", 0i64.into())]);
    // Boxes at the picture's border; those without area lose their score.
    let corners = tail.ints(&[-1, 4]);
    let rows = tail.add("Reshape", &[boxes, &corners], []);
    let (zero, one) = (tail.number(0.0), tail.number(1.0));
    let clipped = tail.add("Clip", &[&rows, &zero, &one], []);
    let kept = tail.add("Gather", &[&clipped, &place], [("axis", 0i64.into())]);
    let sizes = tail.ints(&[2, 2]);
    let inputs = [kept.as_str(), &sizes];
    let axis = [("axis", 1i64.into())];
    let ends = tail
        .cx
        .add_many("Split", "Postprocessor/Split", &inputs, axis, 2);
    let [low, high] = ends.as_slice() else {
        return Err("no corners".to_owned());
    };
    let sides = tail.add("Sub", &[high, low], []);
    let axes = [
        ("axes", Attribute::Ints(vec![1])),
        ("keepdims", 0i64.into()),
    ];
    let area = tail.add("ReduceProd", &[&sides], axes);
    let real = tail.add("Greater", &[&area, &zero], []);
    let nothing = tail.floats(vec![1], &[-1.0])?;
    let score = tail.add("Where", &[&real, &score, &nothing], []);
    // Rows for those that are missing, so that there are always enough.
    let no_scores = tail.floats(vec![total], &vec![-1.0; total])?;
    let no_numbers = tail.ints(&vec![0; total]);
    let no_boxes = tail.floats(vec![total, 4], &vec![0.0; 4 * total])?;
    let axis = || [("axis", 0i64.into())];
    let score = tail.add("Concat", &[&score, &no_scores], axis());
    let class = tail.add("Concat", &[&class, &no_numbers], axis());
    let kept = tail.add("Concat", &[&kept, &no_boxes], axis());
    let k = tail.ints(&signed(&[total]));
    let inputs = [score.as_str(), &k];
    let best = tail.cx.add_many(
        "TopK",
        "Postprocessor/TopK",
        &inputs,
        [("axis", Attribute::Int(0))],
        2,
    );
    let [score, at] = best.as_slice() else {
        return Err("no best".to_owned());
    };
    let valid = tail.add("GreaterOrEqual", &[score, &zero], []);
    let column = tail.ints(&[1]);
    let valid_rows = tail.add("Unsqueeze", &[&valid, &column], []);
    let kept = tail.add("Gather", &[&kept, at], axis());
    let class = tail.add("Gather", &[&class, at], axis());
    let to_f32 = || [("to", i64::from(ElementType::F32.onnx()).into())];
    let class = tail.add("Cast", &[&class], to_f32());
    let kept = tail.add("Where", &[&valid_rows, &kept, &zero], []);
    let score = tail.add("Where", &[&valid, score, &zero], []);
    let class = tail.add("Where", &[&valid, &class, &zero], []);
    let offset = tail.number(head.first_class);
    let class = tail.add("Add", &[&class, &offset], []);
    let ones = tail.add("Cast", &[&valid], to_f32());
    let all = tail.ints(&[0]);
    let number = tail.add("ReduceSum", &[&ones, &all], [("keepdims", 1i64.into())]);
    let batch = tail.ints(&[0]);
    let mut out = |name: &str, dims: Vec<usize>| {
        let value = tail.add("Unsqueeze", &[name, &batch], []);
        tail.cx.live(value, ElementType::F32, dims, false)
    };
    let boxes = out(&kept, vec![1, total, 4]);
    let scores = out(&score, vec![1, total]);
    let classes = out(&class, vec![1, total]);
    let number = tail.cx.live(number, ElementType::F32, vec![1], false);
    Ok([boxes, scores, classes, number])
}
