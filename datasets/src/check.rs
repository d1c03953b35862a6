//! Collecting what does not fit together, and paths that data may name.

use dyno_core::DatasetError;
use std::path::{Component, Path, PathBuf};

/// Examples shown of each kind of problem.
const EXAMPLES: usize = 3;

struct Problem {
    what: &'static str,
    count: usize,
    examples: Vec<String>,
}

/// Problems by kind, in the order in which the kinds were met.
#[derive(Default)]
pub(crate) struct Problems(Vec<Problem>);

impl Problems {
    pub(crate) fn add(&mut self, what: &'static str, example: impl FnOnce() -> String) {
        let found = self.0.iter().position(|p| p.what == what);
        let index = found.unwrap_or_else(|| {
            self.0.push(Problem {
                what,
                count: 0,
                examples: Vec::new(),
            });
            self.0.len() - 1
        });
        if let Some(problem) = self.0.get_mut(index) {
            problem.count += 1;
            if problem.examples.len() < EXAMPLES {
                problem.examples.push(example());
            }
        }
    }

    /// An error that counts every kind, or nothing.
    pub(crate) fn finish(self) -> Result<(), DatasetError> {
        let count = self.0.iter().map(|p| p.count).sum();
        if count == 0 {
            return Ok(());
        }
        let what = match self.0.as_slice() {
            [one] => one.what.to_owned(),
            several => {
                several
                    .iter()
                    .map(|p| format!("{}: {}", p.what, p.count))
                    .collect::<Vec<_>>()
                    .join("; ")
                    + "; in all"
            }
        };
        Err(DatasetError::Inconsistent {
            what,
            count,
            examples: self.0.into_iter().flat_map(|p| p.examples).collect(),
        })
    }
}

/// A path that stays inside the folder it is joined to.
pub(crate) fn is_inside(path: &str) -> bool {
    !path.is_empty()
        && !path.contains('\0')
        && Path::new(path)
            .components()
            .all(|c| matches!(c, Component::Normal(_)))
}

/// A path without `.` and `..`, as far as its text says: links are not followed.
fn lexical(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                clean.pop();
            }
            other => clean.push(other),
        }
    }
    clean
}

/// The file that `name` of an annotation means, as a path relative to `folder`, where all files
/// are. A name that is absolute, or that leads upwards from `base` (the folder of the annotation
/// file), is taken when it ends in `folder` all the same.
pub(crate) fn below(folder: &Path, base: &Path, name: &str) -> Option<String> {
    if is_inside(name) {
        return Some(name.to_owned());
    }
    if name.is_empty() || name.contains('\0') {
        return None;
    }
    let absolute = |path: &Path| std::path::absolute(path).ok().map(|p| lexical(&p));
    let found = absolute(&base.join(name))?;
    let relative = found.strip_prefix(absolute(folder)?).ok()?;
    let parts: Vec<&str> = relative.iter().map(|p| p.to_str()).collect::<Option<_>>()?;
    (!parts.is_empty()).then(|| parts.join("/"))
}

/// What is said of names that [`below`] refuses.
pub(crate) const OUTSIDE: &str = "file names lie outside the folder of the images (give the folder that holds them all: `images=DIR`)";

/// A name of a split: one plain path component.
pub(crate) fn split_name(split: &str) -> Result<&str, DatasetError> {
    if is_inside(split) && !split.contains(['/', '\\']) {
        Ok(split)
    } else {
        Err(DatasetError::Usage(format!(
            "`{split}` is not the name of a split"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_leave_the_folder_are_seen() {
        for good in ["a.jpg", "a/b.jpg", "..a", "a..b/c"] {
            assert!(is_inside(good), "{good}");
        }
        for bad in ["", "/a", "../a", "a/../b", "a/..", "."] {
            assert!(!is_inside(bad), "{bad}");
        }
        assert!(
            split_name("a/b").is_err()
                && split_name("..").is_err()
                && split_name("val2017").is_ok()
        );
    }

    #[test]
    fn names_are_taken_that_end_in_the_folder() {
        let (folder, base) = (
            Path::new("/data/set/images"),
            Path::new("/data/set/annotations"),
        );
        for (name, id) in [
            ("a.jpg", Some("a.jpg")),
            ("b/a.jpg", Some("b/a.jpg")),
            ("../images/a.jpg", Some("a.jpg")),
            ("/data/set/images/b/./a.jpg", Some("b/a.jpg")),
            ("../a.jpg", None),
            ("/etc/passwd", None),
            ("/data/set/images", None),
            ("../images/../../x", None),
            ("", None),
        ] {
            assert_eq!(below(folder, base, name).as_deref(), id, "{name}");
        }
    }

    #[test]
    fn several_kinds_of_problems_are_one_error() {
        let mut problems = Problems::default();
        for i in 0..5 {
            problems.add("twice", || i.to_string());
        }
        problems.add("unknown", || "x".to_owned());
        let text = problems
            .finish()
            .expect_err("there are problems")
            .to_string();
        assert_eq!(text, "twice: 5; unknown: 1; in all (6): 0, 1, 2, x, …");
        assert!(Problems::default().finish().is_ok());
    }
}
