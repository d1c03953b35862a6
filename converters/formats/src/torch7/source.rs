//! Numbers and texts of a stream, in its two spellings.

use super::object::Element;
use crate::FormatError;
use bytes::Bytes;

/// `problem` at a byte of the file.
pub(super) fn malformed(at: usize, problem: impl Into<String>) -> FormatError {
    FormatError::Malformed {
        format: "Torch7",
        place: format!("byte {at}"),
        problem: problem.into(),
    }
}

/// How numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Little-endian, with this many bytes for a `long`.
    Binary { long: usize },
    /// As text.
    Ascii,
}

pub(super) struct Source {
    bytes: Bytes,
    pub(super) at: usize,
    form: Form,
}

impl Source {
    pub(super) fn new(bytes: Bytes, form: Form) -> Self {
        Self { bytes, at: 0, form }
    }

    pub(super) fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// Nothing but white space is left.
    pub(super) fn is_done(&self) -> bool {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        match self.form {
            Form::Binary { .. } => rest.is_empty(),
            Form::Ascii => rest.iter().all(u8::is_ascii_whitespace),
        }
    }

    fn take(&mut self, count: usize) -> Result<Bytes, FormatError> {
        if count > self.left() {
            let text = format!("{count} bytes are due, and {} are left", self.left());
            return Err(malformed(self.at, text));
        }
        let start = self.at;
        self.at += count;
        Ok(self.bytes.slice(start..self.at))
    }

    /// The next word of an ascii stream.
    fn word(&mut self) -> Result<&str, FormatError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let skipped = rest.iter().take_while(|b| b.is_ascii_whitespace()).count();
        let word = rest.get(skipped..).unwrap_or_default();
        let length = word.iter().take_while(|b| !b.is_ascii_whitespace()).count();
        let start = self.at + skipped;
        self.at = start + length;
        let word = self.bytes.get(start..self.at).unwrap_or_default();
        match std::str::from_utf8(word) {
            Ok("") => Err(malformed(start, "the file ends where a number is due")),
            Ok(word) => Ok(word),
            Err(_) => Err(malformed(start, "no number")),
        }
    }

    fn parsed<T: std::str::FromStr>(&mut self) -> Result<T, FormatError> {
        let at = self.at;
        let word = self.word()?;
        let parsed = word.parse();
        parsed.map_err(|_| malformed(at, format!("`{word}` is no number of its kind")))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], FormatError> {
        let bytes = self.take(N)?;
        let mut array = [0; N];
        array.copy_from_slice(&bytes);
        Ok(array)
    }

    pub(super) fn int(&mut self) -> Result<i64, FormatError> {
        match self.form {
            Form::Binary { .. } => Ok(i64::from(i32::from_le_bytes(self.array()?))),
            Form::Ascii => self.parsed(),
        }
    }

    pub(super) fn long(&mut self) -> Result<i64, FormatError> {
        match self.form {
            Form::Binary { long: 4 } => Ok(i64::from(i32::from_le_bytes(self.array()?))),
            Form::Binary { .. } => Ok(i64::from_le_bytes(self.array()?)),
            Form::Ascii => self.parsed(),
        }
    }

    pub(super) fn double(&mut self) -> Result<f64, FormatError> {
        match self.form {
            Form::Binary { .. } => Ok(f64::from_le_bytes(self.array()?)),
            Form::Ascii => {
                let at = self.at;
                let word = self.word()?;
                real(word).ok_or_else(|| malformed(at, format!("`{word}` is no number")))
            }
        }
    }

    pub(super) fn string(&mut self) -> Result<Bytes, FormatError> {
        let at = self.at;
        let length = self.int()?;
        let length = usize::try_from(length)
            .map_err(|_| malformed(at, format!("a text of {length} bytes")))?;
        if self.form == Form::Ascii {
            // The line with the length ends here.
            self.take(1)?;
        }
        self.take(length)
    }

    /// `count` elements of a storage, dense and little-endian.
    pub(super) fn elements(
        &mut self,
        element: Element,
        count: usize,
    ) -> Result<Bytes, FormatError> {
        let at = self.at;
        let long = matches!(self.form, Form::Binary { long: 4 });
        let stored = if element == Element::I64 && long {
            4
        } else {
            element.size_bytes()
        };
        let size = count.checked_mul(stored);
        match self.form {
            Form::Binary { .. } => {
                let bytes = self.take(size.unwrap_or(usize::MAX))?;
                if stored == element.size_bytes() {
                    return Ok(bytes);
                }
                let (words, _) = bytes.as_chunks::<4>();
                let wide = words
                    .iter()
                    .flat_map(|w| i64::from(i32::from_le_bytes(*w)).to_le_bytes());
                Ok(wide.collect::<Vec<u8>>().into())
            }
            Form::Ascii if matches!(element, Element::U8 | Element::I8) => {
                // Bytes are written as they are.
                self.take(1.min(self.left()))?;
                self.take(count)
            }
            // A number and the space behind it have two bytes at least.
            Form::Ascii if count > self.left() => {
                let text = format!(
                    "{count} elements are due, and {} bytes are left",
                    self.left()
                );
                Err(malformed(at, text))
            }
            Form::Ascii => {
                let mut out = Vec::with_capacity(size.unwrap_or(0));
                for _ in 0..count {
                    match element {
                        Element::F64 => out.extend(self.double()?.to_le_bytes()),
                        Element::F32 => out.extend((self.double()? as f32).to_le_bytes()),
                        Element::I64 => out.extend(self.parsed::<i64>()?.to_le_bytes()),
                        Element::I32 => out.extend(self.parsed::<i32>()?.to_le_bytes()),
                        Element::I16 => out.extend(self.parsed::<i16>()?.to_le_bytes()),
                        Element::F16 => {
                            let bits = self.parsed::<u16>()?;
                            out.extend(bits.to_le_bytes());
                        }
                        Element::U8 | Element::I8 => {}
                    }
                }
                Ok(out.into())
            }
        }
    }
}

/// A number as C prints it, `nan` and `inf` among them.
fn real(word: &str) -> Option<f64> {
    match word {
        "nan" | "-nan" => Some(f64::NAN),
        _ => word.parse().ok(),
    }
}
