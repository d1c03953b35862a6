//! Columns, cells, tables, and the forms of a listing.

use super::{csv::CsvWriter, human, json, markdown};
use dyno_core::{Row, UnknownName, nearest};
use serde_json::Value;
use std::{fmt, str::FromStr};

/// The forms of a listing. A report has formats of its own: [`crate::REPORTERS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Listing {
    /// An aligned table.
    #[default]
    Human,
    /// An array of objects, one a row, keyed by [`Column::key`].
    Json,
    /// RFC 4180, headed by the keys.
    Csv,
    /// A table of GitHub's dialect.
    Markdown,
}

impl Listing {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Human, Self::Json, Self::Csv, Self::Markdown];
}

impl Row for Listing {
    fn name(&self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Markdown => "markdown",
        }
    }
}

impl fmt::Display for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Listing {
    type Err = UnknownName;
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let known = || Self::ALL.iter().map(Row::name);
        Self::ALL
            .into_iter()
            .find(|l| l.name() == name)
            .ok_or_else(|| UnknownName {
                what: "format of a listing",
                name: name.to_owned(),
                known: known().map(str::to_owned).collect(),
                nearest: nearest(name, known()),
            })
    }
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub(crate) title: String,
    pub(crate) key: String,
    pub(crate) number: bool,
}

impl Column {
    /// A column of words.
    pub fn text(title: &str) -> Self {
        Self {
            title: title.to_owned(),
            key: title.to_lowercase().replace(' ', "_"),
            number: false,
        }
    }

    /// A column of numbers, aligned to the right.
    pub fn number(title: &str) -> Self {
        Self {
            number: true,
            ..Self::text(title)
        }
    }

    /// The name in JSON and CSV: with the unit, snake case. Else the title, blanks as `_`.
    #[must_use]
    pub fn key(mut self, key: &str) -> Self {
        key.clone_into(&mut self.key);
        self
    }
}

/// A cell: a text for people, a value for programs.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    pub(crate) text: String,
    pub(crate) value: Value,
}

impl Cell {
    /// `text` for people, `value` for programs.
    pub fn new(text: impl Into<String>, value: impl Into<Value>) -> Self {
        Self {
            text: text.into(),
            value: value.into(),
        }
    }

    /// Nothing: an absent value is not 0.
    pub fn empty() -> Self {
        Self::new("", Value::Null)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::new(text, text)
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::new(text.clone(), text)
    }
}

impl From<bool> for Cell {
    fn from(value: bool) -> Self {
        Self::new(if value { "yes" } else { "no" }, value)
    }
}

impl From<u32> for Cell {
    fn from(value: u32) -> Self {
        Self::new(value.to_string(), value)
    }
}

impl From<u64> for Cell {
    fn from(value: u64) -> Self {
        Self::new(value.to_string(), value)
    }
}

impl From<usize> for Cell {
    fn from(value: usize) -> Self {
        Self::new(value.to_string(), value)
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or_else(Self::empty, Into::into)
    }
}

/// A table.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table without rows.
    pub fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        Self {
            columns: columns.into_iter().collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    ///
    /// # Panics
    /// When it has more or fewer cells than there are columns: a mistake of the code that calls.
    pub fn push<C: Into<Cell>>(&mut self, cells: impl IntoIterator<Item = C>) {
        let row: Vec<Cell> = cells.into_iter().map(Into::into).collect();
        assert_eq!(row.len(), self.columns.len(), "one cell a column");
        self.rows.push(row);
    }

    /// There are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The whole table as text that ends in a newline. `width`: columns of the terminal, when the
    /// output is one; the human form folds there, by columns and between words, never inside one.
    pub fn render(&self, listing: Listing, width: Option<u16>) -> String {
        match listing {
            Listing::Human => human::draw(self, width),
            Listing::Json => json::array(self),
            Listing::Csv => {
                let mut out = CsvWriter::new(self.columns.iter().map(|c| c.key.as_str()));
                for row in &self.rows {
                    out.row(row.iter().map(|c| &c.value));
                }
                out.finish()
            }
            Listing::Markdown => markdown::table(self),
        }
    }
}
