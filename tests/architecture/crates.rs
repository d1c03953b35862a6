//! The workspace's members and what their manifests say.

use super::tree::{children, read, shown, subfolders};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};
use toml::{Table, Value};

/// A package of the workspace.
pub(super) struct Crate {
    pub(super) name: String,
    /// From the root of the tree.
    pub(super) folder: String,
    pub(super) manifest: Table,
}

/// The TOML of a manifest.
pub(super) fn manifest(path: &Path) -> Table {
    let text = read(path);
    text.parse()
        .unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn strings<'a>(table: &'a Value, key: &str) -> Vec<&'a str> {
    let list = table.get(key).and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

/// Folders that a list of the workspace names; `harness/*` is every folder in `harness`.
fn folders(root: &Path, workspace: &Value, key: &str) -> BTreeSet<PathBuf> {
    let excluded: Vec<PathBuf> = strings(workspace, "exclude")
        .into_iter()
        .map(|e| root.join(e))
        .collect();
    let mut found = BTreeSet::new();
    for entry in strings(workspace, key) {
        match entry.strip_suffix("/*") {
            Some(parent) => {
                let below = children(&root.join(parent)).into_iter();
                found.extend(below.filter(|p| p.is_dir() && !excluded.contains(p)));
            }
            None => {
                found.insert(root.join(entry));
            }
        }
    }
    found
}

fn workspace(root: &Path) -> Value {
    let mut root_manifest = manifest(&root.join("Cargo.toml"));
    root_manifest
        .remove("workspace")
        .expect("the root is a workspace")
}

/// The members, without the root package.
pub(super) fn members(root: &Path) -> Vec<Crate> {
    let folders = folders(root, &workspace(root), "members").into_iter();
    folders.map(|folder| package(root, &folder)).collect()
}

/// Folders below the root that hold a manifest, members or not.
pub(super) fn packages(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in subfolders(root) {
        if folder.join("Cargo.toml").is_file() {
            found.push(folder.clone());
        }
        found.extend(packages(&folder));
    }
    found
}

fn package(root: &Path, folder: &Path) -> Crate {
    let manifest = manifest(&folder.join("Cargo.toml"));
    let name = manifest["package"]["name"].as_str();
    Crate {
        name: name.expect("a package has a name").to_owned(),
        folder: shown(root, folder),
        manifest,
    }
}

/// Tables of dependencies: normal, dev and build, for every target.
fn dependency_tables(manifest: &Table) -> Vec<(&str, &Table)> {
    let targets = manifest.get("target").and_then(Value::as_table);
    let per_target = targets.into_iter().flat_map(Table::values);
    let places = per_target.filter_map(Value::as_table);
    let mut found = Vec::new();
    for place in std::iter::once(manifest).chain(places) {
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            if let Some(table) = place.get(kind).and_then(Value::as_table) {
                found.push((kind, table));
            }
        }
    }
    found
}

/// What a manifest depends on: kind of dependency and name of the package, whatever it is renamed
/// to here or in the workspace.
pub(super) fn dependencies(root: &Path, manifest: &Table) -> BTreeSet<(String, String)> {
    let workspace = workspace(root);
    let mut found = BTreeSet::new();
    for (kind, table) in dependency_tables(manifest) {
        for (key, value) in table {
            let shared = workspace.get("dependencies").and_then(|d| d.get(key));
            let renamed = [Some(value), shared]
                .into_iter()
                .flatten()
                .find_map(|v| v.get("package").and_then(Value::as_str));
            found.insert((kind.to_owned(), renamed.unwrap_or(key).to_owned()));
        }
    }
    found
}

/// Every member is among the default members (else `cargo test` passes over it), has the
/// workspace's lints, and takes the versions of what it uses from the workspace.
pub(super) fn inheritance(root: &Path) -> Vec<String> {
    let mut problems = Vec::new();
    let default = folders(root, &workspace(root), "default-members");
    for member in members(root) {
        let folder = &member.folder;
        if !default.contains(&root.join(folder)) {
            problems.push(format!("{folder} is not among `default-members`"));
        }
        let inherits = |value: Option<&Value>| {
            let flag = value.and_then(|v| v.get("workspace"));
            flag.and_then(Value::as_bool) == Some(true)
        };
        if !inherits(member.manifest.get("lints")) {
            problems.push(format!("{folder} has not the workspace's lints"));
        }
        for (kind, table) in dependency_tables(&member.manifest) {
            for (key, value) in table {
                if !inherits(Some(value)) {
                    problems.push(format!(
                        "{folder}: `{key}` of {kind} is not the workspace's"
                    ));
                }
            }
        }
    }
    problems
}

/// Name of the root package, if the root is one.
pub(super) fn root_package(root: &Path) -> Option<String> {
    let manifest = manifest(&root.join("Cargo.toml"));
    let name = manifest.get("package")?.get("name")?.as_str()?;
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::planted::{Tree, names, sound};
    use super::*;

    fn tree() -> Tree {
        Tree::of(&[
            (
                "Cargo.toml",
                "[workspace]\nmembers = [\"rooms/*\", \"data\"]\nexclude = [\"rooms/sources\"]\n\
                 default-members = [\"rooms/*\", \"data\"]\n[workspace.dependencies]\n\
                 a = { package = \"renamed\", version = \"1\" }\n",
            ),
            ("rooms/sources/main.rs", ""),
            (
                "rooms/one/Cargo.toml",
                "[package]\nname = \"one\"\n[lints]\nworkspace = true\n[dependencies]\na.workspace = true\n",
            ),
            (
                "data/Cargo.toml",
                "[package]\nname = \"two\"\n[lints]\nworkspace = true\n\
                 [target.'cfg(unix)'.build-dependencies]\nb = { workspace = true }\n",
            ),
        ])
    }

    #[test]
    fn members_and_dependencies_are_read_as_cargo_reads_them() {
        let tree = tree();
        let found = members(tree.root());
        let shown: Vec<_> = found
            .iter()
            .map(|m| (m.name.as_str(), m.folder.as_str()))
            .collect();
        assert_eq!(shown, [("two", "data"), ("one", "rooms/one")]);
        let used = |at: usize| dependencies(tree.root(), &found[at].manifest);
        let pair = |kind: &str, name: &str| [(kind.to_owned(), name.to_owned())].into();
        assert_eq!(used(0), pair("build-dependencies", "b"));
        assert_eq!(used(1), pair("dependencies", "renamed"));
        assert_eq!(packages(tree.root()).len(), 2);
    }

    #[test]
    fn what_is_not_inherited_is_found() {
        sound(&inheritance(tree().root()));
        let planted = |path: &str, old: &str, new: &str, words: &[&str]| {
            let tree = tree();
            names(&inheritance(tree.edit(path, old, new).root()), words);
        };
        let default = "default-members = [\"rooms/*\", \"data\"]";
        planted(
            "Cargo.toml",
            default,
            "default-members = [\"rooms/*\"]",
            &["data", "default-members"],
        );
        planted(
            "rooms/one/Cargo.toml",
            "[lints]\nworkspace = true",
            "",
            &["rooms/one", "lints"],
        );
        planted(
            "data/Cargo.toml",
            "b = { workspace = true }",
            "b = \"2\"",
            &["data", "`b`", "build-dependencies"],
        );
    }
}
