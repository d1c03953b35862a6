//! Costs of graphs small enough to count by hand.

use crate::graph::{Attribute, Builder, ElementType, Graph, Tensor};
use dyno_core::Dimension;

/// `[1, 4, 6, 6]` → convolution 3×3 of two groups to 8 channels → pool → matrix 8 × 5.
fn net() -> Graph {
    let mut b = Builder::new("net");
    let x = b.input("x", ElementType::F32, &[1, 4, 6, 6]);
    let w = Tensor::f32(vec![8, 2, 3, 3], &[0.5; 144]).expect("144 values");
    let w = b.constant("w", w);
    let conv = b.add("Conv", "conv", &[&x, &w], [("group", 2.into())]);
    let pool = b.add("GlobalAveragePool", "pool", &[&conv], []);
    let flat = b.add("Flatten", "flat", &[&pool], []);
    let m = b.constant("m", Tensor::f32(vec![8, 5], &[0.5; 40]).expect("40 values"));
    let y = b.add("MatMul", "y", &[&flat, &m], []);
    b.constant("axes", Tensor::list(&[1, 2, 3]));
    b.output(&y);
    b.finish().expect("no contradiction")
}

#[test]
fn costs_are_those_counted_by_hand() {
    let summary = net().summary().expect("no contradiction");
    assert_eq!(summary.parameters, 144 + 40, "lists of i64 are none");
    assert_eq!(summary.parameters_bytes, 4 * (144 + 40));
    // 8 · 4 · 4 elements of 2 · 3 · 3 products, and 5 of 8.
    assert_eq!(summary.macs_per_sample, Some(128 * 18 + 40));
    assert_eq!(summary.flops_per_sample, Some(2 * (128 * 18 + 40)));
    // Input and convolution: 144 + 128 numbers; later ones are smaller.
    assert_eq!(summary.activations_peak_bytes, Some(4 * (144 + 128)));
    assert_eq!(summary.operators.get("Conv"), Some(&1));
    assert_eq!(summary.nodes, 4);
    assert_eq!(
        summary.outputs[0].shape,
        Some(vec!["1".to_owned(), "5".to_owned()])
    );
}

#[test]
fn costs_are_per_sample() {
    let one = net().summary().expect("no contradiction");
    let mut graph = net();
    for batch in [Dimension::Symbolic("n".to_owned()), Dimension::Fixed(3)] {
        graph.inputs[0].shape.as_mut().expect("a shape")[0] = batch.clone();
        graph.values.clear();
        graph.outputs[0].shape = None;
        let many = graph.summary().expect("no contradiction");
        assert_eq!(many.macs_per_sample, one.macs_per_sample, "{batch}");
        assert_eq!(many.activations_peak_bytes, one.activations_peak_bytes);
        assert_eq!(
            many.inputs[0].shape.as_ref().expect("a shape")[0],
            batch.to_string()
        );
    }
    graph.inputs[0].shape.as_mut().expect("a shape")[3] = Dimension::Unknown;
    graph.values.clear();
    let open = graph.summary().expect("no contradiction");
    assert_eq!(
        (open.macs_per_sample, open.activations_peak_bytes),
        (None, None)
    );
    let text = serde_json::to_string(&open).expect("it is data");
    assert!(!text.contains("null") && !text.contains("macs"), "{text}");
}

#[test]
fn transposed_convolutions_count_by_their_input() {
    let mut b = Builder::new("net");
    let x = b.input("x", ElementType::F32, &[1, 4, 5, 5]);
    let w = Tensor::f32(vec![4, 3, 2, 2], &[0.5; 48]).expect("48 values");
    let w = b.constant("w", w);
    let strides = ("strides", Attribute::from(vec![2i64, 2]));
    let y = b.add("ConvTranspose", "y", &[&x, &w], [strides]);
    b.output(&y);
    let graph = b.finish().expect("no contradiction");
    let summary = graph.summary().expect("no contradiction");
    assert_eq!(summary.macs_per_sample, Some(100 * 12));
}
