//! Between a record and its text.

use super::{RECORD_SCHEMA, Record, RecordParts};
use crate::canonical::{CanonicalError, canonical_sha256};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;

/// Greatest size of a record: what is longer belongs into artifacts.
pub const MAX_RECORD_BYTES: usize = 64 << 10;

/// Greatest integer that JSON's canonical form keeps apart from its neighbours. Every 64-bit float
/// above it is an integer too.
const MAX_EXACT: u64 = 1 << 53;

/// Why a record is not one.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Not JSON of this shape.
    #[error("not a record: {0}")]
    Json(#[from] serde_json::Error),
    /// Of another schema.
    #[error("schema `{found}` is not `{RECORD_SCHEMA}`")]
    Schema {
        /// The schema it names.
        found: String,
    },
    /// Content and id disagree.
    #[error(
        "the record was changed after it was written: its id is {id}, its content hashes to {actual}"
    )]
    Changed {
        /// The id it names.
        id: String,
        /// The hash of its content.
        actual: String,
    },
    /// An integer that its canonical form would merge with its neighbour.
    #[error(
        "`{key}` is {value}, above 2^53: the record's hash could not tell it from its neighbour"
    )]
    Integer {
        /// Where, as `a.b.0.c`.
        key: String,
        /// The number.
        value: String,
    },
    /// Larger than a record may be.
    #[error("the record has {bytes} bytes, more than {MAX_RECORD_BYTES}")]
    Size {
        /// Its size.
        bytes: usize,
    },
    /// A number is not finite.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
}

/// Refuses integers above 2^53, named by their place.
fn exact(value: &Value, path: &mut Vec<String>) -> Result<(), RecordError> {
    match value {
        Value::Number(n) => {
            let magnitude = n.as_u64().or_else(|| n.as_i64().map(i64::unsigned_abs));
            let is_above = match (magnitude, n.as_f64()) {
                (Some(m), _) => m > MAX_EXACT,
                (None, Some(f)) => f.abs() > MAX_EXACT as f64,
                (None, None) => false,
            };
            if is_above {
                return Err(RecordError::Integer {
                    key: path.join("."),
                    value: n.to_string(),
                });
            }
            Ok(())
        }
        Value::Array(items) => items.iter().enumerate().try_for_each(|(i, item)| {
            path.push(i.to_string());
            exact(item, path)?;
            path.pop();
            Ok(())
        }),
        Value::Object(members) => members.iter().try_for_each(|(key, member)| {
            path.push(key.clone());
            exact(member, path)?;
            path.pop();
            Ok(())
        }),
        Value::Null | Value::Bool(_) | Value::String(_) => Ok(()),
    }
}

/// The hash that the id must be.
fn content_sha256(mut value: Value) -> Result<String, RecordError> {
    exact(&value, &mut Vec::new())?;
    if let Some(object) = value.as_object_mut() {
        object.remove("id");
    }
    Ok(canonical_sha256(&value)?)
}

impl Record {
    /// A record of these parts, with its id and its text.
    ///
    /// # Errors
    /// When a number is not finite or an integer above 2^53, or the record is too large.
    pub fn seal(parts: RecordParts) -> Result<Self, RecordError> {
        let mut record = Self {
            schema: RECORD_SCHEMA.to_owned(),
            id: String::new(),
            created_utc: parts.created_utc,
            tool: parts.tool,
            subjects: parts.subjects,
            plan: parts.plan,
            machines: parts.machines,
            sample_sets: parts.sample_sets,
            measurements: parts.measurements,
            warnings: parts.warnings,
            artifacts: parts.artifacts,
            text: Arc::default(),
        };
        // Through the text: what a file shows is what is hashed.
        let written = serde_json::to_string(&record)?;
        record.id = content_sha256(serde_json::from_str(&written)?)?;
        let mut text = serde_json::to_string_pretty(&record)?;
        text.push('\n');
        if text.len() > MAX_RECORD_BYTES {
            return Err(RecordError::Size { bytes: text.len() });
        }
        record.text = Arc::from(text);
        Ok(record)
    }

    /// Reads a record and checks its id. The text is kept.
    ///
    /// # Errors
    /// When the text is no record, of another schema, too large, or changed since it was written.
    pub fn parse(text: &str) -> Result<Self, RecordError> {
        #[derive(Deserialize)]
        struct Head {
            schema: String,
        }
        if text.len() > MAX_RECORD_BYTES {
            return Err(RecordError::Size { bytes: text.len() });
        }
        let head: Head = serde_json::from_str(text)?;
        if head.schema != RECORD_SCHEMA {
            return Err(RecordError::Schema { found: head.schema });
        }
        // The hash is taken over what is written, not over what this version's types make of it: a
        // record of another version that knows one field more or less keeps its id.
        let value: Value = serde_json::from_str(text)?;
        let id = value.get("id").and_then(Value::as_str).map(str::to_owned);
        let actual = content_sha256(value)?;
        if id.as_deref() != Some(&actual) {
            return Err(RecordError::Changed {
                id: id.unwrap_or_default(),
                actual,
            });
        }
        let mut record: Self = serde_json::from_str(text)?;
        record.text = Arc::from(text);
        Ok(record)
    }

    /// What it is made of, to be sealed anew: what this version does not know is lost, and the id
    /// is another.
    pub fn into_parts(self) -> RecordParts {
        RecordParts {
            created_utc: self.created_utc,
            tool: self.tool,
            subjects: self.subjects,
            plan: self.plan,
            machines: self.machines,
            sample_sets: self.sample_sets,
            measurements: self.measurements,
            warnings: self.warnings,
            artifacts: self.artifacts,
        }
    }

    /// The record as it is written: for one that was read, exactly what was read.
    pub fn text(&self) -> &str {
        &self.text
    }
}
