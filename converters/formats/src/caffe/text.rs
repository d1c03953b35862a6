//! A message in Protocol Buffers' text format, by field names, with the line of each field.
//!
//! Nothing is known of Caffe's messages here: a field is a name with a word, a string or a message,
//! in the order of the text. A list `[a, b]` is a field repeated. Whoever reads a field decides
//! whether its word is a number, a truth or an enumeration.

use super::lexer::{Lexer, Token, error};
use crate::FormatError;

/// Most bytes of a text: the largest nets have some hundred kilobytes.
pub const MAX_TEXT_BYTES: usize = 16 << 20;
/// Messages inside messages; the limit of Protocol Buffers' own readers.
pub const MAX_TEXT_DEPTH: usize = 100;
/// Fields of a text: each takes some hundred bytes of memory, which a text of four-byte fields
/// would multiply.
pub const MAX_FIELDS: usize = 1_000_000;

/// A message: its fields in the order of the text.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TextMessage {
    /// The fields.
    pub fields: Vec<TextField>,
}

/// A field.
#[derive(Debug, Clone, PartialEq)]
pub struct TextField {
    /// Its name.
    pub name: String,
    /// The line, from 1, on which its name stands.
    pub line: u32,
    /// What it holds.
    pub value: TextValue,
}

/// What a field holds.
#[derive(Debug, Clone, PartialEq)]
pub enum TextValue {
    /// A number, truth or enumeration as it is written, a minus in front.
    Word(String),
    /// A string; strings side by side are one.
    Quoted(String),
    /// A message.
    Message(TextMessage),
}

impl TextMessage {
    /// Reads a text.
    ///
    /// # Errors
    /// [`FormatError::TooLarge`] beyond [`MAX_TEXT_BYTES`]; [`FormatError::Malformed`] with the
    /// line: bytes that are not UTF-8, a string or message that does not end, a mark where none
    /// can stand, messages deeper than [`MAX_TEXT_DEPTH`], more than [`MAX_FIELDS`] fields.
    pub fn read(bytes: &[u8]) -> Result<Self, FormatError> {
        if bytes.len() > MAX_TEXT_BYTES {
            return Err(FormatError::TooLarge {
                what: "the text of a net".to_owned(),
                bytes: bytes.len() as u64,
                limit: MAX_TEXT_BYTES as u64,
            });
        }
        let text = std::str::from_utf8(bytes).map_err(|e| {
            let before = bytes.get(..e.valid_up_to()).unwrap_or_default();
            let line = before.split(|&b| b == b'\n').count();
            error(line as u32, "the text is not UTF-8")
        })?;
        let mut parser = Parser {
            lexer: Lexer::new(text),
            peeked: None,
            fields: 0,
        };
        parser.message(None, 0)
    }

    /// The fields called `name`.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a TextField> + 'a {
        self.fields.iter().filter(move |f| f.name == name)
    }
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    peeked: Option<(u32, Token)>,
    fields: usize,
}

impl Parser<'_> {
    fn next(&mut self) -> Result<Option<(u32, Token)>, FormatError> {
        match self.peeked.take() {
            Some(token) => Ok(Some(token)),
            None => self.lexer.next(),
        }
    }

    fn peek(&mut self) -> Result<Option<&Token>, FormatError> {
        if self.peeked.is_none() {
            self.peeked = self.lexer.next()?;
        }
        Ok(self.peeked.as_ref().map(|(_, token)| token))
    }

    /// Takes the mark if it comes next.
    fn take(&mut self, mark: u8) -> Result<bool, FormatError> {
        let found = self.peek()? == Some(&Token::Mark(mark));
        if found {
            self.peeked = None;
        }
        Ok(found)
    }

    fn ended(&self, what: &str) -> FormatError {
        error(self.lexer.line(), format!("the text ends inside {what}"))
    }

    /// The fields up to `end`, which is taken; `None` is the end of the text.
    fn message(&mut self, end: Option<u8>, depth: usize) -> Result<TextMessage, FormatError> {
        if depth > MAX_TEXT_DEPTH {
            return Err(error(
                self.lexer.line(),
                format!("messages are nested deeper than {MAX_TEXT_DEPTH}"),
            ));
        }
        let mut message = TextMessage::default();
        loop {
            match self.next()? {
                None if end.is_none() => return Ok(message),
                None => return Err(self.ended("a message")),
                Some((_, Token::Mark(mark))) if Some(mark) == end => return Ok(message),
                Some((line, Token::Word(name))) => {
                    self.field(&mut message, &name, line, depth)?;
                }
                Some((line, token)) => {
                    return Err(error(
                        line,
                        format!("{} where the name of a field must stand", token.describe()),
                    ));
                }
            }
        }
    }

    fn field(
        &mut self,
        message: &mut TextMessage,
        name: &str,
        line: u32,
        depth: usize,
    ) -> Result<(), FormatError> {
        let colon = self.take(b':')?;
        if self.take(b'[')? {
            if !self.take(b']')? {
                loop {
                    self.add(message, name, line, true, depth)?;
                    if self.take(b']')? {
                        break;
                    }
                    if !self.take(b',')? {
                        return Err(error(self.lexer.line(), "a list does not end with `]`"));
                    }
                }
            }
        } else {
            self.add(message, name, line, colon, depth)?;
        }
        if !self.take(b',')? {
            self.take(b';')?;
        }
        Ok(())
    }

    fn add(
        &mut self,
        message: &mut TextMessage,
        name: &str,
        line: u32,
        colon: bool,
        depth: usize,
    ) -> Result<(), FormatError> {
        self.fields += 1;
        if self.fields > MAX_FIELDS {
            return Err(error(line, format!("more than {MAX_FIELDS} fields")));
        }
        let value = self.value(name, colon, depth)?;
        message.fields.push(TextField {
            name: name.to_owned(),
            line,
            value,
        });
        Ok(())
    }

    fn value(&mut self, name: &str, colon: bool, depth: usize) -> Result<TextValue, FormatError> {
        let inside = format!("field `{name}`");
        let (line, token) = self.next()?.ok_or_else(|| self.ended(&inside))?;
        match token {
            Token::Mark(b'{') => Ok(TextValue::Message(self.message(Some(b'}'), depth + 1)?)),
            Token::Mark(b'<') => Ok(TextValue::Message(self.message(Some(b'>'), depth + 1)?)),
            _ if !colon => Err(error(line, format!("{inside} has no `:`"))),
            Token::Word(word) => Ok(TextValue::Word(word)),
            Token::Quoted(mut text) => {
                while let Some(Token::Quoted(more)) = self.peek()? {
                    text.push_str(more);
                    self.peeked = None;
                }
                Ok(TextValue::Quoted(text))
            }
            Token::Mark(b'-') => match self.next()? {
                Some((_, Token::Word(word))) => Ok(TextValue::Word(format!("-{word}"))),
                _ => Err(error(line, format!("{inside}: a minus without a number"))),
            },
            Token::Mark(_) => Err(error(
                line,
                format!("{inside}: {} where a value must stand", token.describe()),
            )),
        }
    }
}
