//! Verdicts for machines: every form against a snapshot, and read back by a parser of its own kind.

use super::fixture::{Files, classifier, detector, disturbed, forged};
use crate::{
    Expectation,
    verdicts::{Judged, Outcome, Undecided, VERDICT_FORMATS, VerdictFormat, Verdicts},
};
use dyno_core::{Record, lookup};
use quick_xml::events::Event;

fn expectations(texts: &[&str]) -> Vec<Expectation> {
    texts
        .iter()
        .map(|t| t.parse().expect("an expectation"))
        .collect()
}

fn judged<'r>(record: &'r Record, texts: &[&str]) -> Judged<'r> {
    Judged::new(record, &expectations(texts), &Files::all()).expect("the record has them")
}

fn render(format: &str, judged: &[Judged<'_>], undecided: Undecided) -> String {
    let row: &dyn VerdictFormat =
        lookup("form of verdicts", VERDICT_FORMATS, format).expect("a row of the table");
    let mut text = row
        .render(&Verdicts { judged, undecided })
        .expect("renders");
    for j in judged {
        text = text.replace(&j.record.id, "<id>");
        text = text.replace(j.record.short_id(), "<id8>");
    }
    text
}

#[test]
fn rows_are_sorted_unique_and_described() {
    assert!(VERDICT_FORMATS.windows(2).all(|w| w[0].id() < w[1].id()));
    assert!(VERDICT_FORMATS.iter().all(|r| !r.about().is_empty()));
}

#[test]
fn every_form() {
    let (detector, classifier) = (detector(), classifier());
    let all = [
        judged(
            &detector,
            &["AP>=0.295", "p90<=12ms", "samples/s>=100", "AP/person>=50%"],
        ),
        judged(&classifier, &["top-1>=0.7"]),
    ];
    for format in VERDICT_FORMATS {
        insta::assert_snapshot!(
            format!("verdicts_{}", format.id()),
            render(format.id(), &all, Undecided::Stays)
        );
    }
}

#[test]
fn the_undecided_counts_as_the_user_says() {
    let record = disturbed();
    let all = [judged(&record, &["p50<=12ms"])];
    for (undecided, outcome, junit, github) in [
        (
            Undecided::Stays,
            Outcome::Undecided,
            "errors=\"2\"",
            "::warning ",
        ),
        (
            Undecided::Pass,
            Outcome::Passed,
            "skipped=\"2\"",
            "::notice ",
        ),
        (
            Undecided::Fail,
            Outcome::Failed,
            "failures=\"2\"",
            "::error ",
        ),
    ] {
        let verdicts = Verdicts {
            judged: &all,
            undecided,
        };
        assert_eq!(verdicts.outcome(), outcome);
        assert!(
            render("junit", &all, undecided).contains(junit),
            "{undecided:?}"
        );
        let commands = render("github", &all, undecided);
        assert_eq!(commands.matches(github).count(), 2, "{commands}");
        assert!(
            commands.lines().all(|l| l.starts_with(github)),
            "{commands}"
        );
    }
    let failed = [judged(&record, &["p50<=1ms"])];
    let verdicts = Verdicts {
        judged: &failed,
        undecided: Undecided::Pass,
    };
    // Of a VALID and a disturbed measurement the VALID one fails.
    assert_eq!(verdicts.outcome(), Outcome::Failed);
}

#[test]
fn names_of_strangers_are_no_commands_and_no_markup() {
    let record = forged(&detector(), |v| {
        v["subjects"][0]["reference"] =
            "x\n::error title=forged::y%0A\u{1b}[2J]]><failure/>|\u{202e}".into();
    });
    let all = [judged(&record, &["AP>=0.9", "samples/s>=100"])];
    for format in VERDICT_FORMATS {
        let text = render(format.id(), &all, Undecided::Stays);
        let acts = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!text.chars().any(acts), "{}: {text}", format.id());
    }
    let commands = render("github", &all, Undecided::Stays);
    assert_eq!(
        commands.lines().count(),
        3,
        "two expectations, one measurement"
    );
    assert!(!commands.contains("::error title=forged"), "{commands}");
    assert!(commands.contains("y%250A"), "{commands}");
    let markdown = render("markdown", &all, Undecided::Stays);
    assert!(!markdown.contains("<failure/>"), "{markdown}");
    // The XML is well-formed, and has one failure element, which is ours.
    let xml = render("junit", &all, Undecided::Stays);
    let mut reader = quick_xml::Reader::from_str(&xml);
    let mut failures = 0;
    loop {
        match reader.read_event().expect("well-formed") {
            Event::Eof => break,
            Event::Empty(e) | Event::Start(e) => {
                failures += usize::from(e.name().as_ref() == b"failure");
                for attribute in e.attributes() {
                    attribute.expect("well-formed");
                }
            }
            _ => {}
        }
    }
    assert_eq!(failures, 1, "{xml}");
}

#[test]
fn json_holds_the_measured_value() {
    let record = detector();
    let text = render("json", &[judged(&record, &["AP>=0.295"])], Undecided::Stays);
    let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let one = &value["records"][0]["expectations"][0];
    assert_eq!(one["measured"]["value"], 0.2996);
    assert_eq!(one["verdict"], "passed");
    assert_eq!(one.get("reason"), None);
    // The offline measurement is INVALID, so not everything is as it should be.
    assert_eq!(value["outcome"], "undecided");
}
