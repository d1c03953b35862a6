//! Files made here, field by field: whole ones, hostile ones, and ones whose weights lie elsewhere.

mod elsewhere;
mod hostile;

use super::*;
use crate::FormatError;

/// A number as Protocol Buffers write it.
pub(super) fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value > 0x7F {
        out.push((value & 0x7F) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
    out
}

/// A field of bytes, text or a message.
pub(super) fn bytes(number: u64, content: impl AsRef<[u8]>) -> Vec<u8> {
    let content = content.as_ref();
    let length = varint(content.len() as u64);
    [varint(number << 3 | 2), length, content.to_vec()].concat()
}

/// A field that is a number.
pub(super) fn number(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3), varint(value)].concat()
}

/// A `ValueInfoProto` of type f32.
pub(super) fn value_info(name: &str, dims: &[&str]) -> Vec<u8> {
    let dims: Vec<u8> = dims
        .iter()
        .flat_map(|d| {
            let dim = d
                .parse()
                .map_or_else(|_| bytes(2, d), |n: u64| number(1, n));
            bytes(1, dim)
        })
        .collect();
    let tensor = [number(1, 1), bytes(2, dims)].concat();
    [bytes(1, name), bytes(2, bytes(1, tensor))].concat()
}

/// A `TensorProto` of `count` f32 values with `data`, which is fields 4 to 14.
pub(super) fn tensor(name: &str, count: u64, data: &[u8]) -> Vec<u8> {
    let head = [number(1, count), number(2, 1), bytes(8, name)].concat();
    [head, data.to_vec()].concat()
}

/// A `NodeProto` of the standard's domain.
pub(super) fn node(operator: &str, inputs: &[&str], output: &str, attributes: &[u8]) -> Vec<u8> {
    let inputs: Vec<u8> = inputs.iter().flat_map(|i| bytes(1, i)).collect();
    let rest = [bytes(2, output), bytes(4, operator), attributes.to_vec()];
    [inputs, rest.concat()].concat()
}

/// A model of a graph's further fields: input `x` of `Nx4`, output `y`.
pub(super) fn model(graph: &[u8]) -> Vec<u8> {
    let graph = [
        graph.to_vec(),
        bytes(2, "test"),
        bytes(11, value_info("x", &["N", "4"])),
        bytes(12, value_info("y", &["N", "4"])),
    ]
    .concat();
    let set = number(2, 13);
    [number(1, 7), bytes(7, graph), bytes(8, set)].concat()
}

/// `y = x + c` with these values of `c`.
pub(super) fn add(values: &[f32]) -> Vec<u8> {
    let raw: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    let weights = tensor("c", values.len() as u64, &bytes(9, raw));
    let graph = [
        bytes(1, node("Add", &["x", "c"], "y", &[])),
        bytes(5, weights),
    ];
    model(&graph.concat())
}

/// Where a file is damaged, and how.
pub(super) fn damage(file: &[u8]) -> (usize, String) {
    match GraphFacts::read(file) {
        Err(FormatError::Onnx { offset, problem }) => (offset, problem),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_whole_file_says_what_it_declares() {
    let facts = GraphFacts::read(&add(&[1.0, 2.0, 3.0, 4.0])).expect("a whole file");
    assert_eq!(facts.inputs.len(), 1);
    assert_eq!(facts.inputs[0].name, "x");
    let shape = &facts.inputs[0].shape;
    assert_eq!(
        shape.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["N", "4"]
    );
    assert_eq!(facts.output_names(), ["y"]);
    assert_eq!((facts.precision, facts.external.len()), ("f32", 0));
    let io = facts.io(&[vec![3, 4]], &[0]).expect("a tensor of f32");
    assert_eq!(io.outputs[0].fixed_shape(), Some(vec![3, 4]));
}

#[test]
fn quantized_arithmetic_and_weights_listed_as_inputs_are_seen() {
    let raw = bytes(9, [0; 16]);
    let graph = [
        bytes(1, node("QuantizeLinear", &["x", "c"], "y", &[])),
        bytes(5, tensor("c", 4, &raw)),
        bytes(11, value_info("c", &["4"])),
    ];
    let facts = GraphFacts::read(&model(&graph.concat())).expect("a whole file");
    assert_eq!(facts.precision, "int8");
    let names: Vec<&str> = facts.inputs.iter().map(|i| i.name.as_str()).collect();
    assert_eq!(names, ["x"]);
}

#[test]
fn what_is_no_model_is_said_in_words() {
    let no_input = [bytes(12, value_info("y", &["4"]))].concat();
    let file = [number(1, 7), bytes(7, no_input), bytes(8, number(2, 13))].concat();
    let error = GraphFacts::read(&file).expect_err("no input").to_string();
    assert_eq!(error, "the graph has 0 inputs and 1 outputs");
    let (_, problem) = damage(&[]);
    assert_eq!(problem, "the file ends without a graph");
    let (_, problem) = damage(b"not a model");
    assert!(problem.contains("wire type"), "{problem}");
}
