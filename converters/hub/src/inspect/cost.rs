//! Multiply-accumulates of convolutions and products of matrices.

use crate::graph::{Graph, Node};

/// The multiply-accumulates of a run; `None` when a shape that they depend on is open, or a number
/// has more than 64 bits.
pub(super) fn macs(graph: &Graph) -> Option<u64> {
    graph
        .nodes
        .iter()
        .try_fold(0u64, |sum, node| sum.checked_add(of_node(graph, node)?))
}

fn of_node(graph: &Graph, node: &Node) -> Option<u64> {
    if !node.domain.is_empty() {
        return Some(0);
    }
    let input = |at: usize| graph.value(node.inputs.get(at)?)?.fixed_shape();
    let output = || graph.value(node.outputs.first()?)?.fixed_shape();
    match node.op.as_str() {
        // Every element of the output is a sum over one filter.
        "Conv" | "ConvInteger" => product(&[&output()?, input(1)?.get(1..)?]),
        "QLinearConv" => product(&[&output()?, input(3)?.get(1..)?]),
        // Every element of the input goes through one filter.
        "ConvTranspose" => product(&[&input(0)?, input(1)?.get(1..)?]),
        "Gemm" => {
            let a = input(0)?;
            let transposed = node.int("transA").unwrap_or(0) != 0;
            let inner = a.get(usize::from(!transposed)).copied()?;
            product(&[&output()?, &[inner]])
        }
        "MatMul" | "MatMulInteger" | "QLinearMatMul" => {
            let inner = input(0)?.last().copied()?;
            product(&[&output()?, &[inner]])
        }
        _ => Some(0),
    }
}

fn product(parts: &[&[usize]]) -> Option<u64> {
    let all = parts.iter().flat_map(|p| p.iter());
    all.into_iter()
        .try_fold(1u64, |n, &d| n.checked_mul(d as u64))
}
