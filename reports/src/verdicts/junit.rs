//! JUnit XML, which every CI server reads: the common part of Jenkins' `junit-10.xsd` and Apache
//! Ant's formatter.
//!
//! One suite a record, one case a judgement. What is not met is a `failure`, what is undecided an
//! `error`; where the undecided counts as met, it is `skipped`.

use super::outcome::{Judged, Outcome, VerdictFormat, Verdicts};
use crate::{
    expect::{Judgement, Verdict},
    terminal::clean,
};
use dyno_core::ReportError;
use quick_xml::{
    Writer,
    events::{BytesDecl, BytesText, Event},
};
use std::io;

/// One XML document.
#[derive(Debug, Clone, Copy)]
pub struct Junit;

/// What a case is to a CI server.
#[derive(Clone, Copy, PartialEq)]
enum Case {
    Passed,
    Failure,
    Error,
    Skipped,
}

fn case(verdicts: &Verdicts<'_>, j: &Judgement) -> Case {
    match (verdicts.counts_as(j), j.verdict) {
        (Outcome::Failed, _) => Case::Failure,
        (Outcome::Undecided, _) => Case::Error,
        (Outcome::Passed, Verdict::Passed) => Case::Passed,
        (Outcome::Passed, _) => Case::Skipped,
    }
}

/// How many cases of each kind, as attributes.
fn counts<'j>(
    verdicts: &Verdicts<'_>,
    judgements: impl Iterator<Item = &'j Judgement>,
) -> [(&'static str, String); 4] {
    let cases: Vec<Case> = judgements.map(|j| case(verdicts, j)).collect();
    let of = |wanted: Case| cases.iter().filter(|c| **c == wanted).count().to_string();
    [
        ("tests", cases.len().to_string()),
        ("failures", of(Case::Failure)),
        ("errors", of(Case::Error)),
        ("skipped", of(Case::Skipped)),
    ]
}

fn strs<'a>(pairs: &'a [(&'static str, String)]) -> impl Iterator<Item = (&'a str, &'a str)> {
    pairs.iter().map(|(k, v)| (*k, v.as_str()))
}

fn suite(
    verdicts: &Verdicts<'_>,
    judged: &Judged<'_>,
    writer: &mut Writer<Vec<u8>>,
) -> io::Result<()> {
    let subjects = clean(&judged.subjects()).into_owned();
    let record = judged.record;
    let head = [
        (
            "name",
            format!("{subjects} (record {})", clean(record.short_id())),
        ),
        ("timestamp", clean(&record.created_utc).into_owned()),
    ];
    let counts = counts(verdicts, judged.all());
    writer
        .create_element("testsuite")
        .with_attributes(strs(&head).chain(strs(&counts)))
        .write_inner_content(|writer| {
            writer
                .create_element("properties")
                .write_inner_content(|writer| {
                    writer
                        .create_element("property")
                        .with_attributes([("name", "record"), ("value", &*clean(&record.id))])
                        .write_empty()
                        .map(|_| ())
                })?;
            for j in judged.all() {
                let name = clean(&j.expression);
                let element = writer
                    .create_element("testcase")
                    .with_attributes([("classname", subjects.as_str()), ("name", &*name)]);
                let reason = clean(j.reason.as_deref().unwrap_or_default());
                let (kind, result) = match case(verdicts, j) {
                    Case::Passed => ("", ""),
                    Case::Failure => ("expectation", "failure"),
                    Case::Error => ("undecided", "error"),
                    Case::Skipped => ("undecided", "skipped"),
                };
                if result.is_empty() && j.measured.is_none() {
                    element.write_empty()?;
                    continue;
                }
                element.write_inner_content(|writer| {
                    if !result.is_empty() {
                        let mut attributes = vec![("message", &*reason)];
                        // `skipped` has no type in the schema.
                        if result != "skipped" {
                            attributes.push(("type", kind));
                        }
                        writer
                            .create_element(result)
                            .with_attributes(attributes)
                            .write_empty()?;
                    }
                    if let Some(measured) = &j.measured {
                        let text = format!("measured {}", clean(&measured.text));
                        writer
                            .create_element("system-out")
                            .write_text_content(BytesText::new(&text))?;
                    }
                    Ok(())
                })?;
            }
            Ok(())
        })
        .map(|_| ())
}

fn document(verdicts: &Verdicts<'_>) -> io::Result<Vec<u8>> {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let counts = counts(verdicts, verdicts.judged.iter().flat_map(Judged::all));
    writer
        .create_element("testsuites")
        .with_attributes(std::iter::once(("name", "dyno")).chain(strs(&counts)))
        .write_inner_content(|writer| {
            for judged in verdicts.judged {
                suite(verdicts, judged, writer)?;
            }
            Ok(())
        })?;
    Ok(writer.into_inner())
}

impl VerdictFormat for Junit {
    fn id(&self) -> &'static str {
        "junit"
    }
    fn about(&self) -> &'static str {
        "JUnit XML: one suite a record, one case an expectation and a measurement"
    }
    fn render(&self, verdicts: &Verdicts<'_>) -> Result<String, ReportError> {
        let error = |reason: String| ReportError {
            reporter: self.id(),
            reason,
        };
        let bytes = document(verdicts).map_err(|e| error(e.to_string()))?;
        String::from_utf8(bytes)
            .map(|text| text + "\n")
            .map_err(|e| error(e.to_string()))
    }
}
