//! Rows to stdout in the format that was asked for.

use crate::{args::Format, context::Context, output};
use dyno_registry::{FieldChange, ResolveOptions};
use std::{fmt::Write as _, path::PathBuf};

/// How references are resolved here: `~` is the user's home.
pub(super) fn resolve_options() -> ResolveOptions {
    ResolveOptions { home: std::env::var_os("HOME").map(PathBuf::from), ..ResolveOptions::default() }
}

/// A field of CSV (RFC 4180).
fn csv_field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

/// A table: aligned columns, JSON objects by header, CSV or Markdown.
pub(super) fn table(context: &Context, header: &[&str], rows: &[Vec<String>]) -> anyhow::Result<()> {
    let mut text = String::new();
    match context.format {
        Format::Json => {
            let objects: Vec<serde_json::Map<String, serde_json::Value>> =
                rows.iter().map(|row| header.iter().zip(row).map(|(h, v)| ((*h).to_owned(), v.clone().into())).collect()).collect();
            text = serde_json::to_string_pretty(&objects)? + "\n";
        }
        Format::Csv => {
            let line = |fields: Vec<String>| fields.join(",") + "\r\n";
            text.push_str(&line(header.iter().map(|h| csv_field(h)).collect()));
            for row in rows {
                text.push_str(&line(row.iter().map(|v| csv_field(v)).collect()));
            }
        }
        Format::Markdown => {
            writeln!(text, "| {} |", header.join(" | "))?;
            writeln!(text, "|{}", "---|".repeat(header.len()))?;
            for row in rows {
                let cells: Vec<String> = row.iter().map(|v| v.replace('|', "\\|").replace('\n', " ")).collect();
                writeln!(text, "| {} |", cells.join(" | "))?;
            }
        }
        Format::Human => text = output::columns(header, rows),
    }
    output::write(&text, None)
}

/// The fields of a manifest after a write.
pub(super) fn changes(context: &Context, changes: &[FieldChange]) -> anyhow::Result<()> {
    let text = |v: &Option<serde_json::Value>| match v {
        None => "-".to_owned(),
        Some(serde_json::Value::String(s)) => s.clone(),
        Some(v) => v.to_string(),
    };
    let rows: Vec<Vec<String>> = changes.iter().map(|c| vec![c.field.to_owned(), text(&c.old), text(&c.new), c.action.to_string(), c.reason.clone()]).collect();
    table(context, &["field", "old", "new", "action", "reason"], &rows)
}
