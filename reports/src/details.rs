//! The tables behind scores, read from artifacts: values per class, outcomes per image.
//!
//! Their form is that of [`dyno_core::Detail`]. They are files of strangers like all others: a table
//! that is not of that form is named with what is wrong, never half read.

use dyno_core::{Artifacts, DetailRef, Measurement, Record, Score};

/// Most rows of a table that are read; ImageNet's validation set has 50,000 images.
const MAX_ROWS: usize = 2_000_000;

/// Name of the table with values per class.
pub(crate) const PER_CLASS: &str = "per-class";
/// Name of the table with outcomes per image.
pub(crate) const PER_IMAGE: &str = "per-image";

/// A table behind the scores of a measurement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DetailTable {
    /// Its name in the record: `per-class`, with the metric's name in front where there are
    /// several.
    pub(crate) name: String,
    /// Its columns, or why there are none.
    pub(crate) content: Result<Content, Absent>,
}

/// Why a table is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Absent {
    /// The record travelled without it.
    NotAtHand,
    /// It is there and is not what it should be.
    Broken(String),
}

impl Absent {
    /// In words.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::NotAtHand => "the file is not at hand".to_owned(),
            Self::Broken(reason) => reason.clone(),
        }
    }
}

/// Columns and rows, every row as long as the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) header: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Content {
    /// Position of a column.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|h| h == name)
    }

    /// Names of the columns that hold scores per class: those that are called like a score of the
    /// whole.
    pub(crate) fn scores<'a>(&'a self, whole: &'a [Score]) -> impl Iterator<Item = &'a str> {
        let names = self.header.iter().skip(1).map(String::as_str);
        names.filter(|h| whole.iter().any(|s| s.metric == *h))
    }
}

/// A share in a field; `None` for an empty one and for words.
pub(crate) fn number(field: Option<&String>) -> Option<f64> {
    let value: f64 = field?.trim().parse().ok()?;
    value.is_finite().then_some(value)
}

fn is_called(detail: &DetailRef, name: &str) -> bool {
    let front = detail.name.strip_suffix(name);
    front.is_some_and(|f| !f.ends_with(|c: char| c.is_alphanumeric()))
}

/// The tables called `name` of an accuracy measurement, in the record's order.
pub(crate) fn tables(
    record: &Record,
    measurement: &Measurement,
    artifacts: &dyn Artifacts,
    name: &str,
) -> Vec<DetailTable> {
    let details = measurement.accuracy().map(|a| a.details.as_slice());
    let called = details.unwrap_or_default().iter();
    called
        .filter(|d| is_called(d, name))
        .map(|detail| DetailTable {
            name: detail.name.clone(),
            content: match artifacts.get(record, &detail.sha256) {
                Ok(None) => Err(Absent::NotAtHand),
                Err(error) => Err(Absent::Broken(error.reason)),
                Ok(Some(bytes)) => read(detail, &bytes, name).map_err(Absent::Broken),
            },
        })
        .collect()
}

fn read(detail: &DetailRef, bytes: &[u8], name: &str) -> Result<Content, String> {
    if detail.format != "csv" {
        return Err(format!(
            "the form `{}` is none that this version reads",
            detail.format
        ));
    }
    let content = parse(bytes)?;
    let key = if name == PER_CLASS { "class" } else { "sample" };
    match content.header.first() {
        Some(first) if first == key => Ok(content),
        _ => Err(format!("the first column is not `{key}`")),
    }
}

/// CSV with a header.
pub(crate) fn parse(bytes: &[u8]) -> Result<Content, String> {
    let mut reader = ::csv::Reader::from_reader(bytes);
    let fields = |r: &::csv::StringRecord| r.iter().map(str::to_owned).collect::<Vec<_>>();
    let header = fields(reader.headers().map_err(|e| e.to_string())?);
    let mut rows = Vec::new();
    for record in reader.records() {
        if rows.len() == MAX_ROWS {
            return Err(format!("there are more than {MAX_ROWS} rows"));
        }
        rows.push(fields(&record.map_err(|e| e.to_string())?));
    }
    Ok(Content { header, rows })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detail(name: &str, format: &str) -> DetailRef {
        DetailRef {
            name: name.to_owned(),
            format: format.to_owned(),
            sha256: String::new(),
        }
    }

    #[test]
    fn a_table_is_read_whole_or_named_with_what_is_wrong() {
        let good = detail(PER_CLASS, "csv");
        let content =
            read(&good, b"class,AP,n\n\"a,b\",0.5,3\nc,,0\n", PER_CLASS).expect("a table");
        let whole = [crate::tests::fixture::score("AP", None)];
        assert_eq!(content.scores(&whole).collect::<Vec<_>>(), ["AP"]);
        assert_eq!(content.rows, [["a,b", "0.5", "3"], ["c", "", "0"]]);
        assert_eq!(number(content.rows[0].get(1)), Some(0.5));
        assert_eq!(number(content.rows[1].get(1)), None);
        for (format, bytes, part) in [
            ("json", &b"[]"[..], "the form `json`"),
            ("csv", b"sample,score\n", "the first column is not `class`"),
            ("csv", b"", "the first column is not `class`"),
            ("csv", b"class,AP\na,0.5,7\n", "found record with 3 fields"),
            ("csv", b"class,AP\n\xff,0.5\n", "invalid UTF-8"),
        ] {
            let error = read(&detail(PER_CLASS, format), bytes, PER_CLASS).expect_err(part);
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_name_may_have_the_metric_in_front() {
        for (name, is) in [
            ("per-class", true),
            ("coco-per-class", true),
            ("coco/per-class", true),
            ("superper-class", false),
            ("per-class-old", false),
        ] {
            assert_eq!(is_called(&detail(name, "csv"), PER_CLASS), is, "{name}");
        }
    }
}
