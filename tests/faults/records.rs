//! B13: records that nobody measured. Their hash is right, because a hash is no seal.

use crate::{
    cheats::kit::{DETECTOR, record, shapes},
    support::Place,
};
use serde_json::{Value, json};
use std::fs;

/// Gives a record the id of its content, as any program can.
fn sealed(mut record: Value) -> Value {
    record.as_object_mut().expect("an object").remove("id");
    let id = dyno_core::canonical_sha256(&record).expect("a hash");
    record["id"] = id.into();
    record
}

/// Every report of the record ends with a code of ours.
fn reports(place: &Place, what: &str, record: &Value) {
    fs::write(place.join("forged.json"), record.to_string()).expect("writable");
    for line in [
        "report forged.json",
        "report forged.json --format markdown",
        "report forged.json --format csv",
        "report forged.json --format json",
        "records show forged.json",
    ] {
        let done = place.run(line);
        assert!(
            done.code.is_some_and(|c| c < 6) && !done.stderr.contains("panicked"),
            "`{line}`, {what}: {:?}\n{}",
            done.code,
            done.stderr
        );
    }
}

type Forgery = fn(&mut Value);

#[test]
fn a_forged_record_panics_nobody() {
    let place = shapes(6);
    let line = DETECTOR.replace("--only accuracy", "--profile quick");
    let honest = record(&place.run(&format!("{line} --format json")));
    let forgeries: [(&str, Forgery); 14] = [
        ("the year 10000", |r| {
            r["created_utc"] = "+010000-01-01T00:00:00Z".into();
        }),
        ("another year 10000", |r| {
            r["created_utc"] = "10000-01-01T00:00:00Z".into();
        }),
        ("no time", |r| r["created_utc"] = "é".into()),
        ("letters of more than a byte", |r| {
            r["created_utc"] = "２０２６-11-24T00:00:00Z".into();
        }),
        ("no measurements", |r| r["measurements"] = json!([])),
        ("no sample sets", |r| r["sample_sets"] = json!([])),
        ("no subjects", |r| r["subjects"] = json!([])),
        ("no machines", |r| r["machines"] = json!([])),
        ("a subject of its own", |r| {
            r["measurements"][0]["subject"] = 4_000_000_000_u64.into();
        }),
        ("scores beyond every bound", |r| {
            r["measurements"][0]["scores"][0]["value"] = (-1e300).into();
        }),
        ("an upside-down interval", |r| {
            r["measurements"][0]["scores"][0]["interval"] =
                json!({"method": "", "level": 1e300, "low": 1e300, "high": -1e300});
        }),
        ("no latencies", |r| {
            r["measurements"][1]["percentiles"] = json!([]);
        }),
        ("times beyond every bound", |r| {
            let most = (1_u64 << 53) - 1;
            r["measurements"][1]["latency_ns"] = json!({"min": most, "mean": 0, "max": 0});
            r["measurements"][1]["duration_ns"] = 0.into();
            r["measurements"][1]["n"] = most.into();
        }),
        ("percentiles of nothing", |r| {
            r["measurements"][1]["percentiles"] = json!([{"p": -1e300, "ns": 1, "needs": 0}, {"p": 1e300, "needs": 9_007_199_254_740_991_u64}]);
        }),
    ];
    for (what, forge) in forgeries {
        let mut record = honest.clone();
        forge(&mut record);
        reports(&place, what, &sealed(record));
    }
}

#[test]
fn a_record_that_was_changed_is_told_by_its_id() {
    let place = shapes(6);
    let mut record = record(&place.run(&format!("{DETECTOR} --format json")).succeeds());
    record["measurements"][0]["scores"][0]["value"] = 0.999.into();
    fs::write(place.join("changed.json"), record.to_string()).expect("writable");
    place
        .run("report changed.json")
        .exits_not(0)
        .says(&["changed.json"]);
}

#[test]
fn records_of_any_bytes() {
    let place = shapes(2);
    for bytes in [
        &b""[..],
        b"\xff\xfe",
        b"{}",
        b"[]",
        b"{\"schema\":\"dyno.record/1\"}",
        b"{\"schema\":\"dyno.record/2\",\"id\":\"x\"}",
        &b"[".repeat(100_000),
    ] {
        fs::write(place.join("bytes.json"), bytes).expect("writable");
        let done = place.run("report bytes.json").exits_not(0);
        assert!(done.stderr.contains("bytes.json"), "{}", done.stderr);
    }
}
