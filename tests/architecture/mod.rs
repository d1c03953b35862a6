//! The structure of the house, checked: who may depend on whom, who may name whom, that every
//! folder stands in its table, how long a file may be, what the documents say of all this.
//!
//! A check is a function from the root of a tree to a list of problems, so that it can be asked
//! about this repository and about a small tree with a fault planted in it.

mod crates;
mod documents;
mod files;
mod layers;
mod lexer;
mod names;
mod planted;
mod rows;
mod tables;
mod tables_tests;
mod tree;

use std::path::Path;

/// This repository has none of the problems.
#[track_caller]
fn holds(check: impl Fn(&Path) -> Vec<String>) {
    let problems = check(Path::new(env!("CARGO_MANIFEST_DIR")));
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn members_and_layers_are_the_same_list() {
    holds(|root| layers::members_and_rows(root, layers::LAYERS));
}

#[test]
fn dependencies_point_down() {
    let problems = layers::order(layers::LAYERS);
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
    holds(|root| layers::dependencies(root, layers::LAYERS));
}

#[test]
fn members_take_versions_and_lints_from_the_workspace() {
    holds(crates::inheritance);
}

#[test]
fn folders_and_rows_are_the_same_list() {
    holds(|root| tables::folders_and_rows(root, tables::TABLES));
}

#[test]
fn backends_and_features_are_the_same_list() {
    holds(tables::features);
}

#[test]
fn recipe_files_and_rows_are_the_same_list() {
    holds(tables::recipes);
}

#[test]
fn planner_runner_and_hub_name_nothing_of_the_tables() {
    holds(|root| names::hidden(root, tables::TABLES));
}

#[test]
fn files_are_short_and_say_what_they_are() {
    holds(files::short_and_introduced);
}

#[test]
fn no_lint_is_allowed_and_no_work_left_undone() {
    holds(files::nothing_swept_aside);
}

#[test]
fn contributing_lists_the_crates_and_what_they_use() {
    holds(|root| documents::house(root, layers::LAYERS));
}

#[test]
fn paths_in_the_documents_exist() {
    holds(|root| documents::paths(root, layers::LAYERS));
}

#[test]
fn decisions_have_dates_and_the_newest_is_last() {
    holds(documents::decisions);
}
