//! Whether a plan's bindings are what its spec names by content: a record must not speak of other
//! bytes than those that ran.

use crate::error::RunError;
use dyno_core::{LabelMap, LabelPlan, ModelContent, ModelFile, Plan, PlanFile, canonical_sha256};
use dyno_evidence::hash_file;
use std::path::Path;

/// Checks files, classes and sample set.
///
/// # Errors
/// [`RunError::Changed`], or when a file cannot be read.
pub(crate) fn check(plan: &Plan) -> Result<(), RunError> {
    let (named, bound) = (&plan.spec.sample_set, &plan.bindings.sample_set.id);
    if named != bound {
        return Err(RunError::Changed {
            what: "sample set".to_owned(),
            expected: named.clone(),
            found: bound.clone(),
        });
    }
    let set = &plan.bindings.sample_set;
    let counts = [set.count as usize, set.file_sha256.len()];
    if let Some(other) = counts.iter().find(|n| **n != set.samples.len()) {
        return Err(RunError::Changed {
            what: "sample set".to_owned(),
            expected: format!("{} samples, each with its hash", set.samples.len()),
            found: format!("{other}"),
        });
    }
    if !set.samples.windows(2).all(|pair| pair[0] < pair[1]) {
        return Err(RunError::Plan(
            "the positions of the sample set do not rise".to_owned(),
        ));
    }
    labels(plan.spec.model.labels.as_ref(), &plan.bindings.labels)?;
    check_files(plan)
}

/// Checks the model's files.
///
/// # Errors
/// As [`check`].
pub(crate) fn check_files(plan: &Plan) -> Result<(), RunError> {
    files(&plan.spec.model.files, &plan.bindings.files)
}

fn labels(named: Option<&LabelPlan>, bound: &LabelMap) -> Result<(), RunError> {
    let changed = |expected: String, found: String| {
        Err(RunError::Changed {
            what: "classes of the model".to_owned(),
            expected,
            found,
        })
    };
    match named {
        Some(named) => {
            let found = canonical_sha256(bound)?;
            if found == named.sha256 {
                Ok(())
            } else {
                changed(
                    format!("sha256 {}", named.sha256),
                    format!("sha256 {found}"),
                )
            }
        }
        None if bound.is_empty() => Ok(()),
        None => changed("none".to_owned(), format!("{} classes", bound.len())),
    }
}

/// The plan names files on disk, in the order of the bindings; what an importer made in memory has
/// no file.
fn files(named: &[PlanFile], bound: &[ModelFile]) -> Result<(), RunError> {
    let on_disk = |f: &&ModelFile| matches!(f.content, ModelContent::Path(_));
    let count = bound.iter().filter(on_disk).count();
    if count != named.len() {
        return Err(RunError::Changed {
            what: "files of the model".to_owned(),
            expected: named.len().to_string(),
            found: count.to_string(),
        });
    }
    for (named, bound) in named.iter().zip(bound.iter().filter(on_disk)) {
        let ModelContent::Path(path) = &bound.content else {
            continue;
        };
        if named.role != bound.role {
            return Err(RunError::Changed {
                what: named.name.clone(),
                expected: format!("role {:?}", named.role),
                found: format!("role {:?}", bound.role),
            });
        }
        file(named, path)?;
    }
    Ok(())
}

fn file(named: &PlanFile, path: &Path) -> Result<(), RunError> {
    let (found, _) = hash_file(path)?;
    if found == named.sha256 {
        return Ok(());
    }
    Err(RunError::Changed {
        what: path.display().to_string(),
        expected: format!("sha256 {}", named.sha256),
        found: format!("sha256 {found}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use dyno_core::{FileRole, sha256_hex};

    #[test]
    fn a_file_that_was_changed_is_named_with_both_hashes() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("m.onnx");
        std::fs::write(&path, "one").expect("written");
        let named = [PlanFile {
            role: FileRole::Model,
            name: "m.onnx".into(),
            sha256: sha256_hex(b"one"),
            size_bytes: 3,
        }];
        let bound = [ModelFile {
            role: FileRole::Model,
            content: ModelContent::Path(path.clone()),
        }];
        files(&named, &bound).expect("as planned");
        assert!(
            matches!(files(&named, &[]), Err(RunError::Changed { .. })),
            "a file too few"
        );
        let other = [ModelFile {
            role: FileRole::Config,
            ..bound[0].clone()
        }];
        assert!(
            matches!(files(&named, &other), Err(RunError::Changed { .. })),
            "another role"
        );
        std::fs::write(&path, "two").expect("written");
        let error = files(&named, &bound).expect_err("changed");
        assert!(
            error.to_string().contains(&sha256_hex(b"one"))
                && error.to_string().contains(&sha256_hex(b"two")),
            "{error}"
        );
        assert_eq!(error.exit_code(), 5);
    }

    #[test]
    fn classes_are_those_of_the_plan() {
        let map = LabelMap::from_names(["a", "b"]);
        let named = LabelPlan {
            source: "x".into(),
            count: 2,
            sha256: canonical_sha256(&map).expect("hash"),
        };
        labels(Some(&named), &map).expect("the same");
        labels(None, &LabelMap::default()).expect("none");
        assert!(labels(Some(&named), &LabelMap::from_names(["b", "a"])).is_err());
        assert!(labels(None, &map).is_err());
    }
}
