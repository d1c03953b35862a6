//! The walk over a whole file that comes before any reader of a library. It goes into every message
//! that the standard knows, so that a length, a number, a nesting or a claim of a tensor's size
//! that would hold up or kill another reader is an error with its place.

use super::{
    schema::{Kind, Message},
    tensor,
    wire::{Field, Fields, Span, Value},
};
use crate::FormatError;
use std::ops::Range;

/// Messages inside messages; the limit of Protocol Buffers' own readers.
pub const MAX_DEPTH: usize = 100;

/// Messages of a file. Readers keep a structure of some hundred bytes for each, which a file of
/// two-byte messages would multiply; the largest vision models have some ten thousand.
pub const MAX_MESSAGES: usize = 2_000_000;

/// A tensor whose values lie in another file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalTensor {
    /// Its name; may be empty.
    pub name: String,
    /// The file, relative to the model's folder, as the model says it.
    pub location: String,
    /// Where its values begin, in bytes.
    pub offset: u64,
    /// How many bytes they are, where the file says it; else all the rest.
    pub length: Option<u64>,
    /// How many bytes its shape and type need, where the type has a size.
    pub needed: Option<u64>,
    /// Its message in the model's file.
    pub(super) message: Range<usize>,
}

/// Walks over the bytes of an ONNX file; returns the tensors whose values lie elsewhere.
///
/// # Errors
/// [`FormatError::Onnx`] with the place: a number of more than ten bytes or 64 bits, a length beyond
/// what is left, messages nested deeper than [`MAX_DEPTH`] or more than [`MAX_MESSAGES`], a field
/// twice that may stand once, a tensor whose data are not as long as its shape says, a description
/// of data elsewhere that is incomplete.
pub fn check(bytes: &[u8]) -> Result<Vec<ExternalTensor>, FormatError> {
    let mut walk = Walk::default();
    walk.message(Span::file(bytes), Message::Model, 0)?;
    Ok(walk.external)
}

#[derive(Default)]
struct Walk {
    messages: usize,
    external: Vec<ExternalTensor>,
}

impl Walk {
    fn message(
        &mut self,
        span: Span<'_>,
        message: Message,
        depth: usize,
    ) -> Result<(), FormatError> {
        if depth > MAX_DEPTH {
            return Err(span.error(format!("messages are nested deeper than {MAX_DEPTH}")));
        }
        self.messages += 1;
        if self.messages > MAX_MESSAGES {
            return Err(span.error(format!("more than {MAX_MESSAGES} messages")));
        }
        // Bit n: field n was there. Fields that may stand once have numbers below 64.
        let mut seen = 0u64;
        for field in Fields::new(span) {
            let field = field?;
            let kind = message.field(field.number);
            if matches!(kind, Kind::One(_) | Kind::Single) {
                let bit = 1u64 << (field.number & 63);
                if seen & bit != 0 {
                    return Err(field.error("stands twice in one message"));
                }
                seen |= bit;
            }
            match kind {
                Kind::One(child) | Kind::Many(child) => {
                    self.message(field.span()?, child, depth + 1)?;
                }
                Kind::Varints => packed(&field)?,
                Kind::Fixed32s => multiple(&field, 4)?,
                Kind::Fixed64s => multiple(&field, 8)?,
                Kind::Single | Kind::Other => {}
            }
        }
        match message {
            Message::Tensor => self.external.extend(tensor::check(span)?),
            Message::SparseTensor => tensor::check_sparse(span)?,
            _ => {}
        }
        Ok(())
    }
}

/// A packed list of numbers ends where its field does.
fn packed(field: &Field<'_>) -> Result<(), FormatError> {
    if let Value::Bytes(list) = field.value {
        for number in Fields::varints(list) {
            number?;
        }
    }
    Ok(())
}

fn multiple(field: &Field<'_>, size: usize) -> Result<(), FormatError> {
    match field.value {
        Value::Bytes(list) if !list.bytes.len().is_multiple_of(size) => Err(field.error(&format!(
            "a list of {} bytes of numbers of {size}",
            list.bytes.len()
        ))),
        _ => Ok(()),
    }
}
