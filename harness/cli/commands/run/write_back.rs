//! Results into the model's manifest, told field by field.

use crate::{context::Context, exit};
use dyno_core::Record;
use dyno_evidence::RunFolder;
use dyno_planner::WriteBack;
use dyno_registry::{Action, FieldChange, ResolvedModel, WriteMode};
use serde_json::Value;

/// Writes a record into the fields of its model. The exit code is that of a doubt when the record
/// had nothing that any field may show: a write that was asked for did not happen.
///
/// # Errors
/// When the model cannot take them.
pub(super) fn run(
    model: &ResolvedModel,
    record: &Record,
    write: WriteBack,
    folder: &RunFolder,
    context: &Context,
) -> anyhow::Result<u8> {
    let mode = match write {
        WriteBack::Fill => WriteMode::Fill,
        WriteBack::Replace => WriteMode::Replace,
    };
    let changes = dyno_registry::write_back(model, record, mode, Some(folder))?;
    for change in &changes {
        context.say(&tell(change));
    }
    let nothing = |c: &FieldChange| matches!(c.action, Action::NotMeasured | Action::Refused);
    if changes.iter().all(nothing) {
        context.say("nothing was written to the manifest");
        return Ok(exit::UNDECIDED);
    }
    Ok(exit::OK)
}

/// What happened to a field, in one line.
fn tell(change: &FieldChange) -> String {
    let value = |v: &Option<Value>| {
        v.as_ref()
            .map_or_else(|| "nothing".to_owned(), ToString::to_string)
    };
    let (action, field) = (change.action, change.field);
    match action {
        Action::Filled | Action::Refreshed | Action::Replaced => {
            let moved = format!(
                "{action} {field}: {} -> {}",
                value(&change.old),
                value(&change.new)
            );
            if change.reason.is_empty() {
                moved
            } else {
                format!("{moved} ({})", change.reason)
            }
        }
        Action::Unchanged | Action::Left | Action::Refused | Action::NotMeasured => {
            format!("{action} {field}: {}", change.reason)
        }
    }
}
