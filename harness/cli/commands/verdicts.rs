//! Expectations judged, and their verdicts in the forms that machines read.

use crate::{exit, output, say};
use clap::{Args, ValueEnum};
use dyno_core::{Artifacts, Record, lookup};
use dyno_reports::{
    Expectation,
    verdicts::{Judged, Outcome, Undecided, VERDICT_FORMATS, VerdictFormat, Verdicts},
};
use std::path::PathBuf;

/// What CI makes of a doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Doubt {
    /// Exit code 0.
    Pass,
    /// Exit code 1.
    Fail,
}

/// Flags of verdicts: of `run` and of `report`.
#[derive(Debug, Default, Args)]
pub(crate) struct VerdictArgs {
    /// Fail (exit code 1) unless this holds: 'AP>=0.295', 'p90<=12ms', 'samples/s>=100'; may be
    /// repeated
    #[arg(long, value_name = "EXPRESSION")]
    pub(crate) expect: Vec<String>,
    /// Exit code when something is undecided or INVALID: pass (0) or fail (1) [default: 4]
    #[arg(long, value_enum)]
    undecided: Option<Doubt>,
    /// Write the verdicts for a machine: github, json, junit, markdown, each with =FILE or to
    /// standard error; may be repeated
    #[arg(long, value_name = "FORMAT[=FILE]")]
    verdicts: Vec<String>,
}

impl VerdictArgs {
    /// Nothing is asked for.
    pub(crate) fn is_silent(&self) -> bool {
        self.expect.is_empty() && self.verdicts.is_empty() && self.undecided.is_none()
    }
}

/// What is expected, and how verdicts are told.
#[derive(Default)]
pub(crate) struct Judging {
    /// What is expected.
    pub(crate) expectations: Vec<Expectation>,
    rule: Undecided,
    forms: Vec<(&'static dyn VerdictFormat, Option<PathBuf>)>,
}

impl Judging {
    /// Reads the flags.
    ///
    /// # Errors
    /// When an expectation means nothing, or there is no such form, or its file cannot be written.
    pub(crate) fn new(args: &VerdictArgs) -> anyhow::Result<Self> {
        let mut forms = Vec::new();
        for text in &args.verdicts {
            let (name, file) = match text.split_once('=') {
                Some((name, file)) => (name, Some(PathBuf::from(file))),
                None => (text.as_str(), None),
            };
            if let Some(file) = &file {
                output::check_place(file)?;
            }
            forms.push((lookup("form of verdicts", VERDICT_FORMATS, name)?, file));
        }
        Ok(Self {
            expectations: args
                .expect
                .iter()
                .map(|text| text.parse())
                .collect::<Result<_, _>>()?,
            rule: match args.undecided {
                None => Undecided::Stays,
                Some(Doubt::Pass) => Undecided::Pass,
                Some(Doubt::Fail) => Undecided::Fail,
            },
            forms,
        })
    }

    /// Judges records, tells the verdicts, and says the exit code that they deserve. With `quiet`
    /// nothing is said of what is met.
    ///
    /// # Errors
    /// When a record has no such number, or verdicts cannot be written.
    pub(crate) fn judge(
        &self,
        records: &[Record],
        artifacts: &dyn Artifacts,
        quiet: bool,
    ) -> anyhow::Result<u8> {
        let judged = records
            .iter()
            .map(|record| Judged::new(record, &self.expectations, artifacts))
            .collect::<Result<Vec<_>, _>>()?;
        let verdicts = Verdicts {
            judged: &judged,
            undecided: self.rule,
        };
        let outcome = verdicts.outcome();
        if self.forms.is_empty() && (outcome != Outcome::Passed || !quiet) {
            let human = lookup("form of verdicts", VERDICT_FORMATS, "human")?;
            for line in human.render(&verdicts)?.lines() {
                say::line(line);
            }
        }
        for (form, file) in &self.forms {
            let text = form.render(&verdicts)?;
            match file {
                Some(file) => output::write_file(file, text.as_bytes())?,
                None => say::verbatim(&text),
            }
        }
        Ok(match outcome {
            Outcome::Passed => exit::OK,
            Outcome::Failed => exit::VERDICT,
            Outcome::Undecided => exit::UNDECIDED,
        })
    }
}
