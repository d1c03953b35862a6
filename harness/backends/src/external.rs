//! Weights that an ONNX file keeps in other files. A record names its files by hash, and only the
//! `.onnx` among them, so such a model is refused: its weights could change unnoticed.
//!
//! The file is walked by field numbers of `onnx.proto`, because typed readers leave out the rarer
//! places where a tensor may stand (functions, sparse tensors, lists of tensors and graphs).
//! Nesting is bounded here, before any recursive reader sees the file.

use rten_onnx::{
    onnx::StringStringEntryProto,
    protobuf::{DecodeMessage as _, Fields, OwnedValues, ProtobufError, ReadValue, ValueReader},
};

/// Messages inside messages; the limit of protobuf's own readers.
const MAX_DEPTH: usize = 100;

/// `TensorProto.DataLocation.EXTERNAL`.
const EXTERNAL: i32 = 1;

/// Messages on the way to a tensor.
#[derive(Debug, Clone, Copy)]
enum Message {
    Model,
    Graph,
    Function,
    Node,
    Attribute,
    Sparse,
    Tensor,
}

impl Message {
    /// The message in a field, if tensors may stand below it.
    fn child(self, field: u64) -> Option<Self> {
        Some(match (self, field) {
            (Self::Model, 7) | (Self::Attribute, 6 | 11) => Self::Graph,
            (Self::Model, 25) => Self::Function,
            (Self::Graph, 1) | (Self::Function, 7) => Self::Node,
            (Self::Node, 5) | (Self::Function, 11) => Self::Attribute,
            (Self::Graph, 15) | (Self::Attribute, 22 | 23) => Self::Sparse,
            (Self::Graph, 5) | (Self::Attribute, 5 | 10) | (Self::Sparse, 1 | 2) => Self::Tensor,
            _ => return None,
        })
    }
}

/// The file in which the first tensor kept elsewhere lies; `None` when all are in `bytes`.
///
/// # Errors
/// When `bytes` are no ONNX file, or nested deeper than 100 messages.
pub(crate) fn weights_elsewhere(bytes: &[u8]) -> Result<Option<String>, String> {
    let mut reader = ValueReader::from_buf(bytes);
    walk(
        Fields::new(&mut reader, Some("ModelProto")),
        Message::Model,
        0,
    )
}

fn walk<R: ReadValue<Types = OwnedValues>>(
    mut fields: Fields<R>,
    message: Message,
    depth: usize,
) -> Result<Option<String>, String> {
    let text = |e: ProtobufError| format!("not an ONNX file, or a truncated one: {e}");
    if depth > MAX_DEPTH {
        return Err(format!("messages are nested deeper than {MAX_DEPTH}"));
    }
    let (mut found, mut location, mut external) = (None, None, false);
    while let Some(mut field) = fields.next().map_err(text)? {
        match (message, field.number()) {
            (Message::Tensor, 13) => {
                let entry = StringStringEntryProto::decode_field(&mut field).map_err(text)?;
                if entry.key.as_deref() == Some("location") {
                    location = entry.value;
                }
            }
            (Message::Tensor, 14) => external = field.get_enum().map_err(text)? == EXTERNAL,
            (_, number) => match message.child(number) {
                // What follows a find is passed over, but must be consumed.
                Some(child) if found.is_none() => {
                    found = walk(field.read_message(None).map_err(text)?, child, depth + 1)?
                }
                _ => field.skip().map_err(text)?,
            },
        }
    }
    Ok(if external {
        Some(location.unwrap_or_else(|| "?".to_owned()))
    } else {
        found
    })
}
