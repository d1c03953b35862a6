//! Rows to stdout in the format that was asked for.

use crate::{context::Context, output};
use dyno_registry::{FieldChange, ResolveOptions};
use std::path::PathBuf;

/// How references are resolved here: `~` is the user's home.
pub(super) fn resolve_options() -> ResolveOptions {
    ResolveOptions {
        home: std::env::var_os("HOME").map(PathBuf::from),
        ..ResolveOptions::default()
    }
}

/// A table: aligned columns, JSON objects by header, CSV or Markdown.
pub(super) fn table(
    context: &Context,
    header: &[&str],
    rows: &[Vec<String>],
) -> anyhow::Result<()> {
    output::listing(context.format, header, rows).map(|_| ())
}

/// The fields of a manifest after a write.
pub(super) fn changes(context: &Context, changes: &[FieldChange]) -> anyhow::Result<()> {
    let text = |v: &Option<serde_json::Value>| match v {
        None => "-".to_owned(),
        Some(serde_json::Value::String(s)) => s.clone(),
        Some(v) => v.to_string(),
    };
    let rows: Vec<Vec<String>> = changes
        .iter()
        .map(|c| {
            vec![
                c.field.to_owned(),
                text(&c.old),
                text(&c.new),
                c.action.to_string(),
                c.reason.clone(),
            ]
        })
        .collect();
    table(context, &["field", "old", "new", "action", "reason"], &rows)
}
