//! Names of strangers stay text: no escape sequence, no line of their own, no markup, no formula, no
//! command of a CI runner.

use super::{
    fixture::{Files, accuracy, detail, parts, score, scores, seal},
    render, verbatim,
};
use dyno_core::{Artifacts, Record, ReportError, Warning, WarningCode};

const NAME: &str =
    "=HYPERLINK(\"http://x\")|<script>\n::error::forged\u{1b}[31m @team _a_ `b`\u{202e}\u{9b}2J";
const DETAIL: &str =
    "line one\nerror: forged\r\n::add-mask::x ##[error]y, see #1 and www.example.com";

fn hostile() -> Record {
    let mut result = scores(vec![score("AP|x\n", Some(0.5))]);
    result.details = vec![detail("per-class", &classes())];
    let mut parts = parts(NAME, vec![accuracy(result)]);
    for m in &mut parts.measurements {
        m.execution.library = format!("lib {NAME}");
        m.execution.settings = [("k\n".to_owned(), "::warning::v".to_owned())].into();
    }
    parts.created_utc = "+10000-01-01T00:00:00Z\u{1b}".into();
    for set in &mut parts.sample_sets {
        set.unmatched_model = vec![NAME.to_owned()];
    }
    for machine in &mut parts.machines {
        machine.board.id = NAME.to_owned();
    }
    parts.warnings = vec![Warning {
        code: WarningCode::Other(NAME.to_owned()),
        detail: DETAIL.to_owned(),
    }];
    seal(parts)
}

fn classes() -> String {
    format!("class,AP,n\n\"{}\",0.5,1\n", NAME.replace('"', "\"\""))
}

struct Hostile;

impl Artifacts for Hostile {
    fn get(&self, _: &Record, _: &str) -> Result<Option<Vec<u8>>, ReportError> {
        Ok(Some(classes().into_bytes()))
    }
}

#[test]
fn nothing_acts() {
    for format in ["human", "markdown", "csv", "json"] {
        for width in [None, Some(60), Some(1)] {
            let text = verbatim(format, &[hostile(), hostile()], &Hostile, width);
            let acts = |c: char| {
                (c.is_control() && c != '\n' && c != '\r') || matches!(c, '\u{202e}' | '\u{9b}')
            };
            assert!(!text.chars().any(acts), "{format}: {text}");
            for line in text.lines() {
                let line = line.trim_start();
                assert!(!line.starts_with("::"), "{format}: {line}");
                assert!(!line.starts_with("error:"), "{format}: {line}");
                assert!(!line.contains("##["), "{format}: {line}");
            }
        }
    }
}

#[test]
fn markup_and_formulas_stay_text() {
    let markdown = render("markdown", &[hostile()], &Hostile, None);
    insta::assert_snapshot!("markdown_hostile", markdown);
    for part in ["<script>", "@team", "http://"] {
        assert!(!markdown.contains(part), "{part}");
    }
    insta::assert_snapshot!(
        "human_hostile",
        render("human", &[hostile()], &Hostile, None)
    );
    let csv = verbatim("csv", &[hostile()], &Hostile, None);
    let mut reader = ::csv::Reader::from_reader(csv.as_bytes());
    for row in reader.records() {
        for field in &row.expect("a row") {
            assert!(!field.starts_with(['=', '@']), "{field}");
        }
    }
    assert!(
        csv.contains(",\"'=HYPERLINK(\"\"http://x\"\")|<script>\\u{a}"),
        "{csv}"
    );
}

#[test]
fn json_holds_the_same_values_and_the_same_id() {
    let record = hostile();
    let text = verbatim("json", std::slice::from_ref(&record), &Files::all(), None);
    let back = Record::parse(&text).expect("the same content");
    assert_eq!(back.id, record.id);
    assert_eq!(back.subjects, record.subjects);
}
