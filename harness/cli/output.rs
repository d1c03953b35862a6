//! Standard output: data only, and a reader that went away is no error.

use crate::exit;
use std::{io::Write as _, path::Path};

/// Writes `text` to standard output, or to `out`.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn write(text: &str, out: Option<&Path>) -> anyhow::Result<()> {
    if let Some(path) = out {
        return dyno_evidence::atomic_write(path, text.as_bytes()).map_err(|e| exit::coded(exit::FAILED, e.to_string(), ""));
    }
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Rows under a head, aligned: for the small listings.
pub(crate) fn columns(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = head.iter().map(|h| h.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    let mut line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut row = String::new();
        for (cell, width) in cells.zip(&widths) {
            row.push_str(cell);
            row.extend(std::iter::repeat_n(' ', width + 2 - cell.chars().count().min(*width)));
        }
        text.push_str(row.trim_end());
        text.push('\n');
    };
    line(&mut head.iter().copied());
    for row in rows {
        line(&mut row.iter().map(String::as_str));
    }
    text
}
