//! The recipe that fills in what a model does not say.

use crate::{ask::Asking, environment::Environment, error::PlanError, request::RunRequest};
use dyno_core::{Dimension, InputSpec, IoSpec, Recipe, RecipeFit, ResolvedRecipe, TensorInfo};
use dyno_registry::ResolvedModel;

/// A recipe applied to the model.
pub(crate) struct Filled {
    /// Row of the table.
    pub(crate) name: String,
    /// Nobody named it: it is the only one that fits.
    pub(crate) assumed: bool,
    /// What it says.
    pub(crate) says: ResolvedRecipe,
}

/// A shape for people: `1x3x224x224`, `?` for what is open.
fn shape(dimensions: &[Dimension]) -> String {
    let texts: Vec<String> = dimensions.iter().map(ToString::to_string).collect();
    texts.join("x")
}

/// Names with shapes, for people.
pub(crate) fn tensors(infos: &[TensorInfo]) -> String {
    let texts: Vec<String> = infos
        .iter()
        .map(|o| format!("{} [{}]", o.name, shape(&o.shape)))
        .collect();
    texts.join(", ")
}

/// Somebody says how pixels become an input.
pub(crate) fn has_steps(inputs: &[InputSpec]) -> bool {
    inputs.iter().any(|i| !i.preprocess.is_empty())
}

/// The recipe of the run: the one that request or model name, else the only one that fits; `None`
/// for a model that says everything itself and names none.
///
/// # Errors
/// When request and model name different ones, the named one does not fit or has nothing to add,
/// or none or several fit.
pub(crate) fn fill(
    request: &RunRequest,
    environment: &Environment<'_>,
    model: &ResolvedModel,
    asking: &Asking<'_>,
) -> Result<Option<Filled>, PlanError> {
    let spec = &model.spec;
    let named = match (&request.recipe, &spec.recipe) {
        (Some(flag), Some(file)) if flag != file => {
            return Err(PlanError::usage(
                format!("--recipe says `{flag}`, the model's own description says `{file}`"),
                "leave --recipe out, or change the description",
            ));
        }
        (flag, file) => flag.as_ref().or(file.as_ref()),
    };
    let says_decoder = spec.decoder.as_ref().is_some_and(|d| d.kind.is_some());
    let complete = says_decoder && has_steps(&spec.inputs);
    let complete_with_import = !complete && named.is_none() && {
        let import = asking.says()?;
        let steps = import.and_then(|i| i.inputs.as_deref()).unwrap_or_default();
        (says_decoder || import.is_some_and(|i| i.decoder.is_some()))
            && (has_steps(&spec.inputs) || has_steps(steps))
    };
    let recipe = match named {
        Some(name) => environment.tables.recipe(name)?,
        None if complete || complete_with_import => return Ok(None),
        None => assume(
            environment.tables.recipes,
            &model.reference,
            &asking.answer()?.io,
        )?,
    };
    if complete && spec.recipe.is_none() {
        // Nothing of the recipe would be used, and the record would name it all the same.
        return Err(PlanError::usage(
            format!(
                "`{}` describes its own preprocessing and decoder, so --recipe {} has nothing to add",
                model.reference,
                recipe.name()
            ),
            "leave --recipe out, or change the description",
        ));
    }
    let says = recipe
        .resolve(&asking.answer()?.io)
        .map_err(|source| PlanError::Recipe {
            recipe: recipe.name().to_owned(),
            model: model.reference.clone(),
            source,
        })?;
    Ok(Some(Filled {
        name: recipe.name().to_owned(),
        assumed: named.is_none(),
        says,
    }))
}

/// The only recipe whose kind of model has such outputs.
///
/// # Errors
/// When none or several have, with those that could be meant.
fn assume(
    recipes: &[&'static dyn Recipe],
    reference: &str,
    io: &IoSpec,
) -> Result<&'static dyn Recipe, PlanError> {
    let of = |wanted: RecipeFit| -> Vec<&'static dyn Recipe> {
        let fitting = recipes.iter().filter(|r| r.fit(io) == wanted);
        fitting.copied().collect()
    };
    let names = |recipes: &[&'static dyn Recipe]| -> Vec<String> {
        recipes.iter().map(|r| r.name().to_owned()).collect()
    };
    match of(RecipeFit::Recognised).as_slice() {
        [one] => Ok(*one),
        // What a classifier gives says nothing of its preprocessing, so none is taken; those that
        // could be meant are named.
        [] => Err(PlanError::NoRecipe {
            model: reference.to_owned(),
            outputs: tensors(&io.outputs),
            possible: names(&of(RecipeFit::Possible)),
        }),
        several => Err(PlanError::Recipes {
            model: reference.to_owned(),
            fitting: names(several),
        }),
    }
}
