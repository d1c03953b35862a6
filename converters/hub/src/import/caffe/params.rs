//! Fields of a message by name, each read at most once; what nobody reads is a problem.

use super::problem::Problem;
use dyno_formats::caffe::{TextField, TextMessage, TextValue};

/// Reads the fields of one message and collects what is wrong with them.
pub(super) struct Params<'a> {
    fields: Vec<(&'a TextField, bool)>,
    /// Problems with the line of the field.
    problems: Vec<(u32, Problem)>,
    line: u32,
}

/// A whole number in any spelling of the text format.
pub(super) fn integer(word: &str) -> Option<i64> {
    let (negative, digits) = match word.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, word.strip_prefix('+').unwrap_or(word)),
    };
    let lower = digits.to_ascii_lowercase();
    let value = if let Some(hex) = lower.strip_prefix("0x") {
        i64::from_str_radix(hex, 16)
    } else if lower.len() > 1 && lower.starts_with('0') {
        i64::from_str_radix(&lower, 8)
    } else {
        lower.parse()
    }
    .ok()?;
    if lower.contains(['-', '+']) {
        return None;
    }
    Some(if negative { -value } else { value })
}

/// A real number in any spelling of the text format; infinities and NaN are none.
pub(super) fn real(word: &str) -> Option<f32> {
    let trimmed = word.strip_suffix(['f', 'F']).unwrap_or(word);
    let value = match trimmed.parse::<f32>() {
        Ok(value) => value,
        Err(_) => integer(word)? as f32,
    };
    value.is_finite().then_some(value)
}

fn truth(word: &str) -> Option<bool> {
    match word {
        "true" | "True" | "t" | "1" => Some(true),
        "false" | "False" | "f" | "0" => Some(false),
        _ => None,
    }
}

impl<'a> Params<'a> {
    /// The fields of `message`; no message has no fields. `line`: where it stands.
    pub(super) fn new(message: Option<&'a TextMessage>, line: u32) -> Self {
        let fields = message.map_or(&[][..], |m| m.fields.as_slice());
        Self {
            fields: fields.iter().map(|f| (f, false)).collect(),
            problems: Vec::new(),
            line,
        }
    }

    /// Something is wrong with field `name`.
    pub(super) fn problem(&mut self, name: &str, problem: Problem) {
        let line = self.fields.iter().find(|(f, _)| f.name == name);
        let line = line.map_or(self.line, |(f, _)| f.line);
        self.problems.push((line, problem));
    }

    /// A value of field `name` that cannot be expressed.
    pub(super) fn unsupported(&mut self, name: &str, text: &str) {
        self.problem(name, Problem::unsupported(format!("`{name}`: {text}")));
    }

    /// A value of field `name` that makes no sense.
    pub(super) fn malformed(&mut self, name: &str, text: &str) {
        self.problem(name, Problem::malformed(format!("`{name}`: {text}")));
    }

    fn all(&mut self, name: &str) -> Vec<&'a TextField> {
        let mut found = Vec::new();
        for (field, read) in &mut self.fields {
            if field.name == name {
                *read = true;
                found.push(*field);
            }
        }
        found
    }

    fn single(&mut self, name: &str) -> Option<&'a TextField> {
        let found = self.all(name);
        if let [_, second, ..] = found.as_slice() {
            let text = format!("`{name}` stands twice");
            self.problems.push((second.line, Problem::malformed(text)));
        }
        found.first().copied()
    }

    fn parsed<T>(
        &mut self,
        field: &TextField,
        kind: &str,
        parse: fn(&str) -> Option<T>,
    ) -> Option<T> {
        let value = match &field.value {
            TextValue::Word(word) => parse(word),
            TextValue::Quoted(_) | TextValue::Message(_) => None,
        };
        if value.is_none() {
            let text = format!("`{}` is no {kind}", field.name);
            self.problems.push((field.line, Problem::malformed(text)));
        }
        value
    }

    /// The field stands there; it still has to be read.
    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(f, _)| f.name == name)
    }

    /// Fields without influence on what the layer computes.
    pub(super) fn ignore(&mut self, names: &[&str]) {
        for (field, read) in &mut self.fields {
            if names.contains(&field.name.as_str()) {
                *read = true;
            }
        }
    }

    pub(super) fn int(&mut self, name: &str) -> Option<i64> {
        let field = self.single(name)?;
        self.parsed(field, "whole number", integer)
    }

    pub(super) fn ints(&mut self, name: &str) -> Vec<i64> {
        let fields = self.all(name);
        let each = fields.into_iter();
        each.filter_map(|f| self.parsed(f, "whole number", integer))
            .collect()
    }

    /// A number that counts something; at most that of 32 bits, as in Caffe.
    pub(super) fn count(&mut self, name: &str) -> Option<usize> {
        let field = self.single(name)?;
        self.parsed(field, "number of 32 bits without sign", natural)
    }

    pub(super) fn counts(&mut self, name: &str) -> Vec<usize> {
        let fields = self.all(name);
        let each = fields.into_iter();
        each.filter_map(|f| self.parsed(f, "number of 32 bits without sign", natural))
            .collect()
    }

    pub(super) fn float(&mut self, name: &str) -> Option<f32> {
        let field = self.single(name)?;
        self.parsed(field, "finite number", real)
    }

    pub(super) fn floats(&mut self, name: &str) -> Vec<f32> {
        let fields = self.all(name);
        let each = fields.into_iter();
        each.filter_map(|f| self.parsed(f, "finite number", real))
            .collect()
    }

    pub(super) fn truth(&mut self, name: &str) -> Option<bool> {
        let field = self.single(name)?;
        self.parsed(field, "truth", truth)
    }

    /// An enumeration by name or number; any other is unsupported.
    pub(super) fn choice<T: Copy>(&mut self, name: &str, choices: &[(&str, i64, T)]) -> Option<T> {
        let field = self.single(name)?;
        if let TextValue::Word(word) = &field.value {
            let number = integer(word);
            let found = choices
                .iter()
                .find(|(n, v, _)| n == word || Some(*v) == number);
            if let Some((_, _, choice)) = found {
                return Some(*choice);
            }
            self.unsupported(name, &format!("`{word}`"));
        } else {
            self.malformed(name, "no enumeration");
        }
        None
    }

    pub(super) fn message(&mut self, name: &str) -> Option<Params<'a>> {
        let field = self.single(name)?;
        self.as_message(field)
    }

    pub(super) fn messages(&mut self, name: &str) -> Vec<Params<'a>> {
        let fields = self.all(name);
        fields
            .into_iter()
            .filter_map(|f| self.as_message(f))
            .collect()
    }

    fn as_message(&mut self, field: &'a TextField) -> Option<Params<'a>> {
        if let TextValue::Message(message) = &field.value {
            return Some(Params::new(Some(message), field.line));
        }
        self.malformed(&field.name, "no message");
        None
    }

    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        let field = self.single(name)?;
        self.as_text(field)
    }

    pub(super) fn texts(&mut self, name: &str) -> Vec<String> {
        let fields = self.all(name);
        fields.into_iter().filter_map(|f| self.as_text(f)).collect()
    }

    fn as_text(&mut self, field: &TextField) -> Option<String> {
        if let TextValue::Quoted(text) = &field.value {
            return Some(text.clone());
        }
        self.malformed(&field.name, "no string");
        None
    }

    /// Ends the reading of a message inside this one.
    pub(super) fn close(&mut self, inner: Params<'_>) {
        self.problems.extend(inner.finish());
    }

    /// All problems with their lines, fields that nobody read among them.
    pub(super) fn finish(mut self) -> Vec<(u32, Problem)> {
        for (field, read) in &self.fields {
            if !read {
                let text = format!("field `{}`", field.name);
                self.problems.push((field.line, Problem::unsupported(text)));
            }
        }
        self.problems.sort_by_key(|(line, _)| *line);
        self.problems
    }
}

fn natural(word: &str) -> Option<usize> {
    let value = u32::try_from(integer(word)?).ok()?;
    usize::try_from(value).ok()
}
