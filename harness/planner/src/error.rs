//! Why there is no plan, which exit code that deserves, and what helps.

use crate::environment::EngineError;
use dyno_core::{
    CanonicalError, DatasetError, DecodeError, Framework, LabelMap, MetricError, OverlayError,
    RecipeError, UnknownName,
};
use dyno_registry::RegistryError;

/// The command cannot mean anything.
const USAGE: u8 = 2;
/// Engine, library or device is not here.
const CANNOT_RUN: u8 = 3;
/// Files or engine failed.
const FAILED: u8 = 5;

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// A name stands in no table.
    #[error(transparent)]
    Name(#[from] UnknownName),
    /// The model.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The data set.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A number is not finite.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    /// The engine does not run this framework.
    #[error("{backend} does not run {framework} models{}", would_words(would))]
    NoEngine {
        /// Row that was asked for.
        backend: String,
        /// Framework of the model's files.
        framework: Framework,
        /// Rows that would run it.
        would: Vec<String>,
    },
    /// No engine of this build runs this framework.
    #[error("no engine of this build runs {framework} models")]
    NoEngines {
        /// Framework of the model's files.
        framework: Framework,
    },
    /// A recipe does not fit the model.
    #[error("recipe `{recipe}` does not fit `{model}`")]
    Recipe {
        /// Row of the table.
        recipe: String,
        /// The model.
        model: String,
        /// Why.
        #[source]
        source: RecipeError,
    },
    /// Nothing says how pixels become inputs and outputs become words.
    #[error("no recipe fits the outputs of `{model}`: {outputs}")]
    NoRecipe {
        /// The model.
        model: String,
        /// Its outputs, with shapes.
        outputs: String,
        /// Recipes that its inputs and outputs would allow.
        possible: Vec<String>,
    },
    /// Several recipes are as good as each other.
    #[error("`{model}` says nothing of its preprocessing, and several recipes would fit")]
    Recipes {
        /// The model.
        model: String,
        /// The recipes.
        fitting: Vec<String>,
    },
    /// The decoder does not read the model's outputs, or the list of classes is not theirs.
    #[error("the outputs of `{model}` cannot be read with {labels}")]
    Decode {
        /// The model.
        model: String,
        /// The classes: `the 80 classes of `coco.names``.
        labels: String,
        /// Why.
        #[source]
        source: DecodeError,
    },
    /// What the model says of its decoder is not complete.
    #[error("`{model}` does not say how its outputs are read")]
    Overlay {
        /// The model.
        model: String,
        /// What is missing.
        #[source]
        source: OverlayError,
    },
    /// A metric cannot be built for this data set.
    #[error(transparent)]
    Metric(#[from] MetricError),
    /// What was asked for contradicts itself or the model.
    #[error("{message}")]
    Usage {
        /// What contradicts what.
        message: String,
        /// What helps; empty where nothing general does.
        hint: String,
    },
}

impl PlanError {
    pub(crate) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage {
            message: message.into(),
            hint: hint.into(),
        }
    }

    /// 2 usage · 3 cannot run here · 5 files or engine failed.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NoEngine { .. } | Self::NoEngines { .. } => CANNOT_RUN,
            Self::Engine(error) => error.code(),
            Self::Registry(
                RegistryError::Evidence(_) | RegistryError::Io { .. } | RegistryError::Json { .. },
            ) => FAILED,
            Self::Dataset(error) if !matches!(error, DatasetError::Usage(_)) => FAILED,
            Self::Name(_)
            | Self::Registry(_)
            | Self::Dataset(_)
            | Self::Canonical(_)
            | Self::Recipe { .. }
            | Self::NoRecipe { .. }
            | Self::Recipes { .. }
            | Self::Decode { .. }
            | Self::Overlay { .. }
            | Self::Metric(_)
            | Self::Usage { .. } => USAGE,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        let describe = "describe the model in a dyno.json (`dyno models configure`)";
        match self {
            Self::Usage { hint, .. } => (!hint.is_empty()).then(|| hint.clone()),
            Self::Engine(error) if error.code() == CANNOT_RUN => {
                Some("`dyno doctor` shows what this machine has".to_owned())
            }
            Self::NoEngine { would, .. } => would.first().map(|name| format!("--backend {name}")),
            Self::NoEngines { .. } => {
                Some("`dyno backends list` shows what each engine reads".to_owned())
            }
            Self::NoRecipe { possible, .. } if possible.is_empty() => Some(format!(
                "name a recipe with --recipe (`dyno recipes`), or {describe}"
            )),
            Self::NoRecipe { possible, .. } => Some(format!(
                "--recipe with one that its inputs and outputs allow: {}; or {describe}",
                possible.join(", ")
            )),
            Self::Recipes { fitting, .. } => {
                Some(format!("--recipe with one of: {}", fitting.join(", ")))
            }
            Self::Recipe { .. } => Some("`dyno recipes` says what each is for".to_owned()),
            Self::Decode { .. } => Some(format!(
                "name other classes with --labels (a file with one a line, or one of: {}), or another --recipe",
                LabelMap::BUILTIN.join(", ")
            )),
            Self::Overlay { .. } => {
                Some("give it a recipe: --recipe NAME (`dyno recipes`)".to_owned())
            }
            _ => None,
        }
    }
}

/// What would help, as the end of a sentence.
fn would_words(would: &[String]) -> String {
    match would {
        [] => ", and no engine of this build does".to_owned(),
        names => format!(" (these do: {})", names.join(", ")),
    }
}
