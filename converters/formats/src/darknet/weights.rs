//! The weights of a Darknet model: a header, then little-endian f32 in the order of the layers,
//! without names, shapes or counts. Only the cfg says how many there are and whose they are.
//!
//! Header: `major`, `minor`, `revision` as i32, then `seen`, the number of training pictures: u64
//! from version 0.2 on, u32 before, and u32 also where `major` or `minor` is 1000 or greater, which
//! marks files of connected layers that are stored transposed.

use super::cfg::malformed;
use crate::FormatError;
use bytes::{Buf as _, BytesMut};

/// Most bytes of weights: what an ONNX file can hold.
pub const MAX_WEIGHTS_BYTES: u64 = i32::MAX as u64;

/// The beginning of a file of weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Version.
    pub major: i32,
    /// Version.
    pub minor: i32,
    /// Version.
    pub revision: i32,
    /// Pictures that the training has seen.
    pub seen: u64,
}

impl Header {
    /// Weights of connected layers are `[inputs, outputs]` rather than `[outputs, inputs]`.
    pub fn is_transposed(&self) -> bool {
        self.major > 1000 || self.minor > 1000
    }

    /// Bytes of `seen`.
    fn seen_bytes(major: i32, minor: i32) -> usize {
        let version = i64::from(major) * 10 + i64::from(minor);
        if version >= 2 && major < 1000 && minor < 1000 {
            8
        } else {
            4
        }
    }
}

/// A part of the file: little-endian f32, owned, so that it may be changed without a copy.
pub type Part = BytesMut;

/// The first layer whose weights are not there in full.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Short {
    place: String,
    expected: u64,
    left: u64,
}

/// Weights that are taken layer by layer.
#[derive(Debug)]
pub struct Weights {
    header: Header,
    rest: BytesMut,
    /// Bytes of the whole file.
    found: u64,
    /// Bytes that the header and the layers so far need.
    expected: u64,
    short: Option<Short>,
}

impl Weights {
    /// Reads the header.
    ///
    /// # Errors
    /// [`FormatError::Malformed`] when there is none, or its version is none that Darknet wrote.
    pub fn read(mut bytes: BytesMut) -> Result<Self, FormatError> {
        let found = bytes.len() as u64;
        let short = || {
            let problem = format!("weights begin with 16 or 20 bytes, and here are {found}");
            malformed("byte 0 of the weights".to_owned(), problem)
        };
        if bytes.len() < 12 {
            return Err(short());
        }
        let (major, minor, revision) = (bytes.get_i32_le(), bytes.get_i32_le(), bytes.get_i32_le());
        if major < 0 || minor < 0 || revision < 0 {
            let problem = format!("no version of Darknet's weights: {major}.{minor}.{revision}");
            return Err(malformed("byte 0 of the weights".to_owned(), problem));
        }
        let seen_bytes = Header::seen_bytes(major, minor);
        if bytes.len() < seen_bytes {
            return Err(short());
        }
        let seen = if seen_bytes == 8 {
            bytes.get_u64_le()
        } else {
            u64::from(bytes.get_u32_le())
        };
        Ok(Self {
            header: Header {
                major,
                minor,
                revision,
                seen,
            },
            rest: bytes,
            found,
            expected: 12 + seen_bytes as u64,
            short: None,
        })
    }

    /// The header.
    pub fn header(&self) -> Header {
        self.header
    }

    /// The next `count` numbers, which belong to the layer at `place`. `None` when they are not
    /// there, or were not for a layer before; nothing is allocated, only counted, so that
    /// [`Self::finish`] can say how many bytes the cfg needs.
    pub fn take(&mut self, count: u64, place: &str) -> Option<Part> {
        let bytes = count.saturating_mul(4);
        self.expected = self.expected.saturating_add(bytes);
        if self.short.is_some() {
            return None;
        }
        let left = self.rest.len() as u64;
        if bytes > left {
            self.short = Some(Short {
                place: place.to_owned(),
                expected: bytes,
                left,
            });
            return None;
        }
        Some(self.rest.split_to(usize::try_from(bytes).ok()?))
    }

    /// All layers have taken their weights: the file must end here.
    ///
    /// # Errors
    /// [`FormatError::Malformed`] with the bytes that the cfg needs and those that the file has, and
    /// with the layer where they ran out.
    pub fn finish(self) -> Result<(), FormatError> {
        let (expected, found) = (self.expected, self.found);
        if let Some(short) = self.short {
            let problem = format!(
                "the weights do not fit the cfg: it needs {expected} bytes, the file has {found}; \
                 {} bytes are needed here and {} are left",
                short.expected, short.left
            );
            return Err(malformed(short.place, problem));
        }
        if self.rest.is_empty() {
            return Ok(());
        }
        let problem = format!(
            "the weights do not fit the cfg: it needs {expected} bytes, the file has {found}; {} \
             bytes are left after the last layer",
            self.rest.len()
        );
        Err(malformed("end of the weights".to_owned(), problem))
    }
}
