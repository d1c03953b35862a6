//! Who may depend on whom. Dependencies point down: a crate uses crates of rows above its own.

use super::crates::{dependencies as used_by, members, packages, root_package};
use super::tree::shown;
use std::{collections::BTreeSet, path::Path};

/// A crate, its folder and the crates of this workspace that it may use.
pub(super) struct Layer {
    pub(super) name: &'static str,
    pub(super) folder: &'static str,
    pub(super) uses: &'static [&'static str],
    /// Whether the crate may still be missing. Goes with the commit that brings the crate.
    pub(super) coming: bool,
}

const fn layer(name: &'static str, folder: &'static str, uses: &'static [&'static str]) -> Layer {
    Layer {
        name,
        folder,
        uses,
        coming: false,
    }
}

const fn coming(name: &'static str, folder: &'static str, uses: &'static [&'static str]) -> Layer {
    Layer {
        name,
        folder,
        uses,
        coming: true,
    }
}

/// The house, from the ground up. The root package stands above all of it and may use everything.
pub(super) const LAYERS: &[Layer] = &[
    layer("dyno-core", "harness/core", &[]),
    layer("dyno-stats", "harness/stats", &[]),
    layer("dyno-load", "harness/load", &["dyno-stats"]),
    layer("dyno-image", "harness/image", &["dyno-core"]),
    layer(
        "dyno-vision",
        "harness/vision",
        &["dyno-core", "dyno-image"],
    ),
    layer(
        "dyno-metrics",
        "harness/metrics",
        &["dyno-core", "dyno-stats"],
    ),
    layer("dyno-machine", "harness/machine", &["dyno-core"]),
    layer("dyno-formats", "converters/formats", &["dyno-core"]),
    layer(
        "dyno-backends",
        "harness/backends",
        &["dyno-core", "dyno-formats"],
    ),
    layer("dyno-evidence", "harness/evidence", &["dyno-core"]),
    coming("dyno-storage", "harness/storage", &["dyno-core"]),
    layer(
        "dyno-registry",
        "harness/registry",
        &["dyno-core", "dyno-evidence", "dyno-storage", "dyno-formats"],
    ),
    layer(
        "dyno-planner",
        "harness/planner",
        &["dyno-core", "dyno-registry"],
    ),
    layer(
        "dyno-runner",
        "harness/runner",
        &[
            "dyno-core",
            "dyno-load",
            "dyno-image",
            "dyno-vision",
            "dyno-machine",
            "dyno-stats",
            "dyno-evidence",
        ],
    ),
    layer("dyno-hub", "converters/hub", &["dyno-core", "dyno-formats"]),
    layer("dyno-datasets", "datasets", &["dyno-core", "dyno-image"]),
    layer(
        "dyno-reports",
        "reports",
        &["dyno-core", "dyno-stats", "dyno-evidence"],
    ),
    layer(
        "dyno-fuzz",
        "tests/fuzz",
        &[
            "dyno-core",
            "dyno-image",
            "dyno-formats",
            "dyno-registry",
            "dyno-datasets",
            "dyno-reports",
        ],
    ),
];

/// Every member of the workspace has a row, every row a member unless it is coming, and every
/// manifest is a member's.
pub(super) fn members_and_rows(root: &Path, layers: &[Layer]) -> Vec<String> {
    let mut problems = Vec::new();
    let members = members(root);
    for member in &members {
        match layers.iter().find(|l| l.name == member.name) {
            None => problems.push(format!("`{}` ({}) has no row", member.name, member.folder)),
            Some(row) if row.folder != member.folder => problems.push(format!(
                "`{}` stands in {}, not in {}",
                member.name, member.folder, row.folder
            )),
            Some(_) => {}
        }
    }
    for folder in packages(root) {
        let folder = shown(root, &folder);
        if members.iter().all(|m| m.folder != folder) {
            problems.push(format!("{folder} is no member of the workspace"));
        }
    }
    for row in layers.iter().filter(|l| !l.coming) {
        if members.iter().all(|m| m.name != row.name) {
            problems.push(format!("the row `{}` has no member", row.name));
        }
    }
    problems
}

/// A row uses only rows above itself, and no name stands twice.
pub(super) fn order(layers: &[Layer]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut below = BTreeSet::new();
    for row in layers {
        for used in row.uses.iter().filter(|u| !below.contains(*u)) {
            let name = row.name;
            problems.push(format!("`{name}` uses `{used}`, which is not below it"));
        }
        if !below.insert(row.name) {
            problems.push(format!("`{}` has two rows", row.name));
        }
    }
    problems
}

/// What members use, tests and build scripts included, is what their rows allow.
pub(super) fn dependencies(root: &Path, layers: &[Layer]) -> Vec<String> {
    let mut problems = Vec::new();
    let members = members(root);
    let top = root_package(root);
    let ours = |name: &String| {
        top.as_ref() == Some(name)
            || members.iter().any(|m| m.name == *name)
            || layers.iter().any(|l| l.name == name)
    };
    for member in &members {
        let Some(row) = layers.iter().find(|l| l.name == member.name) else {
            continue;
        };
        for (kind, used) in used_by(root, &member.manifest) {
            if ours(&used) && !row.uses.contains(&used.as_str()) {
                problems.push(format!("`{}` may not use `{used}` ({kind})", row.name));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::super::planted::{Tree, names, sound};
    use super::*;

    const HOUSE: &[Layer] = &[
        layer("low", "rooms/low", &[]),
        coming("later", "rooms/later", &["low"]),
        layer("high", "rooms/high", &["low", "later"]),
    ];

    fn tree() -> Tree {
        Tree::of(&[
            (
                "Cargo.toml",
                "[package]\nname = \"top\"\n[workspace]\nmembers = [\"rooms/*\"]\n[workspace.dependencies]\n\
                 low = { path = \"rooms/low\" }\n",
            ),
            ("rooms/low/Cargo.toml", "[package]\nname = \"low\"\n"),
            (
                "rooms/high/Cargo.toml",
                "[package]\nname = \"high\"\n[dependencies]\nlow.workspace = true\nserde.workspace = true\n",
            ),
        ])
    }

    #[test]
    fn a_member_without_a_row_and_a_row_without_a_member_are_found() {
        let check = |tree: &Tree| members_and_rows(tree.root(), HOUSE);
        sound(&check(&tree()));
        let stray = "[package]\nname = \"stray\"\n";
        names(
            &check(tree().write("rooms/stray/Cargo.toml", stray)),
            &["`stray` (rooms/stray)", "no row"],
        );
        let later = "[package]\nname = \"later\"\n";
        sound(&check(tree().write("rooms/later/Cargo.toml", later)));
        let outside = "[package]\nname = \"outside\"\n";
        names(
            &check(tree().write("attic/room/Cargo.toml", outside)),
            &["attic/room", "no member of the workspace"],
        );
        let elsewhere = tree();
        elsewhere.edit("Cargo.toml", "rooms/*", "rooms/low");
        elsewhere.remove("rooms/high/Cargo.toml");
        names(&check(&elsewhere), &["`high`", "no member"]);
        elsewhere.edit("Cargo.toml", "rooms/low\"]", "rooms/low\", \"attic\"]");
        let high = "[package]\nname = \"high\"\n";
        names(
            &check(elsewhere.write("attic/Cargo.toml", high)),
            &["`high`", "attic", "rooms/high"],
        );
    }

    #[test]
    fn a_dependency_that_points_up_is_found() {
        let check = |tree: &Tree| dependencies(tree.root(), HOUSE);
        sound(&check(&tree()));
        for (dependency, kind) in [
            ("[dependencies]\nhigh.workspace = true", "(dependencies)"),
            ("[dev-dependencies]\nhigh.workspace = true", "dev-"),
            (
                "[build-dependencies]\nhigh = { path = \"../high\" }",
                "build-",
            ),
            (
                "[target.'cfg(unix)'.dependencies]\nhigh.workspace = true",
                "(dependencies)",
            ),
            (
                "[dependencies]\nalias = { package = \"high\", path = \"../high\" }",
                "(dependencies)",
            ),
        ] {
            let manifest = format!("[package]\nname = \"low\"\n{dependency}\n");
            let planted = tree();
            planted.write("rooms/low/Cargo.toml", &manifest);
            names(&check(&planted), &["`low` may not use `high`", kind]);
        }
        let upward = "[package]\nname = \"low\"\n[dependencies]\ntop = { path = \"../..\" }\n";
        names(
            &check(tree().write("rooms/low/Cargo.toml", upward)),
            &["`low` may not use `top`"],
        );
    }

    #[test]
    fn a_table_that_points_up_is_found() {
        sound(&order(HOUSE));
        names(
            &order(&[layer("low", "low", &["high"]), layer("high", "high", &[])]),
            &["`low` uses `high`", "not below"],
        );
        names(
            &order(&[layer("low", "a", &[]), layer("low", "b", &[])]),
            &["`low` has two rows"],
        );
    }
}
