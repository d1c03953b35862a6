//! What planning needs beside the request: the tables, the machine, and what only crates above can
//! do.

use dyno_core::{
    Dataset, DatasetError, DatasetRequest, ExecutionFacts, ImportFacts, ImportSays, IoSpec,
    Question, SampleSet, Tables, TensorInfo,
};
use dyno_registry::SearchPath;
use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

/// Why an engine gave no answer: what went wrong, outermost first, and the exit code that it
/// deserves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineError {
    message: String,
    cause: Option<Box<Self>>,
    code: u8,
}

impl EngineError {
    /// From an error and its causes, outermost first.
    pub fn new(errors: impl IntoIterator<Item = String>, code: u8) -> Self {
        let errors: Vec<String> = errors.into_iter().collect();
        let mut chain = errors.into_iter().rev().fold(None, |cause, message| {
            Some(Self {
                message,
                cause: cause.map(Box::new),
                code,
            })
        });
        chain.take().unwrap_or_else(|| Self {
            message: "the engine gave no answer".to_owned(),
            cause: None,
            code,
        })
    }

    /// The error and its causes in one line.
    pub(crate) fn words(&self) -> String {
        let cause = self.cause.as_ref().map(|c| format!(": {}", c.words()));
        self.message.clone() + &cause.unwrap_or_default()
    }

    /// 3 when the engine cannot run here, 5 when it failed.
    pub fn code(&self) -> u8 {
        self.code
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for EngineError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause
            .as_deref()
            .map(|c| c as &(dyn std::error::Error + 'static))
    }
}

/// What an engine says of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Its inputs and outputs.
    pub io: IoSpec,
    /// What would run.
    pub facts: ExecutionFacts,
    /// What is put between the model's files and the engine, where it does not read them.
    pub import: Option<ImportFacts>,
    /// What its files said when it was imported.
    pub says: Option<ImportSays>,
}

/// Whoever opens engines: this process, or a child that may die of it.
pub trait Engines {
    /// Opens a model and says what it is.
    ///
    /// # Errors
    /// When the engine, its library or the model are not to be had as asked.
    fn ask(&self, question: &Question) -> Result<Answer, EngineError>;
}

/// Whoever knows data sets.
pub trait Samples {
    /// Reads `KIND:PATH[#SPLIT][,KEY=VALUE…]`.
    ///
    /// # Errors
    /// When the text means nothing.
    fn parse(&self, text: &str) -> Result<DatasetRequest, DatasetError>;
    /// The samples of a run, `samples` of them or all.
    ///
    /// # Errors
    /// When files cannot be read, or there are not so many samples.
    fn select(
        &self,
        request: &DatasetRequest,
        dataset: &dyn Dataset,
        samples: Option<u32>,
    ) -> Result<SampleSet, DatasetError>;
    /// A data set of `count` samples for these inputs, when there is none: seeded random numbers,
    /// or for the inputs that `files` names the content of a file.
    ///
    /// # Errors
    /// When an input has no concrete shape, or a file is named for an input that does not exist.
    fn stand_in(
        &self,
        inputs: &[TensorInfo],
        files: &BTreeMap<String, PathBuf>,
        count: u32,
        seed: u64,
    ) -> Result<DatasetRequest, DatasetError>;
}

/// What planning needs beside the request.
#[derive(Clone, Copy)]
pub struct Environment<'a> {
    /// Everything that exists.
    pub tables: &'a Tables,
    /// Where models are looked for.
    pub search_path: &'a SearchPath,
    /// Folder behind `~`.
    pub home: Option<&'a Path>,
    /// Cores that this process may use.
    pub cores: u32,
    /// Where imported models are kept; absent where none may be.
    pub cache_dir: Option<&'a Path>,
    /// Engine of the configuration, for requests that name none.
    pub backend: Option<&'a str>,
    /// Whoever opens engines.
    pub engines: &'a dyn Engines,
    /// Whoever knows data sets.
    pub samples: &'a dyn Samples,
}
