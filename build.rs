//! Hands the commit of the checkout to the binary; a build outside a checkout says `unknown`.

use std::process::Command;

fn main() {
    for path in [
        ".git/HEAD",
        ".git/index",
        "Cargo.toml",
        "Cargo.lock",
        "harness",
        "datasets",
        "reports",
    ] {
        println!("cargo:rerun-if-changed={path}");
    }
    let commit = Command::new("git")
        .args([
            "describe",
            "--always",
            "--dirty",
            "--abbrev=12",
            "--exclude=*",
        ])
        .output()
        .ok()
        .filter(|o| o.status.success())
        .and_then(|o| String::from_utf8(o.stdout).ok())
        .map_or_else(|| "unknown".to_owned(), |s| s.trim().to_owned());
    println!("cargo:rustc-env=DYNO_COMMIT={commit}");
}
