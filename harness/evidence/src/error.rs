//! Why evidence cannot be read or written.

use dyno_core::{PlanFormatError, RecordError};
use std::path::PathBuf;

/// Why evidence cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// The operating system refuses.
    #[error("cannot {action} `{path}`")]
    Io {
        /// What was tried: `read`, `write`, …
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's words.
        #[source]
        source: std::io::Error,
    },
    /// Another process holds the lock.
    #[error(
        "another dyno works on this folder: the lock `{path}` was still held after {waited_ms} ms"
    )]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// How long it was waited for.
        waited_ms: u128,
    },
    /// A file is no plan of this version.
    #[error("bad plan `{path}`")]
    Plan {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: PlanFormatError,
    },
    /// Nothing of that name.
    #[error("no {what} `{name}` in `{folder}`")]
    NotFound {
        /// `record`, `artifact`, `run folder`.
        what: &'static str,
        /// The name asked for.
        name: String,
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// The prefix fits several records.
    #[error("`{prefix}` fits several records: {}", ids.join(", "))]
    Ambiguous {
        /// The prefix.
        prefix: String,
        /// Ids that fit.
        ids: Vec<String>,
    },
    /// A file is no record, or no longer the one it was.
    #[error("bad record `{path}`")]
    Record {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: RecordError,
    },
    /// A file is no JSON of its shape.
    #[error("bad JSON in `{path}`")]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        #[source]
        source: serde_json::Error,
    },
    /// A list of files is not what its record says.
    #[error("bad list `{path}`: {reason}")]
    List {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Content and name disagree.
    #[error("`{path}` was changed: its name says {expected}, its content hashes to {actual}")]
    Changed {
        /// The file.
        path: PathBuf,
        /// Hash in the name.
        expected: String,
        /// Hash of the content.
        actual: String,
    },
    /// The same shard came with two contents.
    #[error("shard {number} was already finished with other results: {existing}, now {new}")]
    Conflict {
        /// Number of the shard.
        number: u32,
        /// Hash of the one in the journal.
        existing: String,
        /// Hash of the one that was to be added.
        new: String,
    },
    /// A link that leads out of the model's folder: what is written there would land elsewhere.
    #[error("`{path}` is a link that leads out of its folder")]
    LeadsOut {
        /// The link.
        path: PathBuf,
    },
    /// Everything is written, but the system does not say that it survives a power cut.
    #[error("written, but the folder `{folder}` cannot be synced: a power cut might undo it")]
    Unsynced {
        /// The folder.
        folder: PathBuf,
        /// The system's words.
        #[source]
        source: std::io::Error,
    },
    /// One of several files could not be replaced, and one before it not be set back.
    #[error("`{path}` is new and could not be set back ({undo})")]
    HalfWritten {
        /// The file that is new.
        path: PathBuf,
        /// Why it could not be set back.
        undo: String,
        /// The error that came first.
        #[source]
        source: Box<EvidenceError>,
    },
    /// A string that must not become a file name.
    #[error("not a {what}: `{value}`")]
    BadName {
        /// What was expected.
        what: &'static str,
        /// What came.
        value: String,
    },
}

impl EvidenceError {
    pub(crate) fn io(
        action: &'static str,
        path: &std::path::Path,
    ) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}
