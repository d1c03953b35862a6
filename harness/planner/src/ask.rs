//! Which engine runs the model, and what it says of it.

use crate::{
    environment::{Answer, EngineError, Environment},
    error::PlanError,
    request::RunRequest,
};
use dyno_core::{
    Backend, Framework, ImportOptions, ImportSays, ModelSource, OpenConfig, QUESTION_SCHEMA,
    Question, Tables,
};
use dyno_registry::ResolvedModel;
use std::cell::OnceCell;

/// The engine of the request, else of the configuration, else the first that runs the framework.
///
/// # Errors
/// When it stands in no table, or does not run the framework: with those that would.
pub(crate) fn engine(
    request: &RunRequest,
    environment: &Environment<'_>,
    framework: Framework,
) -> Result<&'static dyn Backend, PlanError> {
    let tables = environment.tables;
    let Some(name) = request.backend.as_deref().or(environment.backend) else {
        return tables
            .default_backend(framework)
            .ok_or(PlanError::NoEngines { framework });
    };
    let backend = tables.backend(name)?;
    if reads(backend, framework) || imports(tables, backend, framework) {
        return Ok(backend);
    }
    let would = tables.backends_for(framework);
    Err(PlanError::NoEngine {
        backend: backend.id().to_owned(),
        framework,
        would: would.iter().map(|b| b.id().to_owned()).collect(),
    })
}

fn reads(backend: &dyn Backend, framework: Framework) -> bool {
    backend.reads().contains(&framework)
}

/// It reads what the framework's importer makes.
fn imports(tables: &Tables, backend: &dyn Backend, framework: Framework) -> bool {
    reads(backend, Framework::Onnx) && tables.importer(framework).is_some()
}

/// The engine's answer, asked for once, when somebody needs it.
pub(crate) struct Asking<'a> {
    environment: &'a Environment<'a>,
    question: Question,
    imported: bool,
    answer: OnceCell<Answer>,
    /// The same question about the model with its decoding heads in the graph.
    in_graph: OnceCell<Answer>,
}

impl<'a> Asking<'a> {
    /// A question about this model, for this engine.
    pub(crate) fn new(
        request: &RunRequest,
        environment: &'a Environment<'a>,
        backend: &dyn Backend,
        model: &ResolvedModel,
    ) -> Self {
        let imported = !reads(backend, model.framework);
        let weights = model.files.iter().filter(|f| f.role.is_weights());
        let question = Question {
            schema: QUESTION_SCHEMA.to_owned(),
            backend: backend.id().to_owned(),
            source: ModelSource {
                framework: model.framework,
                files: weights.cloned().collect(),
            },
            config: OpenConfig {
                device: request.device.clone(),
                precision: request.precision,
                threads: request.threads.unwrap_or(1).max(1),
                batch: request.batch.max(1),
                slots: 1,
                shapes: request.shapes.clone(),
                outputs: model.spec.outputs.clone(),
                settings: request.settings.clone(),
                import: if imported {
                    ImportOptions {
                        in_graph: false,
                        shapes: request.shapes.clone(),
                        parameters: request.import.clone(),
                    }
                } else {
                    ImportOptions::default()
                },
            },
            cache_dir: environment.cache_dir.map(Into::into),
            engine_timeout_ns: request.engine_timeout_ns,
        };
        Self {
            environment,
            question,
            imported,
            answer: OnceCell::new(),
            in_graph: OnceCell::new(),
        }
    }

    /// The model is not read by the engine itself.
    pub(crate) fn imported(&self) -> bool {
        self.imported
    }

    /// What the files of an imported model say beside the graph.
    ///
    /// # Errors
    /// As [`Self::answer`].
    pub(crate) fn says(&self) -> Result<Option<&ImportSays>, PlanError> {
        if !self.imported {
            return Ok(None);
        }
        Ok(self.answer()?.says.as_ref())
    }

    /// Asks again, for the model with its decoding heads in the graph: whoever reads its outputs
    /// knows them as the framework itself gives them. From here on this is the answer.
    ///
    /// # Errors
    /// As [`Self::answer`].
    pub(crate) fn put_heads_in(&self) -> Result<(), PlanError> {
        if self.in_graph.get().is_none() {
            let mut question = self.question.clone();
            question.config.import.in_graph = true;
            let answer = self.environment.engines.ask(&question)?;
            self.in_graph.get_or_init(|| answer);
        }
        Ok(())
    }

    /// Inputs, outputs and what would run.
    ///
    /// # Errors
    /// When the engine gives none.
    pub(crate) fn answer(&self) -> Result<&Answer, PlanError> {
        if let Some(answer) = self.in_graph.get() {
            return Ok(answer);
        }
        if let Some(answer) = self.answer.get() {
            return Ok(answer);
        }
        let answer = self.environment.engines.ask(&self.question);
        let answer = answer.map_err(|error| self.refused(error))?;
        Ok(self.answer.get_or_init(|| answer))
    }

    /// What an engine that opens the model only without the shapes of the request says of them is a
    /// mistake of the request.
    fn refused(&self, error: EngineError) -> PlanError {
        let mut plain = self.question.clone();
        if std::mem::take(&mut plain.config.shapes).is_empty() {
            return error.into();
        }
        plain.config.import.shapes.clear();
        let Ok(answer) = self.environment.engines.ask(&plain) else {
            return error.into();
        };
        let inputs = answer.io.inputs.iter().map(|input| {
            let shape: Vec<String> = input.shape.iter().map(ToString::to_string).collect();
            format!("{}={}", input.name, shape.join("x"))
        });
        let inputs: Vec<String> = inputs.collect();
        PlanError::usage(
            format!("--shape: {}", error.words()),
            format!("without it the model has {}", inputs.join(", ")),
        )
    }
}
