//! An ONNX file with the weights of other files put in: the same messages, but tensors that lay
//! elsewhere hold their values (`raw_data`). Values are read once, to their place.

use super::{
    external::Values,
    file::MAX_ONNX_BYTES,
    schema::{Kind, Message},
    wire::{Fields, Span},
};
use crate::FormatError;
use std::{
    collections::BTreeMap,
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
    path::Path,
};

/// `TensorProto.raw_data`, `external_data` and `data_location`.
const RAW_DATA: u32 = 9;
const EXTERNAL_DATA: u32 = 13;
const DATA_LOCATION: u32 = 14;

/// A part of the new file.
enum Piece<'a> {
    Copy(&'a [u8]),
    /// A field that is a message of this many bytes; its pieces follow.
    Open {
        number: u32,
        bytes: u64,
    },
    /// Values of a tensor.
    Values(&'a Values),
}

/// The file `model` with `values` (in the order of the file) in it.
///
/// # Errors
/// When the whole exceeds [`MAX_ONNX_BYTES`] or memory, or a file cannot be read.
pub(super) fn inlined(model: &[u8], values: &[Values]) -> Result<Vec<u8>, FormatError> {
    let mut pieces = Vec::new();
    let size = rewrite(Span::file(model), Message::Model, values, &mut pieces)?;
    let too_large = || FormatError::TooLarge {
        what: "the model with its weights".to_owned(),
        bytes: size,
        limit: MAX_ONNX_BYTES,
    };
    if size > MAX_ONNX_BYTES {
        return Err(too_large());
    }
    let mut out = Vec::new();
    out.try_reserve_exact(usize::try_from(size).map_err(|_| too_large())?)
        .map_err(|_| too_large())?;
    let mut files = BTreeMap::new();
    for piece in pieces {
        match piece {
            Piece::Copy(bytes) => out.extend_from_slice(bytes),
            Piece::Open { number, bytes } => open(&mut out, number, bytes),
            Piece::Values(values) => append(&mut out, values, &mut files)?,
        }
    }
    Ok(out)
}

/// Appends the pieces of a message and returns how many bytes they are.
fn rewrite<'a>(
    span: Span<'a>,
    message: Message,
    values: &'a [Values],
    pieces: &mut Vec<Piece<'a>>,
) -> Result<u64, FormatError> {
    let own = (message == Message::Tensor)
        .then(|| values.first())
        .flatten();
    let end = span.offset + span.bytes.len();
    let mut size = 0;
    let mut copied = span.offset;
    let mut copy = |until: usize, next: usize, pieces: &mut Vec<Piece<'a>>| {
        let bytes = span
            .bytes
            .get(copied - span.offset..until - span.offset)
            .unwrap_or_default();
        copied = next;
        if !bytes.is_empty() {
            pieces.push(Piece::Copy(bytes));
        }
        bytes.len() as u64
    };
    let mut fields = Fields::new(span).peekable();
    while let Some(field) = fields.next() {
        let field = field?;
        let next = match fields.peek() {
            Some(Ok(next)) => next.offset,
            _ => end,
        };
        if own.is_some() && matches!(field.number, EXTERNAL_DATA | DATA_LOCATION) {
            size += copy(field.offset, next, pieces);
            continue;
        }
        let (Kind::One(child) | Kind::Many(child)) = message.field(field.number) else {
            continue;
        };
        let inner = field.span()?;
        let inside = inside(values, inner);
        if own.is_some() || inside.is_empty() {
            continue;
        }
        size += copy(field.offset, next, pieces);
        let place = pieces.len();
        pieces.push(Piece::Copy(&[]));
        let bytes = rewrite(inner, child, inside, pieces)?;
        let number = field.number;
        size += opened(number, bytes) + bytes;
        if let Some(piece) = pieces.get_mut(place) {
            *piece = Piece::Open { number, bytes };
        }
    }
    size += copy(end, end, pieces);
    if let Some(values) = own {
        let bytes = values.bytes.end - values.bytes.start;
        let number = RAW_DATA;
        pieces.extend([Piece::Open { number, bytes }, Piece::Values(values)]);
        size += opened(number, bytes) + bytes;
    }
    Ok(size)
}

/// Those of `values` whose tensors lie inside `span`.
fn inside<'a>(values: &'a [Values], span: Span<'_>) -> &'a [Values] {
    let starts_before = |offset: usize| values.partition_point(|v| v.tensor.message.start < offset);
    // A tensor's own message begins where the span does.
    let (from, to) = (
        starts_before(span.offset),
        starts_before(span.offset + span.bytes.len()),
    );
    values.get(from..to).unwrap_or_default()
}

/// Bytes of a tag and a length.
fn opened(number: u32, bytes: u64) -> u64 {
    let mut out = Vec::with_capacity(15);
    open(&mut out, number, bytes);
    out.len() as u64
}

fn open(out: &mut Vec<u8>, number: u32, bytes: u64) {
    varint(out, u64::from(number) << 3 | 2);
    varint(out, bytes);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7F {
        out.push((value & 0x7F) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn append<'a>(
    out: &mut Vec<u8>,
    values: &'a Values,
    files: &mut BTreeMap<&'a Path, File>,
) -> Result<(), FormatError> {
    let io = |e: std::io::Error| values.tensor.error(e.to_string());
    let file = match files.entry(&values.path) {
        std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
        std::collections::btree_map::Entry::Vacant(entry) => {
            entry.insert(File::open(&values.path).map_err(io)?)
        }
    };
    file.seek(SeekFrom::Start(values.bytes.start)).map_err(io)?;
    let wanted = values.bytes.end - values.bytes.start;
    let read = file.take(wanted).read_to_end(out).map_err(io)?;
    if read as u64 == wanted {
        Ok(())
    } else {
        Err(values.tensor.error("the file was cut while it was read"))
    }
}
