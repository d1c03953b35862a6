//! Reports of records that are accepted, whatever their numbers and names say.
//!
//! Every format renders, alone and beside another record, on a terminal of any width; what goes to
//! a terminal holds no control characters, and JSON is JSON.

use dyno_core::{NoArtifacts, Record, Records};
use dyno_reports::{REPORTERS, terminal};

/// Widths of terminals; none is a file.
const WIDTHS: [Option<u16>; 4] = [None, Some(1), Some(60), Some(200)];

/// Renders `record` in all formats.
pub(crate) fn render(record: &Record) {
    let two = [record.clone(), record.clone()];
    for reporter in REPORTERS {
        for records in [&two[..1], &two[..]] {
            for width in WIDTHS {
                let mut out = Vec::new();
                let input = Records { records, width };
                if let Err(error) = reporter.render(&input, &NoArtifacts, &mut out) {
                    assert!(!error.reason.is_empty());
                    continue;
                }
                let text = String::from_utf8(out).expect("reports are text");
                assert!(!text.is_empty(), "{} says nothing", reporter.id());
                match reporter.id() {
                    "json" => {
                        serde_json::from_str::<serde_json::Value>(&text).expect("JSON is JSON");
                    }
                    "human" => {
                        for line in text.lines() {
                            assert_eq!(terminal::clean(line), line, "a name reached the terminal");
                        }
                    }
                    _ => {}
                }
            }
        }
    }
}
