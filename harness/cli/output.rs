//! Standard output: data only, and a reader that went away is no error.

use crate::{args::Format, exit};
use std::{io::Write as _, path::Path};

/// Writes `text` to standard output, or to `out`.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn write(text: &str, out: Option<&Path>) -> anyhow::Result<()> {
    if let Some(path) = out {
        return dyno_evidence::atomic_write(path, text.as_bytes())
            .map_err(|e| exit::coded(exit::FAILED, e.to_string(), ""));
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
            row.extend(std::iter::repeat_n(
                ' ',
                width + 2 - cell.chars().count().min(*width),
            ));
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

/// Prints a small listing in any form.
///
/// # Errors
/// When standard output cannot be written.
pub(crate) fn listing(format: Format, head: &[&str], rows: &[Vec<String>]) -> anyhow::Result<u8> {
    let text = match format {
        Format::Human => columns(head, rows),
        Format::Json => {
            let objects: Vec<serde_json::Map<String, serde_json::Value>> = rows
                .iter()
                .map(|row| {
                    head.iter()
                        .zip(row)
                        .map(|(h, c)| (h.replace(' ', "_"), c.clone().into()))
                        .collect()
                })
                .collect();
            serde_json::to_string_pretty(&objects)? + "\n"
        }
        Format::Csv => {
            let quote = |c: &str| {
                if c.contains([',', '"', '\n', '\r']) {
                    format!("\"{}\"", c.replace('"', "\"\""))
                } else {
                    c.to_owned()
                }
            };
            let line = |cells: Vec<String>| cells.join(",") + "\n";
            line(head.iter().map(|h| quote(h)).collect())
                + &rows
                    .iter()
                    .map(|r| line(r.iter().map(|c| quote(c)).collect()))
                    .collect::<String>()
        }
        Format::Markdown => {
            let cell = |c: &str| c.replace('|', "\\|").replace(['\n', '\r'], " ");
            let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
            let mut text = line(head.iter().map(|h| cell(h)).collect())
                + &line(head.iter().map(|_| "---".to_owned()).collect());
            for row in rows {
                text += &line(row.iter().map(|c| cell(c)).collect());
            }
            text
        }
    };
    write(&text, None)?;
    Ok(exit::OK)
}
