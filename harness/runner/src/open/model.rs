//! From a model's files to an open model, through an importer where the engine needs one.

use super::import;
use crate::error::RunError;
use dyno_core::{
    Framework, ImportFacts, ImportSays, Model, ModelFile, ModelSource, OpenConfig, Plan, Tables,
};
use std::{path::Path, sync::Arc};

/// An open model and how it came about.
#[derive(Clone)]
pub struct OpenedModel {
    /// The model.
    pub model: Arc<dyn Model>,
    /// What was put between its files and the engine; absent when the engine reads them itself.
    pub import: Option<ImportFacts>,
    /// What the files said of the model when it was imported.
    pub says: Option<ImportSays>,
}

/// The model's files as an engine gets them (labels and colours are not for engines).
pub fn model_source(plan: &Plan) -> ModelSource {
    let files: Vec<ModelFile> = plan
        .bindings
        .files
        .iter()
        .filter(|f| f.role.is_weights())
        .cloned()
        .collect();
    ModelSource {
        framework: plan.spec.model.framework,
        files,
    }
}

/// Opens a model with the engine `backend`. An engine that does not read the framework gets the
/// ONNX file that the framework's importer makes, kept in `cache_dir` by its hash; without a
/// `cache_dir` it is made in memory each time.
///
/// # Errors
/// When the engine refuses, the importer refuses, or neither reads the framework:
/// [`RunError::NoEngine`] names the engines that would.
pub fn open_model(
    tables: &Tables,
    backend: &str,
    source: &ModelSource,
    config: &OpenConfig,
    cache_dir: Option<&Path>,
) -> Result<OpenedModel, RunError> {
    let engine = tables.backend(backend)?;
    if engine.reads().contains(&source.framework) {
        return Ok(OpenedModel {
            model: engine.open(source, config)?,
            import: None,
            says: None,
        });
    }
    match tables.importer(source.framework) {
        Some(importer) if engine.reads().contains(&Framework::Onnx) => {
            let made = import::to_onnx(importer, source, &config.import, cache_dir)?;
            Ok(OpenedModel {
                model: engine.open(&made.onnx, config)?,
                import: Some(made.facts),
                says: Some(made.says),
            })
        }
        _ => Err(RunError::NoEngine {
            backend: backend.to_owned(),
            framework: source.framework,
            would: tables
                .backends_for(source.framework)
                .iter()
                .map(|b| b.id().to_owned())
                .collect(),
        }),
    }
}
