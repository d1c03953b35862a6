//! What a report for people is made of, before it has a format.

/// A table; every cell is unescaped text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) header: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
    /// Columns from this one on hold numbers.
    pub(crate) numbers_from: usize,
}

impl Table {
    pub(crate) fn new(header: &[&str], numbers_from: usize) -> Self {
        Self {
            header: header.iter().map(|h| (*h).to_owned()).collect(),
            rows: Vec::new(),
            numbers_from,
        }
    }
}

/// A part of a report; texts are unescaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Block {
    /// Opens the report of a record.
    Title(String),
    /// Opens a measurement.
    Section(String),
    /// A line of words.
    Line(String),
    /// Lines that belong together.
    Notes(Vec<String>),
    /// A table.
    Table(Table),
}
