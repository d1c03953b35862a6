//! Comma-separated values: RFC 4180 through the `csv` crate.
//!
//! Text that a spreadsheet would take for a formula is preceded by an apostrophe (OWASP, "CSV
//! Injection"), and characters that act on a terminal are written as `\u{…}`.

use crate::terminal::clean;
use serde_json::Value;

/// Writes rows of values. Numbers are written whole; an absent value is an empty field.
#[derive(Debug)]
pub struct CsvWriter(::csv::Writer<Vec<u8>>);

impl CsvWriter {
    /// Begins with the names of the columns.
    pub fn new<'a>(header: impl IntoIterator<Item = &'a str>) -> Self {
        let mut writer = Self(
            ::csv::WriterBuilder::new()
                .terminator(::csv::Terminator::CRLF)
                .from_writer(Vec::new()),
        );
        writer.record(header.into_iter().map(text));
        writer
    }

    /// A row: as many values as there are columns.
    ///
    /// # Panics
    /// When it has more or fewer: a mistake of the code that calls.
    pub fn row<'a>(&mut self, values: impl IntoIterator<Item = &'a Value>) {
        self.record(values.into_iter().map(|v| match v {
            Value::Null => String::new(),
            Value::String(s) => text(s),
            other => other.to_string(),
        }));
    }

    fn record(&mut self, fields: impl Iterator<Item = String>) {
        self.0
            .write_record(fields)
            .expect("memory takes every row, and every row has one field a column");
    }

    /// The whole text; lines end in CR LF.
    ///
    /// # Panics
    /// Never: memory takes every byte, and fields are UTF-8.
    pub fn finish(self) -> String {
        let bytes = self.0.into_inner().expect("memory takes every byte");
        String::from_utf8(bytes).expect("fields are UTF-8")
    }
}

/// A field of text: on one line, no formula.
pub(crate) fn text(field: &str) -> String {
    // The signs that spreadsheets take for the beginning of a formula, and their full-width forms.
    const SIGNS: [char; 8] = [
        '=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
    ];
    let cleaned = clean(field);
    if field.trim_start().starts_with(SIGNS) {
        format!("'{cleaned}")
    } else {
        cleaned.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_text_stay_text() {
        for (field, expected) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@x", "'@x"),
            (" =1", "' =1"),
            ("\t=1", "'\\u{9}=1"),
            ("\u{ff1d}1", "'\u{ff1d}1"),
            ("a\nb", "a\\u{a}b"),
        ] {
            let mut writer = CsvWriter::new(["x", "y"]);
            writer.row([&Value::from(field), &Value::Null]);
            assert_eq!(
                writer.finish(),
                format!("x,y\r\n{expected},\r\n"),
                "{field:?}"
            );
        }
        let mut writer = CsvWriter::new(["x"]);
        writer.row([&Value::from(-0.1 - 0.2)]);
        assert_eq!(writer.finish(), "x\r\n-0.30000000000000004\r\n");
    }
}
