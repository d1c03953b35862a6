//! A pooling that is undone. That the arithmetic on places in the file means just this is not read
//! off the nodes but tried: it is computed here for places that are made up, and must give theirs.

use super::{
    context::{Context, Op, signed},
    fold::{self, Numbers},
    ops,
    translate::apply,
    value::{Live, Val},
};
use crate::graph::ElementType;
use dyno_formats::tensorflow::{Attribute, Input};
use std::collections::HashMap;

/// What belongs to it.
#[derive(Debug)]
pub(super) struct Parts {
    /// The node of the pooling.
    pub(super) pool: usize,
    pub(super) pooled: Val,
    pub(super) source: Val,
    pub(super) values: Val,
    /// The places, as the file computes them from the pooling's second output.
    pub(super) places: Input,
    /// The wanted shape.
    pub(super) size: Vec<i64>,
}

fn nchw(cx: &mut Context<'_>, value: &Val) -> Result<Live, String> {
    match value {
        Val::Live(live) if live.nchw => Ok(live.clone()),
        Val::Live(live) if live.dims.len() == 4 => Ok(cx.turn(live)),
        other => Err(format!("an image of shape {:?}", other.dims())),
    }
}

/// The values where the pooling's greatest elements were, zeros elsewhere.
pub(super) fn unpooled(cx: &mut Context<'_>, parts: &Parts, name: &str) -> Result<Live, String> {
    let (small, large) = (parts.pooled.dims(), parts.source.dims());
    let fits = match (small, large) {
        (&[n, h, w, c], &[m, height, width, d]) => {
            n == m && c == d && height == 2 * h && width == 2 * w
        }
        _ => false,
    };
    let pool = cx.net.node(parts.pool).ok_or("no pooling")?;
    let by_two = |name| pool.attribute(name) == Some(Attribute::Ints(&[1, 2, 2, 1]));
    if !fits || !by_two("ksize") || !by_two("strides") || parts.size != signed(large) {
        return Err("of other than a pooling by two".to_owned());
    }
    if parts.values.dims() != small {
        return Err(format!("values of shape {:?}", parts.values.dims()));
    }
    for seed in [1, 2] {
        tried(cx, parts, large, seed)?;
    }
    let (source, pooled, values) = (
        nchw(cx, &parts.source)?,
        nchw(cx, &parts.pooled)?,
        nchw(cx, &parts.values)?,
    );
    ops::unpool(cx, &source, &pooled, &values, name)
}

/// Computes the places for made-up results of the pooling.
fn tried(cx: &Context<'_>, parts: &Parts, large: &[usize], seed: usize) -> Result<(), String> {
    let &[n, height, width, channels] = large else {
        return Err("an image without four axes".to_owned());
    };
    let (h, w) = (height / 2, width / 2);
    let count = fold::elements(&[n, h, w, channels, 4])? / 4;
    let (mut argmax, mut expected) = (Vec::with_capacity(count), Vec::with_capacity(4 * count));
    for index in 0..count {
        let (c, rest) = (index % channels, index / channels);
        let (x, rest) = (rest % w, rest / w);
        let (y, batch) = (rest % h, rest / h);
        let corner = (index.wrapping_mul(2_654_435_761).wrapping_add(seed) >> 7) % 4;
        let (x, y) = (2 * x + corner % 2, 2 * y + corner / 2);
        argmax.extend(signed(&[(y * width + x) * channels + c]));
        expected.extend(signed(&[batch, y, x, c]));
    }
    let made_up = fold::tensor(
        ElementType::I64,
        vec![n, h, w, channels],
        &Numbers::I(argmax),
    )?;
    let net = cx.net;
    let mut scratch = Context::new(net, "");
    let mut values: HashMap<usize, Vec<Val>> = HashMap::new();
    values.insert(parts.pool, vec![Val::Lost, Val::Const(made_up)]);
    let order = net.order(&[parts.places.node], |index, node| {
        if index == parts.pool {
            return Vec::new();
        }
        node.inputs.iter().map(|i| i.node).collect()
    })?;
    let get = |values: &HashMap<usize, Vec<Val>>, i: &Input| {
        let of_node = values.get(&i.node);
        of_node.and_then(|v| v.get(i.output)).cloned()
    };
    for index in order {
        let Some(node) = net.node(index).filter(|_| index != parts.pool) else {
            continue;
        };
        let inputs = node.inputs.iter().map(|i| get(&values, i));
        let inputs: Option<Vec<Val>> = inputs.collect();
        let op = Op {
            index,
            node,
            inputs: inputs.ok_or("places that depend on more than the pooling")?,
        };
        values.insert(index, apply(&mut scratch, &op)?);
    }
    let places = get(&values, &parts.places);
    let places = places.as_ref().and_then(Val::tensor);
    let places = places.ok_or("places that depend on more than the pooling")?;
    let right = places.dims() == [count, 4] && places.to_i64s().is_ok_and(|p| p == expected);
    if right {
        Ok(())
    } else {
        Err("places that are not those of the pooling".to_owned())
    }
}
