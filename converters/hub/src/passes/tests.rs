//! What each pass leaves of small graphs. That outputs stay the same is tested on engines
//! (`tests/passes.rs`).

use super::PASSES;
use crate::graph::{Attribute, Builder, ElementType, Graph, Tensor};

fn ops(graph: &Graph) -> Vec<&str> {
    graph.nodes.iter().map(|n| n.op.as_str()).collect()
}

fn simplified(b: Builder) -> Graph {
    let mut graph = b.finish().expect("no contradiction");
    let outputs = graph.outputs.clone();
    graph.simplify().expect("no contradiction");
    graph.check().expect("it is still a graph");
    assert_eq!(graph.outputs, outputs, "outputs keep name, type and shape");
    graph
}

fn perm(axes: &[i64]) -> (&'static str, Attribute) {
    ("perm", axes.to_vec().into())
}

/// `[1, 4, 5, 3]` (NHWC).
fn nhwc() -> (Builder, String) {
    let mut b = Builder::new("net");
    let x = b.input("x", ElementType::F32, &[1, 4, 5, 3]);
    (b, x)
}

fn conv(b: &mut Builder, x: &str, channels: usize) -> String {
    let w = Tensor::f32(
        vec![channels, channels, 1, 1],
        &vec![0.5; channels * channels],
    );
    let w = b.constant("w", w.expect("as many values"));
    let x = b.add("Transpose", "in", &[x], [perm(&[0, 3, 1, 2])]);
    let y = b.add("Conv", "conv", &[&x, &w], []);
    b.add("Transpose", "out", &[&y], [perm(&[0, 2, 3, 1])])
}

#[test]
fn names_of_passes_are_unique() {
    for (at, pass) in PASSES.iter().enumerate() {
        assert!(PASSES.iter().skip(at + 1).all(|p| p.name != pass.name));
    }
}

#[test]
fn transposes_between_layers_cancel() {
    let (mut b, x) = nhwc();
    let first = conv(&mut b, &x, 3);
    let bias = b.constant(
        "bias",
        Tensor::f32(vec![3], &[1.0, 2.0, 3.0]).expect("three"),
    );
    let sum = b.add("Add", "sum", &[&first, &bias], []);
    let relu = b.add("Relu", "relu", &[&sum], []);
    let second = conv(&mut b, &relu, 3);
    let pads = b.constant("pads", Tensor::list(&[0, 1, 2, 0, 0, 1, 2, 0]));
    let padded = b.add("Pad", "padded", &[&relu, &pads], []);
    let third = conv(&mut b, &padded, 3);
    let cut_from = b.constant("from", Tensor::list(&[1, 2]));
    let cut_to = b.constant("to", Tensor::list(&[-1, -2]));
    let axes = b.constant("axes", Tensor::list(&[1, 2]));
    let cut = b.add("Slice", "cut", &[&third, &cut_from, &cut_to, &axes], []);
    let all = b.add("Concat", "all", &[&second, &cut], [("axis", 3.into())]);
    let last = conv(&mut b, &all, 6);
    let mean = b.add(
        "ReduceMean",
        "mean",
        &[&last],
        [("axes", vec![1i64, 2].into()), ("keepdims", 0.into())],
    );
    b.output(&mean);
    let graph = simplified(b);
    let left = ops(&graph).iter().filter(|op| **op == "Transpose").count();
    assert_eq!(left, 1, "the one behind the input: {:?}", ops(&graph));
    assert_eq!(graph.outputs[0].fixed_shape(), Some(vec![1, 6]));
}

#[test]
fn a_transpose_that_moves_nothing_goes_with_a_reshape() {
    let mut b = Builder::new("net");
    let x = b.input("x", ElementType::F32, &[1, 3, 8, 8]);
    let pool = b.add("GlobalAveragePool", "pool", &[&x], []);
    let turned = b.add("Transpose", "turned", &[&pool], [perm(&[0, 2, 3, 1])]);
    let shape = b.constant("shape", Tensor::list(&[1, 3]));
    let y = b.add("Reshape", "y", &[&turned, &shape], []);
    b.output(&y);
    assert_eq!(ops(&simplified(b)), ["GlobalAveragePool", "Reshape"]);
}

#[test]
fn transposes_that_cannot_cancel_stay_where_they_are() {
    let (mut b, x) = nhwc();
    let turned = b.add("Transpose", "turned", &[&x], [perm(&[0, 3, 1, 2])]);
    let y = b.add("Relu", "y", &[&turned], []);
    b.output(&y);
    let graph = simplified(b);
    assert_eq!(ops(&graph), ["Transpose", "Relu"]);
}

#[test]
fn batch_normalizations_go_into_weights() {
    for op in ["Conv", "ConvTranspose", "Gemm"] {
        let mut b = Builder::new("net");
        let shape: &[usize] = if op == "Gemm" { &[2, 4] } else { &[1, 4, 5, 5] };
        let x = b.input("x", ElementType::F32, shape);
        let dims = if op == "Gemm" {
            vec![4, 6]
        } else {
            vec![4, 6, 1, 1]
        };
        let dims = if op == "Conv" { vec![6, 4, 1, 1] } else { dims };
        let w = b.constant("w", Tensor::f32(dims, &[0.5; 24]).expect("24 values"));
        let y = b.add(op, "y", &[&x, &w], []);
        let channel = |v: f32| Tensor::f32(vec![6], &[v; 6]).expect("six values");
        let mut names = vec![y];
        for (name, v) in [
            ("scale", 2.0),
            ("shift", 1.0),
            ("mean", 3.0),
            ("variance", 4.0),
        ] {
            names.push(b.constant(name, channel(v)));
        }
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let z = b.add(
            "BatchNormalization",
            "z",
            &names,
            [("epsilon", 0.0f32.into())],
        );
        b.output(&z);
        let graph = simplified(b);
        assert_eq!(ops(&graph), [op]);
        let folded = |at: usize| {
            let name = &graph.nodes[0].inputs[at];
            graph.initializers[name].to_f32s().expect("real numbers")[0]
        };
        // 2 / √4 is 1; (0 − 3) · 1 + 1 is −2.
        assert_eq!((folded(1), folded(2)), (0.5, -2.0), "{op}");
    }
}

#[test]
fn what_follows_from_constants_is_computed() {
    let mut b = Builder::new("net");
    let x = b.input("x", ElementType::F32, &[2, 3, 4]);
    let shape = b.add("Shape", "shape", &[&x], []);
    let zero = b.constant("zero", Tensor::list(&[0]));
    let batch = b.add("Gather", "batch", &[&shape, &zero], []);
    let rest = b.add(
        "Constant",
        "rest",
        &[],
        [("value", Tensor::list(&[-1]).into())],
    );
    let target = b.add("Concat", "target", &[&batch, &rest], [("axis", 0.into())]);
    let same = b.add("Identity", "same", &[&x], []);
    let y = b.add("Reshape", "y", &[&same, &target], []);
    let half = b.constant("half", Tensor::scalar(0.5));
    let four = b.constant("four", Tensor::f32(vec![1, 1], &[4.0]).expect("one"));
    let two = b.add("Mul", "two", &[&half, &four], []);
    let z = b.add("Mul", "z", &[&y, &two], []);
    let unused = b.add("Exp", "unused", &[&z], []);
    b.add("Neg", "unused", &[&unused], []);
    b.output(&z);
    let graph = simplified(b);
    assert_eq!(ops(&graph), ["Reshape", "Mul"]);
    let two = &graph.initializers["two"];
    assert_eq!(two.to_f32s().expect("real numbers"), [2.0]);
    assert_eq!(graph.initializers.len(), 2);
}

#[test]
fn equal_weights_are_kept_once() {
    let mut b = Builder::new("net");
    let x = b.input("x", ElementType::F32, &[3]);
    let names = ["a", "b"].map(|n| b.constant(n, Tensor::f32(vec![3], &[1.0; 3]).expect("three")));
    let other = b.constant("c", Tensor::f32(vec![1, 3], &[1.0; 3]).expect("three"));
    let sum = b.add("Sum", "sum", &[&x, &names[0], &names[1], &other], []);
    b.output(&sum);
    let graph = simplified(b);
    assert_eq!(graph.nodes[0].inputs, ["x", "a", "a", "c"]);
}

#[test]
fn an_identity_before_an_output_gives_its_name_away() {
    let mut b = Builder::new("net");
    let x = b.input("x", ElementType::F32, &[3]);
    let y = b.add("Relu", "y", &[&x], []);
    let z = b.add("Dropout", "z", &[&y], []);
    let again = b.add("Exp", "again", &[&y], []);
    let same = b.add("Identity", "same", &[&x], []);
    for name in [&z, &again, &same] {
        b.output(name);
    }
    let graph = simplified(b);
    assert_eq!(
        ops(&graph),
        ["Relu", "Exp", "Identity"],
        "an input keeps its name, too"
    );
    assert_eq!(graph.nodes[0].outputs, ["z"]);
    assert_eq!(graph.nodes[1].inputs, ["z"]);
}

#[test]
fn graphs_that_break_a_rule_are_left_alone() {
    let mut b = Builder::new("net");
    let x = b.input("x", ElementType::F32, &[3]);
    let y = b.add("Identity", "y", &[&x], []);
    let z = b.add("Identity", "z", &[&y], []);
    b.output(&z);
    let mut graph = b.finish().expect("no contradiction");
    graph.nodes[0].inputs[0] = "z".to_owned();
    let before = graph.clone();
    let error = graph.simplify().expect_err("a cycle").to_string();
    assert!(error.contains("a cycle"), "{error}");
    assert_eq!(graph, before);
}
