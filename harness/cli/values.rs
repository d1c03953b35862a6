//! Values of the command line that are more than a word: pairs, shapes, durations.

use std::{path::PathBuf, time::Duration};

/// A name and a shape. A type of its own: clap takes a list in a tuple for many values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shape(pub(crate) String, pub(crate) Vec<usize>);

/// `NAME=1x3x640x640`.
pub(crate) fn shape(text: &str) -> Result<Shape, String> {
    let bad = || format!("`{text}` is not of the form NAME=1x3x640x640");
    let (name, dims) = text.rsplit_once('=').ok_or_else(bad)?;
    let dims: Option<Vec<usize>> = dims
        .split('x')
        .map(|d| d.parse().ok().filter(|n| *n > 0))
        .collect();
    Ok(Shape(name.to_owned(), dims.ok_or_else(bad)?))
}

/// `KEY=VALUE`.
pub(crate) fn pair(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .ok_or_else(|| format!("`{text}` is not of the form KEY=VALUE"))
}

/// `NAME=FILE`.
pub(crate) fn file(text: &str) -> Result<(String, PathBuf), String> {
    pair(text)
        .map(|(name, file)| (name, file.into()))
        .map_err(|_| format!("`{text}` is not of the form NAME=FILE.npy"))
}

/// `30s`, `500ms`, `5min`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let bad = || format!("`{text}` is not a time like 30s, 500ms or 5min");
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .ok_or_else(bad)?;
    let (number, unit) = text.split_at(end);
    let seconds = match unit {
        "ms" => 1e-3,
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(bad()),
    };
    let number: f64 = number.parse().map_err(|_| bad())?;
    Duration::try_from_secs_f64(number * seconds)
        .ok()
        .filter(|d| !d.is_zero() && u64::try_from(d.as_nanos()).is_ok())
        .ok_or_else(bad)
}

/// A share, 0 to 1.
pub(crate) fn share(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|v| (0.0..=1.0).contains(v))
        .ok_or_else(|| format!("`{text}` is not between 0 and 1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        for (text, ms) in [
            ("30s", 30_000),
            ("500ms", 500),
            ("1.5s", 1_500),
            ("2m", 120_000),
            ("5min", 300_000),
            ("1h", 3_600_000),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for text in [
            "",
            "30",
            "s",
            "0s",
            "1.2.3s",
            "-1s",
            "9999999999999h",
            "3 days",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn pairs_and_shapes_are_split_where_they_should() {
        assert_eq!(shape("a=b=1x3"), Ok(Shape("a=b".to_owned(), vec![1, 3])));
        assert_eq!(pair("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        for text in ["a", "a=", "a=1x0", "a=1xx3", "a=-1"] {
            assert!(shape(text).is_err(), "{text}");
        }
    }
}
