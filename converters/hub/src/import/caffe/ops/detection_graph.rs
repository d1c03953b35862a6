//! DetectionOutput in operators of ONNX: `[1, 1, N, 7]`, rows of image, class, score, left, top,
//! right, bottom, by image and class, within a class by falling score.
//!
//! Caffe takes the best `top_k` of a class, suppresses among those, and keeps the best of all
//! classes; `NonMaxSuppression` has a limit behind suppression only, so `TopK` stands before it,
//! with classes as its batch (rten 0.27 does otherwise, which a note says). Where nothing is found
//! there are no rows: Caffe gives one of −1.

use super::super::{
    blob::{Source, signed},
    problem::Problem,
    scope::Scope,
};
use super::detection::{Code, Detections};
use crate::graph::{ElementType, Tensor, Value};
use dyno_core::Dimension;

pub(super) fn lower(
    scope: &mut Scope<'_>,
    what: &Detections,
    batch: usize,
    boxes: usize,
) -> Result<(), Problem> {
    let ((location, _), (confidence, _)) = (scope.bottom(0)?, scope.bottom(1)?);
    let lists = if what.shared { 1 } else { what.classes };
    let corners = corners(scope, what, &location, [batch, boxes, lists])?;
    let classes: Vec<usize> = (0..what.classes)
        .filter(|c| Some(*c) != what.background)
        .collect();
    if classes.is_empty() {
        return Err(Problem::malformed("there is no class but the background"));
    }

    // Scores by class, the best first.
    let by_box = scope.list("by_box_shape", &signed(&[batch, boxes, what.classes]));
    let scores = scope.node(
        "Reshape",
        "by_box",
        &[&confidence, &by_box],
        [],
        &[batch, boxes, what.classes],
    )?;
    let order = [("perm", vec![0i64, 2, 1].into())];
    let scores = scope.node(
        "Transpose",
        "by_class",
        &[&scores],
        order,
        &[batch, what.classes, boxes],
    )?;
    let list = scope.list("classes", &signed(&classes));
    let count = classes.len();
    let axis = [("axis", 1i64.into())];
    let scores = scope.node(
        "Gather",
        "objects",
        &[&scores, &list],
        axis,
        &[batch, count, boxes],
    )?;
    let most = what.top_k.unwrap_or(boxes).clamp(1, boxes);
    let k = scope.list("top_k", &[most as i64]);
    let best = scope.free("TopK", "best", &[&scores, &k], [("axis", 2i64.into())], 2);
    let [best, places] = best.as_slice() else {
        return Err(Problem::malformed("an operator without outputs"));
    };

    let shared = Shared {
        limit: k,
        overlap: scope.constant("overlap", Tensor::f32(vec![1], &[what.overlap])?),
        threshold: scope.constant(
            "threshold",
            Tensor::f32(vec![1], &[what.threshold.unwrap_or(f32::MIN)])?,
        ),
        numbers: scope.constant(
            "class_numbers",
            Tensor::f32(
                vec![count],
                &classes.iter().map(|&c| c as f32).collect::<Vec<_>>(),
            )?,
        ),
        offsets: if what.shared {
            None
        } else {
            let offsets: Vec<i64> = classes.iter().map(|&c| (c * boxes) as i64).collect();
            Some(scope.constant("offsets", Tensor::i64(vec![count, 1], &offsets)?))
        },
        may_turn: what.code != Code::CenterSize,
        keep: what.keep_top_k.filter(|&n| n < most.saturating_mul(count)),
    };
    let mut rows = Vec::new();
    for image in 0..batch {
        let at = scope.constant("image", Tensor::i64(Vec::new(), &[image as i64])?);
        let first = [("axis", 0i64.into())];
        let best = scope.node(
            "Gather",
            "image_best",
            &[best, &at],
            first.clone(),
            &[count, most],
        )?;
        let places = scope.integers(
            "Gather",
            "image_places",
            &[places, &at],
            first.clone(),
            &[count, most],
        )?;
        let corners = scope.node(
            "Gather",
            "image_boxes",
            &[&corners, &at],
            first,
            &[lists * boxes, 4],
        )?;
        rows.push(one_image(
            scope,
            &shared,
            image,
            &best,
            &places,
            &corners,
            [count, most],
        )?);
    }
    let mut all = match rows.as_slice() {
        [one] => one.clone(),
        many => {
            let many: Vec<&str> = many.iter().map(String::as_str).collect();
            scope.one("Concat", "rows", &many, [("axis", 0i64.into())])
        }
    };
    let note = format!(
        "`{}` needs `NonMaxSuppression` as ONNX defines it: rten 0.27 measures overlap by the hull of two boxes, and across classes",
        scope.layer.name
    );
    scope.net.notes.push(note);
    let axes = scope.list("outer_axes", &[0, 1]);
    let name = scope.layer.tops.first().cloned().unwrap_or_default();
    all = scope
        .net
        .builder
        .add("Unsqueeze", &name, &[&all, &axes], []);
    let shape = vec![
        Dimension::Fixed(1),
        Dimension::Fixed(1),
        Dimension::Symbolic("detections".to_owned()),
        Dimension::Fixed(7),
    ];
    scope.end(Some(Value {
        name: all,
        dtype: Some(ElementType::F32),
        shape: Some(shape),
    }))
}

/// Constants of all images.
struct Shared {
    limit: String,
    overlap: String,
    threshold: String,
    numbers: String,
    offsets: Option<String>,
    keep: Option<usize>,
    /// A box may have its corners on the wrong sides.
    may_turn: bool,
}

/// Rows `[N, 7]` of one image.
fn one_image(
    scope: &mut Scope<'_>,
    shared: &Shared,
    image: usize,
    best: &str,
    places: &str,
    corners: &str,
    [count, most]: [usize; 2],
) -> Result<String, Problem> {
    let places = match &shared.offsets {
        None => places.to_owned(),
        Some(offsets) => scope.integers(
            "Add",
            "offset_places",
            &[places, offsets],
            [],
            &[count, most],
        )?,
    };
    let first = || [("axis", 0i64.into())];
    let candidates = scope.node(
        "Gather",
        "candidates",
        &[corners, &places],
        first(),
        &[count, most, 4],
    )?;
    let shape = scope.list("scores_shape", &signed(&[count, 1, most]));
    let scores = scope.node("Reshape", "scores", &[best, &shape], [], &[count, 1, most])?;
    // Corners that have changed sides overlap nothing in Caffe; ONNX would change them back.
    let regular = if shared.may_turn {
        let halves = scope.list("candidate_halves", &[2, 2]);
        let axis = [("axis", 2i64.into())];
        let parts = scope.free("Split", "candidate_parts", &[&candidates, &halves], axis, 2);
        let [least, greatest] = parts.as_slice() else {
            return Err(Problem::malformed("an operator without outputs"));
        };
        let greatest = scope.one("Max", "candidate_greatest", &[least, greatest], []);
        scope.one(
            "Concat",
            "regular",
            &[least, &greatest],
            [("axis", 2i64.into())],
        )
    } else {
        candidates.clone()
    };
    let inputs = [
        &*regular,
        &scores,
        &shared.limit,
        &shared.overlap,
        &shared.threshold,
    ];
    let selected = scope.one("NonMaxSuppression", "selected", &inputs, []);
    let columns = scope.list("columns", &[0, 2]);
    let mut pairs = scope.one(
        "Gather",
        "pairs",
        &[&selected, &columns],
        [("axis", 1i64.into())],
    );
    if let Some(keep) = shared.keep {
        let scores = scope.one("GatherND", "selected_scores", &[best, &pairs], []);
        let found = scope.one("Shape", "found", &[&scores], []);
        let keep = scope.list("keep_top_k", &[keep as i64]);
        let keep = scope.one("Min", "kept_count", &[&found, &keep], []);
        let kept = scope.free("TopK", "kept", &[&scores, &keep], [], 2);
        let kept = kept.get(1).cloned().unwrap_or_default();
        pairs = scope.one("Gather", "kept_pairs", &[&pairs, &kept], first());
    }
    // The order is left open by `NonMaxSuppression`; places in `best` fall with the score.
    let weights = scope.list("key_weights", &[most as i64, 1]);
    let keys = scope.one("Mul", "key_parts", &[&pairs, &weights], []);
    let one = scope.list("key_axis", &[1]);
    let flat = [("keepdims", 0i64.into())];
    let keys = scope.one("ReduceSum", "keys", &[&keys, &one], flat);
    let all = scope.one("Shape", "row_count", &[&keys], []);
    let rising = [("largest", 0i64.into())];
    let order = scope.free("TopK", "order", &[&keys, &all], rising, 2);
    let order = order.get(1).cloned().unwrap_or_default();
    let pairs = scope.one("Gather", "row_pairs", &[&pairs, &order], first());
    let scores = scope.one("GatherND", "row_scores", &[best, &pairs], []);
    let boxes = scope.one("GatherND", "row_boxes", &[&candidates, &pairs], []);
    let zero = scope.constant("class_column", Tensor::i64(Vec::new(), &[0])?);
    let classes = scope.one(
        "Gather",
        "row_places",
        &[&pairs, &zero],
        [("axis", 1i64.into())],
    );
    let labels = scope.one(
        "Gather",
        "row_labels",
        &[&shared.numbers, &classes],
        first(),
    );
    let nothing = scope.scalar("nothing", 0.0);
    let number = scope.scalar("image_number", image as f32);
    let images = scope.one("Mul", "row_zeros", &[&labels, &nothing], []);
    let images = scope.one("Add", "row_images", &[&images, &number], []);
    let axes = scope.list("column_axis", &[1]);
    let columns =
        [images, labels, scores].map(|v| scope.one("Unsqueeze", "column", &[&v, &axes], []));
    let [images, labels, scores] = &columns;
    Ok(scope.one(
        "Concat",
        "image_rows",
        &[images, labels, scores, &boxes],
        [("axis", 1i64.into())],
    ))
}

/// Two numbers of a prior box and its variances.
type PerPrior<'a> = &'a dyn Fn(&[f32; 4], &[f32; 4]) -> [f32; 2];

/// Boxes `[batch, lists · boxes, 4]`: locations and prior boxes as corners, list by list.
fn corners(
    scope: &mut Scope<'_>,
    what: &Detections,
    location: &str,
    [batch, boxes, lists]: [usize; 3],
) -> Result<String, Problem> {
    let numbers = match scope.bottoms.get(2).map(|b| &b.source) {
        Some(Source::Constant(values)) => values.clone(),
        _ => return Err(Problem::unsupported("prior boxes that the net computes")),
    };
    let (all, _) = numbers.as_chunks::<4>();
    let (priors, variances) = all.split_at_checked(boxes).unwrap_or_default();
    let apart = [batch, boxes, lists, 4];
    let list = scope.list("locations_shape", &signed(&apart));
    let value = scope.node("Reshape", "locations", &[location, &list], [], &apart)?;
    let by_list = [batch, lists, boxes, 4];
    let order = [("perm", vec![0i64, 2, 1, 3].into())];
    let value = scope.node("Transpose", "by_list", &[&value], order, &by_list)?;

    let each = || priors.iter().zip(variances);
    let scale = |at: usize, v: &[f32; 4]| if what.variance_in_target { 1.0 } else { v[at] };
    let value = match what.code {
        Code::Corner | Code::CornerSize => {
            let sized = what.code == Code::CornerSize;
            let factors = each().flat_map(|(&[l, t, r, b], v)| {
                let [w, h] = if sized { [r - l, b - t] } else { [1.0; 2] };
                [
                    scale(0, v) * w,
                    scale(1, v) * h,
                    scale(2, v) * w,
                    scale(3, v) * h,
                ]
            });
            let factors = Tensor::f32(vec![boxes, 4], &factors.collect::<Vec<_>>())?;
            let factors = scope.constant("factors", factors);
            let terms = Tensor::f32(vec![boxes, 4], priors.as_flattened())?;
            let terms = scope.constant("priors", terms);
            let value = scope.node("Mul", "moved", &[&value, &factors], [], &by_list)?;
            scope.node("Add", "corners", &[&value, &terms], [], &by_list)?
        }
        Code::CenterSize => {
            let two = [batch, lists, boxes, 2];
            let mut pair = |name: &str, of: PerPrior| {
                let values: Vec<f32> = each().flat_map(|(p, v)| of(p, v)).collect();
                Ok::<_, Problem>(scope.constant(name, Tensor::f32(vec![boxes, 2], &values)?))
            };
            let moves = pair("moves", &|&[l, t, r, b], v| {
                [scale(0, v) * (r - l), scale(1, v) * (b - t)]
            })?;
            let centres = pair("centres", &|&[l, t, r, b], _| {
                [(l + r) * 0.5, (t + b) * 0.5]
            })?;
            let growths = pair("growths", &|_, v| [scale(2, v), scale(3, v)])?;
            let sizes = pair("sizes", &|&[l, t, r, b], _| [r - l, b - t])?;
            let parts = scope.list("halves", &[2, 2]);
            let parts = scope.free(
                "Split",
                "parts",
                &[&value, &parts],
                [("axis", 3i64.into())],
                2,
            );
            let [place, growth] = parts.as_slice() else {
                return Err(Problem::malformed("an operator without outputs"));
            };
            let place = scope.node("Mul", "moved", &[place, &moves], [], &two)?;
            let place = scope.node("Add", "centred", &[&place, &centres], [], &two)?;
            let growth = scope.node("Mul", "grown", &[growth, &growths], [], &two)?;
            let growth = scope.node("Exp", "growth", &[&growth], [], &two)?;
            let half = scope.scalar("half", 0.5);
            let size = scope.node("Mul", "size", &[&growth, &sizes], [], &two)?;
            let size = scope.node("Mul", "half_size", &[&size, &half], [], &two)?;
            let least = scope.node("Sub", "least", &[&place, &size], [], &two)?;
            let most = scope.node("Add", "most", &[&place, &size], [], &two)?;
            scope.node(
                "Concat",
                "corners",
                &[&least, &most],
                [("axis", 3i64.into())],
                &by_list,
            )?
        }
    };
    let flat = [batch, lists * boxes, 4];
    let list = scope.list("boxes_shape", &signed(&flat));
    scope.node("Reshape", "boxes", &[&value, &list], [], &flat)
}
