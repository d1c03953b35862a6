//! From records to text.

use crate::{record::Record, table::Row};

/// What a reporter renders.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// The records, in the order of the user's wish.
    pub records: &'a [Record],
    /// Width of the terminal in columns, when the output is one.
    pub width: Option<u16>,
}

/// Why a report cannot be rendered.
#[derive(Debug, thiserror::Error)]
#[error("report `{reporter}`: {reason}")]
pub struct ReportError {
    /// Row of the table.
    pub reporter: &'static str,
    /// What went wrong.
    pub reason: String,
}

/// A report format: row of the reporter table. The records are its only input.
pub trait Reporter: Send + Sync {
    /// Kebab-case id: the value of `--format`.
    fn id(&self) -> &'static str;
    /// One line for people.
    fn about(&self) -> &'static str;
    /// The report, ending in a newline.
    ///
    /// # Errors
    /// When a record has no such form.
    fn render(&self, report: &Report<'_>) -> Result<String, ReportError>;
}

impl Row for dyn Reporter {
    fn name(&self) -> &'static str {
        self.id()
    }
}
