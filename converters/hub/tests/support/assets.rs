//! Real models and conformance nets, which are not part of the repository.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

/// Says on standard error that a test is skipped. Not `eprintln`: the test runner would swallow it.
pub(super) fn skipped(why: &str) {
    std::io::stderr()
        .write_all(format!("skipped: {why}\n").as_bytes())
        .expect("standard error");
}

/// The folder `part` of the assets (`DYNO_ASSETS`, by default beside the repository). Without it
/// the test says so and returns; with `DYNO_REQUIRE_ASSETS=1` it fails.
pub(crate) fn assets(part: &str) -> Option<PathBuf> {
    let root = std::env::var_os("DYNO_ASSETS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/assets"),
        PathBuf::from,
    );
    let folder = root.join(part);
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(
        std::env::var_os("DYNO_REQUIRE_ASSETS").is_none_or(|v| v != "1"),
        "DYNO_REQUIRE_ASSETS=1, and `{}` is no folder",
        folder.display()
    );
    skipped("no assets");
    None
}
