//! The values of constants that follow from others: what constant folding computes.
//!
//! Only operations whose result has the same bits on every engine: those that move elements, and
//! the arithmetic that IEEE 754 rounds correctly. Results are bounded in size.

mod arithmetic;
mod arrange;
mod pick;

pub(crate) use arrange::permuted;

use crate::graph::{Node, Tensor};

/// The outputs of a node for constant inputs; `None` when it cannot be computed here.
type Evaluate = fn(&Call<'_>) -> Option<Tensor>;

/// A node with constant inputs; of one that is left out, `None`.
pub(crate) struct Call<'a> {
    pub(crate) node: &'a Node,
    pub(crate) inputs: Vec<Option<&'a Tensor>>,
}

impl Call<'_> {
    fn input(&self, at: usize) -> Option<&Tensor> {
        self.inputs.get(at).copied().flatten()
    }

    /// The integers of attribute `name`, else of input `at`.
    fn list(&self, name: &str, at: usize) -> Option<Vec<i64>> {
        match self.node.ints(name) {
            Some(ints) => Some(ints.to_vec()),
            None => self.input(at)?.to_i64s().ok(),
        }
    }
}

/// Most bytes of a result.
pub(crate) const MOST_BYTES: usize = 64 << 20;

const OPS: &[(&str, Evaluate)] = &[
    ("Abs", arithmetic::unary),
    ("Add", arithmetic::binary),
    ("Cast", arithmetic::cast),
    ("Ceil", arithmetic::unary),
    ("Concat", arrange::concat),
    ("Constant", arrange::constant),
    ("ConstantOfShape", arrange::constant_of_shape),
    ("Div", arithmetic::binary),
    ("Expand", arrange::expand),
    ("Flatten", arrange::flatten),
    ("Floor", arithmetic::unary),
    ("Gather", arrange::gather),
    ("Identity", arrange::identity),
    ("Max", arithmetic::binary),
    ("Min", arithmetic::binary),
    ("Mul", arithmetic::binary),
    ("Neg", arithmetic::unary),
    ("Reciprocal", arithmetic::unary),
    ("Reshape", arrange::reshape),
    ("Slice", arrange::slice),
    ("Sqrt", arithmetic::unary),
    ("Squeeze", arrange::squeeze),
    ("Sub", arithmetic::binary),
    ("Transpose", arrange::transpose),
    ("Unsqueeze", arrange::unsqueeze),
];

/// The value of the only output of a node, when its inputs are constants.
pub(crate) fn evaluate(node: &Node, inputs: Vec<Option<&Tensor>>) -> Option<Tensor> {
    if !node.domain.is_empty() || node.outputs.len() != 1 {
        return None;
    }
    let at = OPS
        .binary_search_by_key(&node.op.as_str(), |(n, _)| n)
        .ok()?;
    OPS.get(at)?.1(&Call { node, inputs })
}

#[test]
fn the_table_is_sorted() {
    assert!(OPS.is_sorted_by(|a, b| a.0 < b.0));
}
