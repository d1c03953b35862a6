//! Small trees to plant faults in.

use std::{fs, path::Path};

/// A folder with the files of a test, deleted at its end.
pub(super) struct Tree {
    folder: tempfile::TempDir,
}

impl Tree {
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let tree = Self { folder };
        for (path, text) in files {
            tree.write(path, text);
        }
        tree
    }

    pub(super) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn write(&self, path: &str, text: &str) -> &Self {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().expect("a file stands in a folder")).expect("a folder");
        fs::write(path, text).expect("writable");
        self
    }

    /// Replaces `old` by `new` in a file that has it.
    #[track_caller]
    pub(super) fn edit(&self, path: &str, old: &str, new: &str) -> &Self {
        let text = fs::read_to_string(self.root().join(path)).expect("a file of the tree");
        assert!(text.contains(old), "`{old}` is not in {path}");
        self.write(path, &text.replace(old, new))
    }

    pub(super) fn remove(&self, path: &str) -> &Self {
        fs::remove_file(self.root().join(path)).expect("a file of the tree");
        self
    }
}

/// One problem was found, and its text holds all of `words`.
#[track_caller]
pub(super) fn names(problems: &[String], words: &[&str]) {
    assert_eq!(problems.len(), 1, "{problems:?}");
    for word in words {
        assert!(
            problems[0].contains(word),
            "no `{word}` in: {}",
            problems[0]
        );
    }
}

/// Nothing was found.
#[track_caller]
pub(super) fn sound(problems: &[String]) {
    assert!(problems.is_empty(), "{problems:?}");
}
