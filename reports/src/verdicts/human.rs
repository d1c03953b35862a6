//! For people: one line an expectation, and one for every measurement that is INVALID.

use super::outcome::{VerdictFormat, Verdicts, word};
use crate::{expect::Verdict, terminal::clean};
use dyno_core::ReportError;

/// Lines for people.
#[derive(Debug, Clone, Copy)]
pub struct Human;

impl VerdictFormat for Human {
    fn id(&self) -> &'static str {
        "human"
    }
    fn about(&self) -> &'static str {
        "one line an expectation"
    }
    fn render(&self, verdicts: &Verdicts<'_>) -> Result<String, ReportError> {
        let mut out = String::new();
        for judged in verdicts.judged {
            let several = verdicts.judged.len() > 1;
            let of = if several {
                format!(
                    " ({}, record {})",
                    judged.subjects(),
                    judged.record.short_id()
                )
            } else {
                String::new()
            };
            let doubtful = judged.measurements.iter();
            let doubtful = doubtful.filter(|j| j.verdict != Verdict::Passed);
            for j in judged.expectations.iter().chain(doubtful) {
                let measured = j.measured.as_ref();
                let detail = match (&j.reason, measured) {
                    (Some(reason), _) => format!(": {reason}"),
                    (None, Some(measured)) => format!(": measured {}", measured.text),
                    (None, None) => String::new(),
                };
                let line = format!("{}{of} {}{detail}", j.expression, word(j.verdict));
                out.extend([&clean(&line), "\n"]);
            }
        }
        Ok(out)
    }
}
