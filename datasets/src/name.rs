//! What a dataset is called: a file format is not a data set.
//!
//! A name is *claimed* when the request (`name=coco-val2017`) or a card beside the data
//! (`dataset.dyno.json`) says it; else the set is called `custom-<folder>`. [`select`](crate::select)
//! makes a claim *verified* when every file's hash stands in a sealed card of that set.

use crate::{
    card::{self, Card},
    known::known,
    request::Options,
};
use dyno_core::{DatasetError, DatasetName, DatasetRequest, NameSource};
use std::path::Path;

/// A text as a part of an id: letters, digits, `_`, `.` and `-`.
pub(crate) fn id_part(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-') {
                c
            } else {
                '_'
            }
        })
        .collect()
}

/// Last component of a path, for a folder called `.` or `..` that of the folder itself.
fn folder_name(path: &Path) -> String {
    let name = |p: &Path| p.file_stem().map(|n| n.to_string_lossy().into_owned());
    let own = if path.is_dir() {
        path.file_name().map(|n| n.to_string_lossy().into_owned())
    } else {
        name(path)
    };
    own.or_else(|| path.canonicalize().ok().as_deref().and_then(name))
        .unwrap_or_else(|| "data".to_owned())
}

/// Name of generated pictures, in memory and as files.
pub(crate) const GENERATED: &str = "synthetic-shapes";

/// [`GENERATED`].
pub(crate) fn generated() -> DatasetName {
    DatasetName {
        name: GENERATED.to_owned(),
        source: NameSource::Custom,
        of: None,
    }
}

fn claimed(name: &str) -> DatasetName {
    DatasetName {
        name: name.to_owned(),
        source: NameSource::Claimed,
        of: known(name).map(|k| k.size),
    }
}

/// A name that somebody may claim: a part of an id that is not one of ours.
fn check(name: &str) -> Result<(), DatasetError> {
    let ours = ["custom-", "synthetic-", "random-"];
    if name.is_empty()
        || name.len() > 64
        || id_part(name) != name
        || ours.iter().any(|prefix| name.starts_with(prefix))
    {
        return Err(DatasetError::Usage(format!(
            "`{name}` cannot be the name of a data set: letters, digits, `_`, `.` and `-`, at most 64, and not beginning with {}",
            ours.map(|p| format!("`{p}`")).join(", ")
        )));
    }
    Ok(())
}

/// The name of the data of a request, as far as it is known before any file is hashed.
pub(crate) fn dataset_name(
    request: &DatasetRequest,
    options: &Options<'_>,
) -> Result<DatasetName, DatasetError> {
    let card = card::beside(&request.path)?;
    if let Some(name) = options.get("name") {
        check(name)?;
        return Ok(claimed(name));
    }
    if let Some(Card { name, .. }) = &card {
        if name == GENERATED {
            return Ok(generated());
        }
        check(name)?;
        return Ok(claimed(name));
    }
    let mut name = format!("custom-{}", id_part(&folder_name(&request.path)));
    if let Some(split) = &request.split {
        name.push('-');
        name.push_str(&id_part(split));
    }
    Ok(DatasetName {
        name,
        source: NameSource::Custom,
        of: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse_request;

    fn name(text: &str) -> Result<DatasetName, DatasetError> {
        let request = parse_request(text).expect("reads");
        let options = Options::new(&request, &[]).expect("common options");
        dataset_name(&request, &options)
    }

    #[test]
    fn names_are_earned() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let place = dir.path().join("coco val2017");
        std::fs::create_dir(&place).expect("creates");
        let text = format!("coco:{}", place.display());
        let own = name(&text).expect("a folder");
        assert_eq!(
            (own.name.as_str(), own.source, own.of),
            ("custom-coco_val2017", NameSource::Custom, None)
        );
        assert_eq!(
            name(&format!("{text}#train2017")).expect("a split").name,
            "custom-coco_val2017-train2017"
        );
        let claimed = name(&format!("{text},name=coco-val2017")).expect("a claim");
        assert_eq!(
            (claimed.source, claimed.of),
            (NameSource::Claimed, Some(5000))
        );
        for bad in ["custom-x", "synthetic-shapes", "a/b", ""] {
            assert!(name(&format!("{text},name={bad}")).is_err(), "{bad}");
        }
        std::fs::write(
            place.join(card::FILE),
            r#"{"schema": "dyno.dataset/1", "name": "our-parts"}"#,
        )
        .expect("writes");
        assert_eq!(
            name(&text).map(|n| (n.name, n.source)).expect("a card"),
            ("our-parts".to_owned(), NameSource::Claimed)
        );
    }
}
