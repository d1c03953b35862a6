//! What planner, workers and boards tell each other: plans, questions, events and shards.
//!
//! What is read is what was written: a value that a text gives is the same after it was written and
//! read again, and so is the hash of a plan's spec. A number that only fits by becoming infinite
//! would come back as something else.

use crate::{Target, json};
use dyno_core::{Event, Plan, Question, Shard};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::{fmt::Debug, sync::LazyLock};

pub(crate) const TARGET: Target = Target {
    check,
    seeds,
    words: &[
        "dyno.plan/1",
        "dyno.question/1",
        "\\\"event\\\":\\\"answered\\\"",
        "\\\"normalize\\\":",
        "\\\"detections\\\":[",
        "1e39",
        "18446744073709551615",
    ],
};

static TEMPLATES: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let documents = [
        include_str!("../seeds/plan.json"),
        include_str!("../seeds/question.json"),
        include_str!("../seeds/shard.json"),
    ];
    let texts = documents
        .into_iter()
        .chain(include_str!("../seeds/events.jsonl").lines());
    let values = texts.map(|text| serde_json::from_str(text).expect("the seeds are JSON"));
    values.collect()
});

fn seeds() -> Vec<Vec<u8>> {
    json::seeds(&TEMPLATES)
}

fn check(bytes: &[u8]) -> bool {
    let Some(text) = json::text(bytes, &TEMPLATES) else {
        return false;
    };
    if let Some(plan) = same::<Plan>(&text) {
        plan_holds(&plan);
        return true;
    }
    same::<Question>(&text).is_some()
        || same::<Shard>(&text).is_some()
        || same::<Event>(&text).is_some()
}

/// The value of a text, if it has one, after a round trip.
fn same<T: Serialize + DeserializeOwned + PartialEq + Debug>(text: &str) -> Option<T> {
    let value: T = serde_json::from_str(text).ok()?;
    let written = serde_json::to_string(&value).expect("what was read can be written");
    match serde_json::from_str::<T>(&written) {
        Ok(again) => assert_eq!(again, value, "{written}"),
        Err(error) => panic!("{error}: {written}"),
    }
    Some(value)
}

fn plan_holds(plan: &Plan) {
    let hash = plan.spec.sha256().expect("numbers of JSON are finite");
    let again = plan.rebind(plan.bindings.clone());
    assert_eq!(again.spec.sha256().expect("finite"), hash);
    assert!(plan.shard_count() <= plan.bindings.sample_set.count);
    assert!(plan.bindings.division.threads() > 0 && plan.bindings.division.slots() > 0);
    if let Some(range) = plan.shards {
        assert_eq!(plan.part(range).shards, Some(range));
        assert!(!range.contains(range.end));
    }
    let repeats = plan.bindings.sample_set.repeats();
    assert!(repeats.len() <= plan.bindings.sample_set.samples.len());
}
