//! Records as they are.

use dyno_core::{Report, ReportError, Reporter};

/// One record as itself, pretty; several as an array.
#[derive(Debug, Clone, Copy)]
pub struct Json;

impl Reporter for Json {
    fn id(&self) -> &'static str {
        "json"
    }
    fn about(&self) -> &'static str {
        "the record itself, complete (several: an array)"
    }
    fn render(&self, report: &Report<'_>) -> Result<String, ReportError> {
        let text = match report.records {
            [one] => serde_json::to_string_pretty(one),
            many => serde_json::to_string_pretty(many),
        };
        text.map(|t| t + "\n").map_err(|e| ReportError {
            reporter: self.id(),
            reason: e.to_string(),
        })
    }
}
