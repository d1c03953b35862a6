//! What is written is read again, what cannot be held is refused.

use super::{IR_VERSION, PRODUCER};
use crate::{
    HubError,
    graph::{Attribute, Builder, ElementType, Graph, Node, Tensor, Value},
};
use bytes::Bytes;
use dyno_core::Dimension;
use dyno_formats::onnx::proto::{self, TensorProto, decode, encode};

/// A graph with every kind of attribute and element, and an inner graph.
fn everything() -> Graph {
    let mut builder = Builder::new("net");
    let x = builder.input("x", ElementType::F32, &[1, 2]);
    let inner = Graph {
        name: "then".to_owned(),
        outputs: vec![Value::new("t", ElementType::F32, &[])],
        initializers: [("t".to_owned(), Tensor::scalar(1.0))].into(),
        ..Graph::default()
    };
    for number in 0..20 {
        if let Some(dtype) = ElementType::from_onnx(number) {
            let bytes = Bytes::from(vec![1u8; 3 * dtype.size_bytes()]);
            let tensor = Tensor::new(dtype, vec![3], bytes).expect("three elements");
            builder.constant(&format!("c{number}"), tensor);
        }
    }
    let empty = Tensor::new(ElementType::F32, vec![0, 4], Bytes::new()).expect("no elements");
    builder.constant("empty", empty);
    let y = builder.add(
        "Everything",
        "y",
        &[&x, "", "c1"],
        [
            ("zero", Attribute::Int(0)),
            ("float", 0.0f32.into()),
            ("text", "".into()),
            ("tensor", Tensor::list(&[4, -1]).into()),
            ("graph", Attribute::Graph(Box::new(inner))),
            ("ints", vec![0i64, -7].into()),
            ("floats", vec![1.5f32].into()),
            ("texts", Attribute::Strings(vec![vec![255], vec![]])),
        ],
    );
    builder.output(&y);
    let mut graph = builder.finish().expect("no contradiction");
    graph.metadata.insert("a".to_owned(), "b".to_owned());
    graph.domains.insert("own".to_owned(), 3);
    graph.inputs[0].shape = Some(vec![
        Dimension::Symbolic("batch".to_owned()),
        Dimension::Unknown,
    ]);
    graph
}

#[test]
fn what_is_written_is_read_again() {
    let graph = everything();
    let bytes = graph.to_onnx().expect("it can be written");
    assert_eq!(bytes, graph.to_onnx().expect("again"), "the same bytes");
    let read = Graph::from_onnx(bytes.clone()).expect("it can be read");
    assert_eq!(read, graph);
    let message = decode(bytes.into()).expect("it can be read");
    assert_eq!(
        (message.ir_version, message.producer_name.as_str()),
        (IR_VERSION, PRODUCER)
    );
}

#[test]
fn weights_share_the_memory_of_the_file() {
    let bytes = Bytes::from(everything().to_onnx().expect("it can be written"));
    let read = Graph::from_onnx(bytes.clone()).expect("it can be read");
    let weights = read.initializers["c13"].bytes();
    assert!(bytes.as_ptr_range().contains(&weights.as_ptr()));
}

/// A model with one initializer.
fn model(tensor: TensorProto) -> Bytes {
    let graph = proto::GraphProto {
        initializer: vec![tensor],
        ..proto::GraphProto::default()
    };
    let model = proto::ModelProto {
        graph: Some(graph),
        ir_version: 2,
        ..proto::ModelProto::default()
    };
    encode(&model).expect("it is small").into()
}

fn typed(dtype: ElementType, fill: impl FnOnce(&mut TensorProto)) -> Result<Tensor, HubError> {
    let mut tensor = TensorProto {
        name: "w".to_owned(),
        dims: vec![2],
        data_type: dtype.onnx(),
        ..TensorProto::default()
    };
    fill(&mut tensor);
    let graph = Graph::from_onnx(model(tensor))?;
    assert_eq!(graph.opset, 1, "files of old say no set");
    Ok(graph.initializers["w"].clone())
}

#[test]
fn every_type_is_read_from_its_list() {
    use ElementType as E;
    let floats = typed(E::F32, |t| t.float_data = vec![1.5, -2.0]).expect("f32");
    assert_eq!(floats.to_f32s().expect("real"), [1.5, -2.0]);
    let doubles = typed(E::F64, |t| t.double_data = vec![1.5, -2.0]).expect("f64");
    assert_eq!(doubles.to_f32s().expect("real"), [1.5, -2.0]);
    let halves = typed(E::F16, |t| t.int32_data = vec![0x3C00, 0xC000]).expect("f16");
    assert_eq!(halves.to_f32s().expect("real"), [1.0, -2.0]);
    let brains = typed(E::Bf16, |t| t.int32_data = vec![0x3F80, 0xC000]).expect("bf16");
    assert_eq!(brains.to_f32s().expect("real"), [1.0, -2.0]);
    for dtype in [E::I8, E::I16, E::I32] {
        let t = typed(dtype, |t| t.int32_data = vec![-3, 7]).expect("small");
        assert_eq!(t.to_i64s().expect("integers"), [-3, 7], "{dtype}");
    }
    for dtype in [E::U8, E::U16] {
        let t = typed(dtype, |t| t.int32_data = vec![200, 7]).expect("small");
        assert_eq!(t.to_i64s().expect("integers"), [200, 7], "{dtype}");
    }
    let bools = typed(E::Bool, |t| t.int32_data = vec![1, 0]).expect("bool");
    assert_eq!(bools.bytes().as_ref(), [1, 0]);
    let longs = typed(E::I64, |t| t.int64_data = vec![-1, i64::MAX]).expect("i64");
    assert_eq!(longs.to_i64s().expect("integers"), [-1, i64::MAX]);
    let words = typed(E::U32, |t| t.uint64_data = vec![1, u64::from(u32::MAX)]).expect("u32");
    assert_eq!(words.to_i64s().expect("integers"), [1, i64::from(u32::MAX)]);
    let quads = typed(E::U64, |t| t.uint64_data = vec![1, u64::MAX]).expect("u64");
    assert_eq!(quads.bytes().len(), 16);
}

#[test]
fn values_that_do_not_fit_are_named() {
    use ElementType as E;
    let too_large = typed(E::I8, |t| t.int32_data = vec![128, 0]).expect_err("no i8");
    assert!(
        too_large
            .to_string()
            .contains("initializer `w`: the value 128")
    );
    let missing = typed(E::F32, |t| t.float_data = vec![1.0]).expect_err("one is missing");
    assert!(
        missing.to_string().contains("needs 8 bytes, got 4"),
        "{missing}"
    );
}

#[test]
fn what_a_graph_cannot_hold_is_refused() {
    let whole = || decode(everything().to_onnx().expect("written").into()).expect("read");
    let refuses = |change: &dyn Fn(&mut proto::ModelProto, &mut proto::GraphProto), word: &str| {
        let mut model = whole();
        let mut graph = model.graph.take().expect("a graph");
        change(&mut model, &mut graph);
        model.graph = Some(graph);
        let bytes = encode(&model).expect("it is small");
        let error = Graph::from_onnx(bytes).expect_err(word).to_string();
        assert!(error.contains(word), "{error}");
    };
    refuses(&|m, _| m.functions.push(proto::Unread {}), "functions");
    refuses(&|m, _| m.training_info.push(proto::Unread {}), "training");
    refuses(
        &|_, g| g.sparse_initializer.push(proto::Unread {}),
        "sparse initializers",
    );
    refuses(
        &|_, g| g.initializer.push(g.initializer[0].clone()),
        "initializer `c1`: stands twice",
    );
    refuses(
        &|_, g| {
            let text = TensorProto {
                name: "words".to_owned(),
                data_type: 8,
                string_data: vec![Bytes::new()],
                ..TensorProto::default()
            };
            g.initializer.push(text);
        },
        "initializer `words`: elements of type 8",
    );
    refuses(
        &|_, g| {
            g.input[0].r#type = Some(proto::TypeProto {
                sequence_type: Some(proto::Unread {}),
                ..proto::TypeProto::default()
            });
        },
        "input `x`: only tensors",
    );
    refuses(
        &|_, g| g.node[0].attribute[0].ref_attr_name = "outer".to_owned(),
        "refers to one of a function",
    );
    refuses(&|_, g| g.node[0].attribute[0].r#type = 13, "is of type 13");
    refuses(
        &|_, g| {
            let again = g.node[0].attribute[0].clone();
            g.node[0].attribute.push(again);
        },
        "twice",
    );
    refuses(
        &|_, g| {
            let outside = TensorProto {
                name: "far".to_owned(),
                data_type: 1,
                dims: vec![1],
                data_location: 1,
                external_data: vec![proto::StringStringEntryProto {
                    key: "location".to_owned(),
                    value: "far.bin".to_owned(),
                }],
                ..TensorProto::default()
            };
            g.initializer.push(outside);
        },
        "`far.bin`: a model in memory has no folder",
    );
}

#[test]
fn graphs_that_are_not_complete_are_not_written() {
    let mut graph = everything();
    graph.inputs[0].dtype = None;
    let error = graph.to_onnx().expect_err("no type").to_string();
    assert!(error.contains("input `x`"), "{error}");
    let none = Graph {
        nodes: vec![Node::default()],
        ..Graph::default()
    };
    assert!(none.to_onnx().is_err(), "no operator set");
}

#[test]
fn names_of_initializers_among_the_inputs_are_no_inputs() {
    let mut message = decode(everything().to_onnx().expect("written").into()).expect("read");
    let graph = message.graph.as_mut().expect("a graph");
    graph.input.push(proto::ValueInfoProto {
        name: "c1".to_owned(),
        ..proto::ValueInfoProto::default()
    });
    let read = Graph::from_onnx(encode(&message).expect("small")).expect("read");
    assert_eq!(read.inputs.len(), 1);
}
