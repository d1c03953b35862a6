//! The const tables of the other crates, joined by the binary and handed in.

use dyno_core::{Backend, DatasetKind, DecoderKind, MetricKind, Score, UnknownName, lookup};

/// Every table that a run looks names up in.
#[derive(Clone, Copy)]
pub struct Tables {
    /// Engines.
    pub backends: &'static [&'static dyn Backend],
    /// Kinds of datasets.
    pub datasets: &'static [&'static dyn DatasetKind],
    /// Kinds of decoders.
    pub decoders: &'static [&'static dyn DecoderKind],
    /// Kinds of metrics.
    pub metrics: &'static [&'static dyn MetricKind],
    /// Whether scores over this many classes are no better than guessing: what the metrics know and
    /// a run must not.
    pub is_chance: fn(&[Score], usize) -> bool,
}

impl Tables {
    /// The engine called `name`.
    ///
    /// # Errors
    /// With the names that exist.
    pub fn backend(&self, name: &str) -> Result<&'static dyn Backend, UnknownName> {
        lookup("backend", self.backends, name)
    }

    /// The kind of dataset called `name`.
    ///
    /// # Errors
    /// With the names that exist.
    pub fn dataset(&self, name: &str) -> Result<&'static dyn DatasetKind, UnknownName> {
        lookup("dataset", self.datasets, name)
    }

    /// The decoder called `name`.
    ///
    /// # Errors
    /// With the names that exist.
    pub fn decoder(&self, name: &str) -> Result<&'static dyn DecoderKind, UnknownName> {
        lookup("decoder", self.decoders, name)
    }

    /// The metric called `name`.
    ///
    /// # Errors
    /// With the names that exist.
    pub fn metric(&self, name: &str) -> Result<&'static dyn MetricKind, UnknownName> {
        lookup("metric", self.metrics, name)
    }
}
