//! Snapshots of every format, and the JSON report as the record itself.

use super::{
    fixture::{Files, classifier, detector, disturbed, from_the_future},
    render, verbatim,
};
use crate::{REPORTERS, terminal::display_width};
use dyno_core::{NoArtifacts, Record};

#[test]
fn rows_are_sorted_unique_and_described() {
    assert!(REPORTERS.windows(2).all(|w| w[0].id() < w[1].id()));
    assert!(REPORTERS.iter().all(|r| !r.about().is_empty()));
}

#[test]
fn every_format_of_every_record() {
    let files = Files::all();
    for format in ["csv", "human", "markdown"] {
        for (name, records) in [
            ("detector", vec![detector()]),
            ("classifier", vec![classifier()]),
            ("two", vec![detector(), classifier()]),
            ("future", vec![from_the_future()]),
            ("disturbed", vec![disturbed()]),
        ] {
            insta::assert_snapshot!(
                format!("{format}_{name}"),
                render(format, &records, &files, None)
            );
        }
    }
    insta::assert_snapshot!("human_none", render("human", &[], &files, None));
}

#[test]
fn a_record_without_its_files_says_so() {
    let text = render("human", &[detector()], &NoArtifacts, None);
    assert!(
        text.contains("table per-class: the file is not at hand"),
        "{text}"
    );
    // Numbers of the record itself stay.
    assert!(text.contains("0.2996"), "{text}");
    assert!(!render("csv", &[detector()], &NoArtifacts, None).contains("AP/person"));
    assert!(render("csv", &[detector()], &Files::all(), None).contains("AP/person,0.5,share,310"));
}

#[test]
fn the_json_report_is_the_record() {
    let files = Files::all();
    for record in [detector(), classifier(), disturbed(), from_the_future()] {
        let text = verbatim("json", std::slice::from_ref(&record), &files, None);
        assert_eq!(text.trim(), record.text().trim(), "verbatim");
        assert_eq!(Record::parse(&text).expect("a record"), record);
    }
    let several = verbatim("json", &[detector(), from_the_future()], &files, None);
    let values: Vec<serde_json::Value> = serde_json::from_str(&several).expect("an array");
    let texts = [detector(), from_the_future()]
        .map(|r| serde_json::from_str::<serde_json::Value>(r.text()).expect("JSON"));
    assert_eq!(values, texts);
    assert_eq!(verbatim("json", &[], &files, None), "[]\n");
    insta::assert_snapshot!(
        "json_future",
        render("json", &[from_the_future()], &files, None)
    );
}

#[test]
fn sixty_columns_are_enough() {
    let records = [detector(), classifier(), disturbed()];
    let files = Files::all();
    let text = render("human", &records, &files, Some(60));
    insta::assert_snapshot!("human_narrow", text);
    for line in text.lines() {
        // A word that is wider stands alone.
        let alone = !line.starts_with(['─', '═']) && line.split_whitespace().count() < 2;
        assert!(display_width(line) <= 60 || alone, "{line:?}");
    }
    // Nothing is cut: every word of the wide report is in the narrow one, whole.
    let wide = render("human", &records, &files, None);
    let words: std::collections::BTreeSet<&str> = text.split_whitespace().collect();
    let drawn = |w: &str| w.starts_with(['─', '═']);
    for word in wide.split_whitespace().filter(|w| !drawn(w)) {
        assert!(words.contains(word), "{word}");
    }
}

#[test]
fn rows_of_csv_have_one_length() {
    let records = [detector(), classifier(), disturbed(), from_the_future()];
    let text = verbatim("csv", &records, &Files::all(), None);
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    let rows: Result<Vec<::csv::StringRecord>, _> = reader.records().collect();
    let rows = rows.expect("every row has the header's length").len();
    assert!(rows > 100, "{rows}");
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
    assert_eq!(text.matches('\n').count(), rows + 1);
}
