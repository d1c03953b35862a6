//! Keys that nobody knows, in what people and machines hand in.
//!
//! A record passes them over, because a newer version may have written it; a plan to be run or a
//! description of a model must not hold any, because a misspelt key would be taken for silence. The
//! types are shared, so they read leniently, and those who must not be lenient ask here.

use serde_json::Value;

/// Places, as `a.b.0.c`, of the keys of `given` that `read` does not have: `read` is what a type
/// made of `given`, written out again. A key whose value says nothing (null, an empty list or
/// object) may be left out by the writing type, so it is not one of them.
pub fn unknown_keys(given: &Value, read: &Value) -> Vec<String> {
    let mut found = Vec::new();
    walk(given, read, &mut Vec::new(), &mut found);
    found
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn walk(given: &Value, read: &Value, path: &mut Vec<String>, found: &mut Vec<String>) {
    match (given, read) {
        (Value::Object(given), Value::Object(read)) => {
            for (key, value) in given {
                path.push(key.clone());
                match read.get(key) {
                    Some(read) => walk(value, read, path, found),
                    None if says_nothing(value) => {}
                    None => found.push(path.join(".")),
                }
                path.pop();
            }
        }
        (Value::Array(given), Value::Array(read)) => {
            for (i, (given, read)) in given.iter().zip(read).enumerate() {
                path.push(i.to_string());
                walk(given, read, path, found);
                path.pop();
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::InputSpec;
    use serde_json::json;

    fn unknown(given: &Value) -> Vec<String> {
        let read: InputSpec = serde_json::from_value(given.clone()).expect("lenient");
        unknown_keys(given, &serde_json::to_value(read).expect("JSON"))
    }

    #[test]
    fn a_misspelt_key_is_named_by_its_place_and_silence_is_none() {
        let good = json!({"name": null, "dtype": "f32", "preprocess": [
            {"letterbox": {"size": [4, 4], "pad": 0}}, {"normalize": {"mean": [1.5, 2.0, 3.0]}}]});
        assert!(unknown(&good).is_empty(), "{:?}", unknown(&good));
        let wrong = json!({"dtyp": "f32", "preprocess": [{"channels": "bgr"},
            {"letterbox": {"size": [4, 4], "achor": "center"}}, {"normalize": {"meen": [1]}}]});
        assert_eq!(
            unknown(&wrong),
            [
                "dtyp",
                "preprocess.1.letterbox.achor",
                "preprocess.2.normalize.meen"
            ]
        );
    }
}
