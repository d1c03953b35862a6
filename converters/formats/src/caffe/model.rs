//! Weights of a `.caffemodel`: layers by name, their blobs as slices of the file.
//!
//! Fields that are read, by number: `NetParameter` {name 1, layers 2 (of the first version), layer
//! 100}; `LayerParameter` {name 1, type 2, blobs 7}; `V1LayerParameter` {layer 1 (of version 0),
//! name 4, type 5, blobs 6}; `BlobProto` {num 1, channels 2, height 3, width 4, data 5, shape 7,
//! double_data 8, raw_data_type 10, raw_data 12}; `BlobShape` {dim 1}. Numbers above those belong to
//! parameters of layers, which forks number differently: they are passed over.

use super::wire::{Span, Value, error};
use crate::FormatError;
use bytes::{Bytes, BytesMut};

/// Blobs of a file: each takes some hundred bytes of memory, which a file of two-byte messages would
/// multiply; the largest nets have some thousand.
pub const MAX_BLOBS: usize = 100_000;
/// Axes of a blob, as in Caffe.
const MAX_AXES: usize = 32;

/// A `.caffemodel`.
#[derive(Debug, Clone, Default)]
pub struct CaffeModel {
    /// Name of the net; may be empty.
    pub name: String,
    /// Layers that have blobs, in the order of the file; several may have one name.
    pub layers: Vec<ModelLayer>,
}

/// The kind of a layer as older files write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OldKind {
    /// A name: not old at all.
    Name(String),
    /// A number of `V1LayerParameter.LayerType`.
    Number(u64),
}

/// A layer's weights.
#[derive(Debug, Clone)]
pub struct ModelLayer {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: OldKind,
    /// Its blobs; at least one.
    pub blobs: Vec<Blob>,
}

/// Type of a blob's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlobElement {
    /// IEEE 754 binary16 (NVCaffe).
    F16,
    /// IEEE 754 binary32.
    F32,
    /// IEEE 754 binary64.
    F64,
}

impl BlobElement {
    /// Bytes of a value.
    pub fn size_bytes(self) -> usize {
        match self {
            Self::F16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }
}

/// A blob.
#[derive(Debug, Clone)]
pub struct Blob {
    /// Its shape; of an old file num, channels, height and width.
    pub dims: Vec<usize>,
    /// Type of its values.
    pub element: BlobElement,
    /// Its values, little-endian, as many as the shape has; a slice of the file.
    pub bytes: Bytes,
    /// Where in the file it begins.
    pub offset: usize,
}

impl Blob {
    /// Number of values.
    pub fn len(&self) -> usize {
        self.bytes.len() / self.element.size_bytes()
    }

    /// No values.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

impl CaffeModel {
    /// Reads a file. The blobs share its bytes.
    ///
    /// # Errors
    /// [`FormatError::Malformed`] with the byte: a field that is cut off or longer than the file, a
    /// blob whose values are not as many as its shape says, more than [`MAX_BLOBS`] blobs, layers
    /// of version 0, which do not name their blobs' layers.
    pub fn read(bytes: Bytes) -> Result<Self, FormatError> {
        let mut net = Span { bytes, offset: 0 };
        let mut model = Self::default();
        let mut left = MAX_BLOBS;
        while let Some((number, begin, value)) = net.field()? {
            match (number, value) {
                (1, Value::Bytes(name)) => model.name = name.text()?,
                (2, Value::Bytes(layer)) => {
                    model.layers.extend(read_layer(layer, &V1, &mut left)?);
                }
                (100, Value::Bytes(layer)) => {
                    model.layers.extend(read_layer(layer, &V2, &mut left)?);
                }
                (1 | 2 | 100, _) => return Err(error(begin, wrong_type(number))),
                _ => {}
            }
        }
        Ok(model)
    }
}

fn wrong_type(number: u32) -> String {
    format!("field {number} holds a number, where a message or text must be")
}

/// Field numbers of one version's layers.
struct Numbers {
    name: u32,
    kind: u32,
    blobs: u32,
    /// A layer of version 0 inside.
    inner: Option<u32>,
}

const V1: Numbers = Numbers {
    name: 4,
    kind: 5,
    blobs: 6,
    inner: Some(1),
};
const V2: Numbers = Numbers {
    name: 1,
    kind: 2,
    blobs: 7,
    inner: None,
};

fn read_layer(
    mut layer: Span,
    numbers: &Numbers,
    left: &mut usize,
) -> Result<Option<ModelLayer>, FormatError> {
    let mut read = ModelLayer {
        name: String::new(),
        kind: OldKind::Number(0),
        blobs: Vec::new(),
    };
    while let Some((number, begin, value)) = layer.field()? {
        match value {
            Value::Bytes(name) if number == numbers.name => read.name = name.text()?,
            Value::Bytes(name) if number == numbers.kind => read.kind = OldKind::Name(name.text()?),
            Value::Varint(kind) if number == numbers.kind => read.kind = OldKind::Number(kind),
            Value::Bytes(blob) if number == numbers.blobs => {
                *left = left
                    .checked_sub(1)
                    .ok_or_else(|| error(begin, format!("more than {MAX_BLOBS} blobs")))?;
                read.blobs.push(read_blob(blob)?);
            }
            _ if Some(number) == numbers.inner => {
                return Err(error(begin, "a layer of version 0 of the format"));
            }
            _ if [numbers.name, numbers.blobs].contains(&number) => {
                return Err(error(begin, wrong_type(number)));
            }
            _ => {}
        }
    }
    Ok((!read.blobs.is_empty()).then_some(read))
}

/// Values of one field: a slice of the file when they stand there once and packed, as writers do.
#[derive(Default)]
struct Values {
    packed: Option<Bytes>,
    gathered: BytesMut,
}

impl Values {
    fn add(&mut self, bytes: &Bytes) {
        if self.packed.is_none() && self.gathered.is_empty() {
            self.packed = Some(bytes.clone());
            return;
        }
        self.add_one(bytes);
    }

    fn add_one(&mut self, bytes: &[u8]) {
        if let Some(packed) = self.packed.take() {
            self.gathered.extend_from_slice(&packed);
        }
        self.gathered.extend_from_slice(bytes);
    }

    fn finish(self) -> Bytes {
        self.packed.unwrap_or_else(|| self.gathered.freeze())
    }
}

fn read_blob(mut blob: Span) -> Result<Blob, FormatError> {
    let offset = blob.offset;
    let mut old = [None; 4];
    let mut shape: Option<Vec<u64>> = None;
    let (mut floats, mut doubles, mut raw) = (Values::default(), Values::default(), None);
    let mut raw_type = 1;
    while let Some((number, begin, value)) = blob.field()? {
        match (number, value) {
            (1..=4, Value::Varint(n)) => {
                if let Some(axis) = old.get_mut(number as usize - 1) {
                    *axis = Some(n);
                }
            }
            (5, Value::Bytes(list)) => floats.add(&list.bytes),
            (5, Value::Fixed32(one)) => floats.add_one(&one),
            (8, Value::Bytes(list)) => doubles.add(&list.bytes),
            (8, Value::Fixed64(one)) => doubles.add_one(&one),
            (7, Value::Bytes(list)) => shape = Some(read_shape(list)?),
            (10, Value::Varint(n)) => raw_type = n,
            (12, Value::Bytes(list)) => raw = Some(list.bytes),
            (1..=5 | 7 | 8 | 10 | 12, _) => {
                return Err(error(
                    begin,
                    format!("field {number} of a blob has another type"),
                ));
            }
            _ => {}
        }
    }
    let (floats, doubles) = (floats.finish(), doubles.finish());
    let (element, bytes) = match raw {
        Some(raw) => match raw_type {
            0 => (BlobElement::F64, raw),
            1 => (BlobElement::F32, raw),
            2 => (BlobElement::F16, raw),
            other => return Err(error(offset, format!("a blob of type {other}"))),
        },
        None if floats.is_empty() && !doubles.is_empty() => (BlobElement::F64, doubles),
        None => (BlobElement::F32, floats),
    };
    let size = element.size_bytes();
    let dims = match shape {
        Some(dims) => dims,
        None if old.iter().any(Option::is_some) => old.iter().map(|n| n.unwrap_or(0)).collect(),
        None => vec![(bytes.len() / size) as u64],
    };
    let needed = dims
        .iter()
        .try_fold(size as u64, |n, &d| n.checked_mul(d))
        .filter(|n| *n == bytes.len() as u64);
    if needed.is_none() {
        let problem = format!(
            "a blob of shape {dims:?} with {} bytes of values of {size} bytes",
            bytes.len()
        );
        return Err(error(offset, problem));
    }
    let dims = dims
        .into_iter()
        .map(usize::try_from)
        .collect::<Result<_, _>>()
        .map_err(|_| error(offset, "a blob has an axis longer than memory"))?;
    Ok(Blob {
        dims,
        element,
        bytes,
        offset,
    })
}

fn read_shape(mut shape: Span) -> Result<Vec<u64>, FormatError> {
    let mut dims = Vec::new();
    let many = |offset| error(offset, format!("a blob of more than {MAX_AXES} axes"));
    while let Some((number, begin, value)) = shape.field()? {
        match (number, value) {
            (1, Value::Varint(n)) => dims.push(n),
            (1, Value::Bytes(list)) => dims.extend(list.varints(MAX_AXES)?),
            (1, _) => return Err(error(begin, "an axis of a blob is no integer")),
            _ => {}
        }
        if dims.len() > MAX_AXES {
            return Err(many(begin));
        }
    }
    Ok(dims)
}
