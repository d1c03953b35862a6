//! JSON that is nearly right: edits of a valid document, led by bytes.
//!
//! Bytes that the fuzzer changes at random are rarely JSON, and JSON changed at random is rarely of
//! a format. So an input that begins with a zero, which no text does, is a list of edits: which
//! template, then of each edit the node (2 bytes), what is done (1) and with what (2). Every other
//! input is a text as it is.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use serde_json::{Number, Value};

/// Edits that are made at most.
const MAX_EDITS: usize = 24;
/// Nodes of a document, beyond which edits copy nothing.
const MAX_NODES: usize = 4000;
/// Its depth, beyond which edits copy nothing.
const MAX_DEPTH: usize = 100;
/// Length of a string, beyond which it is not made longer.
const MAX_STRING: usize = 1000;
/// Lists of edits among the seeds of one template.
const RECIPES: usize = 8;

/// Values at which readers break, as JSON.
const EXTREMES: &[&str] = &[
    "null",
    "true",
    "0",
    "-0.0",
    "1",
    "-1",
    "255",
    "256",
    "4294967295",
    "4294967296",
    "9007199254740992",
    "9007199254740993",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551615",
    "0.1",
    "5e-324",
    "1e39",
    "1e300",
    "-1e308",
    "\"\"",
    "\"a\"",
    "\".\"",
    "\"..\"",
    "\"../../outside\"",
    "\"/absolute\"",
    "\"a/b\"",
    "\"a\\\\b\"",
    "\"a|b\"",
    "\"<b>&amp;\"",
    "\"\\u0000\"",
    "\"\\u001b[31m\"",
    "\"line\\nline\"",
    "\"\\u202e\\u0301e\\ud83e\\udd80\"",
    "\"NaN\"",
    "\"1e999\"",
    "\"2026-02-30T25:61:61Z\"",
    "\"9999-12-31T23:59:59.999999999Z\"",
    "\"10000-01-01T00:00:00Z\"",
    "\"-009999-01-01T00:00:00Z\"",
    "[]",
    "{}",
    "[[]]",
    "[0]",
];

/// The text that `bytes` stand for; `None` when there is none.
pub(crate) fn text(bytes: &[u8], templates: &[Value]) -> Option<String> {
    match bytes.split_first() {
        Some((0, recipe)) => {
            let (which, edits) = recipe.split_first()?;
            let template = templates.get(usize::from(*which) % templates.len().max(1))?;
            let value = edited(template, &mut Bytes(edits));
            Some(value.to_string())
        }
        _ => String::from_utf8(bytes.to_vec()).ok(),
    }
}

/// The templates as texts, and lists of edits of each.
pub(crate) fn seeds(templates: &[Value]) -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = templates
        .iter()
        .map(|t| t.to_string().into_bytes())
        .collect();
    let mut random = ChaCha8Rng::seed_from_u64(1);
    for (which, _) in templates.iter().enumerate() {
        for length in 1..=RECIPES {
            let mut recipe = vec![0; 2 + length * 5];
            random.fill_bytes(&mut recipe);
            recipe.splice(0..2, [0, which as u8]);
            seeds.push(recipe);
        }
    }
    seeds
}

/// What is left of a list of edits; nothing more is zeros.
struct Bytes<'b>(&'b [u8]);

impl Bytes<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let mut taken = [0; N];
        for byte in &mut taken {
            if let Some((first, rest)) = self.0.split_first() {
                (*byte, self.0) = (*first, rest);
            }
        }
        taken
    }

    fn number(&mut self) -> usize {
        u16::from_le_bytes(self.take()).into()
    }
}

fn edited(template: &Value, bytes: &mut Bytes<'_>) -> Value {
    let mut value = template.clone();
    for _ in 0..MAX_EDITS {
        if bytes.0.is_empty() {
            break;
        }
        let (nodes, _) = extent(&value);
        let at = bytes.number() % nodes;
        let [what] = bytes.take();
        let with = bytes.number();
        let new = replacement(&mut value, what, with, nodes, bytes);
        let Some(node) = nth(&mut value, &mut { at }) else {
            continue;
        };
        match new {
            Some(new) => *node = new,
            None if what % 2 == 0 => remove_child(node, with),
            None => grow(node, with),
        }
        if !matches!(extent(&value), (0..MAX_NODES, 0..MAX_DEPTH)) {
            break;
        }
    }
    value
}

/// What takes the place of a node; `None` when its children change.
fn replacement(
    value: &mut Value,
    what: u8,
    with: usize,
    nodes: usize,
    bytes: &mut Bytes<'_>,
) -> Option<Value> {
    match what % 8 {
        0 | 1 => {
            let extreme = EXTREMES.get(with % EXTREMES.len())?;
            serde_json::from_str(extreme).ok()
        }
        2 | 3 => nth(value, &mut { with % nodes }).cloned(),
        4 => Number::from_f64(f64::from_le_bytes(bytes.take())).map(Value::Number),
        5 => {
            let letters: [u8; 8] = bytes.take();
            let letters = letters.get(..with % 9).unwrap_or_default();
            Some(String::from_utf8_lossy(letters).into_owned().into())
        }
        _ => None,
    }
}

fn remove_child(node: &mut Value, which: usize) {
    match node {
        Value::Array(items) if !items.is_empty() => {
            items.remove(which % items.len());
        }
        Value::Object(members) if !members.is_empty() => {
            let key = members.keys().nth(which % members.len()).cloned();
            key.and_then(|key| members.remove(&key));
        }
        _ => {}
    }
}

fn grow(node: &mut Value, by: usize) {
    match node {
        Value::Array(items) => {
            if let Some(last) = items.last().cloned() {
                items.extend(std::iter::repeat_n(last, by % 64));
            }
        }
        Value::Object(members) => {
            members.insert(format!("key {by}"), Value::Null);
        }
        Value::String(string) if string.len() <= MAX_STRING => *string = string.repeat(by % 64),
        Value::Number(number) => {
            let negative = number.as_f64().map(|n| -n * by as f64);
            *node = negative
                .and_then(Number::from_f64)
                .map_or(Value::Null, Value::Number);
        }
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// Nodes and depth.
fn extent(value: &Value) -> (usize, usize) {
    let below = |(nodes, depth): (usize, usize), child: &Value| {
        let (n, d) = extent(child);
        (nodes + n, depth.max(d + 1))
    };
    match value {
        Value::Array(items) => items.iter().fold((1, 1), below),
        Value::Object(members) => members.values().fold((1, 1), below),
        _ => (1, 1),
    }
}

/// The node at a position, in the order in which the document is read.
fn nth<'v>(value: &'v mut Value, position: &mut usize) -> Option<&'v mut Value> {
    if *position == 0 {
        return Some(value);
    }
    *position -= 1;
    match value {
        Value::Array(items) => items.iter_mut().find_map(|item| nth(item, position)),
        Value::Object(members) => members.values_mut().find_map(|item| nth(item, position)),
        _ => None,
    }
}

#[test]
fn edits_change_documents_and_stay_within_bounds() {
    let template: Value = serde_json::json!({"a": [1, 2, {"b": "text"}], "c": {"d": [0.5]}});
    let templates = [template.clone()];
    let texts: Vec<String> = seeds(&templates)
        .iter()
        .map(|seed| text(seed, &templates).expect("a text"))
        .collect();
    assert_eq!(texts.first(), Some(&template.to_string()));
    let distinct: std::collections::BTreeSet<&String> = texts.iter().collect();
    assert!(distinct.len() > RECIPES / 2, "{distinct:?}");
    for text in &texts {
        let value: Value = serde_json::from_str(text).expect("edits keep JSON");
        assert!(extent(&value).0 < MAX_NODES * 64);
    }
}
