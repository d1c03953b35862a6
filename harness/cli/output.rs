//! Standard output and files: data only, and a reader that went away is no error.

use crate::exit;
use dyno_core::{ReportError, Sink};
use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
};

/// Writes `bytes` to standard output, or to `out`.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn write(bytes: &[u8], out: Option<&Path>) -> anyhow::Result<()> {
    if let Some(path) = out {
        return write_file(path, bytes);
    }
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Writes a file: one that is there is replaced as a whole, while a pipe or a device is opened and
/// written, never replaced.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let special = fs::metadata(path).is_ok_and(|m| !m.is_file() && !m.is_dir());
    if !special {
        return Ok(dyno_evidence::atomic_write(path, bytes)?);
    }
    let written = OpenOptions::new()
        .write(true)
        .open(path)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.flush()));
    match written {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(anyhow::Error::new(error).context(format!("cannot write `{}`", path.display())))
        }
        _ => Ok(()),
    }
}

/// Refuses a place where nothing can be written, before anything is measured.
///
/// # Errors
/// When the folder does not exist or the place is a folder.
pub(crate) fn check_place(path: &Path) -> anyhow::Result<()> {
    let parent = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let shown = path.display();
    if path.is_dir() {
        return Err(exit::usage(
            format!("`{shown}` is a folder"),
            "name a file in it",
        ));
    }
    match fs::metadata(parent) {
        Ok(m) if m.is_dir() && (path.exists() || !m.permissions().readonly()) => Ok(()),
        Ok(m) if m.is_dir() => Err(exit::usage(
            format!(
                "the folder `{}` of `{shown}` cannot be written",
                parent.display()
            ),
            "",
        )),
        _ => Err(exit::usage(
            format!(
                "the folder `{}` of `{shown}` does not exist",
                parent.display()
            ),
            "",
        )),
    }
}

/// Where a report goes: standard output, or a file with others beside it.
pub(crate) struct ReportSink {
    out: Option<PathBuf>,
    bytes: Vec<u8>,
}

impl ReportSink {
    /// To `out`, or to standard output.
    pub(crate) fn new(out: Option<&Path>) -> Self {
        Self {
            out: out.map(Path::to_owned),
            bytes: Vec::new(),
        }
    }

    /// Writes the report itself.
    ///
    /// # Errors
    /// As [`write()`].
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        write(&self.bytes, self.out.as_deref())
    }
}

impl Sink for ReportSink {
    fn write(&mut self, bytes: &[u8]) -> Result<(), ReportError> {
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn file(&mut self, name: &str, bytes: &[u8]) -> Result<(), ReportError> {
        let refused = |reason: String| ReportError {
            reporter: "output",
            reason,
        };
        let Some(folder) = self.out.as_deref().and_then(Path::parent) else {
            return Err(refused(format!(
                "`{name}` has no folder to stand in: write the report to a file with --out"
            )));
        };
        if Path::new(name).components().count() != 1 || name.contains(['/', '\\']) {
            return Err(refused(format!("`{name}` is no plain file name")));
        }
        write_file(&folder.join(name), bytes).map_err(|e| refused(format!("{e:#}")))
    }
}
