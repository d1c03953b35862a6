//! `BlockLSTM`: a whole sequence in one operator, here unrolled over its steps. ONNX's LSTM clips
//! what goes into the activations, this one the cell itself, so they are not the same.
//!
//! Per step, with `z = [x, h]·w + b` in the order input, cell, forget, output:
//! `i = σ(zᵢ + c·wci)`, `f = σ(z_f + forget_bias + c·wcf)`, `c' = tanh(z_c)·i + c·f`, clipped,
//! `o = σ(zₒ + c'·wco)`, `h' = tanh(c')·o`.

use crate::{
    graph::{ElementType, Tensor},
    import::tensorflow::{
        context::{Context, Op, Out, signed},
        fold,
        value::{Live, Val},
    },
};

/// Most steps that are unrolled.
const MAX_STEPS: usize = 512;

struct Cell {
    batch: usize,
    hidden: usize,
    name: String,
    recurrent: String,
    peepholes: Option<[String; 3]>,
    forget_bias: String,
    clip: Option<[String; 2]>,
}

impl Cell {
    fn small(&self) -> (ElementType, Vec<usize>, bool) {
        (ElementType::F32, vec![self.batch, self.hidden], false)
    }

    fn two(&self, cx: &mut Context<'_>, op: &str, a: &str, b: &str) -> String {
        cx.add(op, &self.name, &[a, b], [], self.small()).name
    }

    fn one(&self, cx: &mut Context<'_>, op: &str, a: &str) -> String {
        cx.add(op, &self.name, &[a], [], self.small()).name
    }

    /// `gate + cell · weights`, where there are such weights.
    fn peep(&self, cx: &mut Context<'_>, gate: String, cell: &str, which: usize) -> String {
        match self.peepholes.as_ref().and_then(|p| p.get(which)) {
            Some(weights) => {
                let seen = self.two(cx, "Mul", cell, weights);
                self.two(cx, "Add", &gate, &seen)
            }
            None => gate,
        }
    }

    /// The next cell and output; `x` is the input's share of all gates, `[B, 4 H]`.
    fn step(&self, cx: &mut Context<'_>, x: &str, cell: &str, output: &str) -> (String, String) {
        let wide = || {
            let hidden = self.hidden.saturating_mul(4);
            (ElementType::F32, vec![self.batch, hidden], false)
        };
        let inputs = [output, self.recurrent.as_str()];
        let own = cx.add("MatMul", &self.name, &inputs, [], wide());
        let gates = cx.add("Add", &self.name, &[x, &own.name], [], wide());
        let sizes = cx.list(&format!("{}/sizes", self.name), &signed(&[self.hidden; 4]));
        let mut parts = cx.add_many(
            "Split",
            &self.name,
            &[&gates.name, &sizes],
            [("axis", 1i64.into())],
            4,
        );
        for part in &parts {
            cx.live(part.clone(), ElementType::F32, self.small().1, false);
        }
        let mut gate = || parts.pop().unwrap_or_default();
        let (o, f, c, i) = (gate(), gate(), gate(), gate());
        let i = self.peep(cx, i, cell, 0);
        let f = self.peep(cx, f, cell, 1);
        let f = self.two(cx, "Add", &f, &self.forget_bias);
        let (i, f) = (self.one(cx, "Sigmoid", &i), self.one(cx, "Sigmoid", &f));
        let c = self.one(cx, "Tanh", &c);
        let (new, kept) = (self.two(cx, "Mul", &c, &i), self.two(cx, "Mul", cell, &f));
        let mut cell = self.two(cx, "Add", &new, &kept);
        if let Some([low, high]) = &self.clip {
            let inputs = [cell.as_str(), low, high];
            cell = cx.add("Clip", &self.name, &inputs, [], self.small()).name;
        }
        let o = self.peep(cx, o, &cell, 2);
        let o = self.one(cx, "Sigmoid", &o);
        let seen = self.one(cx, "Tanh", &cell);
        let output = self.two(cx, "Mul", &seen, &o);
        (cell, output)
    }
}

pub(super) fn block_lstm(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    let x = op.input(1)?;
    let &[steps, batch, inner] = x.dims() else {
        return Err(format!("a sequence of shape {:?}", x.dims()));
    };
    let whole = i64::try_from(steps).is_ok_and(|s| op.one(0).is_ok_and(|given| given >= s));
    if steps == 0 || steps > MAX_STEPS || !whole {
        return Err(format!("over {steps} steps"));
    }
    let weights = op.constant(4)?;
    let &[rows, columns] = weights.dims() else {
        return Err(format!("weights of shape {:?}", weights.dims()));
    };
    let hidden = columns / 4;
    if hidden == 0 || columns % 4 != 0 || inner.checked_add(hidden) != Some(rows) {
        return Err(format!("weights of shape {:?}", weights.dims()));
    }
    for at in [2, 3] {
        if op.input(at)?.dims() != [batch, hidden] {
            return Err(format!("input {at} of shape {:?}", op.input(at)?.dims()));
        }
    }
    let name = op.name().to_owned();
    let strides = fold::dense(weights.dims());
    let of_input = fold::strided(weights, 0, &[inner, columns], &strides)?;
    let of_output = fold::strided(weights, inner * columns, &[hidden, columns], &strides)?;
    let peepholes = if op.bool("use_peephole", false) {
        let mut names = [String::new(), String::new(), String::new()];
        for (at, slot) in names.iter_mut().enumerate() {
            *slot = cx.weights(&format!("{name}/peephole"), op.constant(at + 5)?);
        }
        Some(names)
    } else {
        None
    };
    let clip = op.float("cell_clip", 3.0);
    let mut scalar = |v: f32| cx.weights(&format!("{name}/number"), &Tensor::scalar(v));
    let forget_bias = scalar(op.float("forget_bias", 1.0));
    let clip = (clip > 0.0).then(|| [scalar(-clip), scalar(clip)]);
    let cell = Cell {
        batch,
        hidden,
        recurrent: cx.weights(&format!("{name}/recurrent"), &of_output),
        peepholes,
        forget_bias,
        clip,
        name,
    };
    unrolled(cx, op, &cell, (steps, inner, columns), &of_input)
}

fn unrolled(
    cx: &mut Context<'_>,
    op: &Op<'_>,
    cell: &Cell,
    (steps, inner, columns): (usize, usize, usize),
    of_input: &Tensor,
) -> Out {
    let (name, rows) = (cell.name.as_str(), steps.saturating_mul(cell.batch));
    let flat = cx.reshape(op.input(1)?, vec![rows, inner], name)?;
    let flat = cx.plain(&flat, name)?;
    let filter = cx.weights(&format!("{name}/input"), of_input);
    let bias = cx.weights(&format!("{name}/bias"), op.constant(8)?);
    let wide = || (ElementType::F32, vec![rows, columns], false);
    let product = cx.add("MatMul", name, &[&flat, &filter], [], wide());
    let shares = cx.add("Add", name, &[&product.name, &bias], [], wide());
    let shares = if steps == 1 {
        vec![shares.name]
    } else {
        let sizes = cx.list(&format!("{name}/steps"), &signed(&vec![cell.batch; steps]));
        let inputs = [shares.name.as_str(), &sizes];
        let axis = [("axis", 0i64.into())];
        cx.add_many("Split", name, &inputs, axis, steps)
    };
    let mut state = (cx.plain(op.input(2)?, name)?, cx.plain(op.input(3)?, name)?);
    let (mut cells, mut outputs) = (Vec::new(), Vec::new());
    for share in &shares {
        cx.live(
            share.clone(),
            ElementType::F32,
            vec![cell.batch, columns],
            false,
        );
        state = cell.step(cx, share, &state.0, &state.1);
        cells.push(state.0.clone());
        outputs.push(state.1.clone());
    }
    let mut together = |parts: &[String]| -> Live {
        let rows = (ElementType::F32, vec![rows, cell.hidden], false);
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        cx.add("Concat", name, &parts, [("axis", 0i64.into())], rows)
    };
    let (cells, outputs) = (together(&cells), together(&outputs));
    let dims = vec![steps, cell.batch, cell.hidden];
    let cells = cx.reshape(&Val::Live(cells), dims.clone(), name)?;
    let outputs = cx.reshape(&Val::Live(outputs), dims, name)?;
    let mut out = vec![Val::Lost; 7];
    for (at, value) in [(1, cells), (6, outputs)] {
        if let Some(slot) = out.get_mut(at) {
            *slot = value;
        }
    }
    Ok(out)
}
