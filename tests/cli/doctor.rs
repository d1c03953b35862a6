//! `dyno doctor`: facts, whole, in every form.

use crate::support::Place;
use dyno_core::Availability;
use serde_json::Value;
use std::fs;

fn whole(place: &Place, environment: &[(&str, &str)]) -> Value {
    let output = place
        .dyno()
        .args(["doctor", "--format", "json"])
        .envs(environment.iter().copied())
        .output()
        .expect("the binary starts");
    assert_eq!(output.status.code(), Some(0), "built-in engines suffice");
    serde_json::from_slice(&output.stdout).expect("one document")
}

fn facts(document: &Value, id: &str) -> Availability {
    let rows = document["backends"].as_array().expect("a list");
    let row = rows.iter().find(|r| r["backend"] == id);
    let facts = row.unwrap_or_else(|| panic!("no row for {id}"))["facts"].clone();
    serde_json::from_value(facts).expect("facts")
}

#[test]
fn the_document_has_every_engine_and_the_machine() {
    let place = Place::new();
    let document = whole(&place, &[]);
    assert_eq!(document["schema"], "dyno.doctor/1");
    let ids: Vec<&str> = document["backends"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|b| b["backend"].as_str().expect("an id"))
        .collect();
    let mut known: Vec<&str> = dyno_backends::BACKENDS.iter().map(|b| b.id()).collect();
    known.extend(dyno_backends::ABSENT);
    assert_eq!(ids, known);
    let tract = facts(&document, "tract");
    assert!(tract.usable() && tract.library.is_none());
    let machine = &document["machine"];
    assert!(machine["cores"].as_u64().is_some_and(|n| n >= 1));
    if cfg!(target_os = "linux") {
        let logical = &machine["detected"]["processor"]["logical"];
        assert!(logical.as_u64().is_some_and(|n| n >= 1), "{machine}");
        assert!(machine["detected"]["host"]["memory_bytes"].is_u64());
        assert!(machine["detected"]["host"]["load"]["one_minute"].is_f64());
    }
}

#[test]
fn a_library_that_is_none_is_told_with_what_mends_it() {
    let place = Place::new();
    let library = place.join("libonnxruntime.so");
    fs::write(&library, "this is text").expect("writable");
    let named = library.display().to_string();
    let environment = [("DYNO_ONNXRUNTIME", named.as_str())];
    let found = facts(&whole(&place, &environment), "onnxruntime");
    assert!(!found.usable());
    let problem = found.first_problem().expect("it cannot run").to_string();
    assert!(problem.contains("not a library (no ELF file)"), "{problem}");
    assert!(
        problem.contains("dyno backends install onnxruntime"),
        "{problem}"
    );
    for form in ["human", "csv", "markdown"] {
        let output = place
            .dyno()
            .args(["doctor", "--format", form])
            .env("DYNO_ONNXRUNTIME", &library)
            .output()
            .expect("the binary starts");
        let text = String::from_utf8(output.stdout).expect("text");
        assert!(
            text.contains("dyno backends install onnxruntime"),
            "{form}: {text}"
        );
        assert!(text.contains("tract"), "{form}: {text}");
    }
}
