//! The messages of `onnx.proto` (onnx 1.23) and what their fields hold, as far as a reader could
//! descend into them or be held up by them.

/// A message of `onnx.proto`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Message {
    Attribute,
    Dimension,
    Function,
    Graph,
    IntList,
    Map,
    Model,
    Node,
    NodeDevice,
    OperatorSet,
    Optional,
    Sequence,
    Shape,
    ShardedDim,
    Sharding,
    SparseTensor,
    SparseTensorType,
    StringEntry,
    Tensor,
    TensorAnnotation,
    TensorType,
    Training,
    Type,
    ValueInfo,
    /// A message of numbers and text alone.
    Leaf,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// One message: standing there twice, it would be merged by some readers and replaced by
    /// others.
    One(Message),
    /// A list of messages.
    Many(Message),
    /// One number, text or bytes, of which readers would take the first or the last.
    Single,
    /// A list of integers, packed or not.
    Varints,
    /// A list of numbers of four bytes, packed or not.
    Fixed32s,
    /// A list of numbers of eight bytes, packed or not.
    Fixed64s,
    /// Nothing that could be descended into, or unknown.
    Other,
}

impl Message {
    /// What field `number` of this message holds.
    pub(super) fn field(self, number: u32) -> Kind {
        use Kind::{Fixed32s, Fixed64s, Many, One, Other, Single, Varints};
        use Message as M;
        match (self, number) {
            (M::Model, 7) | (M::Attribute, 6) | (M::Training, 1 | 2) => One(M::Graph),
            (M::Attribute | M::Model | M::SparseTensorType | M::TensorType | M::ValueInfo, 1)
            | (M::Dimension | M::OperatorSet | M::StringEntry, 1 | 2)
            | (M::Node, 4 | 7)
            | (M::Tensor, 2 | 8 | 9 | 14) => Single,
            (M::Model, 26) | (M::ShardedDim, 2) => Many(M::Leaf),
            (M::Model, 8) | (M::Function, 9) => Many(M::OperatorSet),
            (M::Model, 20) => Many(M::Training),
            (M::Model, 25) => Many(M::Function),
            (M::Model | M::Function, 14)
            | (M::ValueInfo, 4)
            | (M::Graph | M::Tensor, 16)
            | (M::Node, 9)
            | (M::Tensor, 13)
            | (M::TensorAnnotation, 2)
            | (M::Training, 3 | 4) => Many(M::StringEntry),
            (M::Graph, 1) | (M::Function, 7) => Many(M::Node),
            (M::Graph, 5) | (M::Attribute, 10) => Many(M::Tensor),
            (M::Graph, 11..=13) | (M::Function, 12) => Many(M::ValueInfo),
            (M::Graph, 14) => Many(M::TensorAnnotation),
            (M::Graph, 15) | (M::Attribute, 23) => Many(M::SparseTensor),
            (M::Node, 5) | (M::Function, 11) => Many(M::Attribute),
            (M::Node, 10) => Many(M::NodeDevice),
            (M::NodeDevice, 2) => Many(M::Sharding),
            (M::Sharding, 3) => Many(M::IntList),
            (M::Sharding, 4) => Many(M::ShardedDim),
            (M::Attribute, 5) | (M::SparseTensor, 1 | 2) => One(M::Tensor),
            (M::Attribute, 11) => Many(M::Graph),
            (M::Attribute, 14) | (M::ValueInfo | M::Map, 2) | (M::Sequence | M::Optional, 1) => {
                One(M::Type)
            }
            (M::Attribute, 15) => Many(M::Type),
            (M::Attribute, 22) => One(M::SparseTensor),
            (M::Attribute, 8)
            | (M::IntList | M::Sharding, 2)
            | (M::SparseTensor, 3)
            | (M::Tensor, 1 | 5 | 7 | 11) => Varints,
            (M::Tensor, 3) | (M::Type, 7) => One(M::Leaf),
            (M::Attribute, 7) | (M::Tensor, 4) => Fixed32s,
            (M::Tensor, 10) => Fixed64s,
            (M::Type, 1) => One(M::TensorType),
            (M::Type, 4) => One(M::Sequence),
            (M::Type, 5) => One(M::Map),
            (M::Type, 8) => One(M::SparseTensorType),
            (M::Type, 9) => One(M::Optional),
            (M::TensorType | M::SparseTensorType, 2) => One(M::Shape),
            (M::Shape, 1) => Many(M::Dimension),
            _ => Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGES: &[(&str, Message)] = &[
        ("AttributeProto", Message::Attribute),
        ("TensorShapeProto.Dimension", Message::Dimension),
        ("FunctionProto", Message::Function),
        ("GraphProto", Message::Graph),
        ("IntIntListEntryProto", Message::IntList),
        ("TypeProto.Map", Message::Map),
        ("ModelProto", Message::Model),
        ("NodeProto", Message::Node),
        ("NodeDeviceConfigurationProto", Message::NodeDevice),
        ("OperatorSetIdProto", Message::OperatorSet),
        ("TypeProto.Optional", Message::Optional),
        ("TypeProto.Sequence", Message::Sequence),
        ("TensorShapeProto", Message::Shape),
        ("ShardedDimProto", Message::ShardedDim),
        ("ShardingSpecProto", Message::Sharding),
        ("SparseTensorProto", Message::SparseTensor),
        ("TypeProto.SparseTensor", Message::SparseTensorType),
        ("StringStringEntryProto", Message::StringEntry),
        ("TensorProto", Message::Tensor),
        ("TensorAnnotation", Message::TensorAnnotation),
        ("TypeProto.Tensor", Message::TensorType),
        ("TrainingInfoProto", Message::Training),
        ("TypeProto", Message::Type),
        ("ValueInfoProto", Message::ValueInfo),
    ];

    fn message(name: &str) -> Message {
        MESSAGES
            .iter()
            .find(|(n, _)| *n == name)
            .map_or(Message::Leaf, |(_, m)| *m)
    }

    /// `fields.txt` is written by `make_fields.py` from the descriptors of ONNX's own package.
    #[test]
    fn the_table_is_that_of_the_onnx_package() {
        let mut rows = 0;
        for line in include_str!("../../tests/fixtures/fields.txt").lines() {
            let mut words = line.split(' ');
            let mut word = || words.next().expect("three words a line");
            let (name, number, what) = (word(), word(), word());
            let found = message(name).field(number.parse().expect("a number"));
            let expected = match what.split_once(':') {
                Some(("one", name)) => Kind::One(message(name)),
                Some(("many", name)) => Kind::Many(message(name)),
                _ => match what {
                    "varints" => Kind::Varints,
                    "fixed32s" => Kind::Fixed32s,
                    "fixed64s" => Kind::Fixed64s,
                    // Only those that some reader here looks at are told apart.
                    "single" if found == Kind::Single => Kind::Single,
                    _ => Kind::Other,
                },
            };
            assert_eq!(found, expected, "{line}");
            rows += 1;
        }
        assert!(rows > 130, "{rows} rows");
    }
}
