//! What the command line asks for: `--verdicts FORMAT[=FILE]`.

use super::{VERDICT_FORMATS, VerdictFormat};
use dyno_core::{UnknownName, lookup};
use std::{fmt, path::PathBuf, str::FromStr};

/// A form of verdicts and where it goes.
#[derive(Clone)]
pub struct VerdictRequest {
    /// The form.
    pub format: &'static dyn VerdictFormat,
    /// The file; absent for standard output.
    pub file: Option<PathBuf>,
}

impl fmt::Debug for VerdictRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerdictRequest")
            .field("format", &self.format.id())
            .field("file", &self.file)
            .finish()
    }
}

impl FromStr for VerdictRequest {
    type Err = UnknownName;

    /// `junit=verdicts.xml`, or `github`. An empty file name is none.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (format, file) = match text.split_once('=') {
            Some((format, file)) => (format, Some(file)),
            None => (text, None),
        };
        Ok(Self {
            format: lookup("form of verdicts", VERDICT_FORMATS, format)?,
            file: file.filter(|f| !f.is_empty()).map(PathBuf::from),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_and_where_it_goes() {
        let read = |text: &str| text.parse::<VerdictRequest>().expect("a request");
        assert_eq!(read("github").format.id(), "github");
        assert_eq!(read("github").file, None);
        let junit = read("junit=out/a=b.xml");
        assert_eq!(junit.format.id(), "junit");
        assert_eq!(junit.file, Some(PathBuf::from("out/a=b.xml")));
        let error = "junt=x"
            .parse::<VerdictRequest>()
            .expect_err("no such form");
        assert_eq!(
            error.to_string(),
            "unknown form of verdicts `junt`, did you mean `junit`? (there are: github, human, json, junit, markdown)"
        );
    }
}
