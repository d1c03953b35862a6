//! The text of a Darknet model: sections in brackets with `key=value` lines.
//!
//! White space means nothing, not even inside a line; lines that begin with `#` or `;` are
//! comments. Numbers end at a `#`, as C's `atoi` reads them. A key that stands twice has its first
//! value in Darknet and its last in OpenCV, so it is refused when it is asked for and the values
//! differ.

use crate::FormatError;
use std::str::FromStr;

/// Most bytes of a `.cfg`; the longest that is known has 60 kB.
pub const MAX_CFG_BYTES: usize = 1 << 20;
/// Most sections; bounds the layers of a model.
pub const MAX_SECTIONS: usize = 10_000;
/// Most numbers in a list.
const MAX_LIST: usize = 4_096;

/// One `key=value` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Line, counted from 1.
    pub line: usize,
    /// What stands before the `=`.
    pub key: String,
    /// What stands behind it.
    pub value: String,
}

/// One section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Line of its name, counted from 1.
    pub line: usize,
    /// Its name, without the brackets.
    pub name: String,
    /// Its settings in their order.
    pub settings: Vec<Setting>,
}

/// A `.cfg`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cfg {
    /// `[net]`.
    pub net: Section,
    /// The layers in their order.
    pub layers: Vec<Section>,
}

pub(super) fn malformed(place: String, problem: impl Into<String>) -> FormatError {
    FormatError::Malformed {
        format: "Darknet",
        place,
        problem: problem.into(),
    }
}

fn at(line: usize) -> String {
    format!("line {line}")
}

impl Cfg {
    /// These bytes begin as a `.cfg` does: with a section, after comments. Weights begin with a
    /// small number, so with a zero byte.
    pub fn looks_like(bytes: &[u8]) -> bool {
        let mut lines = bytes.split(|b| *b == b'\n');
        let first = lines.find_map(|line| {
            let byte = line.iter().find(|b| !b.is_ascii_whitespace())?;
            (!matches!(byte, b'#' | b';')).then_some(*byte)
        });
        first == Some(b'[')
    }

    /// Reads the text.
    ///
    /// # Errors
    /// [`FormatError::Malformed`] with the line, when it is no text of sections that begins with
    /// `[net]` or `[network]`.
    pub fn read(bytes: &[u8]) -> Result<Self, FormatError> {
        if bytes.len() > MAX_CFG_BYTES {
            return Err(FormatError::TooLarge {
                what: "the cfg".to_owned(),
                bytes: bytes.len() as u64,
                limit: MAX_CFG_BYTES as u64,
            });
        }
        let mut sections: Vec<Section> = Vec::new();
        for (index, bytes) in bytes.split(|b| *b == b'\n').enumerate() {
            let line = index + 1;
            let first = bytes.iter().find(|b| !b.is_ascii_whitespace());
            if matches!(first, None | Some(b'#' | b';')) {
                continue;
            }
            let text = std::str::from_utf8(bytes)
                .map_err(|_| malformed(at(line), "this is no text in UTF-8"))?;
            let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
            if let Some(rest) = text.strip_prefix('[') {
                let Some((name, behind)) = rest.split_once(']') else {
                    return Err(malformed(at(line), "a section's name has no `]`"));
                };
                if name.is_empty() || !matches!(behind.chars().next(), None | Some('#' | ';')) {
                    return Err(malformed(at(line), format!("`{text}` is no section")));
                }
                if sections.len() > MAX_SECTIONS {
                    let problem = format!("more than {MAX_SECTIONS} sections");
                    return Err(malformed(at(line), problem));
                }
                sections.push(Section {
                    line,
                    name: name.to_owned(),
                    settings: Vec::new(),
                });
                continue;
            }
            let Some((key, value)) = text.split_once('=') else {
                return Err(malformed(at(line), format!("`{text}` is no `key=value`")));
            };
            let Some(section) = sections.last_mut() else {
                return Err(malformed(at(line), "a setting stands before any section"));
            };
            section.settings.push(Setting {
                line,
                key: key.to_owned(),
                value: value.to_owned(),
            });
        }
        let mut sections = sections.into_iter();
        let Some(net) = sections.next() else {
            return Err(malformed(at(1), "there is no section"));
        };
        if !matches!(net.name.as_str(), "net" | "network") {
            let problem = format!("the first section is [{}], not [net]", net.name);
            return Err(malformed(at(net.line), problem));
        }
        Ok(Self {
            net,
            layers: sections.collect(),
        })
    }
}

impl Section {
    /// `line 12, [route]`, for messages.
    pub fn place(&self) -> String {
        format!("line {}, [{}]", self.line, self.name)
    }

    /// The only value of a key.
    ///
    /// # Errors
    /// When it has several that differ.
    pub fn setting(&self, key: &str) -> Result<Option<&Setting>, FormatError> {
        let mut all = self.settings.iter().filter(|s| s.key == key);
        let first = all.next();
        if let Some((a, b)) = first.zip(all.find(|s| Some(&s.value) != first.map(|f| &f.value))) {
            let problem = format!(
                "`{key}` is `{}` here and `{}` in line {}",
                a.value, b.value, b.line
            );
            return Err(malformed(at(a.line), problem));
        }
        Ok(first)
    }

    /// The text of a key.
    ///
    /// # Errors
    /// As [`Self::setting`].
    pub fn text(&self, key: &str) -> Result<Option<&str>, FormatError> {
        Ok(self.setting(key)?.map(|s| s.value.as_str()))
    }

    /// The number of a key.
    ///
    /// # Errors
    /// As [`Self::setting`], and when it is no such number.
    pub fn number<T: FromStr>(&self, key: &str) -> Result<Option<T>, FormatError> {
        self.setting(key)?.map(|s| parse(s, &s.value)).transpose()
    }

    /// The numbers of a key, between commas; a comma at the end is allowed. At most 4,096.
    ///
    /// # Errors
    /// As [`Self::number`].
    pub fn list<T: FromStr>(&self, key: &str) -> Result<Option<Vec<T>>, FormatError> {
        let Some(setting) = self.setting(key)? else {
            return Ok(None);
        };
        let text = before_comment(&setting.value);
        let text = text.strip_suffix(',').unwrap_or(text);
        let mut numbers = Vec::new();
        for part in text.split(',') {
            if numbers.len() >= MAX_LIST {
                let problem = format!("`{key}` has more than {MAX_LIST} numbers");
                return Err(malformed(at(setting.line), problem));
            }
            numbers.push(parse(setting, part)?);
        }
        Ok(Some(numbers))
    }
}

fn before_comment(text: &str) -> &str {
    text.split_once('#').map_or(text, |(before, _)| before)
}

fn parse<T: FromStr>(setting: &Setting, text: &str) -> Result<T, FormatError> {
    let text = before_comment(text);
    // `+1` and `.5` are numbers to Rust as they are to C; `1.0` is no integer to either, but C cuts
    // it without a word.
    text.parse().map_err(|_| {
        let problem = format!(
            "`{}={}`: `{text}` is no such number",
            setting.key, setting.value
        );
        malformed(at(setting.line), problem)
    })
}
