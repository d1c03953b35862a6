//! `dataset.dyno.json`, the card beside the data: what set it is, and when it was sealed from the
//! publisher's archive, the hash of every sample.

use crate::files::{malformed, read_bounded};
use dyno_core::DatasetError;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Name of the card.
pub(crate) const FILE: &str = "dataset.dyno.json";
/// Value of `schema`.
pub(crate) const SCHEMA: &str = "dyno.dataset/1";
/// Largest card: 50,000 pictures have 5 MB.
const LIMIT: u64 = 256 << 20;

/// What a card says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Card {
    /// [`SCHEMA`].
    pub(crate) schema: String,
    /// Name of the set.
    pub(crate) name: String,
    /// How it was sealed; absent on a card that only claims.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) seal: Option<Seal>,
}

/// How a card was sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Seal {
    /// Program that did it.
    pub(crate) tool: String,
    /// The publisher's archives, by file name, with the checksum that was compared with the
    /// published one: `md5:…`.
    pub(crate) archives: BTreeMap<String, String>,
    /// sha256 of the line of the class names, as it stands in the hash of a sample set.
    pub(crate) labels_sha256: String,
    /// sha256 of the line of every sample, picture and truth, by its id.
    pub(crate) samples: BTreeMap<String, String>,
}

/// Where the card of this data would be: in the folder, or beside the annotation file.
pub(crate) fn place(path: &Path) -> PathBuf {
    if path.is_dir() {
        path.join(FILE)
    } else {
        path.parent().unwrap_or(Path::new("")).join(FILE)
    }
}

/// The card beside the data, if there is one.
pub(crate) fn beside(path: &Path) -> Result<Option<Card>, DatasetError> {
    let file = place(path);
    if !file.is_file() {
        return Ok(None);
    }
    let card: Card = serde_json::from_slice(&read_bounded(&file, LIMIT)?).map_err(|e| {
        malformed(
            &file,
            Some(e.line()),
            Some(e.column()),
            e.to_string()
                .rsplit_once(" at line ")
                .map_or_else(|| e.to_string(), |(reason, _)| reason.to_owned()),
        )
    })?;
    if card.schema != SCHEMA {
        return Err(malformed(
            &file,
            None,
            None,
            format!("its schema is `{}`, not `{SCHEMA}`", card.schema),
        ));
    }
    Ok(Some(card))
}
