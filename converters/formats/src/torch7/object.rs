//! What a file holds: values that refer to objects, and the objects by their number.

use bytes::Bytes;

/// Number of an object in its file.
pub type Number = usize;

/// Element type of a storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// IEEE 754 binary64.
    F64,
    /// IEEE 754 binary32.
    F32,
    /// IEEE 754 binary16.
    F16,
    /// Signed 64 bit; in files with a `long` of 4 bytes they are stored so.
    I64,
    /// Signed 32 bit.
    I32,
    /// Signed 16 bit.
    I16,
    /// Signed 8 bit.
    I8,
    /// Unsigned 8 bit.
    U8,
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing.
    Nil,
    /// A number; Lua has no other.
    Number(f64),
    /// True or false.
    Boolean(bool),
    /// Text; bytes, because Lua does not promise UTF-8.
    String(Bytes),
    /// An object of the file.
    Object(Number),
}

/// Keys and values in the file's order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    /// The entries.
    pub entries: Vec<(Value, Value)>,
}

/// A tensor: a view of a storage.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Lengths of its axes.
    pub sizes: Vec<i64>,
    /// Distance of neighbours along each axis, in elements.
    pub strides: Vec<i64>,
    /// First element, counted from 0.
    pub offset: i64,
    /// The storage; `None` for an empty tensor.
    pub storage: Option<Number>,
}

/// The elements of tensors.
#[derive(Debug, Clone, PartialEq)]
pub struct Storage {
    /// Their type.
    pub element: Element,
    /// The elements, little-endian and dense.
    pub bytes: Bytes,
}

/// An object.
#[derive(Debug, Clone, PartialEq)]
pub enum Object {
    /// A table.
    Table(Table),
    /// A tensor, with the class that the file gives it.
    Tensor(Tensor),
    /// A storage.
    Storage(Storage),
    /// An object of any other class: a module, with its fields.
    Class {
        /// Class: `nn.SpatialConvolution`, …
        name: String,
        /// Its fields; a value of another kind than a table where the class writes one.
        fields: Value,
    },
    /// A function, which is passed over.
    Function,
}

/// A file.
#[derive(Debug, Clone, PartialEq)]
pub struct File {
    /// The value that the file is.
    pub root: Value,
    /// Its objects.
    pub objects: Vec<Object>,
}

impl Element {
    /// Size of one element in bytes.
    pub fn size_bytes(self) -> usize {
        match self {
            Self::F64 | Self::I64 => 8,
            Self::F32 | Self::I32 => 4,
            Self::F16 | Self::I16 => 2,
            Self::I8 | Self::U8 => 1,
        }
    }
}

impl Table {
    /// The value of a text key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        let found = self.entries.iter().find(|(k, _)| match k {
            Value::String(text) => text.as_ref() == key.as_bytes(),
            _ => false,
        });
        found.map(|(_, value)| value)
    }

    /// The values of the keys 1, 2, … up to the first that is missing.
    pub fn list(&self) -> Vec<&Value> {
        let mut numbered: Vec<(u64, &Value)> = self
            .entries
            .iter()
            .filter_map(|(key, value)| match key {
                Value::Number(n) if *n >= 1.0 && n.fract() == 0.0 => Some((*n as u64, value)),
                _ => None,
            })
            .collect();
        numbered.sort_by_key(|(n, _)| *n);
        let in_order = numbered.iter().zip(1u64..);
        in_order
            .take_while(|((n, _), expected)| n == expected)
            .map(|((_, value), _)| *value)
            .collect()
    }
}

impl File {
    /// The object that a value refers to.
    pub fn object(&self, value: &Value) -> Option<&Object> {
        match value {
            Value::Object(number) => self.objects.get(*number),
            Value::Nil | Value::Number(_) | Value::Boolean(_) | Value::String(_) => None,
        }
    }

    /// The table that a value refers to, be it of an object.
    pub fn table(&self, value: &Value) -> Option<&Table> {
        match self.object(value)? {
            Object::Table(table) => Some(table),
            Object::Class { fields, .. } => match self.object(fields)? {
                Object::Table(table) => Some(table),
                _ => None,
            },
            Object::Tensor(_) | Object::Storage(_) | Object::Function => None,
        }
    }

    /// The elements of a tensor in row-major order, dense, with their type; `None` when its view
    /// leaves its storage.
    pub fn dense(&self, tensor: &Tensor) -> Option<(Element, Vec<usize>, Bytes)> {
        let sizes: Vec<usize> = tensor
            .sizes
            .iter()
            .map(|&s| usize::try_from(s).ok())
            .collect::<Option<_>>()?;
        let Some(storage) = tensor.storage else {
            let empty = sizes.is_empty() || sizes.contains(&0);
            return empty.then(|| (Element::F32, vec![0], Bytes::new()));
        };
        let Some(Object::Storage(storage)) = self.objects.get(storage) else {
            return None;
        };
        let size = storage.element.size_bytes();
        let count = sizes.iter().try_fold(1usize, |n, s| n.checked_mul(*s))?;
        if sizes.is_empty() || count == 0 {
            return Some((storage.element, vec![0], Bytes::new()));
        }
        let offset = usize::try_from(tensor.offset).ok()?;
        // Row-major already: a slice.
        let mut expected = 1i64;
        let mut dense = true;
        for (length, stride) in tensor.sizes.iter().zip(&tensor.strides).rev() {
            dense &= *length == 1 || *stride == expected;
            expected = expected.checked_mul(*length)?;
        }
        if dense {
            let start = offset.checked_mul(size)?;
            let end = start.checked_add(count.checked_mul(size)?)?;
            let inside = end <= storage.bytes.len();
            return inside.then(|| (storage.element, sizes, storage.bytes.slice(start..end)));
        }
        self.gathered(tensor, storage, &sizes, count, offset)
    }

    fn gathered(
        &self,
        tensor: &Tensor,
        storage: &Storage,
        sizes: &[usize],
        count: usize,
        offset: usize,
    ) -> Option<(Element, Vec<usize>, Bytes)> {
        let size = storage.element.size_bytes();
        // A view may repeat elements (stride 0); it may not be larger than the files it came from.
        let whole: usize = self.objects.iter().map(Object::bytes).sum();
        if count.checked_mul(size)? > whole.max(1 << 20) {
            return None;
        }
        let mut out = Vec::with_capacity(count * size);
        let mut at = vec![0usize; sizes.len()];
        for _ in 0..count {
            let mut element = i64::try_from(offset).ok()?;
            for (index, stride) in at.iter().zip(&tensor.strides) {
                element = element.checked_add(i64::try_from(*index).ok()?.checked_mul(*stride)?)?;
            }
            let start = usize::try_from(element).ok()?.checked_mul(size)?;
            out.extend_from_slice(storage.bytes.get(start..start.checked_add(size)?)?);
            for axis in (0..sizes.len()).rev() {
                at[axis] += 1;
                if at[axis] < sizes[axis] {
                    break;
                }
                at[axis] = 0;
            }
        }
        Some((storage.element, sizes.to_vec(), out.into()))
    }
}

impl Object {
    fn bytes(&self) -> usize {
        match self {
            Self::Storage(storage) => storage.bytes.len(),
            Self::Table(_) | Self::Tensor(_) | Self::Class { .. } | Self::Function => 0,
        }
    }
}
