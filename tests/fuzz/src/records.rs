//! Records: the JSON of `dyno_core::Record`, as it comes and with the id that its content has.
//!
//! A text that is accepted is kept to the letter, has the same id however often it is read, and
//! every part of it can be asked for and rendered.

use crate::{Target, json, reports};
use dyno_core::{MAX_RECORD_BYTES, Record, canonical_sha256};
use serde_json::Value;
use std::sync::LazyLock;

pub(crate) const TARGET: Target = Target {
    check,
    seeds,
    words: &[
        "\\\"schema\\\":",
        "dyno.record/1",
        "\\\"measurements\\\":[",
        "\\\"kind\\\":\\\"performance\\\"",
        "\\\"value\\\":null",
        "1e39",
        "9007199254740993",
        "10000-01-01T00:00:00Z",
    ],
};

static TEMPLATES: LazyLock<[Value; 1]> = LazyLock::new(|| {
    let value = serde_json::from_str(include_str!("../seeds/record.json"));
    [sealed(value.expect("the seed is JSON")).expect("the seed can be sealed")]
});

fn seeds() -> Vec<Vec<u8>> {
    json::seeds(&*TEMPLATES)
}

fn check(bytes: &[u8]) -> bool {
    let Some(text) = json::text(bytes, &*TEMPLATES) else {
        return false;
    };
    let as_it_is = accepted(&text);
    let value = serde_json::from_str(&text).ok();
    let sealed = value.and_then(sealed);
    as_it_is | sealed.is_some_and(|value| accepted(&value.to_string()))
}

/// The value with the id of its content, unless it is no object.
fn sealed(mut value: Value) -> Option<Value> {
    let object = value.as_object_mut()?;
    object.remove("id");
    let id = canonical_sha256(&value).ok()?;
    value.as_object_mut()?.insert("id".to_owned(), id.into());
    Some(value)
}

fn accepted(text: &str) -> bool {
    let record = match Record::parse(text) {
        Ok(record) => record,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return false;
        }
    };
    assert!(text.len() <= MAX_RECORD_BYTES, "{} bytes", text.len());
    assert_eq!(record.text(), text, "a record is written as it was read");
    let again = Record::parse(record.text()).expect("what was accepted is accepted again");
    assert_eq!(again.id, record.id);
    assert_eq!(again.text(), text);
    assert!(record.id.starts_with(record.short_id()));
    for measurement in &record.measurements {
        let subject = record.subject(measurement);
        assert_eq!(subject, again.subject(measurement));
        assert!(record.machines_of(measurement).count() <= measurement.machines.len());
        if let Some(set) = record.sample_set(measurement) {
            assert_eq!(Some(set.id.as_str()), measurement.sample_set());
            assert_eq!(set.full(), set.count >= set.of);
        }
        let series = measurement
            .series
            .sha256()
            .expect("numbers of JSON are finite");
        assert_eq!(series.len(), 64);
        assert_eq!(measurement.series.differences(&measurement.series), []);
    }
    reports::render(&record);
    true
}
