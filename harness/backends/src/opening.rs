//! What opening a model begins with, in every engine that reads ONNX files: the configuration, the
//! bytes, what the file declares, concrete shapes, the chosen outputs, and the facts. What follows
//! is the engine's own compilation.

use crate::{
    config::{check_cpu, select_outputs},
    guard::guard,
    io::resolve_shapes,
};
use dyno_core::{BackendError, DType, ExecutionFacts, IoSpec, ModelSource, OpenConfig, Precision};
use dyno_formats::{
    FormatError,
    onnx::{GraphFacts, OnnxFile},
};
use std::borrow::Cow;

/// What this file must know of an engine.
pub(crate) struct Traits {
    /// Id of the backend.
    pub(crate) id: &'static str,
    /// Library and version.
    pub(crate) library: String,
    /// Keys of [`OpenConfig::settings`] that it knows.
    pub(crate) settings: &'static [&'static str],
    /// Element types of inputs that it cannot hold.
    pub(crate) lacks: &'static [DType],
}

/// A model that may be compiled.
pub(crate) struct Opening<'a> {
    id: &'static str,
    /// The whole model, weights of other files included. Engines get these bytes, never the path:
    /// what was checked is what runs.
    pub(crate) bytes: Cow<'a, [u8]>,
    /// What the file declares.
    pub(crate) graph: GraphFacts,
    /// Concrete shapes of the inputs, in the file's order.
    pub(crate) shapes: Vec<Vec<usize>>,
    /// Positions of the outputs to fetch, in the order asked for.
    #[cfg(feature = "tract")]
    pub(crate) chosen: Vec<usize>,
    /// Inputs and chosen outputs.
    pub(crate) io: IoSpec,
    /// What will run.
    pub(crate) facts: ExecutionFacts,
}

impl<'a> Opening<'a> {
    /// Reads and checks everything that does not need the engine.
    ///
    /// # Errors
    /// [`BackendError::Unsupported`] for a configuration that cannot be honoured,
    /// [`BackendError::Load`] for a file that is no model.
    pub(crate) fn begin(
        engine: Traits,
        model: &'a ModelSource,
        config: &OpenConfig,
    ) -> Result<Self, BackendError> {
        let id = engine.id;
        check_cpu(id, config, engine.settings)?;
        let load = |e: FormatError| BackendError::Load {
            backend: id,
            reason: e.to_string(),
        };
        let OnnxFile {
            bytes,
            facts: graph,
        } = OnnxFile::read(model).map_err(load)?;
        check_precision(id, config, graph.precision)?;
        let shapes = resolve_shapes(id, &graph.inputs, config)?;
        let chosen = select_outputs(id, config, &graph.output_names())?;
        if let Some(info) = graph
            .inputs
            .iter()
            .find(|i| engine.lacks.contains(&i.dtype))
        {
            return Err(BackendError::Unsupported {
                backend: id,
                what: format!("input `{}` of type {}", info.name, info.dtype),
            });
        }
        let io = graph.io(&shapes, &chosen).map_err(load)?;
        let names = io.inputs.iter().map(|i| i.name.clone());
        let facts = ExecutionFacts {
            backend: id.to_owned(),
            library: engine.library,
            device: "cpu".to_owned(),
            providers: Vec::new(),
            precision: graph.precision.to_owned(),
            threads: config.threads,
            batch: config.batch,
            shapes: names.zip(shapes.iter().cloned()).collect(),
            settings: config.settings.clone(),
        };
        Ok(Self {
            id,
            bytes,
            graph,
            shapes,
            #[cfg(feature = "tract")]
            chosen,
            io,
            facts,
        })
    }

    /// Runs a step of the engine's compilation; what it says, or the message of its panic, becomes
    /// [`BackendError::Load`].
    pub(crate) fn compile<T>(
        &mut self,
        step: impl FnOnce(&mut Self) -> Result<T, String>,
    ) -> Result<T, BackendError> {
        guard(|| step(self)).map_err(|reason| BackendError::Load {
            backend: self.id,
            reason,
        })
    }
}

/// Refuses an arithmetic that is not the file's own. What remains is the file's, unchanged.
fn check_precision(
    backend: &'static str,
    config: &OpenConfig,
    file: &str,
) -> Result<(), BackendError> {
    match config.precision {
        Precision::Native => Ok(()),
        Precision::F32 if file == "f32" => Ok(()),
        other => Err(BackendError::Unsupported {
            backend,
            what: format!("precision `{other}` for a model in {file} (there is: native)"),
        }),
    }
}
