//! XML as a stream of elements with their attributes, bounded in size and depth.

use crate::FormatError;
use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};
use std::collections::BTreeMap;

/// Largest graph file: beyond a hundred thousand layers.
pub(super) const LIMIT: usize = 256 << 20;
/// Deepest nesting: loops within loops have some ten levels each.
const DEPTH: usize = 100;

/// What a stream tells, with the line.
pub(super) enum Token {
    /// An element begins.
    Open {
        name: String,
        attributes: BTreeMap<String, String>,
        line: usize,
    },
    /// Text within an element.
    Text(String),
    /// The innermost open element ends.
    Close,
    /// The document ends.
    End,
}

pub(super) struct Tokens<'a> {
    reader: Reader<&'a [u8]>,
    text: &'a str,
    /// Bytes whose line breaks are counted, and their number.
    counted: (usize, usize),
    depth: usize,
    /// An element without content was opened and is to be closed.
    empty: bool,
}

/// `problem` at a line of the file.
pub(super) fn malformed(line: usize, problem: impl Into<String>) -> FormatError {
    FormatError::Malformed {
        format: "OpenVINO IR",
        place: format!("line {line}"),
        problem: problem.into(),
    }
}

impl<'a> Tokens<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, FormatError> {
        if bytes.len() > LIMIT {
            return Err(FormatError::TooLarge {
                what: "the graph of an OpenVINO IR".to_owned(),
                bytes: bytes.len() as u64,
                limit: LIMIT as u64,
            });
        }
        let text = std::str::from_utf8(bytes).map_err(|e| {
            let before = bytes.get(..e.valid_up_to()).unwrap_or_default();
            let line = before.split(|b| *b == b'\n').count();
            malformed(line, "not UTF-8 text")
        })?;
        Ok(Self {
            reader: Reader::from_str(text.trim_start_matches('\u{feff}')),
            text: text.trim_start_matches('\u{feff}'),
            counted: (0, 1),
            depth: 0,
            empty: false,
        })
    }

    /// The line that the stream has reached.
    pub(super) fn line(&mut self) -> usize {
        let at = usize::try_from(self.reader.buffer_position())
            .unwrap_or(self.text.len())
            .min(self.text.len());
        let (from, line) = self.counted;
        let new = self.text.as_bytes().get(from..at).unwrap_or_default();
        let line = line + new.split(|b| *b == b'\n').count() - 1;
        self.counted = (at.max(from), line);
        line
    }

    pub(super) fn next(&mut self) -> Result<Token, FormatError> {
        if std::mem::take(&mut self.empty) {
            self.depth -= 1;
            return Ok(Token::Close);
        }
        loop {
            let event = self.reader.read_event();
            let line = self.line();
            match event.map_err(|e| malformed(line, e.to_string()))? {
                Event::Start(start) => return self.open(&start, line),
                Event::Empty(start) => {
                    self.empty = true;
                    return self.open(&start, line);
                }
                Event::End(_) => {
                    self.depth = self
                        .depth
                        .checked_sub(1)
                        .ok_or_else(|| malformed(line, "an element ends that never began"))?;
                    return Ok(Token::Close);
                }
                Event::Text(text) => {
                    let text = text.decode().map_err(|e| malformed(line, e.to_string()))?;
                    if !text.trim().is_empty() {
                        return Ok(Token::Text(text.trim().to_owned()));
                    }
                }
                Event::DocType(_) => {
                    return Err(malformed(line, "a document type; an IR has none"));
                }
                Event::Eof if self.depth > 0 => {
                    return Err(malformed(line, "the file ends within an element"));
                }
                Event::Eof => return Ok(Token::End),
                Event::CData(_)
                | Event::Comment(_)
                | Event::Decl(_)
                | Event::PI(_)
                | Event::GeneralRef(_) => {}
            }
        }
    }

    fn open(&mut self, start: &BytesStart<'_>, line: usize) -> Result<Token, FormatError> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(malformed(
                line,
                format!("elements are nested more than {DEPTH} deep"),
            ));
        }
        let mut attributes = BTreeMap::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|e| malformed(line, e.to_string()))?;
            let key = String::from_utf8_lossy(attribute.key.as_ref()).into_owned();
            let value = std::str::from_utf8(&attribute.value)
                .map_err(|e| malformed(line, e.to_string()))?;
            let value =
                quick_xml::escape::unescape(value).map_err(|e| malformed(line, e.to_string()))?;
            attributes.insert(key, value.into_owned());
        }
        let name = String::from_utf8_lossy(start.name().as_ref()).into_owned();
        Ok(Token::Open {
            name,
            attributes,
            line,
        })
    }

    /// Passes over what is left of the innermost open element, its end included.
    pub(super) fn skip(&mut self) -> Result<(), FormatError> {
        let mut open = 1usize;
        while open > 0 {
            match self.next()? {
                Token::Open { .. } => open += 1,
                Token::Close => open -= 1,
                Token::Text(_) => {}
                Token::End => return Err(malformed(self.line(), "the file ends in an element")),
            }
        }
        Ok(())
    }
}
