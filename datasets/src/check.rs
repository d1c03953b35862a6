//! Collecting what does not fit together, and paths that data may name.

use dyno_core::DatasetError;
use std::path::{Component, Path};

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
