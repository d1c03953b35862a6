//! Inferred types and shapes against ONNX's own inference and the data of its node tests
//! (`reference/infer.py`, onnx 1.22.0).

use crate::{onnx_files::onnx_files, support::assets::assets};
use dyno_core::Dimension;
use dyno_hub::graph::{Attribute, ElementType, Graph, Node, Tensor, Value};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/infer")
        .join(name);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn element(name: &str) -> ElementType {
    (0..20)
        .filter_map(ElementType::from_onnx)
        .find(|e| e.to_string() == name)
        .unwrap_or_else(|| panic!("no type {name}"))
}

/// `f32[1x?xN]`, `f32`, or nothing.
fn value(name: &str, text: &str) -> Value {
    if text.is_empty() {
        return Value::unknown(name);
    }
    let (kind, rest) = text.split_once('[').unwrap_or((text, ""));
    let shape = rest.split_once(']').map(|(dims, _)| {
        let dims = dims.split('x').filter(|d| !d.is_empty());
        let each = dims.map(|d| match d.parse() {
            Ok(n) => Dimension::Fixed(n),
            Err(_) if d == "?" => Dimension::Unknown,
            Err(_) => Dimension::Symbolic(d.to_owned()),
        });
        each.collect()
    });
    Value {
        name: name.to_owned(),
        dtype: Some(element(kind)),
        shape,
    }
}

/// `i64[2]={3,4}`.
fn constant(text: &str) -> Option<Tensor> {
    let (head, values) = text.split_once("={")?;
    let stated = value("", head);
    let dims = stated.fixed_shape().expect("a constant has a shape");
    let mut bytes = Vec::new();
    for text in values.trim_end_matches('}').split(',') {
        if text.is_empty() {
            continue;
        }
        match stated.dtype.expect("a constant has a type") {
            ElementType::F32 => {
                let v: f32 = text.parse().expect("a number");
                bytes.extend(v.to_le_bytes());
            }
            ElementType::F16 => {
                let v: f32 = text.parse().expect("a number");
                bytes.extend(half::f16::from_f32(v).to_le_bytes());
            }
            ElementType::F64 => {
                let v: f64 = text.parse().expect("a number");
                bytes.extend(v.to_le_bytes());
            }
            ElementType::Bool => bytes.push(u8::from(text == "True")),
            other => {
                let v: i64 = text.parse().expect("an integer");
                bytes.extend_from_slice(&v.to_le_bytes()[..other.size_bytes()]);
            }
        }
    }
    let tensor = Tensor::new(stated.dtype?, dims, bytes.into());
    Some(tensor.expect("as many values as the shape says"))
}

fn attribute(text: &str) -> (String, Attribute) {
    let (name, rest) = text.split_once('=').expect("name=value");
    let (kind, text) = rest.split_once(':').expect("type:value");
    let list = || text.split(',').filter(|t| !t.is_empty());
    let value = match kind {
        "i" => Attribute::Int(text.parse().expect("an integer")),
        "f" => Attribute::Float(text.parse().expect("a number")),
        "s" => text.into(),
        "is" => Attribute::Ints(list().map(|t| t.parse().expect("an integer")).collect()),
        "fs" => Attribute::Floats(list().map(|t| t.parse().expect("a number")).collect()),
        _ => Attribute::Tensor(constant(text).expect("a constant")),
    };
    (name.to_owned(), value)
}

struct Case {
    graph: Graph,
    op: String,
    /// What the test data hold, and what ONNX infers.
    outputs: Vec<(Value, Value)>,
}

fn case(line: &str) -> Case {
    let fields: Vec<&str> = line.split(" | ").collect();
    let [_, opset, op, inputs, attributes, outputs] = fields[..] else {
        panic!("{line}");
    };
    let mut graph = Graph {
        opset: opset.parse().expect("a version"),
        ..Graph::default()
    };
    let mut node = Node {
        op: op.to_owned(),
        attributes: attributes
            .split(' ')
            .filter(|a| !a.is_empty())
            .map(attribute)
            .collect(),
        ..Node::default()
    };
    for (at, text) in inputs.split(' ').filter(|i| !i.is_empty()).enumerate() {
        let name = format!("i{at}");
        if text == "-" {
            node.inputs.push(String::new());
            continue;
        }
        if let Some(tensor) = constant(text) {
            graph.initializers.insert(name.clone(), tensor);
        } else {
            graph.inputs.push(value(&name, text));
        }
        node.inputs.push(name);
    }
    let mut expected = Vec::new();
    for (at, text) in outputs.split(' ').enumerate() {
        let name = if text == "-" {
            String::new()
        } else {
            format!("o{at}")
        };
        if let Some((truth, inferred)) = text.split_once('~') {
            expected.push((value(&name, truth), value(&name, inferred)));
            graph.outputs.push(Value::unknown(name.clone()));
        }
        node.outputs.push(name);
    }
    graph.nodes.push(node);
    Case {
        graph,
        op: op.to_owned(),
        outputs: expected,
    }
}

/// Whether `found` says something that is not so.
fn contradicts(found: &Value, truth: &Value) -> bool {
    let shapes = match (&found.shape, &truth.shape) {
        (Some(f), Some(t)) => {
            f.len() != t.len()
                || f.iter().zip(t).any(|(f, t)| match (f, t) {
                    (Dimension::Fixed(f), Dimension::Fixed(t)) => f != t,
                    _ => false,
                })
        }
        _ => false,
    };
    let types = matches!((found.dtype, truth.dtype), (Some(f), Some(t)) if f != t);
    shapes || types
}

/// Whether `found` says less than `reference`: no type, no shape, or an open axis where that has a
/// number.
fn says_less(found: &Value, reference: &Value) -> bool {
    if found.dtype.is_none() && reference.dtype.is_some() {
        return true;
    }
    match (&found.shape, &reference.shape) {
        (None, Some(_)) => true,
        (Some(f), Some(r)) => f
            .iter()
            .zip(r)
            .any(|(f, r)| matches!(r, Dimension::Fixed(_)) && !matches!(f, Dimension::Fixed(_))),
        (_, None) => false,
    }
}

/// Operators that are not in the table, or of which less is inferred than ONNX infers.
const LESS: &[&str] = &[
    "AffineGrid",
    "Attention",
    "Bernoulli",
    "BitCast",
    "BitShift",
    "BitwiseAnd",
    "BitwiseNot",
    "BitwiseOr",
    "BitwiseXor",
    "BlackmanWindow",
    "CausalConvWithState",
    "CenterCropPad",
    "Col2Im",
    "Compress",
    "CumProd",
    "DFT",
    "DeformConv",
    "Det",
    "Einsum",
    "EyeLike",
    "GRU",
    "HammingWindow",
    "HannWindow",
    "ImageDecoder",
    "LSTM",
    "LinearAttention",
    "MelWeightMatrix",
    "NegativeLogLikelihoodLoss",
    "OptionalGetElement",
    "OptionalHasElement",
    "RMSNormalization",
    "RNN",
    // Policies that keep the aspect ratio, axes in another order than the shape's.
    "Resize",
    "ReverseSequence",
    "RotaryEmbedding",
    "STFT",
    "SoftmaxCrossEntropyLoss",
    "TensorScatter",
    "TfIdfVectorizer",
    "Unique",
];

#[test]
fn nodes_are_inferred_as_onnx_infers_them() {
    let (mut wrong, mut less, mut full) = (Vec::new(), BTreeSet::new(), 0);
    for line in fixture("nodes.txt").lines() {
        let Case {
            mut graph,
            op,
            outputs,
        } = case(line);
        if let Err(e) = graph.infer() {
            wrong.push(format!("{line}: {e:?}"));
            continue;
        }
        for (truth, reference) in outputs {
            let found = graph.value(&truth.name).expect("an output");
            if contradicts(&found, &truth) {
                wrong.push(format!("{line}: {found:?}"));
            }
            if says_less(&found, &reference) {
                less.insert(op.clone());
            }
            full += usize::from(!says_less(&found, &truth));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    let less: Vec<&str> = less.iter().map(String::as_str).collect();
    assert_eq!(less, LESS, "operators of which less is known");
    assert!(full > 850, "{full} outputs are known in full");
}

#[test]
fn real_models_are_inferred_as_onnx_infers_them() {
    let Some(folder) = assets("models/onnx") else {
        return;
    };
    for path in onnx_files(&folder) {
        let name = path.file_stem().and_then(|s| s.to_str()).expect("a name");
        let reference: BTreeMap<String, Value> = fixture(&format!("{name}.txt"))
            .lines()
            .map(|line| {
                let (name, text) = line.split_once(' ').unwrap_or((line, ""));
                (name.to_owned(), value(name, text))
            })
            .collect();
        let mut graph = Graph::from_onnx(fs::read(&path).expect("a file")).expect("a model");
        graph.values.clear();
        for output in &mut graph.outputs {
            *output = Value::unknown(output.name.clone());
        }
        graph.infer().unwrap_or_else(|e| panic!("{name}: {e:?}"));
        let mut wrong = Vec::new();
        for (value, reference) in &reference {
            let found = graph.value(value).unwrap_or_else(|| Value::unknown(value));
            if contradicts(&found, reference) || says_less(&found, reference) {
                wrong.push(format!("{found:?}, onnx: {reference:?}"));
            }
        }
        assert!(wrong.is_empty(), "{name}:\n{}", wrong.join("\n"));
        assert!(reference.len() > 10, "{name}: {}", reference.len());
    }
}
