//! The table is in order; shape arithmetic is followed, symbols included; contradictions are named.

use super::OPS;
use crate::graph::{Attribute, Builder, ElementType, Graph, Node, Tensor, Value};
use dyno_core::Dimension;

#[test]
fn the_table_is_sorted() {
    assert!(OPS.is_sorted_by(|a, b| a.0 < b.0));
}

#[test]
fn a_builder_answers_while_it_builds() {
    let mut b = Builder::new("net");
    let x = b.input("x", ElementType::F32, &[2, 3, 9, 9]);
    let weights = Tensor::f32(vec![8, 3, 3, 3], &[0.0; 216]).expect("216 values");
    let w = b.constant("w", weights);
    let strides = ("strides", Attribute::from(vec![2i64, 2]));
    let conv = b.add("Conv", "conv", &[&x, &w], [strides]);
    assert_eq!(b.shape(&conv), Some(vec![2, 8, 4, 4]));
    // The list that exporters compute: [batch, -1].
    let shape = b.add("Shape", "shape", &[&conv], []);
    let zero = b.constant("zero", Tensor::list(&[0]));
    let batch = b.add("Gather", "batch", &[&shape, &zero], []);
    let rest = b.constant("rest", Tensor::list(&[-1]));
    let list = b.add("Concat", "list", &[&batch, &rest], [("axis", 0.into())]);
    let flat = b.add("Reshape", "flat", &[&conv, &list], []);
    assert_eq!(b.shape(&flat), Some(vec![2, 128]));
    b.output(&flat);
    let graph = b.finish().expect("no contradiction");
    assert_eq!(
        graph.outputs[0],
        Value::new("flat", ElementType::F32, &[2, 128])
    );
}

#[test]
fn symbols_go_through_shape_arithmetic() {
    let batch = Dimension::Symbolic("batch".to_owned());
    let mut graph = Graph {
        opset: 13,
        inputs: vec![Value {
            name: "x".to_owned(),
            dtype: Some(ElementType::F32),
            shape: Some(vec![
                batch.clone(),
                Dimension::Fixed(6),
                Dimension::Fixed(4),
            ]),
        }],
        ..Graph::default()
    };
    let node = |op: &str, inputs: &[&str], output: &str| Node {
        op: op.to_owned(),
        inputs: inputs.iter().map(|&i| i.to_owned()).collect(),
        outputs: vec![output.to_owned()],
        ..Node::default()
    };
    graph
        .initializers
        .insert("first".to_owned(), Tensor::list(&[0]));
    graph
        .initializers
        .insert("tail".to_owned(), Tensor::list(&[3, -1]));
    let mut concat = node("Concat", &["b", "tail"], "target");
    concat.attributes.insert("axis".to_owned(), 0.into());
    graph.nodes = vec![
        node("Shape", &["x"], "s"),
        node("Gather", &["s", "first"], "b"),
        concat,
        node("Reshape", &["x", "target"], "y"),
    ];
    graph.outputs.push(Value::unknown("y"));
    graph.infer().expect("no contradiction");
    let expected = vec![batch, Dimension::Fixed(3), Dimension::Fixed(8)];
    assert_eq!(graph.outputs[0].shape, Some(expected));
    graph.fix_input("x", &[5, 6, 4]).expect("it fits");
    graph.infer().expect("no contradiction");
    assert_eq!(graph.outputs[0].fixed_shape(), Some(vec![5, 3, 8]));
    assert!(graph.fix_input("x", &[5, 7, 4]).is_err(), "7 is not 6");
    assert!(graph.fix_input("z", &[1]).is_err(), "no such input");
}

/// What a builder says of one operation on `x` of `[2, 3, 4, 4]`.
fn refused(op: &str, constants: &[Tensor], attributes: &[(&str, Attribute)]) -> String {
    let mut b = Builder::new("net");
    let mut inputs = vec![b.input("x", ElementType::F32, &[2, 3, 4, 4])];
    for tensor in constants {
        inputs.push(b.constant("c", tensor.clone()));
    }
    b.push(Node {
        name: "culprit".to_owned(),
        op: op.to_owned(),
        inputs,
        outputs: vec!["y".to_owned()],
        attributes: attributes
            .iter()
            .map(|(n, a)| ((*n).to_owned(), a.clone()))
            .collect(),
        ..Node::default()
    });
    b.finish().expect_err("a contradiction").to_string()
}

#[test]
fn contradictions_name_the_node() {
    let zeros = |dims: &[usize]| {
        let count: usize = dims.iter().product();
        Tensor::f32(dims.to_vec(), &vec![0.0; count]).expect("as many values")
    };
    let says = |error: String, words: &str| {
        assert!(error.starts_with("node `culprit` ("), "{error}");
        assert!(error.contains(words), "{error}");
    };
    says(refused("Conv", &[zeros(&[8, 4, 3, 3])], &[]), "3 channels");
    says(refused("Conv", &[zeros(&[8, 3, 7, 7])], &[]), "window of 7");
    let stride = [("strides", Attribute::from(vec![0i64, 1]))];
    says(refused("Conv", &[zeros(&[8, 3, 3, 3])], &stride), "strides");
    says(refused("Add", &[zeros(&[5])], &[]), "do not fit each other");
    says(
        refused("MatMul", &[zeros(&[5, 6])], &[]),
        "do not fit each other",
    );
    says(
        refused("Reshape", &[Tensor::list(&[7, -1])], &[]),
        "cannot be divided",
    );
    says(
        refused("Reshape", &[Tensor::list(&[2, 3])], &[]),
        "96 elements are not 6",
    );
    says(
        refused("Concat", &[zeros(&[2, 3, 5, 4])], &[("axis", 1.into())]),
        "axis 2",
    );
    says(refused("Squeeze", &[Tensor::list(&[1])], &[]), "is not 1");
    says(
        refused("Transpose", &[], &[("perm", vec![0i64, 1, 2].into())]),
        "perm",
    );
}

#[test]
fn what_is_stated_differently_is_refused() {
    let mut b = Builder::new("net");
    let x = b.input("x", ElementType::F32, &[2, 3]);
    let y = b.unique("y");
    b.state(Value::new(y.clone(), ElementType::F32, &[3, 2]));
    b.push(Node {
        op: "Relu".to_owned(),
        inputs: vec![x],
        outputs: vec![y],
        ..Node::default()
    });
    let error = b.finish().expect_err("[2, 3] is not [3, 2]").to_string();
    assert!(error.contains("output `y`"), "{error}");

    let mut b = Builder::new("net");
    let x = b.input("x", ElementType::F32, &[2, 3]);
    let y = b.add("Relu", "y", &[&x], []);
    b.state(Value::new(y.clone(), ElementType::F32, &[2, 3]));
    b.state(Value::new(y, ElementType::F32, &[2, 4]));
    let error = b.finish().expect_err("[2, 4] is not [2, 3]").to_string();
    assert!(error.contains("value `y`: stated and inferred"), "{error}");
}

#[test]
fn claims_are_not_multiplied() {
    let axes = vec![Dimension::Fixed(1); 100_000];
    let mut graph = Graph {
        opset: 13,
        inputs: vec![Value {
            name: "v0".to_owned(),
            dtype: Some(ElementType::F32),
            shape: Some(axes),
        }],
        ..Graph::default()
    };
    for at in 0..1_000 {
        graph.nodes.push(Node {
            op: "Relu".to_owned(),
            inputs: vec![format!("v{at}")],
            outputs: vec![format!("v{}", at + 1)],
            ..Node::default()
        });
    }
    graph.infer().expect("no contradiction");
    let last = graph.value("v1000").expect("its type is known");
    assert_eq!((last.dtype, last.shape), (Some(ElementType::F32), None));
}
