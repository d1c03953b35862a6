//! Words, strings and marks of Protocol Buffers' text format, each with its line.

use crate::FormatError;

/// A piece of the text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A name, number or enumeration: letters, digits and `_ . + -`.
    Word(String),
    /// A quoted string, escapes resolved.
    Quoted(String),
    /// One of `{ } < > [ ] : , ; -`.
    Mark(u8),
}

impl Token {
    /// For messages.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Word(word) => format!("`{word}`"),
            Self::Quoted(_) => "a string".to_owned(),
            Self::Mark(mark) => format!("`{}`", char::from(*mark)),
        }
    }
}

/// Cuts a text into tokens.
#[derive(Debug)]
pub(super) struct Lexer<'a> {
    rest: &'a [u8],
    line: u32,
}

/// An error of the text at a line.
pub(super) fn error(line: u32, problem: impl Into<String>) -> FormatError {
    FormatError::Malformed {
        format: "Caffe text",
        place: format!("line {line}"),
        problem: problem.into(),
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'+')
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Self {
            rest: text.as_bytes(),
            line: 1,
        }
    }

    /// The line that was reached.
    pub(super) fn line(&self) -> u32 {
        self.line
    }

    fn advance(&mut self) -> Option<u8> {
        let (&first, rest) = self.rest.split_first()?;
        self.rest = rest;
        if first == b'\n' {
            self.line = self.line.saturating_add(1);
        }
        Some(first)
    }

    fn skip_blank(&mut self) {
        while let Some(&byte) = self.rest.first() {
            if byte == b'#' {
                while self.rest.first().is_some_and(|&b| b != b'\n') {
                    self.advance();
                }
            } else if byte.is_ascii_whitespace() || byte == 0x0b {
                self.advance();
            } else {
                return;
            }
        }
    }

    /// The next token and its line; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<(u32, Token)>, FormatError> {
        self.skip_blank();
        let line = self.line;
        let Some(&first) = self.rest.first() else {
            return Ok(None);
        };
        let token = match first {
            b'{' | b'}' | b'<' | b'>' | b'[' | b']' | b':' | b',' | b';' | b'-' => {
                self.advance();
                Token::Mark(first)
            }
            b'"' | b'\'' => Token::Quoted(self.quoted()?),
            _ if is_word(first) => Token::Word(self.word()),
            _ => {
                let shown = char::from(first).escape_default();
                return Err(error(line, format!("`{shown}` has no meaning here")));
            }
        };
        Ok(Some((line, token)))
    }

    fn word(&mut self) -> String {
        let mut word = String::new();
        while let Some(&byte) = self.rest.first() {
            // The sign of an exponent belongs to the number.
            let exponent = byte == b'-'
                && word.ends_with(['e', 'E'])
                && word.starts_with(|c: char| c.is_ascii_digit() || c == '.')
                && !word.starts_with("0x");
            if !is_word(byte) && !exponent {
                break;
            }
            word.push(char::from(byte));
            self.advance();
        }
        word
    }

    fn quoted(&mut self) -> Result<String, FormatError> {
        let line = self.line;
        let unfinished = || error(line, "a string does not end");
        let quote = self.advance().ok_or_else(unfinished)?;
        let mut bytes = Vec::new();
        loop {
            let byte = self.advance().ok_or_else(unfinished)?;
            match byte {
                b'\n' => return Err(unfinished()),
                b'\\' => bytes.push(self.escape(line)?),
                _ if byte == quote => break,
                _ => bytes.push(byte),
            }
        }
        String::from_utf8(bytes).map_err(|_| error(line, "a string is not UTF-8"))
    }

    /// One byte after a backslash.
    fn escape(&mut self, line: u32) -> Result<u8, FormatError> {
        let unknown = || error(line, "an unknown escape in a string");
        let byte = self.advance().ok_or_else(unknown)?;
        Ok(match byte {
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b'a' => 0x07,
            b'b' => 0x08,
            b'f' => 0x0c,
            b'v' => 0x0b,
            b'\\' | b'\'' | b'"' | b'?' => byte,
            b'x' | b'X' => self.digits(16, 2).ok_or_else(unknown)?,
            b'0'..=b'7' => {
                let more = self.octal(byte - b'0');
                u8::try_from(more).map_err(|_| unknown())?
            }
            _ => return Err(unknown()),
        })
    }

    fn octal(&mut self, first: u8) -> u32 {
        let mut value = u32::from(first);
        for _ in 0..2 {
            match self.rest.first() {
                Some(&b @ b'0'..=b'7') => {
                    value = value * 8 + u32::from(b - b'0');
                    self.advance();
                }
                _ => break,
            }
        }
        value
    }

    fn digits(&mut self, radix: u32, most: usize) -> Option<u8> {
        let mut value = None;
        for _ in 0..most {
            let Some(digit) = self
                .rest
                .first()
                .and_then(|b| char::from(*b).to_digit(radix))
            else {
                break;
            };
            value = Some(value.unwrap_or(0) * radix + digit);
            self.advance();
        }
        u8::try_from(value?).ok()
    }
}
