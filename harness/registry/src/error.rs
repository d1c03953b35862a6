//! Why a model cannot be found, read or written.

use crate::json_edit::JsonError;
use dyno_evidence::EvidenceError;
use std::path::{Path, PathBuf};

/// Names that an error lists before it only counts the rest.
const LISTED_NAMES: usize = 30;

/// Why a model cannot be found, read or written.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// Evidence or a file of it.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// The operating system refuses.
    #[error("cannot {action} `{path}`")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's words.
        #[source]
        source: std::io::Error,
    },
    /// A file is no JSON.
    #[error("`{path}` is no valid JSON")]
    Json {
        /// The file.
        path: PathBuf,
        /// Where and what.
        #[source]
        source: JsonError,
    },
    /// A file is JSON, but not what it should be. All of its problems.
    #[error("`{path}`: {}", problems.join("; "))]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong, each with line and column where there is one.
        problems: Vec<String>,
    },
    /// No model of that name.
    #[error("no model `{reference}`{}{}", near(nearest.as_deref()), known_list(known))]
    NotFound {
        /// The name asked for.
        reference: String,
        /// The name probably meant.
        nearest: Option<String>,
        /// The names that exist.
        known: Vec<String>,
    },
    /// The reference fits several things.
    #[error("`{reference}` may mean {}", candidates.join(" or "))]
    Ambiguous {
        /// The reference.
        reference: String,
        /// What it fits.
        candidates: Vec<String>,
    },
    /// The model's file is not there.
    #[error("`{path}` is missing: {hint}")]
    FileMissing {
        /// The file.
        path: PathBuf,
        /// What to do.
        hint: String,
    },
    /// Nothing says which framework a file belongs to.
    #[error("nothing says which framework `{path}` belongs to: name it with --framework")]
    NoFramework {
        /// The file.
        path: PathBuf,
    },
    /// The manifest cannot take the numbers.
    #[error("cannot write to `{path}`: {reason}")]
    NotWritable {
        /// The manifest, or the bare model.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// These numbers may not be written to this model.
    #[error("nothing is written to `{reference}`: {reason}")]
    Refused {
        /// The model.
        reference: String,
        /// Why.
        reason: String,
    },
}

fn near(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |n| format!(", did you mean `{n}`?"))
}

fn known_list(known: &[String]) -> String {
    if known.is_empty() {
        return " (the search path holds no model)".to_owned();
    }
    let listed: Vec<&str> = known
        .iter()
        .take(LISTED_NAMES)
        .map(String::as_str)
        .collect();
    let rest = known.len() - listed.len();
    let more = if rest > 0 {
        format!(" and {rest} more")
    } else {
        String::new()
    };
    format!(" (there are: {}{more})", listed.join(", "))
}

impl RegistryError {
    pub(crate) fn io(
        action: &'static str,
        path: &Path,
    ) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }

    pub(crate) fn json(path: &Path) -> impl FnOnce(JsonError) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Json { path, source }
    }

    pub(crate) fn invalid(path: &Path, problem: impl Into<String>) -> Self {
        Self::Invalid {
            path: path.to_owned(),
            problems: vec![problem.into()],
        }
    }
}
