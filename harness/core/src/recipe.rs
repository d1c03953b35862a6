//! A recipe: a well-known combination of preprocessing, decoder, thresholds and labels.

use crate::{
    model::{DecoderSpec, InputSpec, Purpose},
    table::Row,
    tensor::IoSpec,
};
use serde::{Deserialize, Serialize};

/// A recipe applied to one model: complete, nothing left to guess.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResolvedRecipe {
    /// What the model is for.
    pub purpose: Purpose,
    /// The inputs with name, element type, layout, shape (batch 1) and steps.
    pub inputs: Vec<InputSpec>,
    /// The decoder.
    pub decoder: DecoderSpec,
    /// The well-known labels; absent when the recipe names none, or the decoder refuses the
    /// outputs with as many classes as the list has.
    pub labels: Option<String>,
}

/// Why a recipe does not apply to a model.
#[derive(Debug, thiserror::Error)]
#[error("recipe `{recipe}`: {reason}")]
pub struct RecipeError {
    /// Row of the table.
    pub recipe: &'static str,
    /// What does not fit.
    pub reason: String,
}

/// How well the outputs of a model agree with a recipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecipeFit {
    /// Inputs or outputs are not such a model's.
    No,
    /// Inputs and outputs could be such a model's, and another's as well.
    Possible,
    /// Only such a model has these outputs: where exactly one recipe says so, a planner may assume
    /// it and say so.
    Recognised,
}

/// A row of the recipe table.
pub trait Recipe: Send + Sync {
    /// Kebab-case name, unique in the table.
    fn name(&self) -> &'static str;
    /// One line for people: which models it is for.
    fn about(&self) -> &'static str;
    /// The whole recipe as it is written down, JSON, for people who describe a model of their own.
    fn text(&self) -> &'static str;
    /// The recipe as it applies to a model with these inputs and outputs.
    ///
    /// # Errors
    /// When they are not such a model's.
    fn resolve(&self, io: &IoSpec) -> Result<ResolvedRecipe, RecipeError>;
    /// How well these inputs and outputs fit.
    fn fit(&self, io: &IoSpec) -> RecipeFit;
}

impl Row for dyn Recipe {
    fn name(&self) -> &'static str {
        Recipe::name(self)
    }
}
