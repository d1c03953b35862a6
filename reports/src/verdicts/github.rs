//! Annotations of GitHub Actions: workflow commands on standard output.
//!
//! Escapes are those of actions/toolkit, `packages/core/src/command.ts` (`escapeData`,
//! `escapeProperty`).

use super::outcome::{Outcome, VerdictFormat, Verdicts, word};
use crate::{expect::Verdict, terminal::clean};
use dyno_core::ReportError;

/// One command for everything that is not met or not decided.
#[derive(Debug, Clone, Copy)]
pub struct Github;

fn data(text: &str) -> String {
    clean(text)
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

impl VerdictFormat for Github {
    fn id(&self) -> &'static str {
        "github"
    }
    fn about(&self) -> &'static str {
        "annotations of GitHub Actions for what is not met or undecided"
    }
    fn render(&self, verdicts: &Verdicts<'_>) -> Result<String, ReportError> {
        let mut out = String::new();
        for judged in verdicts.judged {
            let subjects = judged.subjects();
            for j in judged.all() {
                let level = match (verdicts.counts_as(j), j.verdict) {
                    (Outcome::Passed, Verdict::Passed) => continue,
                    (Outcome::Failed, _) => "error",
                    (Outcome::Undecided, _) => "warning",
                    (Outcome::Passed, _) => "notice",
                };
                let title = format!("dyno: {} {}", j.expression, word(j.verdict));
                let reason = j.reason.as_deref().unwrap_or_default();
                let message = format!("{subjects}: {reason}");
                out.extend([format!(
                    "::{level} title={}::{}\n",
                    property(&title),
                    data(&message)
                )]);
            }
        }
        Ok(out)
    }
}
