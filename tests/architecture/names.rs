//! Planner, runner and hub see traits, never an engine, importer, data set, decoder or metric, not
//! even by name.

use super::lexer::{Token, tokens, without_tests};
use super::tables::Table;
use super::tree::{is_test_file, read, shown, sources};
use std::{collections::BTreeSet, path::Path};

/// Folders of the crates that know no row.
const BLIND: &[&str] = &["harness/planner", "harness/runner", "converters/hub"];

/// Importers say which decoder reads the heads that they cut, and are called like the engine of
/// their framework; the rest of their crate is as blind as the others.
const IMPORTERS: &str = "converters/hub/src/import";

/// Ids that are also operators of ONNX, which the hub has by name.
const OPERATORS: &[&str] = &["top-k"];

/// Ids that are also everyday words of these crates. Here only a literal that is the id and nothing
/// else counts.
const EVERYDAY: &[&str] = &[
    "classification", // a purpose of models
    "folder",         // a run folder
    "null",           // JSON's null
    "random",         // random inputs
];

/// Ids of rows in identifiers and string literals of crates that must not know them. Comments and
/// tests may name what they like.
pub(super) fn hidden(root: &Path, tables: &[Table]) -> Vec<String> {
    let mut problems = Vec::new();
    for folder in BLIND.iter().filter(|f| root.join(f).is_dir()) {
        // A crate may name the rows of a table that stands in it.
        let strangers = tables
            .iter()
            .filter(|t| t.hidden && !Path::new(t.folder).starts_with(folder));
        let ids: BTreeSet<String> = strangers
            .flat_map(|t| t.implementations(root))
            .map(|i| i.id)
            .filter(|id| !id.is_empty())
            .collect();
        let operators = *folder == "converters/hub";
        let files = sources(&root.join(folder)).into_iter();
        let importers = root.join(IMPORTERS);
        for file in files.filter(|f| !is_test_file(root, f) && !f.starts_with(&importers)) {
            let code = without_tests(&tokens(&read(&file)));
            let named: BTreeSet<&String> = code
                .iter()
                .flat_map(|token| ids.iter().filter(move |id| mentions(token, id)))
                .filter(|id| !(operators && OPERATORS.contains(&id.as_str())))
                .collect();
            let file = shown(root, &file);
            problems.extend(named.into_iter().map(|id| format!("{file} names `{id}`")));
        }
    }
    problems
}

/// Whether an identifier or literal holds an id as a word of its own, however it is spelled.
fn mentions(token: &Token, id: &str) -> bool {
    let (Token::Word(text) | Token::Text(text)) = token else {
        return false;
    };
    if EVERYDAY.contains(&id) {
        return token.text() == Some(id);
    }
    let flat: String = id.chars().filter(char::is_ascii_alphanumeric).collect();
    let words = words(text);
    (0..words.len()).any(|from| {
        let mut joined = String::new();
        words[from..].iter().any(|word| {
            joined.push_str(word);
            joined == flat
        })
    })
}

/// `TopK`, `top_k` and `top-k` are `top` and `k`.
fn words(text: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let chars: Vec<char> = text.chars().collect();
    for (at, c) in chars.iter().enumerate() {
        let after_small = at > 0 && (chars[at - 1].is_lowercase() || chars[at - 1].is_numeric());
        let before_small = chars.get(at + 1).is_some_and(|n| n.is_lowercase());
        if c.is_uppercase() && (after_small || before_small) || !c.is_alphanumeric() {
            found.push(String::new());
        }
        if let Some(word) = found.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
    }
    found.retain(|word| !word.is_empty());
    found
}

#[cfg(test)]
mod tests {
    use super::super::planted::{Tree, names, sound};
    use super::super::tables::TABLES;
    use super::*;

    fn tree(runner: &str) -> Tree {
        let backend = "impl Backend for R { fn id(&self) -> &'static str { ID } }\n";
        let metric = "impl MetricKind for K { fn id(&self) -> &'static str { \"top-k\" } }\n";
        let dataset = "impl DatasetKind for F { fn id(&self) -> &'static str { \"folder\" } }\n";
        let importer = "impl Importer for C { fn id(&self) -> &'static str { \"caffe\" } }\n";
        Tree::of(&[
            (
                "harness/backends/src/onnxruntime/mod.rs",
                &format!("const ID: &str = \"onnxruntime\";\n{backend}"),
            ),
            ("harness/metrics/src/top_k.rs", metric),
            ("datasets/src/folder.rs", dataset),
            ("converters/hub/src/import/caffe.rs", importer),
            ("converters/hub/src/graph.rs", "fn f() { caffe(); TopK; }\n"),
            (
                "converters/hub/src/import/darknet.rs",
                "const DECODER: &str = \"onnxruntime\";\n",
            ),
            ("harness/runner/src/lib.rs", runner),
            ("harness/runner/src/tests.rs", "fn f() { onnxruntime(); }\n"),
            ("harness/vision/src/lib.rs", "const TOP_K: u8 = 1;\n"),
        ])
    }

    #[test]
    fn a_row_that_is_named_is_found() {
        for harmless in [
            "//! Not onnxruntime.\n/// Nor top-k.\nfn f() { /* caffe */ }",
            "#[cfg(test)]\nmod tests { const A: &str = \"onnxruntime\"; }",
            "fn open(folder: &RunFolder) { panic!(\"no run folder\") }",
            "const A: &str = \"desktop-kit\"; struct StopKind;",
        ] {
            sound(&hidden(tree(harmless).root(), TABLES));
        }
        for (fault, id) in [
            ("fn f() { open(\"onnxruntime\") }", "`onnxruntime`"),
            ("fn f() { open(OnnxRuntime) }", "`onnxruntime`"),
            ("fn with_onnxruntime() {}", "`onnxruntime`"),
            ("const A: &str = \"not for top-k metrics\";", "`top-k`"),
            ("use x::TopK;", "`top-k`"),
            ("const A: &str = r#\"top_k\"#;", "`top-k`"),
            ("const A: &str = \"folder\";", "`folder`"),
            ("fn caffe() {}", "`caffe`"),
        ] {
            let planted = tree(fault);
            let problems = hidden(planted.root(), TABLES);
            names(&problems, &["harness/runner/src/lib.rs", id]);
        }
    }

    #[test]
    fn everyday_words_are_ids() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let rows = TABLES.iter().flat_map(|t| t.implementations(root));
        let ids: BTreeSet<String> = rows.map(|i| i.id).collect();
        for word in EVERYDAY {
            assert!(ids.contains(*word), "`{word}` is no id any more");
        }
    }
}
