//! Blocks of an image moved into the batch or the channels, and back.

use super::{arrange, pool::Image, slice};
use crate::{
    graph::ElementType,
    import::tensorflow::{
        context::{Context, Op, Out, signed},
        fold::{self, Numbers},
        value::Val,
    },
};

fn block(op: &Op<'_>, image: &Image) -> Result<usize, String> {
    let size = usize::try_from(op.int("block_size", 0)).unwrap_or(0);
    if !(2..=1024).contains(&size) || image.channels == 0 {
        return Err(format!("blocks of {size}"));
    }
    Ok(size)
}

pub(super) fn depth_to_space(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    let image = Image::of(cx, op, 0)?;
    let size = block(op, &image)?;
    if image.channels % (size * size) != 0 {
        return Err(format!("blocks of {size} of {} channels", image.channels));
    }
    let attributes = [
        ("blocksize", i64::try_from(size).unwrap_or(2).into()),
        ("mode", "DCR".into()),
    ];
    let out = image.out(
        image.channels / (size * size),
        image.size.map(|n| n.saturating_mul(size)),
    );
    let y = cx.add("DepthToSpace", op.name(), &[&image.name], attributes, out);
    Ok(vec![Val::Live(y)])
}

pub(super) fn space_to_depth(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    let image = Image::of(cx, op, 0)?;
    let size = block(op, &image)?;
    if image.size.iter().any(|n| n % size != 0) {
        return Err(format!("blocks of {size} of size {:?}", image.size));
    }
    // Not every engine has ONNX's operator for this.
    let [h, w] = image.size.map(|n| n / size);
    let (n, c) = (image.batch, image.channels);
    let split = [n, c, h, size, w, size];
    let joined = [n, c.saturating_mul(size * size), h, w];
    let f32s = |dims: &[usize]| (ElementType::F32, dims.to_vec(), false);
    let shape = cx.list(&format!("{}/split", op.name()), &signed(&split));
    let inputs = [image.name.as_str(), &shape];
    let wide = cx.add("Reshape", op.name(), &inputs, [], f32s(&split));
    let perm = [("perm", vec![0i64, 3, 5, 1, 2, 4].into())];
    let turned = [n, size, size, c, h, w];
    let moved = cx.add("Transpose", op.name(), &[&wide.name], perm, f32s(&turned));
    let shape = cx.list(&format!("{}/joined", op.name()), &signed(&joined));
    let inputs = [moved.name.as_str(), &shape];
    let out = image.out(joined[1], [h, w]);
    let y = cx.add("Reshape", op.name(), &inputs, [], out);
    Ok(vec![Val::Live(y)])
}

/// Two block sizes and two borders an axis, of images N, H, W, C.
fn blocks(op: &Op<'_>) -> Result<([usize; 2], [[usize; 2]; 2]), String> {
    let wrong = || "blocks of other than two axes".to_owned();
    let sizes = super::shape::target(&op.ints(1)?, None)?;
    let borders = super::shape::target(&op.ints(2)?, None)?;
    let sizes = <[usize; 2]>::try_from(sizes).map_err(|_| wrong())?;
    let &[a, b, c, d] = borders.as_slice() else {
        return Err(wrong());
    };
    if op.input(0)?.dims().len() != 4 || sizes.contains(&0) {
        return Err(wrong());
    }
    Ok((sizes, [[a, b], [c, d]]))
}

/// The inputs of another operator, whose translation is used here: a value, and lists.
fn with(x: Val, lists: &[(&[usize], &[i64])]) -> Result<Vec<Val>, String> {
    let mut inputs = vec![x];
    for (dims, values) in lists {
        let values = Numbers::I(values.to_vec());
        let tensor = fold::tensor(ElementType::I64, dims.to_vec(), &values)?;
        inputs.push(Val::Const(tensor));
    }
    Ok(inputs)
}

fn again<'a>(op: &Op<'a>, inputs: Vec<Val>) -> Op<'a> {
    Op {
        index: op.index,
        node: op.node,
        inputs,
    }
}

fn only(mut values: Vec<Val>) -> Result<Val, String> {
    values.pop().ok_or_else(|| "no result".to_owned())
}

pub(super) fn space_to_batch(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    let ([bh, bw], [[top, bottom], [left, right]]) = blocks(op)?;
    let borders = signed(&[0, 0, top, bottom, left, right, 0, 0]);
    let inputs = with(op.input(0)?.clone(), &[(&[4, 2], &borders)])?;
    let padded = only(arrange::pad(cx, &again(op, inputs))?)?;
    let &[n, h, w, c] = padded.dims() else {
        return Err("an image without four axes".to_owned());
    };
    if h % bh != 0 || w % bw != 0 {
        return Err(format!("blocks of {bh}×{bw} of {h}×{w}"));
    }
    let wide = cx.reshape(&padded, vec![n, h / bh, bh, w / bw, bw, c], op.name())?;
    let inputs = with(wide, &[(&[6], &[2, 4, 0, 1, 3, 5])])?;
    let turned = only(arrange::transpose(cx, &again(op, inputs))?)?;
    let batch = n.saturating_mul(bh).saturating_mul(bw);
    let y = cx.reshape(&turned, vec![batch, h / bh, w / bw, c], op.name())?;
    Ok(vec![y])
}

pub(super) fn batch_to_space(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    let ([bh, bw], [[top, bottom], [left, right]]) = blocks(op)?;
    let x = op.input(0)?;
    let &[batch, h, w, c] = x.dims() else {
        return Err("an image without four axes".to_owned());
    };
    let n = batch / bh.saturating_mul(bw);
    if n.saturating_mul(bh).saturating_mul(bw) != batch {
        return Err(format!("blocks of {bh}×{bw} of a batch of {batch}"));
    }
    let wide = cx.reshape(x, vec![bh, bw, n, h, w, c], op.name())?;
    let inputs = with(wide, &[(&[6], &[2, 3, 0, 4, 1, 5])])?;
    let turned = only(arrange::transpose(cx, &again(op, inputs))?)?;
    let (h, w) = (h.saturating_mul(bh), w.saturating_mul(bw));
    let whole = cx.reshape(&turned, vec![n, h, w, c], op.name())?;
    let left_over = |all: usize, a: usize, b: usize| {
        all.checked_sub(a)
            .and_then(|r| r.checked_sub(b))
            .ok_or_else(|| format!("{a} and {b} cut from {all}"))
    };
    let size = [n, left_over(h, top, bottom)?, left_over(w, left, right)?, c];
    let lists: [(&[usize], &[i64]); 2] =
        [(&[4], &signed(&[0, top, left, 0])), (&[4], &signed(&size))];
    let inputs = with(whole, &lists)?;
    slice::slice(cx, &again(op, inputs))
}
