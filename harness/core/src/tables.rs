//! The const tables of the other crates, joined by the binary and handed in.

use crate::{
    backend::Backend,
    dataset::DatasetKind,
    decoder::DecoderKind,
    framework::Framework,
    importer::Importer,
    metric::MetricKind,
    recipe::Recipe,
    table::{UnknownName, lookup},
};

/// Every table that planning and running look names up in.
#[derive(Clone, Copy)]
pub struct Tables {
    /// Engines; the first that computes and reads a framework is that framework's default.
    pub backends: &'static [&'static dyn Backend],
    /// Importers.
    pub importers: &'static [&'static dyn Importer],
    /// Kinds of datasets.
    pub datasets: &'static [&'static dyn DatasetKind],
    /// Kinds of decoders.
    pub decoders: &'static [&'static dyn DecoderKind],
    /// Kinds of metrics.
    pub metrics: &'static [&'static dyn MetricKind],
    /// Recipes.
    pub recipes: &'static [&'static dyn Recipe],
}

impl Tables {
    /// The engine called `name`.
    ///
    /// # Errors
    /// With the names that exist.
    pub fn backend(&self, name: &str) -> Result<&'static dyn Backend, UnknownName> {
        lookup("backend", self.backends, name)
    }

    /// The engine that runs a framework when nobody names one: the first that runs it, by itself
    /// or through its importer. The first are built in, so a model runs without any library.
    pub fn default_backend(&self, framework: Framework) -> Option<&'static dyn Backend> {
        self.backends_for(framework).first().copied()
    }

    /// Engines that run a framework, by themselves or through its importer.
    pub fn backends_for(&self, framework: Framework) -> Vec<&'static dyn Backend> {
        let imported = self.importer(framework).is_some();
        self.backends
            .iter()
            .filter(|b| {
                b.computes()
                    && (b.reads().contains(&framework)
                        || (imported && b.reads().contains(&Framework::Onnx)))
            })
            .copied()
            .collect()
    }

    /// The importer of a framework.
    pub fn importer(&self, framework: Framework) -> Option<&'static dyn Importer> {
        self.importers
            .iter()
            .find(|i| i.framework() == framework)
            .copied()
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

    /// The recipe called `name`.
    ///
    /// # Errors
    /// With the names that exist.
    pub fn recipe(&self, name: &str) -> Result<&'static dyn Recipe, UnknownName> {
        lookup("recipe", self.recipes, name)
    }
}
