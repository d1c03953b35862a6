//! Markdown for a job's summary (`$GITHUB_STEP_SUMMARY`) or a comment.

use super::outcome::{Outcome, VerdictFormat, Verdicts, word};
use crate::{
    table::{Cell, Column, Listing, Table, markdown::escape},
    text::counted,
};
use dyno_core::ReportError;

/// One table a record.
#[derive(Debug, Clone, Copy)]
pub struct Summary;

impl VerdictFormat for Summary {
    fn id(&self) -> &'static str {
        "markdown"
    }
    fn about(&self) -> &'static str {
        "GitHub Markdown, for a step summary"
    }
    fn render(&self, verdicts: &Verdicts<'_>) -> Result<String, ReportError> {
        let count = |outcome| verdicts.count(outcome);
        let (passed, failed, undecided) = (
            count(Outcome::Passed),
            count(Outcome::Failed),
            count(Outcome::Undecided),
        );
        let of = counted((passed + failed + undecided) as u64, "verdict");
        let mut out =
            format!("## dyno: {of}, {passed} passed, {failed} failed, {undecided} undecided\n");
        for judged in verdicts.judged {
            let subjects = escape(&judged.subjects());
            let id = escape(judged.record.short_id());
            out.extend([format!("\n### {subjects}, record {id}\n\n")]);
            let mut table = Table::new([
                Column::text("expectation"),
                Column::number("measured"),
                Column::text("verdict"),
                Column::text("reason"),
            ]);
            for j in judged.all() {
                table.push([
                    Cell::from(j.expression.as_str()),
                    j.measured.as_ref().map(|m| m.text.as_str()).into(),
                    word(j.verdict).into(),
                    j.reason.as_deref().into(),
                ]);
            }
            out.push_str(&table.render(Listing::Markdown, None));
        }
        Ok(out)
    }
}
