//! What ran, and what had been asked for.

use crate::{
    engine::{ExecutionFacts, Provider},
    importer::ImportFacts,
    source::Precision,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What ran, and what had been asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Execution {
    /// Row of the backend table.
    pub backend: String,
    /// Library and version.
    pub library: String,
    /// Device that ran it.
    pub device: String,
    /// Execution providers or plugins that ran nodes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub providers: Vec<Provider>,
    /// Arithmetic that ran.
    pub precision: String,
    /// Threads of one slot.
    pub threads: u32,
    /// Slots at work at once.
    pub slots: u32,
    /// Samples of one run of the engine.
    pub batch: u32,
    /// Shapes of the inputs by name, the batch included.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub shapes: BTreeMap<String, Vec<usize>>,
    /// Further settings in force.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
    /// Arithmetic that was asked for.
    pub requested: Precision,
    /// What was put between the model's files and the engine, where the engine does not read them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import: Option<ImportFacts>,
}

impl Execution {
    /// From what an open model says.
    pub fn new(
        facts: ExecutionFacts,
        slots: u32,
        requested: Precision,
        import: Option<ImportFacts>,
    ) -> Self {
        Self {
            backend: facts.backend,
            library: facts.library,
            device: facts.device,
            providers: facts.providers,
            precision: facts.precision,
            threads: facts.threads,
            slots,
            batch: facts.batch,
            shapes: facts.shapes,
            settings: facts.settings,
            requested,
            import,
        }
    }

    /// Names of the providers, in their order.
    pub fn provider_names(&self) -> String {
        let names: Vec<&str> = self.providers.iter().map(|p| p.name.as_str()).collect();
        names.join(", ")
    }
}
