//! Attributes of nodes, from and to messages. Numbers of types: `AttributeProto.AttributeType`.

use super::{
    read::{body, refused, text},
    typed::tensor_of,
    write::{message_of_graph, message_of_tensor},
};
use crate::{HubError, graph::Attribute};
use bytes::Bytes;
use dyno_formats::onnx::proto::AttributeProto;

const FLOAT: i32 = 1;
const INT: i32 = 2;
const STRING: i32 = 3;
const TENSOR: i32 = 4;
const GRAPH: i32 = 5;
const FLOATS: i32 = 6;
const INTS: i32 = 7;
const STRINGS: i32 = 8;

/// The type of an attribute of files that do not say it (before version 2 of the format): that of
/// the only field that holds something.
fn implied(a: &AttributeProto) -> i32 {
    let held = [
        (FLOAT, a.f.is_some()),
        (INT, a.i.is_some()),
        (STRING, a.s.is_some()),
        (TENSOR, a.t.is_some()),
        (GRAPH, a.g.is_some()),
        (FLOATS, !a.floats.is_empty()),
        (INTS, !a.ints.is_empty()),
        (STRINGS, !a.strings.is_empty()),
    ];
    let mut found = held.iter().filter(|(_, there)| *there);
    match (found.next(), found.next()) {
        (Some((kind, _)), None) => *kind,
        _ => 0,
    }
}

/// The value of attribute `a` of the node `place`.
pub(super) fn attribute_of(a: AttributeProto, place: &str) -> Result<Attribute, HubError> {
    let kind = if a.r#type == 0 { implied(&a) } else { a.r#type };
    let name = &a.name;
    if !a.ref_attr_name.is_empty() {
        return Err(refused(
            place,
            format!("attribute `{name}` refers to one of a function"),
        ));
    }
    Ok(match kind {
        FLOAT => Attribute::Float(a.f.unwrap_or_default()),
        INT => Attribute::Int(a.i.unwrap_or_default()),
        STRING => Attribute::String(a.s.unwrap_or_default().to_vec()),
        TENSOR => {
            let tensor =
                a.t.ok_or_else(|| refused(place, format!("attribute `{name}` lacks its tensor")))?;
            let place = format!("{place}, attribute `{name}`");
            Attribute::Tensor(tensor_of(&tensor, &place)?)
        }
        GRAPH => {
            let graph =
                a.g.ok_or_else(|| refused(place, format!("attribute `{name}` lacks its graph")))?;
            Attribute::Graph(Box::new(body(*graph)?))
        }
        FLOATS => Attribute::Floats(a.floats),
        INTS => Attribute::Ints(a.ints),
        STRINGS => Attribute::Strings(a.strings.iter().map(|s| s.to_vec()).collect()),
        other => {
            let problem = format!("attribute `{name}` is of type {other}, which is not supported");
            return Err(refused(place, problem));
        }
    })
}

/// The message of an attribute.
pub(super) fn message_of_attribute(
    name: &str,
    value: &Attribute,
) -> Result<AttributeProto, HubError> {
    let mut a = AttributeProto {
        name: text(name),
        ..AttributeProto::default()
    };
    match value {
        Attribute::Float(v) => (a.r#type, a.f) = (FLOAT, Some(*v)),
        Attribute::Int(v) => (a.r#type, a.i) = (INT, Some(*v)),
        Attribute::String(v) => (a.r#type, a.s) = (STRING, Some(Bytes::copy_from_slice(v))),
        Attribute::Tensor(v) => {
            (a.r#type, a.t) = (TENSOR, Some(Box::new(message_of_tensor("", v)?)));
        }
        Attribute::Graph(v) => {
            (a.r#type, a.g) = (GRAPH, Some(Box::new(message_of_graph(v)?)));
        }
        Attribute::Floats(v) => (a.r#type, a.floats) = (FLOATS, v.clone()),
        Attribute::Ints(v) => (a.r#type, a.ints) = (INTS, v.clone()),
        Attribute::Strings(v) => {
            let strings = v.iter().map(|s| Bytes::copy_from_slice(s)).collect();
            (a.r#type, a.strings) = (STRINGS, strings);
        }
    }
    Ok(a)
}
