//! Patterns of several nodes that are one operation: what training left behind, convolutions with
//! holes, poolings that are undone.

use super::net::Net;
use dyno_formats::tensorflow::{Attribute, Input, Node};
use std::collections::HashMap;

/// What a node is done as, in place of its own operator.
#[derive(Debug, Clone)]
pub(super) enum Instead {
    /// The value is another one.
    Alias { value: Input, note: &'static str },
    /// The node `convolution` with holes, over `image`.
    Dilated {
        convolution: usize,
        image: Input,
        filter: Input,
        holes: Holes,
    },
    /// The `MaxPoolWithArgmax` `pool` of `source` is undone: `values` go back to where its greatest
    /// elements were, if that is what the node's `places` say.
    Unpool {
        pool: usize,
        source: Input,
        values: Input,
        places: Input,
        size: Vec<i64>,
    },
    /// A value that another part of the translation has put in.
    Given,
}

/// Holes of a convolution, and its borders: top, left, bottom, right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Holes {
    pub(super) dilations: [usize; 2],
    pub(super) pads: [usize; 4],
}

/// Every pattern of the graph, by the node that ends it.
pub(super) fn find(net: &Net) -> HashMap<usize, Instead> {
    let one = |(index, node): (usize, &Node)| {
        let found = match node.op.as_str() {
            "Mul" => dropout(net, node),
            "BatchToSpaceND" => dilated(net, node),
            "ScatterNd" => unpool(net, node),
            _ => None,
        };
        found.map(|f| (index, f))
    };
    net.nodes.iter().enumerate().filter_map(one).collect()
}

impl Instead {
    /// The nodes that it reads.
    pub(super) fn reads(&self) -> Vec<usize> {
        match self {
            Self::Alias { value, .. } => vec![value.node],
            Self::Dilated { image, filter, .. } => vec![image.node, filter.node],
            Self::Unpool {
                pool,
                source,
                values,
                ..
            } => vec![source.node, *pool, values.node],
            Self::Given => Vec::new(),
        }
    }
}

fn near(a: f32, b: f32) -> bool {
    (a - b).abs() <= 1e-5 * b.abs()
}

/// Dropout as training left it: `x / keep · floor(keep + random)`, or
/// `x · 1 / (1 - rate) · (random >= rate)`. A used model drops nothing.
fn dropout(net: &Net, node: &Node) -> Option<Instead> {
    for (kept, mask) in [(0, 1), (1, 0)] {
        let Some(scaled) = net.node(net.source(node, kept)?.node) else {
            continue;
        };
        let factor = match scaled.op.as_str() {
            "RealDiv" => 1.0 / net.number(scaled, 1).unwrap_or(f32::NAN),
            "Mul" => net.number(scaled, 1).unwrap_or(f32::NAN),
            _ => continue,
        };
        let mask = net.node(net.source(node, mask)?.node);
        if mask
            .and_then(|m| keep_probability(net, m))
            .is_some_and(|keep| near(factor, 1.0 / keep))
        {
            return Some(Instead::Alias {
                value: scaled.inputs.first()?.clone(),
                note: "dropout, which draws random numbers in the file, is left out",
            });
        }
    }
    None
}

/// How much a mask of random numbers keeps.
fn keep_probability(net: &Net, mask: &Node) -> Option<f32> {
    match mask.op.as_str() {
        "Floor" => {
            let sum = net
                .made_by(mask, 0, "Add")
                .or_else(|| net.made_by(mask, 0, "AddV2"))?;
            [(0, 1), (1, 0)].iter().find_map(|(keep, random)| {
                let keep = net.number(sum, *keep)?;
                uniform(net, sum, *random).then_some(keep)
            })
        }
        "Cast" => {
            let test = net.made_by(mask, 0, "GreaterEqual")?;
            let rate = net.number(test, 1)?;
            uniform(net, test, 0).then_some(1.0 - rate)
        }
        _ => None,
    }
}

/// Input `at` is a random number from 0 to 1: drawn, or `drawn · (max - min) + min`.
fn uniform(net: &Net, node: &Node, at: usize) -> bool {
    let drawn = |node: &Node, at| net.made_by(node, at, "RandomUniform").is_some();
    if drawn(node, at) {
        return true;
    }
    let Some(sum) = net
        .made_by(node, at, "Add")
        .or_else(|| net.made_by(node, at, "AddV2"))
    else {
        return false;
    };
    let Some(scaled) = net.made_by(sum, 0, "Mul") else {
        return false;
    };
    let range = net.number(scaled, 1).or_else(|| {
        let range = net.made_by(scaled, 1, "Sub")?;
        Some(net.number(range, 0)? - net.number(range, 1)?)
    });
    drawn(scaled, 0) && range == Some(1.0) && net.number(sum, 1) == Some(0.0)
}

fn ints<'a>(node: &'a Node, name: &str) -> &'a [i64] {
    match node.attribute(name) {
        Some(Attribute::Ints(list)) => list,
        _ => &[],
    }
}

/// Blocks into the batch, a convolution without padding, and back: a convolution with holes.
fn dilated(net: &Net, node: &Node) -> Option<Instead> {
    let convolution = net.source(node, 0)?.node;
    let conv = net.node(convolution)?;
    let is_text = |name: &str, text: &[u8]| conv.attribute(name) == Some(Attribute::Text(text));
    let ones = |list: &[i64]| list.iter().all(|v| *v == 1);
    let plain = matches!(conv.op.as_str(), "Conv2D" | "DepthwiseConv2dNative")
        && is_text("padding", b"VALID")
        && !is_text("data_format", b"NCHW")
        && ones(ints(conv, "strides"))
        && ones(ints(conv, "dilations"))
        && net.readers(convolution).len() == 1;
    let blocks = net.made_by(conv, 0, "SpaceToBatchND").filter(|_| plain)?;
    let size = <[i64; 2]>::try_from(net.ints(blocks, 1)?).ok()?;
    if net.ints(node, 1)? != size {
        return None;
    }
    let borders = <[i64; 4]>::try_from(net.ints(blocks, 2)?).ok()?;
    let cut = <[i64; 4]>::try_from(net.ints(node, 2)?).ok()?;
    let side = |at: usize| {
        let left = borders.get(at)?.checked_sub(*cut.get(at)?)?;
        usize::try_from(left).ok()
    };
    let block = |v: i64| usize::try_from(v).ok().filter(|v| *v > 0);
    Some(Instead::Dilated {
        convolution,
        image: blocks.inputs.first()?.clone(),
        filter: conv.inputs.get(1)?.clone(),
        holes: Holes {
            dilations: [block(size[0])?, block(size[1])?],
            pads: [side(0)?, side(2)?, side(1)?, side(3)?],
        },
    })
}

/// Values scattered to places that come from a pooling's second output.
fn unpool(net: &Net, node: &Node) -> Option<Instead> {
    let places = node.inputs.first()?.clone();
    let values = net.made_by(node, 1, "Reshape")?.inputs.first()?.clone();
    let mut pools = Vec::new();
    let mut seen = vec![places.node];
    let mut at = 0;
    // The arithmetic on places is some ten nodes; a search that takes longer is not that.
    while let Some(&index) = seen.get(at) {
        at += 1;
        for input in &net.node(index)?.inputs {
            let is_pool = net.node(input.node)?.op == "MaxPoolWithArgmax";
            let list = if is_pool && input.output == 1 {
                &mut pools
            } else {
                &mut seen
            };
            if !list.contains(&input.node) {
                list.push(input.node);
            }
        }
        if seen.len() > 200 {
            return None;
        }
    }
    let [pool] = *pools.as_slice() else {
        return None;
    };
    Some(Instead::Unpool {
        pool,
        source: net.node(pool)?.inputs.first()?.clone(),
        values,
        places,
        size: net.ints(node, 2)?,
    })
}
