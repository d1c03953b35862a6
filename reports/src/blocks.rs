//! What a report for people is made of, before it has a format.

use crate::table::Table;

/// A part of a report; texts are raw.
#[derive(Debug, Clone, PartialEq)]
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
