//! Every format against a committed snapshot, and what strangers' names do to it.

mod expectations;
mod fixture;

use crate::{REPORTERS, csv, markdown};
use dyno_core::{Record, Report, Warning, WarningCode, lookup};
use fixture::{accuracy, classifier, detector, record, score};

fn render(format: &str, records: &[Record], width: Option<u16>) -> String {
    let reporter = lookup("report format", REPORTERS, format).expect("a row of the table");
    let text = reporter
        .render(&Report { records, width })
        .expect("renders");
    assert!(text.ends_with('\n'));
    text
}

#[test]
fn rows_are_sorted_unique_and_described() {
    assert!(REPORTERS.windows(2).all(|w| w[0].id() < w[1].id()));
    assert!(REPORTERS.iter().all(|r| !r.about().is_empty()));
}

#[test]
fn human() {
    insta::assert_snapshot!("human_detector", render("human", &[detector()], None));
    insta::assert_snapshot!("human_classifier", render("human", &[classifier()], None));
    insta::assert_snapshot!(
        "human_two",
        render("human", &[detector(), classifier()], None)
    );
    insta::assert_snapshot!("human_none", render("human", &[], None));
}

#[test]
fn human_fits_the_terminal_and_has_no_colour() {
    let text = render("human", &[detector(), classifier()], Some(60));
    let tables: Vec<&str> = text
        .lines()
        .filter(|l| !l.starts_with("  ") && (l.starts_with('─') || l.starts_with('═')))
        .collect();
    assert!(!tables.is_empty());
    assert!(tables.iter().all(|l| l.chars().count() <= 60), "{text}");
    assert!(!text.contains('\u{1b}'));
}

#[test]
fn markdown() {
    insta::assert_snapshot!("markdown_detector", render("markdown", &[detector()], None));
    insta::assert_snapshot!(
        "markdown_two",
        render("markdown", &[detector(), classifier()], None)
    );
}

#[test]
fn csv() {
    insta::assert_snapshot!(
        "csv_two",
        render("csv", &[detector(), classifier()], None).replace("\r\n", "\n")
    );
    let text = render("csv", &[detector(), classifier()], None);
    assert!(
        text.split_terminator("\r\n")
            .all(|line| line.split(',').count() == 32 && !line.contains('\n')),
        "{text}"
    );
}

#[test]
fn json() {
    insta::assert_snapshot!("json_classifier", render("json", &[classifier()], None));
    let one: Record = serde_json::from_str(&render("json", &[detector()], None)).expect("a record");
    assert_eq!(one, detector());
    let several: Vec<Record> =
        serde_json::from_str(&render("json", &[detector(), classifier()], None)).expect("an array");
    assert_eq!(several, [detector(), classifier()]);
    assert_eq!(render("json", &[], None), "[]\n");
}

#[test]
fn names_of_strangers_stay_text() {
    let mut hostile = record(
        "=HYPERLINK(\"http://x\")|<script>\n\u{1b}[31m @team _a_ `b`\u{202e}",
        vec![accuracy(vec![score("AP|x", Some(0.5))])],
    );
    hostile.warnings = vec![Warning {
        code: WarningCode::Engine,
        detail: "line one\nline two, see #1 and www.example.com".into(),
    }];
    for format in ["human", "markdown", "csv"] {
        let text = render(format, &[hostile.clone(), hostile.clone()], None);
        assert!(
            !text
                .chars()
                .any(|c| (c.is_control() && c != '\n' && c != '\r') || c == '\u{202e}'),
            "{format}: {text}"
        );
    }
    insta::assert_snapshot!(
        "markdown_hostile",
        render("markdown", &[hostile.clone()], None)
    );
    let rows = render("csv", &[hostile], None);
    assert!(
        rows.contains(",\"'=HYPERLINK(\"\"http://x\"\")|<script>\\u{a}"),
        "{rows}"
    );
}

#[test]
fn cells_of_csv() {
    for (cell, expected) in [
        ("plain", "plain"),
        ("a,b", "\"a,b\""),
        ("say \"x\"", "\"say \"\"x\"\"\""),
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@x", "'@x"),
        // Only outer blanks need quotes.
        (" =1", "' =1"),
        (" x", "\" x\""),
        ("\t=1", "'\\u{9}=1"),
        ("\u{ff1d}1", "'\u{ff1d}1"),
        ("a\nb", "a\\u{a}b"),
    ] {
        assert_eq!(csv::text(cell), expected, "{cell:?}");
    }
}

#[test]
fn markdown_escapes() {
    for (text, expected) in [
        ("AP_small AR@100", "AP_small AR@100"),
        ("@team", "&#64;team"),
        ("a|b\\", "a\\|b\\\\"),
        ("<b>&", "&lt;b&gt;&amp;"),
        ("_x_ *y* [z](q) `c`", "\\_x_ \\*y\\* \\[z\\](q) \\`c\\`"),
        ("see #1", "see &#35;1"),
        ("https://x", "https:&#47;/x"),
    ] {
        assert_eq!(markdown::escape(text), expected);
    }
}
