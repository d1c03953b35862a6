//! What the documents say of the house is so.

use super::crates::{members, root_package};
use super::layers::Layer;
use super::tree::{children, read, shown};
use std::{collections::BTreeSet, path::Path};

/// Text of the `n`th cell of a Markdown row, without backticks.
fn cell(row: &str, n: usize) -> String {
    let cell = row.split('|').nth(n + 1).unwrap_or_default();
    cell.trim().replace('`', "")
}

/// CONTRIBUTING.md lists every crate with its folder and what it uses, and no others but those that
/// are coming.
pub(super) fn house(root: &Path, layers: &[Layer]) -> Vec<String> {
    let mut problems = Vec::new();
    let text = read(&root.join("CONTRIBUTING.md"));
    let (members, top) = (members(root), root_package(root));
    let mut listed = BTreeSet::new();
    let table = text
        .lines()
        .skip_while(|l| !l.starts_with("| folder | crate |"))
        .skip(2)
        .take_while(|l| l.starts_with('|'));
    for row in table {
        let (folder, name, uses) = (cell(row, 0), cell(row, 1), cell(row, 3));
        let layer = layers.iter().find(|l| l.name == name);
        let member = members.iter().find(|m| m.name == name);
        let at = member
            .map(|m| m.folder.as_str())
            .or(layer.filter(|l| l.coming).map(|l| l.folder));
        if top.as_ref() != Some(&name) && at != Some(folder.as_str()) {
            problems.push(format!("CONTRIBUTING.md: there is no `{name}` in {folder}"));
        }
        if let Some(layer) = layer {
            let short = |name: &str| name.trim_start_matches("dyno-").to_owned();
            let allowed: BTreeSet<String> = layer.uses.iter().map(|u| short(u)).collect();
            let said = uses.split(',').map(|u| u.trim().to_owned());
            let said: BTreeSet<String> = said.filter(|u| !u.is_empty() && u != "–").collect();
            if said != allowed {
                problems.push(format!(
                    "CONTRIBUTING.md: `{name}` may use {allowed:?}, not {said:?}"
                ));
            }
        }
        if !listed.insert(name.clone()) {
            problems.push(format!("CONTRIBUTING.md: `{name}` has two rows"));
        }
    }
    for name in members.into_iter().map(|m| m.name).chain(top) {
        if !listed.contains(&name) {
            problems.push(format!("CONTRIBUTING.md: `{name}` has no row"));
        }
    }
    problems
}

/// Paths of this repository that documents show between backticks exist, or are in a crate that is
/// coming. `NAME` stands for something that the reader makes.
pub(super) fn paths(root: &Path, layers: &[Layer]) -> Vec<String> {
    let mut problems = Vec::new();
    let missing = |path: &str| {
        let coming = layers
            .iter()
            .any(|l| l.coming && Path::new(path).starts_with(l.folder));
        !coming && !root.join(path).exists()
    };
    let documents = children(root)
        .into_iter()
        .chain(children(&root.join("docs")));
    for document in documents.filter(|d| d.extension().is_some_and(|e| e == "md")) {
        let text = read(&document);
        for line in text.lines() {
            let spans = line.split('`').skip(1).step_by(2);
            for path in spans.filter(|s| is_path(s) && missing(s)) {
                let document = shown(root, &document);
                problems.push(format!("{document}: there is no `{path}`"));
            }
        }
    }
    problems
}

fn is_path(span: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    let top = [
        "harness/",
        "reports/src",
        "datasets/src",
        "tests/",
        "benches/",
        "docs/",
        ".ci/",
    ];
    top.iter().any(|t| span.starts_with(t)) && span.chars().all(plain) && !span.contains("NAME")
}

/// Every decision opens with its date, and dates do not fall.
pub(super) fn decisions(root: &Path) -> Vec<String> {
    let mut problems = Vec::new();
    let text = read(&root.join("docs/decisions.md"));
    let mut last = "";
    for line in text.lines().filter(|l| l.starts_with("**")) {
        let date = line.get(2..12).unwrap_or_default();
        let digits = date.bytes().enumerate().all(|(at, b)| match at {
            4 | 7 => b == b'-',
            _ => b.is_ascii_digit(),
        });
        if date.len() != 10 || !digits || line.get(12..13) != Some(".") {
            problems.push(format!("docs/decisions.md: no date: {line}"));
        } else if date < last {
            problems.push(format!("docs/decisions.md: {date} after {last}"));
        } else {
            last = date;
        }
    }
    if last.is_empty() {
        problems.push("docs/decisions.md: no decision".to_owned());
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::super::layers::Layer;
    use super::super::planted::{Tree, names, sound};
    use super::*;

    const HOUSE: &[Layer] = &[
        Layer {
            name: "dyno-low",
            folder: "harness/low",
            uses: &[],
            coming: false,
        },
        Layer {
            name: "dyno-later",
            folder: "harness/later",
            uses: &["dyno-low"],
            coming: true,
        },
    ];
    const LOW: &str = "| `harness/low` | `dyno-low` | low | – |\n";

    fn tree() -> Tree {
        let head = "# House\n\n| folder | crate | what | uses |\n|---|---|---|---|\n";
        let later = "| `harness/later` | `dyno-later` | later | low |\n";
        let top = "| `harness/cli` | `dyno` | the binary | all |\n";
        Tree::of(&[
            (
                "Cargo.toml",
                "[package]\nname = \"dyno\"\n[workspace]\nmembers = [\"harness/low\"]\n",
            ),
            ("harness/low/Cargo.toml", "[package]\nname = \"dyno-low\"\n"),
            ("CONTRIBUTING.md", &format!("{head}{LOW}{later}{top}")),
            (
                "docs/decisions.md",
                "# D\n\n**2026-01-02. One.** a\n\n**2026-01-02. Two.** b\n",
            ),
        ])
    }

    #[test]
    fn a_table_of_crates_that_is_not_so_is_found() {
        let check = |tree: &Tree| house(tree.root(), HOUSE);
        sound(&check(&tree()));
        let planted = |old: &str, new: &str| {
            let tree = tree();
            check(tree.edit("CONTRIBUTING.md", old, new))
        };
        names(&planted(LOW, ""), &["`dyno-low`", "no row"]);
        names(&planted("| – |", "| later |"), &["`dyno-low`", "later"]);
        names(&planted("harness/low", "low"), &["no `dyno-low` in low"]);
        let gone = format!("{LOW}| `x` | `dyno-x` | x | – |\n");
        names(&planted(LOW, &gone), &["no `dyno-x` in x"]);
        names(&planted(LOW, &LOW.repeat(2)), &["two rows"]);
    }

    #[test]
    fn a_path_that_does_not_exist_is_found() {
        let tree = tree();
        let good = "`harness/low/Cargo.toml`, `harness/NAME`, `harness/*`, `other/thing`\n";
        tree.write("README.md", good);
        tree.edit("CONTRIBUTING.md", "`harness/cli`", "harness/cli");
        sound(&paths(tree.root(), HOUSE));
        tree.write("docs/a.md", "See `tests/gone.rs`.\n");
        names(
            &paths(tree.root(), HOUSE),
            &["docs/a.md", "`tests/gone.rs`"],
        );
    }

    #[test]
    fn a_decision_without_a_date_or_out_of_order_is_found() {
        sound(&decisions(tree().root()));
        let planted = |old: &str, new: &str| {
            let tree = tree();
            decisions(tree.edit("docs/decisions.md", old, new).root())
        };
        names(&planted("02. Two", "01. Two"), &["2026-01-01"]);
        names(&planted("2026-01-02. Two", "Two"), &["no date", "Two"]);
        names(&planted("**", ""), &["no decision"]);
    }
}
