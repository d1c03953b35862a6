//! Why a runtime was not installed.

use std::{io, path::PathBuf};

/// Why a runtime was not unpacked, found or removed.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// The folder or a file in it.
    #[error("cannot {doing} `{}`", path.display())]
    Io {
        /// `read`, `write`.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's words.
        #[source]
        source: io::Error,
    },
    /// The file is no wheel, is damaged, or is not what it says.
    #[error("`{}` was refused: {reason}", wheel.display())]
    Wheel {
        /// The wheel.
        wheel: PathBuf,
        /// What is wrong, with the entry's name.
        reason: String,
    },
    /// The system does not say where a user's data lie.
    #[error("there is no data folder: neither `DYNO_DATA_DIR` nor `HOME` is set")]
    NoDataFolder,
}
