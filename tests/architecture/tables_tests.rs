//! Faults planted in tables and beside them.

use super::planted::{Tree, names, sound};
use super::tables::{TABLES, Table, features, folders_and_rows, recipes};

const BACKENDS: &[Table] = &[Table { ..TABLES[0] }];
const LIB: &str = "harness/backends/src/lib.rs";

/// Two backends, one of them with a feature, and a module that is none.
fn tree() -> Tree {
    let implementation = "impl dyno_core::Backend for Fast { fn id(&self) -> &'static str { ID } }";
    Tree::of(&[
        (
            LIB,
            "mod null;\n#[cfg(feature = \"fast\")]\nmod fast;\nmod shared;\n\
             pub const BACKENDS: &[&dyn Backend] = &[\n\
             #[cfg(feature = \"fast\")]\n&fast::Fast,\n&Null, // last\n];\n\
             pub const ABSENT: &[&str] = &[\n#[cfg(not(feature = \"fast\"))]\n\"fast\",\n];\n",
        ),
        (
            "harness/backends/src/null.rs",
            "impl Backend for Null { fn id(&self) -> &'static str { \"null\" } }\n\
             #[cfg(test)] mod tests { impl Backend for Fake { } }\n",
        ),
        (
            "harness/backends/src/null/tests.rs",
            "impl Backend for Fake { }\n",
        ),
        (
            "harness/backends/src/fast/mod.rs",
            "const ID: &str = \"fast\";\n",
        ),
        ("harness/backends/src/fast/backend.rs", implementation),
        ("harness/backends/src/shared.rs", "struct Shared;\n"),
        (
            "harness/backends/Cargo.toml",
            "[features]\ndefault = []\nfast = []\n",
        ),
        (
            "Cargo.toml",
            "[features]\ndefault = []\nfull = []\nfast = [\"dyno-backends/fast\"]\n",
        ),
    ])
}

#[test]
fn a_folder_without_a_row_and_a_row_without_a_folder_are_found() {
    let check = |tree: &Tree| folders_and_rows(tree.root(), BACKENDS);
    sound(&check(&tree()));
    names(
        &check(tree().edit(LIB, "&fast::Fast,", "")),
        &["fast: `Fast`", "no row"],
    );
    names(
        &check(tree().edit(LIB, "&Null,", "&Null, &Gone,")),
        &["`Gone`", "nowhere"],
    );
    names(
        &check(tree().edit(LIB, "mod shared;", "")),
        &["declare `shared`"],
    );
    let folder = "harness/backends/src/new/mod.rs";
    let implementation = "impl Backend for New { fn id(&self) -> &'static str { \"new\" } }";
    let planted = check(tree().write(folder, implementation));
    assert_eq!(planted.len(), 2, "{planted:?}");
    assert!(planted[0].contains("`New` has no row") && planted[1].contains("declare `new`"));
    let unread = check(tree().edit("harness/backends/src/fast/backend.rs", "ID", "self.0"));
    names(&unread, &["id of `Fast`"]);
    names(
        &check(tree().edit(LIB, "BACKENDS", "ENGINES")),
        &["no table BACKENDS"],
    );
}

#[test]
fn every_table_is_watched() {
    for table in TABLES {
        let module = format!("{}/new.rs", table.folder);
        let implementation = format!(
            "impl {} for New {{ fn id(&self) -> &'static str {{ \"new\" }} }}",
            table.row
        );
        let declaration = format!("mod new;\nconst {}: &[&dyn X] = &[&new::New];", table.name);
        let file = format!("{}/{}", table.folder, table.file);
        let tree = Tree::of(&[(&module, &implementation), (&file, &declaration)]);
        let check = |tree: &Tree| folders_and_rows(tree.root(), &[Table { ..*table }]);
        sound(&check(&tree));
        names(
            &check(tree.edit(&file, "&new::New", "")),
            &[table.name, "`New`"],
        );
        let (row, nothing) = ("&[];", "&[&Gone];");
        tree.write(&module, "");
        names(
            &check(tree.edit(&file, row, nothing)),
            &[table.name, "`Gone`"],
        );
    }
}

#[test]
fn a_feature_that_is_no_backend_and_a_backend_without_its_feature_are_found() {
    let check = |tree: &Tree| features(tree.root());
    sound(&check(&tree()));
    let (own, root) = ("harness/backends/Cargo.toml", "Cargo.toml");
    names(
        &check(tree().edit(own, "fast = []", "")),
        &["harness/backends", "`fast`"],
    );
    let forward = "fast = [\"dyno-backends/fast\"]";
    names(
        &check(tree().edit(root, forward, "")),
        &["of the root", "`fast`"],
    );
    names(
        &check(tree().edit(root, forward, &format!("{forward}\nslow = []"))),
        &["`slow`"],
    );
    names(
        &check(tree().edit(own, "fast = []", "fast = []\nslow = []")),
        &["`slow`"],
    );
    names(
        &check(tree().edit(LIB, "\"fast\",", "")),
        &["ABSENT", "`fast`"],
    );
    let other = "#[cfg(feature = \"slow\")]\nmod fast;";
    let gate = "#[cfg(feature = \"fast\")]\nmod fast;";
    names(
        &check(tree().edit(LIB, gate, other)),
        &["`fast`", "feature `slow`"],
    );
    let id = "harness/backends/src/fast/mod.rs";
    names(
        &check(tree().edit(id, "\"fast\"", "\"quick\"")),
        &["`fast`", "id `quick`"],
    );
}

#[test]
fn a_recipe_without_a_row_and_a_row_without_a_recipe_are_found() {
    const FILE: &str = "harness/vision/src/recipes/mod.rs";
    let tree = || {
        let row = "Recipe { name: \"a\", about: \"A, b\", text: include_str!(\"a.json\") }";
        let table = format!("pub const RECIPES: &[Recipe] = &[\n// Detection.\n{row},\n];\n");
        Tree::of(&[(FILE, &table), ("harness/vision/src/recipes/a.json", "{}")])
    };
    let check = |tree: &Tree| recipes(tree.root());
    sound(&check(&tree()));
    let new = "harness/vision/src/recipes/new.json";
    names(&check(tree().write(new, "{}")), &["new.json", "no row"]);
    let file = "harness/vision/src/recipes/a.json";
    names(&check(tree().remove(file)), &["`a.json` is not in"]);
    names(
        &check(tree().edit(FILE, "name: \"a\"", "name: \"b\"")),
        &["`b` reads `a.json`"],
    );
    let twice = "},\nRecipe { name: \"a\", text: include_str!(\"a.json\") },\n];";
    names(&check(tree().edit(FILE, "},\n];", twice)), &["two rows"]);
    names(
        &check(tree().edit(FILE, "RECIPES", "ROWS")),
        &["no table RECIPES"],
    );
}
