//! Attributes of a layer: each that is read is remembered, so that one nobody read is an error and
//! not a silently different layer.

use super::Problem;
use dyno_formats::openvino::Layer;
use std::{cell::RefCell, collections::BTreeSet, str::FromStr};

/// Attributes that change nothing of the result, whatever their value.
const HARMLESS: &[&str] = &[
    "auto_broadcast",
    "cacheable",
    "index_element_type",
    "output_type",
    "visualize",
];

pub(super) struct Attributes<'a> {
    layer: &'a Layer,
    read: RefCell<BTreeSet<&'a str>>,
}

impl<'a> Attributes<'a> {
    pub(super) fn new(layer: &'a Layer) -> Self {
        Self {
            layer,
            read: RefCell::default(),
        }
    }

    /// The text of an attribute.
    pub(super) fn text(&self, key: &str) -> Option<&'a str> {
        let (key, value) = self.layer.data.get_key_value(key)?;
        self.read.borrow_mut().insert(key);
        Some(value.trim())
    }

    fn parse<T: FromStr>(key: &str, text: &str) -> Result<T, Problem> {
        text.trim()
            .parse()
            .map_err(|_| format!("attribute `{key}` is no number of its kind: `{text}`"))
    }

    /// A number; `default` when the attribute is not there.
    pub(super) fn number<T: FromStr>(&self, key: &str, default: T) -> Result<T, Problem> {
        self.text(key)
            .map_or(Ok(default), |text| Self::parse(key, text))
    }

    /// A number that must be there.
    pub(super) fn needed<T: FromStr>(&self, key: &str) -> Result<T, Problem> {
        let text = self
            .text(key)
            .ok_or_else(|| format!("attribute `{key}` is missing"))?;
        Self::parse(key, text)
    }

    /// A list of numbers; empty when the attribute is not there or empty.
    pub(super) fn list<T: FromStr>(&self, key: &str) -> Result<Vec<T>, Problem> {
        match self.text(key) {
            None | Some("") => Ok(Vec::new()),
            Some(text) => text.split(',').map(|t| Self::parse(key, t)).collect(),
        }
    }

    /// True or false, in any of the spellings that files have.
    pub(super) fn flag(&self, key: &str, default: bool) -> Result<bool, Problem> {
        match self.text(key) {
            None => Ok(default),
            Some("true" | "True" | "1") => Ok(true),
            Some("false" | "False" | "0") => Ok(false),
            Some(other) => Err(format!(
                "attribute `{key}` is neither true nor false: `{other}`"
            )),
        }
    }

    /// One of a few words; `default` when the attribute is not there.
    pub(super) fn word(&self, key: &str, default: &'static str) -> &'a str {
        self.text(key).unwrap_or(default)
    }

    /// An attribute may have these values only, and then changes nothing.
    pub(super) fn only(&self, key: &str, values: &[&str]) -> Result<(), Problem> {
        match self.text(key) {
            Some(text) if !values.contains(&text) => {
                Err(format!("attribute `{key}` with value `{text}`"))
            }
            _ => Ok(()),
        }
    }

    /// Attributes that nobody read and that may change the result.
    pub(super) fn unread(&self) -> Vec<&'a str> {
        let read = self.read.borrow();
        let keys = self.layer.data.keys().map(String::as_str);
        keys.filter(|k| !read.contains(k) && !HARMLESS.contains(k))
            .collect()
    }
}
