//! What several verbs of `dyno models` print.

use crate::context::Context;
use dyno_core::Purpose;
use dyno_registry::{FieldChange, ResolveOptions};
use dyno_reports::table::{Cell, Column, Table};
use std::path::PathBuf;

/// How references are resolved here: `~` is the user's home.
pub(super) fn resolve_options() -> ResolveOptions {
    ResolveOptions {
        home: std::env::home_dir(),
        ..ResolveOptions::default()
    }
}

/// A purpose by alwaysAI's name.
pub(super) fn purpose(text: &str) -> Result<Purpose, String> {
    serde_json::from_value(text.into()).map_err(|_| {
        format!("unknown purpose `{text}` (there are: Classification, ObjectDetection, PoseEstimation, SemanticSegmentation, InstanceSegmentation, ReIdentification)")
    })
}

/// The files that were written.
pub(super) fn written(context: &Context, paths: &[PathBuf]) -> anyhow::Result<()> {
    let mut table = Table::new([Column::text("written")]);
    for path in paths {
        table.push([path.display().to_string()]);
    }
    context.list(&table)
}

/// The fields of a manifest after a write.
pub(super) fn changes(context: &Context, changes: &[FieldChange]) -> anyhow::Result<()> {
    let value = |v: &Option<serde_json::Value>| match v {
        None => Cell::new("-", serde_json::Value::Null),
        Some(serde_json::Value::String(s)) => Cell::from(s.as_str()),
        Some(v) => Cell::new(v.to_string(), v.clone()),
    };
    let mut table = Table::new(["field", "old", "new", "action", "reason"].map(Column::text));
    for c in changes {
        table.push([
            Cell::from(c.field),
            value(&c.old),
            value(&c.new),
            Cell::from(c.action.to_string()),
            Cell::from(c.reason.as_str()),
        ]);
    }
    context.list(&table)
}
