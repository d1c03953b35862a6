//! Detection: prior boxes, heads, suppression, pooling of regions.

use super::priors::{self, Sizes};
use super::select::integer_type;
use super::shape::rearranged;
use crate::graph::{ElementType, Tensor};
use crate::import::openvino::attributes::Attributes;
use crate::import::openvino::context::{Op, Outputs};
use crate::import::openvino::heads::{Head, Region};

/// Sizes that prior boxes are made for: lists of rows and columns in versions 10 and 11, the
/// tensors themselves before.
fn sizes(op: &Op<'_>) -> Result<Sizes, String> {
    let one = |at: usize| -> Result<[usize; 2], String> {
        if op.rank(at)? == 4 {
            let shape = op.shape(at)?;
            return Ok([shape[2], shape[3]]);
        }
        let list = op.integers(at)?;
        let pair: Vec<usize> = list
            .iter()
            .filter_map(|v| usize::try_from(*v).ok())
            .collect();
        match (list.len(), pair.as_slice()) {
            (2, &[rows, columns]) if rows > 0 && columns > 0 => Ok([rows, columns]),
            _ => Err(format!("rows and columns {list:?}")),
        }
    };
    Ok(Sizes {
        layer: one(0)?,
        image: one(1)?,
    })
}

fn priors_constant(
    op: &mut Op<'_>,
    make: fn(&Attributes<'_>, Sizes) -> Result<Vec<f32>, String>,
) -> Outputs {
    let sizes = sizes(op)?;
    let values = make(&op.attributes, sizes)?;
    // One axis more before version 10.
    let batched = op.layer.opset.is_empty();
    let mut dims = vec![2, values.len() / 2];
    if batched {
        dims.insert(0, 1);
    }
    let tensor = Tensor::f32(dims, &values).map_err(|e| e.to_string())?;
    let name = op.layer.name.clone();
    Ok(vec![op.builder.constant(&name, tensor)])
}

pub(crate) fn prior_box(op: &mut Op<'_>) -> Outputs {
    for key in ["step_h", "step_w", "img_size", "img_h", "img_w"] {
        op.attributes.only(key, &["", "0", "0.0"])?;
    }
    priors_constant(op, priors::prior_box)
}

pub(crate) fn prior_box_clustered(op: &mut Op<'_>) -> Outputs {
    for key in ["img_h", "img_w", "img_size"] {
        op.attributes.only(key, &["", "0", "0.0"])?;
    }
    priors_constant(op, priors::clustered)
}

/// Darknet's heads. Cut by default; in the graph: sigmoid of centre, objectness and (without
/// `do_softmax`) classes, extents as they are.
pub(crate) fn region(op: &mut Op<'_>) -> Outputs {
    let classes: usize = op.attributes.needed("classes")?;
    let coords: usize = op.attributes.needed("coords")?;
    let softmax = op.attributes.flag("do_softmax", true)?;
    let mask: Vec<usize> = op.attributes.list("mask")?;
    let num: usize = op.attributes.needed("num")?;
    let anchors: Vec<f32> = op.attributes.list("anchors")?;
    let axes = [
        op.attributes.number("axis", 1i64)?,
        op.attributes.number("end_axis", 3i64)?,
    ];
    let shape = op.shape(0)?;
    let &[n, channels, rows, columns] = shape.as_slice() else {
        return Err("a tensor that is not of 4 axes".to_owned());
    };
    let boxes = if softmax || mask.is_empty() {
        num
    } else {
        mask.len()
    };
    let each = coords + classes + 1;
    if coords != 4 || boxes == 0 || boxes * each != channels {
        return Err(format!(
            "{boxes} anchors with {coords} coordinates and {classes} classes, and {channels} channels"
        ));
    }
    let x = op.x(0)?;
    if !op.in_graph {
        let pairs: Vec<[f32; 2]> = anchors.as_chunks::<2>().0.to_vec();
        let picked = if softmax || mask.is_empty() {
            pairs.get(..boxes).map(<[_]>::to_vec)
        } else {
            mask.iter().map(|m| pairs.get(*m).copied()).collect()
        };
        op.head = Some(Head::Region(Region {
            output: x.clone(),
            anchors: picked,
            classes,
            softmax,
        }));
        return Ok(vec![x]);
    }
    let split = [n, boxes, each, rows, columns].map(|d| d as i64);
    let split = op.list(&split);
    let parts = op.list(&[2, 2, 1, classes as i64]);
    let five = op.add("Reshape", &[&x, &split], []);
    let axis = [("axis", 2.into())];
    let names = op
        .builder
        .add_many("Split", &op.layer.name, &[&five, &parts], axis, 4);
    let [centre, extent, objectness, scores] = names.as_slice() else {
        return Ok(names);
    };
    let centre = op.add("Sigmoid", &[centre], []);
    let objectness = op.add("Sigmoid", &[objectness], []);
    let scores = if softmax {
        op.add("Softmax", &[scores], [("axis", 2.into())])
    } else {
        op.add("Sigmoid", &[scores], [])
    };
    let all = [centre.as_str(), extent, &objectness, &scores];
    let joined = op.add("Concat", &all, [("axis", 2.into())]);
    // With a softmax the axes from `axis` to `end_axis` become one.
    let target: Vec<i64> = if softmax {
        if axes != [1, 3] && axes != [1, -1] {
            return Err(format!("axes {axes:?}"));
        }
        vec![n as i64, -1]
    } else {
        shape.iter().map(|&d| d as i64).collect()
    };
    let target = op.list(&target);
    Ok(vec![op.add("Reshape", &[&joined, &target], [])])
}

/// Darknet's reorganisation: elements in flat order `[C/s², H, s, W, s]` become
/// `[s, s, C/s², H, W]`, read as `[C·s², H/s, W/s]`.
pub(crate) fn reorg(op: &mut Op<'_>) -> Outputs {
    let stride: usize = op.attributes.needed("stride")?;
    let shape = op.shape(0)?;
    let &[n, c, h, w] = shape.as_slice() else {
        return Err("a tensor that is not of 4 axes".to_owned());
    };
    let area = stride.checked_mul(stride).filter(|a| *a > 0 && c % a == 0);
    let area = area.filter(|_| h % stride == 0 && w % stride == 0);
    let area = area.ok_or_else(|| format!("a stride of {stride} over {c}x{h}x{w}"))?;
    let split = [n, c / area, h, stride, w, stride].map(|d| d as i64);
    let joined = [n, c * area, h / stride, w / stride].map(|d| d as i64);
    let x = op.x(0)?;
    Ok(vec![rearranged(
        op,
        &x,
        &split,
        &[0, 3, 5, 1, 2, 4],
        &joined,
    )])
}

/// Pools of regions: the greatest value of each of `h`×`w` parts.
pub(crate) fn roi_pooling(op: &mut Op<'_>) -> Outputs {
    op.attributes.only("method", &["max"])?;
    let scale: f32 = op.attributes.needed("spatial_scale")?;
    let size: Vec<i64> = match op.attributes.list("output_size")? {
        list if !list.is_empty() => list,
        _ => vec![
            op.attributes.needed("pooled_h")?,
            op.attributes.needed("pooled_w")?,
        ],
    };
    let (x, regions) = (op.x(0)?, op.x(1)?);
    let attributes = [
        ("pooled_shape", size.into()),
        ("spatial_scale", scale.into()),
    ];
    Ok(vec![op.add("MaxRoiPool", &[&x, &regions], attributes)])
}

/// Input `at` as a list of one number of `dtype`; `None` where it is left out.
fn threshold(op: &mut Op<'_>, at: usize) -> Result<String, String> {
    if !op.has(at) {
        return Ok(String::new());
    }
    let x = op.x(at)?;
    let one = op.list(&[1]);
    Ok(op.add("Reshape", &[&x, &one], []))
}

/// Greedy suppression. With `sort_result_descending` the boxes of all images and classes come in
/// falling order of score; ONNX gives them by image, class, and then score.
pub(crate) fn suppression(op: &mut Op<'_>) -> Outputs {
    let centre = match op.attributes.word("box_encoding", "corner") {
        "corner" => 0i64,
        "center" => 1,
        other => return Err(format!("attribute `box_encoding` with value `{other}`")),
    };
    let sorted = op.attributes.flag("sort_result_descending", true)?;
    if op.has(5) && op.numbers(5)?.iter().any(|sigma| *sigma != 0.0) {
        return Err("suppression that lowers scores (`soft_nms_sigma`)".to_owned());
    }
    let scores_dims = op.dims(1)?;
    let (boxes, scores) = (op.x(0)?, op.x(1)?);
    let most = if op.has(2) {
        let most = threshold(op, 2)?;
        super::shape::as_i64(op, 2, &most)?
    } else {
        op.list(&[0])
    };
    let (iou, least) = (threshold(op, 3)?, threshold(op, 4)?);
    let inputs = [boxes.as_str(), &scores, &most, &iou, &least];
    let attributes = [("center_point_box", centre.into())];
    let mut chosen = op.add("NonMaxSuppression", &inputs, attributes);
    let one_list = scores_dims.get(..2) == Some(&[1, 1]);
    let needs_scores = op.is_used(1) || (sorted && !one_list);
    let mut outputs = Vec::new();
    if needs_scores {
        let mut score = op.add("GatherND", &[&scores, &chosen], []);
        if sorted && !one_list {
            let count = op.add("Shape", &[&score], []);
            let name = &op.layer.name;
            let order = op.builder.add_many("TopK", name, &[&score, &count], [], 2);
            let [values, at] = order.as_slice() else {
                return Ok(order);
            };
            chosen = op.add("Gather", &[&chosen, at], []);
            score.clone_from(values);
        }
        let pair = super::select::cut(op, &chosen, &[0, 0], &[i64::MAX, 2], None);
        let to = i64::from(ElementType::F32.onnx());
        let pair = op.add("Cast", &[&pair], [("to", to.into())]);
        let one = op.list(&[1]);
        let score = op.add("Unsqueeze", &[&score, &one], []);
        let rows = op.add("Concat", &[&pair, &score], [("axis", 1.into())]);
        outputs.push(rows);
    } else {
        outputs.push(chosen.clone());
    }
    let element = op.layer.outputs.first().and_then(|p| p.element);
    outputs.insert(0, integer_type(op, &chosen, element));
    let shape = op.add("Shape", &[&chosen], []);
    let count = super::select::cut(op, &shape, &[0], &[1], None);
    let element = op.layer.outputs.get(2).and_then(|p| p.element);
    outputs.push(integer_type(op, &count, element));
    Ok(outputs)
}
