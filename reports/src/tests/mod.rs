//! Every format against committed snapshots, what strangers' names do to it, and forged records.

mod expectations;
pub(crate) mod fixture;
mod forged;
mod formats;
mod hostile;
mod listings;
mod verdicts;

use crate::REPORTERS;
use dyno_core::{Artifacts, Record, Records, lookup};

/// A report as text. Ids and series are hashes over everything: their place is shown, not they.
fn render(
    format: &str,
    records: &[Record],
    artifacts: &dyn Artifacts,
    width: Option<u16>,
) -> String {
    let mut text = verbatim(format, records, artifacts, width);
    for record in records {
        text = text.replace(&record.id, "<id>");
        text = text.replace(record.short_id(), "<id8>");
    }
    text.replace("\r\n", "\n")
}

fn verbatim(
    format: &str,
    records: &[Record],
    artifacts: &dyn Artifacts,
    width: Option<u16>,
) -> String {
    let reporter = lookup("report format", REPORTERS, format).expect("a row of the table");
    let mut sink: Vec<u8> = Vec::new();
    reporter
        .render(&Records { records, width }, artifacts, &mut sink)
        .expect("renders");
    let text = String::from_utf8(sink).expect("UTF-8");
    assert!(text.ends_with('\n'));
    text
}
