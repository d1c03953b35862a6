//! Rules for every source file of the tree.

use super::lexer::{begins, tokens};
use super::tree::{read, shown, sources};
use std::path::Path;

/// Longest file, in lines.
const MAX_LINES: usize = 500;

/// Every file opens with `//!` and has at most [`MAX_LINES`] lines.
pub(super) fn short_and_introduced(root: &Path) -> Vec<String> {
    let mut problems = Vec::new();
    for path in found(root) {
        let text = read(&path);
        let lines = text.lines().count();
        if lines > MAX_LINES {
            problems.push(format!("{}: {lines} lines", shown(root, &path)));
        }
        if !text.starts_with("//!") {
            let file = shown(root, &path);
            problems.push(format!("{file}: does not open with //!"));
        }
    }
    problems
}

/// No lint is switched off without a reason that can expire (`#[expect]` has one), and nothing is
/// left to be written.
pub(super) fn nothing_swept_aside(root: &Path) -> Vec<String> {
    let mut problems = Vec::new();
    // Put together here, so that this file does not hold the word.
    let note = concat!("FIX", "ME");
    for path in found(root) {
        let text = read(&path);
        let code = tokens(&text);
        let mut report = |what: &str| problems.push(format!("{}: {what}", shown(root, &path)));
        for at in 0..code.len() {
            if begins(&code[at..], &["[", "allow", "("]) {
                report("`allow` where `expect` with a reason belongs");
            }
            for left in ["todo", "unimplemented"] {
                if begins(&code[at..], &[left, "!"]) {
                    report(&format!("`{left}!`"));
                }
            }
        }
        if text.contains(note) {
            report(note);
        }
    }
    problems
}

fn found(root: &Path) -> Vec<std::path::PathBuf> {
    let found = sources(root);
    assert!(!found.is_empty(), "no sources below {}", root.display());
    found
}

#[cfg(test)]
mod tests {
    use super::super::planted::{Tree, names, sound};
    use super::*;

    fn tree() -> Tree {
        Tree::of(&[
            (
                "rooms/low/src/lib.rs",
                "//! Low.\n\n// Not #[allow(x)].\nmod a;\n",
            ),
            ("rooms/low/src/generated/big.rs", "fn f() { todo!() }\n"),
            ("target/out.rs", ""),
            (".hidden/out.rs", ""),
        ])
    }

    #[test]
    fn a_long_file_and_one_without_introduction_are_found() {
        sound(&short_and_introduced(tree().root()));
        let long = format!("//! Long.\n{}", "\n".repeat(MAX_LINES - 1));
        sound(&short_and_introduced(
            tree().write("build.rs", &long).root(),
        ));
        let longer = long + "\n";
        names(
            &short_and_introduced(tree().write("anywhere/a.rs", &longer).root()),
            &["anywhere/a.rs", "501 lines"],
        );
        names(
            &short_and_introduced(tree().write("build.rs", "// A script.\n").root()),
            &["build.rs", "//!"],
        );
    }

    #[test]
    fn what_is_swept_aside_is_found() {
        sound(&nothing_swept_aside(tree().root()));
        let note = format!("// {}: later", concat!("FIX", "ME"));
        for (fault, word) in [
            ("#[allow(dead_code)] fn f() {}", "allow"),
            ("#![allow(\n    dead_code\n)]", "allow"),
            ("fn f() { todo!() }", "todo"),
            ("fn f() { unimplemented!(\"x\") }", "unimplemented"),
            (note.as_str(), concat!("FIX", "ME")),
        ] {
            let tree = tree();
            tree.write("a/b.rs", &format!("//! B.\n{fault}\n"));
            names(&nothing_swept_aside(tree.root()), &["a/b.rs", word]);
        }
    }
}
