//! ONNX files by hand: protocol buffers are fields of a number, a kind and a content
//! (<https://protobuf.dev/programming-guides/encoding/>), and the numbers are those of `onnx.proto3`.

/// A message while it is written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Message(pub(crate) Vec<u8>);

impl Message {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A varint.
    pub(crate) fn number(mut self, field: u64, value: u64) -> Self {
        varint(&mut self.0, field << 3);
        varint(&mut self.0, value);
        self
    }

    /// Bytes, a text or a message.
    pub(crate) fn bytes(mut self, field: u64, value: &[u8]) -> Self {
        varint(&mut self.0, field << 3 | 2);
        varint(&mut self.0, value.len() as u64);
        self.0.extend(value);
        self
    }

    pub(crate) fn message(self, field: u64, value: &Self) -> Self {
        self.bytes(field, &value.0)
    }
}

fn varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        bytes.push(value as u8 & 0x7f | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn read_varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in 0.. {
        let (first, rest) = bytes.split_first().expect("a whole varint");
        *bytes = rest;
        value |= u64::from(first & 0x7f) << (7 * shift);
        if *first < 0x80 {
            break;
        }
    }
    value
}

/// Fields of a message that we wrote ourselves: number and content, varints as their bytes.
fn fields(mut bytes: &[u8]) -> Vec<(u64, Result<u64, Vec<u8>>)> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = read_varint(&mut bytes);
        fields.push((
            key >> 3,
            match key & 7 {
                0 => Ok(read_varint(&mut bytes)),
                2 => {
                    let length = usize::try_from(read_varint(&mut bytes)).expect("a length");
                    let (content, rest) = bytes.split_at(length);
                    bytes = rest;
                    Err(content.to_vec())
                }
                kind => panic!("the quickstart's models have no field of kind {kind} here"),
            },
        ));
    }
    fields
}

/// A message with some of its fields changed: `change` gives the new content of a field of bytes.
fn rewrite(bytes: &[u8], change: impl Fn(u64, &[u8]) -> Option<Vec<u8>>) -> Vec<u8> {
    let mut message = Message::new();
    for (field, content) in fields(bytes) {
        message = match content {
            Ok(number) => message.number(field, number),
            Err(content) => {
                let new = change(field, &content).unwrap_or(content);
                message.bytes(field, &new)
            }
        };
    }
    message.0
}

/// Changes the graph (field 7) of a model.
fn in_graph(model: &[u8], change: impl Fn(u64, &[u8]) -> Option<Vec<u8>>) -> Vec<u8> {
    rewrite(model, |field, content| {
        (field == 7).then(|| rewrite(content, &change))
    })
}

/// `ValueInfoProto` of f32 with these dimensions; a word is an open one.
fn value_info(name: &str, dimensions: &[&str]) -> Message {
    let mut shape = Message::new();
    for dimension in dimensions {
        let one = match dimension.parse() {
            Ok(number) => Message::new().number(1, number),
            Err(_) => Message::new().bytes(2, dimension.as_bytes()),
        };
        shape = shape.message(1, &one);
    }
    let tensor = Message::new().number(1, 1).message(2, &shape);
    let kind = Message::new().message(1, &tensor);
    Message::new().bytes(1, name.as_bytes()).message(2, &kind)
}

/// The quickstart's detector with an input of any height and width, multiples of 32: its three
/// reshapes take as many cells as there are.
pub(crate) fn free_size(detector: &[u8]) -> Vec<u8> {
    in_graph(detector, |field, content| match field {
        // TensorProto: name is 8, raw_data is 9.
        5 => {
            let shape = fields(content)
                .iter()
                .any(|(f, c)| *f == 8 && c.as_ref().is_err_and(|name| name.ends_with(b".shape")));
            shape.then(|| {
                rewrite(content, |field, raw| {
                    (field == 9).then(|| [&raw[..16], &(-1_i64).to_le_bytes()[..]].concat())
                })
            })
        }
        11 => Some(value_info("images", &["1", "3", "height", "width"]).0),
        12 => Some(value_info("output", &["1", "cells", "11"]).0),
        _ => None,
    })
}

/// A node of an operator that reads and gives these tensors.
fn node(kind: &str, inputs: &[&str], output: &str) -> Message {
    inputs
        .iter()
        .fold(Message::new(), |node, input| {
            node.bytes(1, input.as_bytes())
        })
        .bytes(2, output.as_bytes())
        .bytes(4, kind.as_bytes())
}

/// The quickstart's classifier with further nodes behind its logits: they read `quiet` and give
/// `logits`.
fn with_tail(classifier: &[u8], nodes: &[Message]) -> Vec<u8> {
    let renamed = in_graph(classifier, |field, content| {
        let last = field == 1 && fields(content).contains(&(2, Err(b"logits".to_vec())));
        last.then(|| {
            rewrite(content, |field, name| {
                (matches!(field, 2 | 3) && name == b"logits").then(|| b"quiet".to_vec())
            })
        })
    });
    rewrite(&renamed, |field, graph| {
        let graph = Message(graph.to_vec());
        let graph = nodes
            .iter()
            .fold(graph, |graph, node| graph.message(1, node));
        (field == 7).then_some(graph.0)
    })
}

/// The quickstart's classifier with noise on its logits: its outputs are other ones whenever it
/// runs.
pub(crate) fn with_random(classifier: &[u8]) -> Vec<u8> {
    // AttributeProto: name is 1, ints are 8, type is 20, and 7 says ints.
    let shape = Message::new()
        .bytes(1, b"shape")
        .number(8, 1)
        .number(8, 6)
        .number(20, 7);
    let noise = node("RandomNormal", &[], "noise").message(5, &shape);
    with_tail(
        classifier,
        &[noise, node("Add", &["quiet", "noise"], "logits")],
    )
}

/// The quickstart's classifier whose logits are all no number: nothing divided by nothing.
pub(crate) fn with_nan(classifier: &[u8]) -> Vec<u8> {
    let nothing = node("Sub", &["quiet", "quiet"], "nothing");
    with_tail(
        classifier,
        &[nothing, node("Div", &["nothing", "nothing"], "logits")],
    )
}

/// A model of this many `Relu` in a chain, from `input` of 1×3×8×8 to `output`.
pub(crate) fn chain(length: u32) -> Vec<u8> {
    let mut graph = Message::new();
    for i in 0..length {
        let name = |i: u32| match i {
            0 => "input".to_owned(),
            i if i == length => "output".to_owned(),
            i => format!("n{i}"),
        };
        let node = Message::new()
            .bytes(1, name(i).as_bytes())
            .bytes(2, name(i + 1).as_bytes())
            .bytes(4, b"Relu");
        graph = graph.message(1, &node);
    }
    let shape = ["1", "3", "8", "8"];
    let graph = graph
        .bytes(2, b"chain")
        .message(11, &value_info("input", &shape))
        .message(12, &value_info("output", &shape));
    let opset = Message::new().number(2, 13);
    Message::new()
        .number(1, 8)
        .message(7, &graph)
        .message(8, &opset)
        .0
}
