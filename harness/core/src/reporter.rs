//! From records to files that people and machines read.

use crate::{record::Record, table::Row};

/// What a reporter renders.
#[derive(Debug, Clone, Copy)]
pub struct Records<'a> {
    /// The records, in the order of the user's wish.
    pub records: &'a [Record],
    /// Width of the terminal in columns, when the output is one.
    pub width: Option<u16>,
}

/// The files behind the numbers: per-class tables, curves, raw latencies. A record may have
/// travelled without them.
pub trait Artifacts {
    /// The content of a file of `record`, checked against its hash; `None` when it is not at hand.
    ///
    /// # Errors
    /// When it is there and cannot be read, or is not what its name says.
    fn get(&self, record: &Record, sha256: &str) -> Result<Option<Vec<u8>>, ReportError>;
}

/// No files at hand.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoArtifacts;

impl Artifacts for NoArtifacts {
    fn get(&self, _: &Record, _: &str) -> Result<Option<Vec<u8>>, ReportError> {
        Ok(None)
    }
}

/// Where a report goes.
pub trait Sink {
    /// Appends to the report itself.
    ///
    /// # Errors
    /// When it cannot be written.
    fn write(&mut self, bytes: &[u8]) -> Result<(), ReportError>;
    /// A further file beside the report; `name` is a plain file name.
    ///
    /// # Errors
    /// When it cannot be written, or the report goes where no file can stand beside it.
    fn file(&mut self, name: &str, bytes: &[u8]) -> Result<(), ReportError>;
}

/// A report in memory, without files beside it.
impl Sink for Vec<u8> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), ReportError> {
        self.extend_from_slice(bytes);
        Ok(())
    }
    fn file(&mut self, name: &str, _: &[u8]) -> Result<(), ReportError> {
        Err(ReportError {
            reporter: "memory",
            reason: format!("`{name}` has no folder to stand in: write the report to a file"),
        })
    }
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

/// A report format: row of the reporter table. Records and their files are its only input.
pub trait Reporter: Send + Sync {
    /// Kebab-case id: the value of `--format`.
    fn id(&self) -> &'static str;
    /// One line for people.
    fn about(&self) -> &'static str;
    /// Writes the report.
    ///
    /// # Errors
    /// When a record has no such form, or the sink refuses.
    fn render(
        &self,
        records: &Records<'_>,
        artifacts: &dyn Artifacts,
        sink: &mut dyn Sink,
    ) -> Result<(), ReportError>;
}

impl Row for dyn Reporter {
    fn name(&self) -> &'static str {
        self.id()
    }
}
