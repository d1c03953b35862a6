//! Every byte outside the edited value survives.

use super::{Document, Json, Kind, Path};
use proptest::prelude::*;

struct Case {
    name: &'static str,
    before: &'static str,
    key: &'static str,
    after: &'static str,
}

#[test]
fn set_follows_the_layout_around_it() {
    let cases = [
        Case {
            name: "replace keeps odd blanks",
            before: "{ \"a\" :  1.0e0 ,\"b\":2}",
            key: "b",
            after: "{ \"a\" :  1.0e0 ,\"b\":7}",
        },
        Case {
            name: "insert, two blanks",
            before: "{\n  \"a\": 1\n}\n",
            key: "b",
            after: "{\n  \"a\": 1,\n  \"b\": 7\n}\n",
        },
        Case {
            name: "insert, tabs and CRLF",
            before: "{\r\n\t\"a\" : 1\r\n}",
            key: "b",
            after: "{\r\n\t\"a\" : 1,\r\n\t\"b\" : 7\r\n}",
        },
        Case {
            name: "insert, compact",
            before: "{\"a\": 1,\"b\": 2}",
            key: "c",
            after: "{\"a\": 1,\"b\": 2,\"c\": 7}",
        },
        Case {
            name: "insert, one line",
            before: "{\"a\": 1, \"b\": 2}",
            key: "c",
            after: "{\"a\": 1, \"b\": 2, \"c\": 7}",
        },
        Case {
            name: "insert, byte order mark",
            before: "\u{feff}{\"a\":1}",
            key: "b",
            after: "\u{feff}{\"a\":1,\"b\":7}",
        },
        Case {
            name: "insert into nothing",
            before: "{}",
            key: "b",
            after: "{\n  \"b\": 7\n}",
        },
        Case {
            name: "key with an escape",
            before: "{\"\\u0062\": null}",
            key: "b",
            after: "{\"\\u0062\": 7}",
        },
    ];
    for case in cases {
        let mut document = Document::parse(case.before).expect(case.name);
        document.set(&[], case.key, &Json::of(7)).expect(case.name);
        assert_eq!(document.text(), case.after, "{}", case.name);
    }
}

#[test]
fn an_object_is_appended_in_the_style_of_the_list() {
    let mut document = Document::parse(
        "{\n    \"models\": [\n        {\n            \"a\": 1\n        }\n    ]\n}\n",
    )
    .expect("JSON");
    let entry = Json::Object(vec![
        ("b".into(), Json::of(2)),
        (
            "c".into(),
            Json::Object(vec![("d".into(), Json::of(vec![1, 2]))]),
        ),
    ]);
    document
        .push(&[Path::Key("models")], &entry)
        .expect("a list");
    assert_eq!(
        document.text(),
        "{\n    \"models\": [\n        {\n            \"a\": 1\n        },\n        {\n            \"b\": 2,\n            \"c\": {\n                \"d\": [1, 2]\n            }\n        }\n    ]\n}\n"
    );
    let mut compact = Document::parse("{\"models\": [],\"name\": null}").expect("JSON");
    compact
        .push(&[Path::Key("models")], &entry)
        .expect("a list");
    assert_eq!(
        compact.text(),
        "{\"models\": [{\"b\": 2,\"c\": {\"d\": [1,2]}}],\"name\": null}"
    );
}

#[test]
fn errors_name_line_and_column() {
    let cases = [
        ("{\"a\": 1,\n \"ü\": x}", 2, 7),
        ("{\"a\": 1, \"a\": 2}", 1, 10),
        ("[1 2]", 1, 4),
        ("{\"a\": \"\\x\"}", 1, 7),
        ("", 1, 1),
        ("\"abc", 1, 5),
        ("01", 1, 2),
        ("1 1", 1, 3),
        ("{\"a\": \"\\", 1, 9),
    ];
    for (text, line, column) in cases {
        let e = Document::parse(text).expect_err(text);
        assert_eq!((e.line, e.column), (line, column), "{text}: {e}");
    }
    assert!(Document::parse("[".repeat(100_000)).is_err());
    assert!(Document::parse("[".repeat(127) + &"]".repeat(127)).is_ok());
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        (-1e9..1e9f64).prop_map(Into::into),
        "\\PC{0,8}".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
            prop::collection::btree_map("\\PC{0,6}", inner, 0..5)
                .prop_map(|m| m.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

/// The spans of all values with their paths.
fn spans(document: &Document) -> Vec<(Vec<String>, usize, usize)> {
    fn walk(
        node: &super::Node,
        path: &mut Vec<String>,
        out: &mut Vec<(Vec<String>, usize, usize)>,
    ) {
        out.push((path.clone(), node.start, node.end));
        match &node.kind {
            Kind::Object(members) => {
                for m in members {
                    path.push(format!("k{}", m.key));
                    walk(&m.value, path, out);
                    path.pop();
                }
            }
            Kind::Array(items) => {
                for (i, n) in items.iter().enumerate() {
                    path.push(format!("i{i}"));
                    walk(n, path, out);
                    path.pop();
                }
            }
            _ => {}
        }
    }
    let mut out = Vec::new();
    walk(document.root(), &mut Vec::new(), &mut out);
    out
}

proptest! {
    #[test]
    fn replacing_any_value_changes_its_bytes_only(value in json(), new in json(), pick in any::<prop::sample::Index>(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.expect("JSON");
        let mut document = Document::parse(text.clone()).expect("serde_json writes JSON");
        prop_assert_eq!(&document.value(document.root()).expect("JSON"), &value);
        let all = spans(&document);
        let (path, start, end) = pick.get(&all).clone();
        let steps: Vec<Path<'_>> = path
            .iter()
            .map(|s| match s.strip_prefix('k') {
                Some(k) => Path::Key(k),
                None => Path::Index(s[1..].parse().expect("an index")),
            })
            .collect();
        document.replace(&steps, &Json::from_value(new.clone())).expect("it is there");
        prop_assert!(document.text().starts_with(&text[..start]));
        prop_assert!(document.text().ends_with(&text[end..]));
        let node = document.get(&steps).expect("still there");
        prop_assert_eq!(document.value(node).expect("JSON"), new);
    }

    #[test]
    fn inserting_a_key_keeps_every_old_byte(value in prop::collection::btree_map("[a-y]{1,4}", json(), 0..5), new in json(), pretty in any::<bool>()) {
        let value: serde_json::Value = value.into_iter().collect::<serde_json::Map<_, _>>().into();
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.expect("JSON");
        let mut document = Document::parse(text.clone()).expect("JSON");
        document.set(&[], "z", &Json::from_value(new.clone())).expect("an object");
        let mut expected = value.clone();
        expected["z"] = new;
        prop_assert_eq!(document.value(document.root()).expect("JSON"), expected);
        let common = text.bytes().zip(document.text().bytes()).take_while(|(a, b)| a == b).count();
        prop_assert!(document.text().ends_with(&text[common..]), "an old byte is gone");
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "[\\[\\]{}\",:0-9a-z\\\\. \\n-]{0,64}") {
        let strict = Document::parse(text.clone()).is_ok();
        if strict {
            prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok() || text.contains('e'));
        }
    }
}
