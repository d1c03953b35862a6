//! No record makes a report panic: fields may hold anything that JSON can say.

use super::fixture::{Files, classifier, detector, disturbed, forged, from_the_future};
use crate::{
    Expectation, REPORTERS,
    verdicts::{Judged, Undecided, VERDICT_FORMATS, Verdicts},
};
use dyno_core::{Record, Records, canonical_sha256};
use proptest::{prelude::*, strategy::ValueTree as _};
use serde_json::Value;

/// The largest number that a record can hold.
const LARGEST: u64 = 1 << 53;

/// Everything that this crate does with a record.
fn use_it(records: &[Record]) {
    for width in [None, Some(1), Some(60), Some(u16::MAX)] {
        for reporter in REPORTERS {
            let mut sink: Vec<u8> = Vec::new();
            reporter
                .render(&Records { records, width }, &Files::all(), &mut sink)
                .expect("memory takes everything");
            assert!(!sink.is_empty());
        }
    }
    let expectations: Vec<Expectation> = [
        "AP>=0.3",
        "AP/person>0.1",
        "p90<=12ms",
        "p99-bound<1s",
        "samples/s>1",
        "memory-peak<1GB",
    ]
    .iter()
    .map(|e| e.parse().expect("an expectation"))
    .collect();
    for record in records {
        let judged: Vec<Judged<'_>> = expectations
            .iter()
            .filter_map(|e| Judged::new(record, std::slice::from_ref(e), &Files::all()).ok())
            .collect();
        for format in VERDICT_FORMATS {
            let verdicts = Verdicts {
                judged: &judged,
                undecided: Undecided::Stays,
            };
            format.render(&verdicts).expect("renders");
        }
    }
}

#[test]
fn absurd_numbers_and_places_have_a_report() {
    let largest = LARGEST;
    let huge = LARGEST as f64;
    let record = forged(&detector(), |v| {
        v["created_utc"] = "+10000-13-99T99:99:99Z".into();
        v["measurements"][0]["scores"][0]["value"] = huge.into();
        v["measurements"][0]["scores"][0]["interval"]["level"] = huge.into();
        v["measurements"][0]["scores"][1]["interval"]["level"] = (-huge).into();
        v["measurements"][0]["subject"] = u32::MAX.into();
        v["measurements"][0]["machines"] = serde_json::json!([u32::MAX, 0, 0]);
        v["measurements"][0]["failed"] = largest.into();
        let p = &mut v["measurements"][1];
        p["trial"] = u32::MAX.into();
        p["effective_n"] = (-huge).into();
        p["autocorrelation"] = huge.into();
        p["window_spread"] = huge.into();
        p["throughput_per_s"] = 5e-324.into();
        p["percentiles"][0]["p"] = huge.into();
        p["percentiles"][1]["p"] = (-1.0).into();
        p["percentiles"][2]["needs"] = largest.into();
        p["latency_ns"]["max"] = largest.into();
        p["disturbance"]["run_delay_share"] = huge.into();
        p["disturbance"]["temperature_start_millicelsius"] = (-9_007_199_254_740_992_i64).into();
        p["disturbance"]["clock_start_hz"] = largest.into();
        v["sample_sets"][0]["of"] = 0.into();
    });
    use_it(&[record.clone(), record]);
}

#[test]
fn empty_lists_and_long_ones_have_a_report() {
    let empty = forged(&detector(), |v| {
        for list in ["subjects", "machines", "sample_sets"] {
            v[list] = serde_json::json!([]);
        }
        v["measurements"][0]["scores"] = serde_json::json!([]);
        v["measurements"][0]["machines"] = serde_json::json!([]);
        v["measurements"][1]["percentiles"] = serde_json::json!([]);
        v["measurements"][1]["trials"] = serde_json::json!([]);
        v["measurements"][2]["validity"]["codes"] = serde_json::json!([]);
    });
    use_it(&[empty]);
    // As many machines as a record of 64 kB takes.
    let long = forged(&detector(), |v| {
        v["measurements"][0]["machines"] = vec![7_u32; 3000].into();
        v["measurements"][1]["validity"]["codes"] = vec!["partial"; 500].into();
    });
    use_it(&[long]);
}

/// Any value that JSON can say, numbers of every size among them.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..=1_u64 << 53).prop_map(Value::from),
        (-(1_i64 << 53)..=0).prop_map(Value::from),
        any::<f64>()
            .prop_filter("a record holds no other", |f| f.abs() <= LARGEST as f64)
            .prop_map(Value::from),
        "\\PC{0,12}|[\u{0}-\u{1f}\u{7f}-\u{9f}\u{200e}\u{202e}:#=|<`]{0,8}".prop_map(Value::from),
        Just(Value::from("9".repeat(2000))),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z_]{1,6}", inner, 0..3)
                .prop_map(|m| Value::Object(m.into_iter().collect())),
        ]
    })
}

/// Pointers to every value of a record.
fn places(value: &Value, at: &str, out: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                let at = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
                places(member, &at, out);
                out.push(at);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let at = format!("{at}/{index}");
                places(item, &at, out);
                out.push(at);
            }
        }
        _ => {}
    }
}

/// The record with values put in, where it still is one.
fn with(record: &Record, edits: &[(prop::sample::Index, Value)]) -> Option<Record> {
    let mut value: Value = serde_json::from_str(record.text()).expect("JSON");
    let mut all = Vec::new();
    places(&value, "", &mut all);
    for (index, new) in edits {
        // An earlier edit may have removed the place.
        if let Some(place) = value.pointer_mut(&all[index.index(all.len())]) {
            // Numbers and words stay such, else hardly any edit leaves a record.
            *place = match (&*place, new) {
                (Value::Number(_), Value::Number(_)) | (Value::String(_), Value::String(_)) => {
                    new.clone()
                }
                (Value::Number(_), _) => Value::from(0),
                (Value::String(_), _) => Value::from("unknown"),
                _ => new.clone(),
            };
        }
    }
    value.as_object_mut()?.remove("id");
    value["id"] = canonical_sha256(&value).ok()?.into();
    Record::parse(&serde_json::to_string(&value).ok()?).ok()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_record_makes_a_report_panic(
        which in 0..4_usize,
        edits in prop::collection::vec((any::<prop::sample::Index>(), anything()), 1..6),
    ) {
        let record = match which {
            0 => detector(),
            1 => classifier(),
            2 => disturbed(),
            _ => from_the_future(),
        };
        if let Some(record) = with(&record, &edits) {
            use_it(&[record]);
        }
    }
}

#[test]
fn most_edits_of_numbers_and_words_leave_a_record() {
    // The property above would hold of nothing if every edit were refused.
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = prop::collection::vec((any::<prop::sample::Index>(), anything()), 1..6);
    let mut records = 0;
    for _ in 0..100 {
        let edits = strategy.new_tree(&mut runner).expect("a value").current();
        records += usize::from(with(&detector(), &edits).is_some());
    }
    assert!(records >= 20, "{records} of 100");
}
