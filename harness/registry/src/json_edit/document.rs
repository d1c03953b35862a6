//! A JSON text with its spans, and edits of it.

use super::{
    parse::{JsonError, Kind, Node, parse, position},
    print::{Json, Style, print},
};

/// Where a value stands: object keys and array indices from the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Path<'p> {
    /// Member of an object.
    Key(&'p str),
    /// Element of an array.
    Index(usize),
}

/// A JSON text and its spans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    text: String,
    root: Node,
}

impl Document {
    /// Parses a text, which may begin with a byte order mark.
    ///
    /// # Errors
    /// With line and column when it is not JSON, nested too deep, or an object has a key twice.
    pub fn parse(text: impl Into<String>) -> Result<Self, JsonError> {
        let text = text.into();
        let root = parse(&text)?;
        Ok(Self { text, root })
    }

    /// A new text with two blanks a level and a newline at its end.
    ///
    /// # Errors
    /// When the value is nested too deep.
    pub fn new(value: &Json) -> Result<Self, JsonError> {
        Self::parse(print(value, &Style::pretty(), "") + "\n")
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The outermost value.
    pub fn root(&self) -> &Node {
        &self.root
    }

    /// The value at `path`.
    pub fn get(&self, path: &[Path<'_>]) -> Option<&Node> {
        let mut node = &self.root;
        for step in path {
            node = match (step, &node.kind) {
                (Path::Key(key), Kind::Object(members)) => {
                    &members.iter().find(|m| m.key == *key)?.value
                }
                (Path::Index(i), Kind::Array(items)) => items.get(*i)?,
                _ => return None,
            };
        }
        Some(node)
    }

    /// The bytes of a value of this document.
    pub fn raw(&self, node: &Node) -> &str {
        self.text.get(node.start..node.end).unwrap_or("")
    }

    /// A value of this document as data.
    ///
    /// # Errors
    /// When a number is too large for `f64`.
    pub fn value(&self, node: &Node) -> Result<serde_json::Value, JsonError> {
        serde_json::from_str(self.raw(node)).map_err(|e| {
            let (line, column) = self.position(node.start);
            JsonError {
                line,
                column,
                message: e.to_string(),
            }
        })
    }

    /// Line and column of a byte offset, from 1.
    pub fn position(&self, offset: usize) -> (usize, usize) {
        position(&self.text, offset)
    }

    fn fail<T>(&self, offset: usize, message: impl Into<String>) -> Result<T, JsonError> {
        let (line, column) = self.position(offset);
        Err(JsonError {
            line,
            column,
            message: message.into(),
        })
    }

    fn splice(&mut self, start: usize, end: usize, new: &str) -> Result<(), JsonError> {
        let (Some(before), Some(after)) = (self.text.get(..start), self.text.get(end..)) else {
            return self.fail(start, "the edit does not fit the text");
        };
        *self = Self::parse(format!("{before}{new}{after}"))?;
        Ok(())
    }

    /// Replaces the value at `path`; every other byte stays.
    ///
    /// # Errors
    /// When nothing stands there.
    pub fn replace(&mut self, path: &[Path<'_>], value: &Json) -> Result<(), JsonError> {
        let Some(node) = self.get(path) else {
            return self.fail(self.root.start, format!("there is no {}", describe(path)));
        };
        let (start, end) = (node.start, node.end);
        let new = print(value, &self.style(), &self.line_indent(start));
        self.splice(start, end, &new)
    }

    /// Sets member `key` of the object at `path`: replaces its value, or adds it behind the last
    /// member in the layout of the members that are there.
    ///
    /// # Errors
    /// When no object stands at `path`.
    pub fn set(&mut self, path: &[Path<'_>], key: &str, value: &Json) -> Result<(), JsonError> {
        let Some(Node {
            kind: Kind::Object(members),
            start,
            ..
        }) = self.get(path)
        else {
            return self.fail(
                self.root.start,
                format!("there is no object {}", describe(path)),
            );
        };
        if let Some(member) = members.iter().find(|m| m.key == key) {
            let (start, end) = (member.value.start, member.value.end);
            let new = print(value, &self.style(), &self.line_indent(start));
            return self.splice(start, end, &new);
        }
        let quoted = serde_json::Value::String(key.to_owned()).to_string();
        let Some(last) = members.last() else {
            let (start, end) = (*start, self.get(path).map_or(*start, |n| n.end));
            let new = self.only_child(start, |style, base| {
                format!("{quoted}{}{}", style.colon, print(value, style, base))
            });
            return self.splice(start, end, &format!("{{{new}}}"));
        };
        let lead = self.blank_before(last.key_start);
        let colon = self
            .text
            .get(last.key_end..last.value.start)
            .unwrap_or(": ");
        let mut style = self.style();
        if !lead.contains('\n') {
            style.indent = None;
        }
        let base = if lead.contains('\n') {
            lead.rsplit('\n').next().unwrap_or("")
        } else {
            ""
        };
        // The only member of a compact object has no blank before it; the second one gets what
        // other commas of the text get.
        let lead = if lead.is_empty() {
            style.comma.strip_prefix(',').unwrap_or("")
        } else {
            lead
        };
        let new = format!(",{lead}{quoted}{colon}{}", print(value, &style, base));
        let at = last.value.end;
        self.splice(at, at, &new)
    }

    /// Adds an element at the end of the array at `path`.
    ///
    /// # Errors
    /// When no array stands at `path`.
    pub fn push(&mut self, path: &[Path<'_>], value: &Json) -> Result<(), JsonError> {
        let Some(Node {
            kind: Kind::Array(items),
            start,
            end,
        }) = self.get(path)
        else {
            return self.fail(
                self.root.start,
                format!("there is no list {}", describe(path)),
            );
        };
        let Some(last) = items.last() else {
            let (start, end) = (*start, *end);
            let new = self.only_child(start, |style, base| print(value, style, base));
            return self.splice(start, end, &format!("[{new}]"));
        };
        let lead = self.blank_before(last.start);
        let mut style = self.style();
        if !lead.contains('\n') {
            style.indent = None;
        }
        let base = if lead.contains('\n') {
            lead.rsplit('\n').next().unwrap_or("")
        } else {
            ""
        };
        let lead = if lead.is_empty() {
            style.comma.strip_prefix(',').unwrap_or("")
        } else {
            lead
        };
        let new = format!(",{lead}{}", print(value, &style, base));
        let at = last.end;
        self.splice(at, at, &new)
    }

    /// Layout of the first child of a container that was empty.
    fn only_child(&self, start: usize, child: impl FnOnce(&Style, &str) -> String) -> String {
        let style = self.style();
        let base = self.line_indent(start);
        match &style.indent {
            None => child(&style, ""),
            Some(indent) => {
                let inner = format!("{base}{indent}");
                format!(
                    "{nl}{inner}{}{nl}{base}",
                    child(&style, &inner),
                    nl = style.newline
                )
            }
        }
    }

    /// White space right before an offset.
    fn blank_before(&self, offset: usize) -> &str {
        let before = self.text.get(..offset).unwrap_or("");
        before
            .get(before.trim_end_matches([' ', '\t', '\n', '\r']).len()..)
            .unwrap_or("")
    }

    /// Indentation of the line on which an offset stands.
    fn line_indent(&self, offset: usize) -> String {
        let line = self
            .text
            .get(..offset)
            .unwrap_or("")
            .rsplit('\n')
            .next()
            .unwrap_or("");
        line.chars()
            .take_while(|c| matches!(c, ' ' | '\t'))
            .collect()
    }

    /// The layout of the text, as its outermost object or array shows it.
    fn style(&self) -> Style {
        let newline = if self.text.contains("\r\n") {
            "\r\n"
        } else {
            "\n"
        };
        let first = match &self.root.kind {
            Kind::Object(members) => members.first().map(|m| m.key_start),
            Kind::Array(items) => items.first().map(|n| n.start),
            _ => None,
        };
        let Some(first) = first else {
            return Style {
                newline,
                ..Style::pretty()
            };
        };
        let lead = self.blank_before(first);
        let indent = lead
            .contains('\n')
            .then(|| lead.rsplit('\n').next().unwrap_or("").to_owned());
        let colon = match &self.root.kind {
            Kind::Object(members) => members
                .first()
                .and_then(|m| self.text.get(m.key_end..m.value.start))
                .unwrap_or(": ")
                .to_owned(),
            _ => ": ".to_owned(),
        };
        let second = match &self.root.kind {
            Kind::Object(members) => members.get(1).map(|m| m.key_start),
            Kind::Array(items) => items.get(1).map(|n| n.start),
            _ => None,
        };
        let comma = match second {
            Some(second) if indent.is_none() => format!(",{}", self.blank_before(second)),
            _ if indent.is_none() && !colon.ends_with(' ') => ",".to_owned(),
            _ => ", ".to_owned(),
        };
        Style {
            indent,
            newline,
            colon,
            comma,
        }
    }
}

fn describe(path: &[Path<'_>]) -> String {
    if path.is_empty() {
        return "at the top".to_owned();
    }
    let steps: Vec<String> = path
        .iter()
        .map(|p| match p {
            Path::Key(k) => (*k).to_owned(),
            Path::Index(i) => i.to_string(),
        })
        .collect();
    format!("`{}`", steps.join("."))
}
