//! The walk over a file's bytes that comes before the generated reader: every length, number and
//! count is checked, and nothing is allocated.
//!
//! Encoding: <https://protobuf.dev/programming-guides/encoding/>.

use crate::FormatError;

/// Messages and texts of a file. The reader keeps some hundred bytes for each, which a file of
/// two-byte messages would multiply; the largest frozen graphs have some hundred thousand.
pub const MAX_MESSAGES: usize = 2_000_000;

pub(super) const FORMAT: &str = "TensorFlow GraphDef";

/// What a message's fields are descended into as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Message {
    Graph,
    Node,
    Entry,
    Attribute,
    List,
    Shape,
    Dim,
    Tensor,
}

/// What a field holds.
enum Kind {
    Message(Message),
    /// Text or bytes that are kept.
    Text,
    /// Integers, packed or not.
    Varints,
    /// Numbers of so many bytes, packed or not.
    Fixed(usize),
    /// Passed over.
    Other,
}

impl Message {
    fn field(self, number: u64) -> Kind {
        match (self, number) {
            (Self::Graph, 1) => Kind::Message(Self::Node),
            (Self::Node, 1..=3) | (Self::Entry, 1) | (Self::List, 2) => Kind::Text,
            (Self::Node, 5) => Kind::Message(Self::Entry),
            (Self::Entry, 2) => Kind::Message(Self::Attribute),
            (Self::Attribute, 1) => Kind::Message(Self::List),
            (Self::Attribute | Self::List, 7) | (Self::Tensor, 2) => Kind::Message(Self::Shape),
            (Self::Attribute, 8) => Kind::Message(Self::Tensor),
            (Self::List, 3 | 5 | 6) | (Self::Tensor, 7 | 10 | 11 | 13 | 16 | 17) => Kind::Varints,
            (Self::List, 4) | (Self::Tensor, 5) => Kind::Fixed(4),
            (Self::Tensor, 6) => Kind::Fixed(8),
            (Self::Shape, 2) => Kind::Message(Self::Dim),
            _ => Kind::Other,
        }
    }
}

fn error(offset: usize, problem: impl Into<String>) -> FormatError {
    FormatError::Malformed {
        format: FORMAT,
        place: format!("byte {offset}"),
        problem: problem.into(),
    }
}

/// Walks over the bytes of a `GraphDef`.
///
/// # Errors
/// [`FormatError::Malformed`] with the byte: a number that does not end or has more than 64 bits, a
/// length beyond what is left, a list that is cut, more than [`MAX_MESSAGES`] messages and texts.
pub fn check(bytes: &[u8]) -> Result<(), FormatError> {
    let mut walk = Walk { bytes, messages: 0 };
    // At most eight messages lie inside each other: nothing here nests in itself.
    walk.message(0, bytes.len(), Message::Graph)
}

struct Walk<'a> {
    bytes: &'a [u8],
    messages: usize,
}

impl Walk<'_> {
    fn varint(&self, at: &mut usize, end: usize) -> Result<u64, FormatError> {
        let begin = *at;
        let mut value = 0u64;
        for index in 0..10 {
            let byte = match self.bytes.get(*at) {
                Some(byte) if *at < end => *byte,
                _ => return Err(error(begin, "a number that does not end")),
            };
            *at += 1;
            if index == 9 && byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7F) << (7 * index);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(error(begin, "a number of more than 64 bits"))
    }

    fn count(&mut self, at: usize) -> Result<(), FormatError> {
        self.messages += 1;
        if self.messages > MAX_MESSAGES {
            return Err(error(at, format!("more than {MAX_MESSAGES} messages")));
        }
        Ok(())
    }

    fn message(&mut self, begin: usize, end: usize, message: Message) -> Result<(), FormatError> {
        self.count(begin)?;
        let mut at = begin;
        while at < end {
            let tag_at = at;
            let tag = self.varint(&mut at, end)?;
            let number = tag >> 3;
            if !(1..1 << 29).contains(&number) {
                return Err(error(tag_at, format!("there is no field {number}")));
            }
            match tag & 7 {
                0 => {
                    self.varint(&mut at, end)?;
                }
                wire @ (1 | 5) => {
                    let size = if wire == 1 { 8 } else { 4 };
                    if end - at < size {
                        return Err(error(at, format!("a number of {size} bytes is cut")));
                    }
                    at += size;
                }
                2 => {
                    let length_at = at;
                    let length = self.varint(&mut at, end)?;
                    let left = end - at;
                    let Some(length) = usize::try_from(length).ok().filter(|n| *n <= left) else {
                        return Err(error(
                            length_at,
                            format!("a length of {length} bytes where {left} are left"),
                        ));
                    };
                    self.field(at, at + length, &message.field(number))?;
                    at += length;
                }
                wire => {
                    return Err(error(
                        tag_at,
                        format!("field {number} has wire type {wire}, which GraphDef does not use"),
                    ));
                }
            }
        }
        Ok(())
    }

    fn field(&mut self, begin: usize, end: usize, kind: &Kind) -> Result<(), FormatError> {
        match kind {
            Kind::Message(child) => self.message(begin, end, *child),
            Kind::Text => self.count(begin),
            Kind::Varints => {
                let mut at = begin;
                while at < end {
                    self.varint(&mut at, end)?;
                }
                Ok(())
            }
            Kind::Fixed(size) if !(end - begin).is_multiple_of(*size) => Err(error(
                begin,
                format!("a list of {} bytes of numbers of {size}", end - begin),
            )),
            Kind::Fixed(_) | Kind::Other => Ok(()),
        }
    }
}
