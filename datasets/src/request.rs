//! The text form of a request, `KIND:PATH[#SPLIT][,KEY=VALUE…]`, and the options of a kind.

use crate::DATASETS;
use dyno_core::{Dataset, DatasetError, DatasetRequest, ExifOrientation, lookup, nearest};
use std::{collections::BTreeMap, path::PathBuf, str::FromStr};

/// Length of `key=` at the start of `text`, without the `=`.
fn key_length(text: &str) -> Option<usize> {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'))?;
    (end > 0 && text[end..].starts_with('=')).then_some(end)
}

/// Reads `KIND:PATH[#SPLIT][,KEY=VALUE…]`: `coco:DIR`, `voc:DIR#trainval`,
/// `coco:ANN.json,images=DIR`, `synthetic:seed=7,count=100`.
///
/// Options begin at the first comma that is followed by a word and `=`, so paths and values may
/// hold other commas. A `#` begins a split when no path separator follows it. Whether the path
/// exists and the options mean something is for [`open`] to say.
///
/// # Errors
/// [`DatasetError::Usage`]: no kind, an unknown kind (with the nearest), an empty path or split, an
/// option given twice.
pub fn parse_request(text: &str) -> Result<DatasetRequest, DatasetError> {
    let usage = |why: String| Err(DatasetError::Usage(why));
    let Some((kind, rest)) = text.split_once(':') else {
        return usage(format!(
            "dataset `{text}` has no kind, write KIND:PATH[#SPLIT] (kinds: {})",
            kinds()
        ));
    };
    let row =
        lookup("dataset kind", DATASETS, kind).map_err(|e| DatasetError::Usage(e.to_string()))?;
    let starts_with_options = key_length(rest).is_some();
    let first = if starts_with_options {
        Some(0)
    } else {
        rest.match_indices(',')
            .map(|(i, _)| i)
            .find(|i| key_length(&rest[i + 1..]).is_some())
    };
    let (place, mut tail) = match first {
        Some(0) if starts_with_options => ("", rest),
        Some(i) => (&rest[..i], &rest[i + 1..]),
        None => (rest, ""),
    };
    let mut options = BTreeMap::new();
    while let Some(length) = key_length(tail) {
        let (key, value) = (&tail[..length], &tail[length + 1..]);
        let end = value
            .match_indices(',')
            .map(|(i, _)| i)
            .find(|i| key_length(&value[i + 1..]).is_some());
        let (value, next) = end.map_or((value, ""), |i| (&value[..i], &value[i + 1..]));
        if options.insert(key.to_owned(), value.to_owned()).is_some() {
            return usage(format!("option `{key}` of dataset `{text}` is given twice"));
        }
        tail = next;
    }
    let (path, split) = match place.rsplit_once('#') {
        Some((path, split)) if !split.contains(['/', '\\']) => (path, Some(split)),
        _ => (place, None),
    };
    if split.is_some_and(str::is_empty) {
        return usage(format!("dataset `{text}` has an empty split after `#`"));
    }
    if path.is_empty() && row.needs_path() {
        return usage(format!(
            "dataset `{text}` has no path; {kind}: {}",
            row.about()
        ));
    }
    Ok(DatasetRequest {
        kind: kind.to_owned(),
        path: PathBuf::from(path),
        split: split.map(str::to_owned),
        options,
    })
}

fn kinds() -> String {
    DATASETS
        .iter()
        .map(|k| k.id())
        .collect::<Vec<_>>()
        .join(", ")
}

/// Opens the dataset of a request with its kind.
///
/// # Errors
/// An unknown kind, or what the kind found.
pub fn open(request: &DatasetRequest) -> Result<Box<dyn Dataset>, DatasetError> {
    lookup("dataset kind", DATASETS, &request.kind)
        .map_err(|e| DatasetError::Usage(e.to_string()))?
        .open(request)
}

/// Options that every kind has.
const COMMON: [&str; 2] = ["exif", "name"];

/// Options of a request, all of which the kind knows; `name` and `exif` are known to every kind.
pub(crate) struct Options<'a>(&'a BTreeMap<String, String>);

impl<'a> Options<'a> {
    pub(crate) fn new(request: &'a DatasetRequest, known: &[&str]) -> Result<Self, DatasetError> {
        let known: Vec<&str> = known.iter().copied().chain(COMMON).collect();
        for key in request.options.keys() {
            if !known.contains(&key.as_str()) {
                let hint = nearest(key, known.iter().copied())
                    .map_or_else(String::new, |n| format!(", did you mean `{n}`?"));
                return Err(DatasetError::Usage(format!(
                    "unknown option `{key}` of dataset kind `{}`{hint} (there are: {})",
                    request.kind,
                    known.join(", ")
                )));
            }
        }
        Ok(Self(&request.options))
    }

    pub(crate) fn get(&self, key: &str) -> Option<&'a str> {
        self.0.get(key).map(String::as_str)
    }

    /// What `exif=apply` or `exif=ignore` says.
    pub(crate) fn exif(&self) -> Result<ExifOrientation, DatasetError> {
        match self.get("exif") {
            None | Some("ignore") => Ok(ExifOrientation::Ignore),
            Some("apply") => Ok(ExifOrientation::Apply),
            Some(other) => Err(DatasetError::Usage(format!(
                "unknown `exif` `{other}` (there are: ignore, apply)"
            ))),
        }
    }
}

/// A number among the options.
pub(crate) fn number<T: FromStr>(
    options: &Options<'_>,
    key: &str,
) -> Result<Option<T>, DatasetError> {
    let Some(text) = options.get(key) else {
        return Ok(None);
    };
    text.parse()
        .map(Some)
        .map_err(|_| DatasetError::Usage(format!("`{key}={text}` is not a whole number in range")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (String, String, Option<String>, Vec<(String, String)>) {
        let r = parse_request(text).expect(text);
        (
            r.kind,
            r.path.display().to_string(),
            r.split,
            r.options.into_iter().collect(),
        )
    }

    fn own(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    }

    #[test]
    fn every_form_reads() {
        assert_eq!(
            parsed("coco:a/b"),
            ("coco".into(), "a/b".into(), None, vec![])
        );
        assert_eq!(
            parsed("voc:x#trainval"),
            ("voc".into(), "x".into(), Some("trainval".into()), vec![])
        );
        assert_eq!(
            parsed("coco:a,b.json,images=c,d"),
            (
                "coco".into(),
                "a,b.json".into(),
                None,
                own(&[("images", "c,d")])
            )
        );
        assert_eq!(
            parsed("coco:x#val,images=y=z,k=").3,
            own(&[("images", "y=z"), ("k", "")])
        );
        assert_eq!(parsed("folder:C:/a#1/b").1, "C:/a#1/b");
        assert_eq!(
            parsed("synthetic:"),
            ("synthetic".into(), String::new(), None, vec![])
        );
        assert_eq!(
            parsed("synthetic:count=5,seed=2").3,
            own(&[("count", "5"), ("seed", "2")])
        );
        assert_eq!(parsed("synthetic:,count=5").3, own(&[("count", "5")]));
    }

    #[test]
    fn bad_requests_say_why() {
        for (text, part) in [
            ("nothing", "has no kind"),
            ("cocoo:x", "did you mean `coco`?"),
            ("coco:", "has no path"),
            ("coco:#val", "has no path"),
            ("voc:x#", "empty split"),
            ("coco:x,images=a,images=b", "given twice"),
        ] {
            let e = parse_request(text).expect_err(text).to_string();
            assert!(e.contains(part), "{text}: {e}");
        }
        let e = open(&parse_request("folder:x,imges=y").expect("reads"))
            .map(|_| ())
            .expect_err("unknown option")
            .to_string();
        assert!(e.contains("unknown option `imges`"), "{e}");
        for text in [
            "synthetic:count=0",
            "synthetic:size=9",
            "synthetic:count=x",
            "synthetic:task=pose",
            "synthetic:y",
            "synthetic:#val",
            "synthetic:cuont=1",
        ] {
            assert!(
                matches!(
                    open(&parse_request(text).expect("reads")).map(|_| ()),
                    Err(DatasetError::Usage(_))
                ),
                "{text}"
            );
        }
    }
}
