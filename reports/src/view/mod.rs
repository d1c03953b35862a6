//! From records to blocks: what people are shown, in which order, whatever the format.
//!
//! A number that the record refuses is named as refused, with the count that would do; what is
//! absent is said to be absent; what this version does not know is shown by its name.

mod accuracy;
mod details;
mod execution;
mod performance;
mod record;
mod side_by_side;
mod trials;

use crate::blocks::Block;
use dyno_core::{Artifacts, Records};

pub(crate) use record::{Names, kind, scenario, timed, validity};

/// The report of all records; a side-by-side table first when there are several.
pub(crate) fn blocks(records: &Records<'_>, artifacts: &dyn Artifacts) -> Vec<Block> {
    let mut out = Vec::new();
    if records.records.is_empty() {
        out.push(Block::Line("no records".to_owned()));
    }
    if records.records.len() > 1 {
        side_by_side::table(records.records, &mut out);
    }
    for one in records.records {
        record::blocks(one, artifacts, &mut out);
    }
    out
}
