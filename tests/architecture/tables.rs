//! The const tables: every folder or file that implements a row's trait has its row, and the other
//! way round.

use super::crates::manifest;
use super::lexer::{Token, begins, closing, tokens, without_tests};
use super::tree::{children, code, is_test_file, name, read};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

/// A const table and the folder beside it.
pub(super) struct Table {
    pub(super) name: &'static str,
    /// What a row implements.
    pub(super) row: &'static str,
    pub(super) folder: &'static str,
    /// File of the folder that holds the table and declares the modules.
    pub(super) file: &'static str,
    /// Whether planner, runner and hub must not know its rows by name.
    pub(super) hidden: bool,
    /// Whether the folder may still be missing.
    pub(super) coming: bool,
}

const BACKENDS: Table = Table {
    name: "BACKENDS",
    row: "Backend",
    folder: "harness/backends/src",
    file: "lib.rs",
    hidden: true,
    coming: false,
};

/// All tables of this kind. Recipes are data and have a check of their own.
pub(super) const TABLES: &[Table] = &[
    BACKENDS,
    Table {
        name: "DATASETS",
        row: "DatasetKind",
        folder: "datasets/src",
        ..BACKENDS
    },
    Table {
        name: "DECODERS",
        row: "DecoderKind",
        folder: "harness/vision/src/decoders",
        file: "mod.rs",
        ..BACKENDS
    },
    Table {
        name: "METRICS",
        row: "MetricKind",
        folder: "harness/metrics/src",
        ..BACKENDS
    },
    Table {
        name: "REPORTERS",
        row: "Reporter",
        folder: "reports/src",
        hidden: false,
        ..BACKENDS
    },
    Table {
        name: "IMPORTERS",
        row: "Importer",
        folder: "converters/hub/src/import",
        file: "mod.rs",
        coming: true,
        ..BACKENDS
    },
];

/// An implementation of a row's trait.
pub(super) struct Implementation {
    /// Module of the table's folder that it stands in.
    module: String,
    /// The type.
    kind: String,
    /// What its `id` returns; empty, if that could not be found.
    pub(super) id: String,
}

impl Table {
    fn tokens(&self, root: &Path) -> Vec<Token> {
        without_tests(&tokens(&read(&root.join(self.folder).join(self.file))))
    }

    /// Modules beside the table with their file, folder or both.
    fn modules(&self, root: &Path) -> BTreeMap<String, Vec<PathBuf>> {
        let mut found: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
        for path in children(&root.join(self.folder)) {
            let source = path.is_dir() || path.extension().is_some_and(|e| e == "rs");
            if source && name(&path) != self.file && !is_test_file(root, &path) {
                let stem = name(&path).trim_end_matches(".rs").to_owned();
                found.entry(stem).or_default().push(path);
            }
        }
        found
    }

    pub(super) fn implementations(&self, root: &Path) -> Vec<Implementation> {
        let mut found = Vec::new();
        for (module, paths) in self.modules(root) {
            let code: Vec<Token> = paths.iter().flat_map(|p| code(root, p)).collect();
            for at in 0..code.len() {
                if begins(&code[at..], &[self.row, "for"]) {
                    let body = (at..code.len()).find(|i| code[*i].is('{'));
                    let body = body.unwrap_or(code.len());
                    found.push(Implementation {
                        module: module.clone(),
                        kind: last_of_path(&code[at + 2..body]),
                        id: returned_id(&code, body).unwrap_or_default(),
                    });
                }
            }
        }
        found
    }
}

/// The type that a path such as `&coco::Coco` ends in.
fn last_of_path(tokens: &[Token]) -> String {
    let path = tokens
        .iter()
        .take_while(|t| t.word().is_some() || t.is('&') || t.is(':'));
    let last = path.filter_map(Token::word).last();
    last.unwrap_or_default().to_owned()
}

/// The literal that `fn id` returns, itself or through a constant of the same module.
fn returned_id(code: &[Token], body: usize) -> Option<String> {
    let end = closing(code, body);
    let function = (body..end).find(|at| begins(&code[*at..], &["fn", "id", "("]))?;
    let open = (function..end).find(|at| code[*at].is('{'))?;
    let result = &code[open..closing(code, open)];
    if let Some(text) = result.iter().find_map(Token::text) {
        return Some(text.to_owned());
    }
    let constant = result.iter().filter_map(Token::word).next_back()?;
    let declared = (0..code.len()).find(|at| begins(&code[*at..], &["const", constant, ":"]))?;
    code[declared..]
        .iter()
        .find_map(Token::text)
        .map(str::to_owned)
}

/// Elements of a const list, without their attributes.
fn elements<'a>(code: &'a [Token], list: &str) -> Option<Vec<&'a [Token]>> {
    let at = (0..code.len()).find(|at| begins(&code[*at..], &["const", list, ":"]))?;
    let value = (at..code.len()).find(|i| code[*i].is('='))?;
    let open = (value..code.len()).find(|i| code[*i].is('['))?;
    let end = closing(code, open);
    let (mut found, mut start, mut at) = (Vec::new(), open + 1, open + 1);
    while at <= end && at < code.len() {
        if begins(&code[at..], &["#", "["]) {
            at = closing(code, at + 1) + 1;
            start = at;
        } else if at == end || code[at].is(',') {
            found.push(&code[start..at]);
            at += 1;
            start = at;
        } else {
            at = closing(code, at) + 1;
        }
    }
    found.retain(|element| !element.is_empty());
    Some(found)
}

/// Every implementation of a row's trait is a row, every row is implemented beside its table, and
/// every module there is declared.
pub(super) fn folders_and_rows(root: &Path, tables: &[Table]) -> Vec<String> {
    let mut problems = Vec::new();
    for table in tables {
        let place = format!("{}/{}", table.folder, table.file);
        if table.coming && !root.join(table.folder).is_dir() {
            continue;
        }
        let code = table.tokens(root);
        let Some(rows) = elements(&code, table.name) else {
            problems.push(format!("{place}: no table {}", table.name));
            continue;
        };
        let rows: Vec<String> = rows.into_iter().map(last_of_path).collect();
        let found = table.implementations(root);
        for Implementation { module, kind, id } in &found {
            let place = format!("{}/{module}", table.folder);
            if !rows.contains(kind) {
                problems.push(format!("{place}: `{kind}` has no row in {}", table.name));
            }
            if id.is_empty() {
                problems.push(format!("{place}: the id of `{kind}` is not a literal"));
            }
        }
        for row in rows.iter().filter(|r| found.iter().all(|f| f.kind != **r)) {
            let (name, folder) = (table.name, table.folder);
            problems.push(format!("{name}: the row `{row}` is nowhere in {folder}"));
        }
        for module in table.modules(root).into_keys() {
            let declares = |at: usize| begins(&code[at..], &["mod", &module, ";"]);
            if !(0..code.len()).any(declares) {
                problems.push(format!("{place} does not declare `{module}`"));
            }
        }
    }
    problems
}

/// A backend's folder, its id and its feature have one name; the feature is the root's too, and a
/// build without it says so.
pub(super) fn features(root: &Path) -> Vec<String> {
    let mut problems = Vec::new();
    let code = BACKENDS.tokens(root);
    let mut gated = BTreeSet::new();
    for Implementation { module, id, .. } in BACKENDS.implementations(root) {
        if id != module {
            problems.push(format!("the backend in `{module}` has the id `{id}`"));
        }
        let declared = (0..code.len()).find(|at| begins(&code[*at..], &["mod", &module, ";"]));
        // `#[cfg(feature = "x")]` ends in a literal and two brackets.
        let gate = declared.and_then(|at| code[at.checked_sub(3)?].text());
        if gate.is_some_and(|gate| gate != module) {
            let gate = gate.unwrap_or_default();
            problems.push(format!(
                "the backend `{module}` hangs on the feature `{gate}`"
            ));
        }
        if gate.is_some() {
            gated.insert(module);
        }
    }
    let absent: BTreeSet<String> = elements(&code, "ABSENT")
        .into_iter()
        .flatten()
        .filter_map(|e| e.iter().find_map(Token::text).map(str::to_owned))
        .collect();
    let listed = |folder: &str| -> BTreeSet<String> {
        let manifest = manifest(&root.join(folder).join("Cargo.toml"));
        let table = manifest.get("features").and_then(toml::Value::as_table);
        let names = table.into_iter().flat_map(|t| t.keys().cloned());
        names.filter(|n| n != "default" && n != "full").collect()
    };
    for (place, there) in [
        ("ABSENT of harness/backends/src/lib.rs", absent),
        ("`features` of harness/backends", listed("harness/backends")),
        ("`features` of the root", listed(".")),
    ] {
        for name in gated.difference(&there) {
            problems.push(format!("{place}: `{name}` is missing"));
        }
        for name in there.difference(&gated) {
            problems.push(format!("{place}: `{name}` is no backend with a feature"));
        }
    }
    problems
}

/// Every recipe file is a row of its name, and every row has its file.
pub(super) fn recipes(root: &Path) -> Vec<String> {
    const FOLDER: &str = "harness/vision/src/recipes";
    let mut problems = Vec::new();
    let code = tokens(&read(&root.join(FOLDER).join("mod.rs")));
    let Some(rows) = elements(&code, "RECIPES") else {
        return vec![format!("{FOLDER}/mod.rs: no table RECIPES")];
    };
    let included = |row: &[Token]| {
        let at = (0..row.len()).find(|at| begins(&row[*at..], &["include_str", "!", "("]))?;
        row[at..].iter().find_map(Token::text).map(str::to_owned)
    };
    let mut read_in = BTreeSet::new();
    for row in rows {
        // Its name is the first thing that a row says.
        let name = row.iter().find_map(Token::text).unwrap_or_default();
        let file = included(row).unwrap_or_default();
        if file != format!("{name}.json") {
            problems.push(format!("RECIPES: the row `{name}` reads `{file}`"));
        }
        if !root.join(FOLDER).join(&file).is_file() {
            problems.push(format!("RECIPES: `{file}` is not in {FOLDER}"));
        }
        if !read_in.insert(file) {
            problems.push(format!("RECIPES: `{name}` has two rows"));
        }
    }
    for path in children(&root.join(FOLDER)) {
        let is_recipe = path.extension().is_some_and(|e| e == "json");
        if is_recipe && !read_in.contains(name(&path)) {
            problems.push(format!("{FOLDER}/{} has no row", name(&path)));
        }
    }
    problems
}
