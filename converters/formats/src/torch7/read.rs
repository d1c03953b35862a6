//! From a stream to [`File`]. Objects nest on a stack of our own, not on the machine's.

use super::object::{Element, File, Number, Object, Storage, Table, Tensor, Value};
use super::source::{Form, Source, malformed};
use crate::FormatError;
use bytes::Bytes;
use std::collections::BTreeMap;

/// Most axes of a tensor.
const MAX_AXES: i64 = 64;
/// Deepest nesting of tables and objects; networks have some tens of levels.
const DEPTH: usize = 512;
/// Classes whose names follow these are tensors and storages.
const KINDS: &[(&str, Element)] = &[
    ("Double", Element::F64),
    ("Float", Element::F32),
    ("Half", Element::F16),
    ("Long", Element::I64),
    ("Int", Element::I32),
    ("Short", Element::I16),
    ("Char", Element::I8),
    ("Byte", Element::U8),
    ("CudaDouble", Element::F64),
    ("Cuda", Element::F32),
    ("CudaHalf", Element::F16),
    ("CudaLong", Element::I64),
    ("CudaInt", Element::I32),
    ("CudaShort", Element::I16),
    ("CudaChar", Element::I8),
    ("CudaByte", Element::U8),
];

/// Reads a file: binary with a `long` of 8 bytes, of 4 bytes, or ascii, whichever reads to the end.
///
/// # Errors
/// [`FormatError::Malformed`] with the byte, of the form that was read furthest.
pub fn read(bytes: &Bytes) -> Result<File, FormatError> {
    let forms = if looks_ascii(bytes) {
        vec![Form::Ascii]
    } else {
        vec![Form::Binary { long: 8 }, Form::Binary { long: 4 }]
    };
    let mut furthest: Option<(usize, FormatError)> = None;
    for form in forms {
        let mut reader = Reader {
            source: Source::new(bytes.clone(), form),
            numbers: BTreeMap::new(),
            objects: Vec::new(),
        };
        match reader.all() {
            Ok(root) => {
                return Ok(File {
                    root,
                    objects: reader.objects,
                });
            }
            Err(error) => {
                let at = reader.source.at;
                if furthest.as_ref().is_none_or(|(best, _)| at > *best) {
                    furthest = Some((at, error));
                }
            }
        }
    }
    Err(furthest.map_or_else(|| malformed(0, "an empty file"), |(_, error)| error))
}

/// Binary files begin with a small number in 4 bytes, three of them 0.
fn looks_ascii(bytes: &[u8]) -> bool {
    let start = bytes.get(..4).unwrap_or(bytes);
    start
        .iter()
        .all(|b| b.is_ascii_digit() || b.is_ascii_whitespace())
        && !start.is_empty()
}

struct Reader {
    source: Source,
    /// Objects by the number that the stream gives them.
    numbers: BTreeMap<i64, Number>,
    objects: Vec<Object>,
}

/// What is under way: a table with entries still to come, an object that waits for its fields, a
/// tensor that waits for its storage, a function that waits for the values it closes over.
enum Frame {
    Table {
        object: Number,
        left: u64,
        table: Table,
        key: Option<Value>,
    },
    Class {
        object: Number,
        name: String,
    },
    Tensor {
        object: Number,
        tensor: Tensor,
    },
    Function {
        object: Number,
    },
}

impl Reader {
    fn all(&mut self) -> Result<Value, FormatError> {
        let mut stack: Vec<Frame> = Vec::new();
        loop {
            if stack.len() > DEPTH {
                let text = format!("objects are nested more than {DEPTH} deep");
                return Err(malformed(self.source.at, text));
            }
            // A value begins; what it contains is pushed and read first.
            let mut done = self.begin(&mut stack)?;
            while let Some(value) = done.take() {
                let Some(frame) = stack.pop() else {
                    if !self.source.is_done() {
                        let text = format!("{} bytes behind the value", self.source.left());
                        return Err(malformed(self.source.at, text));
                    }
                    return Ok(value);
                };
                match self.continue_with(frame, value)? {
                    Ok(finished) => done = Some(finished),
                    Err(waiting) => stack.push(waiting),
                }
            }
        }
    }

    /// Gives a frame the value that it waits for: the frame's own value, or the frame again.
    fn continue_with(
        &mut self,
        frame: Frame,
        value: Value,
    ) -> Result<Result<Value, Frame>, FormatError> {
        let at = self.source.at;
        Ok(match frame {
            Frame::Table {
                object,
                left,
                mut table,
                key,
            } => {
                let (left, key) = match key {
                    None => (left, Some(value)),
                    Some(key) => {
                        table.entries.push((key, value));
                        (left - 1, None)
                    }
                };
                if left == 0 {
                    self.objects[object] = Object::Table(table);
                    Ok(Value::Object(object))
                } else {
                    Err(Frame::Table {
                        object,
                        left,
                        table,
                        key,
                    })
                }
            }
            Frame::Class { object, name } => {
                self.objects[object] = Object::Class {
                    name,
                    fields: value,
                };
                Ok(Value::Object(object))
            }
            Frame::Tensor { object, mut tensor } => {
                tensor.storage = match value {
                    Value::Nil => None,
                    Value::Object(n) if matches!(self.objects.get(n), Some(Object::Storage(_))) => {
                        Some(n)
                    }
                    _ => return Err(malformed(at, "a tensor whose storage is none")),
                };
                self.objects[object] = Object::Tensor(tensor);
                Ok(Value::Object(object))
            }
            Frame::Function { object } => Ok(Value::Object(object)),
        })
    }

    /// Reads a value that has no parts, or pushes the frame of one that has.
    fn begin(&mut self, stack: &mut Vec<Frame>) -> Result<Option<Value>, FormatError> {
        let at = self.source.at;
        let tag = self.source.int()?;
        match tag {
            0 => Ok(Some(Value::Nil)),
            1 => Ok(Some(Value::Number(self.source.double()?))),
            2 => Ok(Some(Value::String(self.source.string()?))),
            5 => Ok(Some(Value::Boolean(self.source.int()? != 0))),
            3 => {
                let (object, new) = self.numbered()?;
                if !new {
                    return Ok(Some(Value::Object(object)));
                }
                let at = self.source.at;
                let count = self.source.int()?;
                // Each entry has two bytes at least.
                let left = u64::try_from(count)
                    .ok()
                    .filter(|n| *n <= self.source.left() as u64);
                let left =
                    left.ok_or_else(|| malformed(at, format!("a table of {count} entries")))?;
                if left == 0 {
                    return Ok(Some(Value::Object(object)));
                }
                stack.push(Frame::Table {
                    object,
                    left,
                    table: Table::default(),
                    key: None,
                });
                Ok(None)
            }
            4 => self.object(stack),
            6..=8 => {
                if tag != 6 {
                    let (object, new) = self.numbered()?;
                    if !new {
                        return Ok(Some(Value::Object(object)));
                    }
                    self.objects[object] = Object::Function;
                    self.source.string()?;
                    stack.push(Frame::Function { object });
                    return Ok(None);
                }
                self.objects.push(Object::Function);
                self.source.string()?;
                let object = self.objects.len() - 1;
                stack.push(Frame::Function { object });
                Ok(None)
            }
            other => Err(malformed(at, format!("a value of kind {other}"))),
        }
    }

    /// The object of the number that follows, and whether it is new.
    fn numbered(&mut self) -> Result<(Number, bool), FormatError> {
        let number = self.source.int()?;
        if let Some(object) = self.numbers.get(&number) {
            return Ok((*object, false));
        }
        self.objects.push(Object::Table(Table::default()));
        let object = self.objects.len() - 1;
        self.numbers.insert(number, object);
        Ok((object, true))
    }

    fn object(&mut self, stack: &mut Vec<Frame>) -> Result<Option<Value>, FormatError> {
        let (object, new) = self.numbered()?;
        if !new {
            return Ok(Some(Value::Object(object)));
        }
        let at = self.source.at;
        let mut name = self.source.string()?;
        // Files before 2012 have no version in front of the class.
        if name.starts_with(b"V ") {
            name = self.source.string()?;
        }
        let name = String::from_utf8(name.to_vec())
            .map_err(|_| malformed(at, "a class whose name is no text"))?;
        let kind = name.strip_prefix("torch.").unwrap_or_default();
        let element = |suffix: &str| {
            let stem = kind.strip_suffix(suffix)?;
            KINDS.iter().find(|(k, _)| *k == stem).map(|(_, e)| *e)
        };
        if let Some(element) = element("Storage") {
            let at = self.source.at;
            let count = self.source.long()?;
            let count = usize::try_from(count)
                .map_err(|_| malformed(at, format!("a storage of {count} elements")))?;
            let bytes = self.source.elements(element, count)?;
            self.objects[object] = Object::Storage(Storage { element, bytes });
            return Ok(Some(Value::Object(object)));
        }
        if element("Tensor").is_some() {
            let tensor = self.tensor()?;
            stack.push(Frame::Tensor { object, tensor });
            return Ok(None);
        }
        stack.push(Frame::Class { object, name });
        Ok(None)
    }

    fn tensor(&mut self) -> Result<Tensor, FormatError> {
        let at = self.source.at;
        let axes = self.source.int()?;
        if !(0..=MAX_AXES).contains(&axes) {
            return Err(malformed(at, format!("a tensor of {axes} axes")));
        }
        let list = |source: &mut Source| -> Result<Vec<i64>, FormatError> {
            (0..axes).map(|_| source.long()).collect()
        };
        let sizes = list(&mut self.source)?;
        let strides = list(&mut self.source)?;
        let offset = self.source.long()?;
        Ok(Tensor {
            sizes,
            strides,
            offset: offset.saturating_sub(1),
            storage: None,
        })
    }
}
