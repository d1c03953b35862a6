//! Versions that records tell: tract and rten do not tell their own, so the constants here are
//! compared with the lock file.

use crate::support::{engines, from_path, here, open_default};
use std::fs;

#[test]
fn libraries_are_those_of_the_lock_file() {
    let lock =
        fs::read_to_string(here("../../../Cargo.lock")).expect("the workspace has a lock file");
    for backend in engines().filter(|b| ["rten", "tract"].contains(&b.id())) {
        let model = open_default(backend, &from_path(&here("fixtures/conv_relu.onnx")));
        let library = model.facts().library;
        let (name, version) = library.split_once(' ').expect("name and version");
        let entry = format!("name = \"{name}\"\nversion = \"{version}\"\n");
        assert!(
            lock.contains(&entry),
            "the lock file holds another version than `{library}`"
        );
    }
}
