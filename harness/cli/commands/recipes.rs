//! `dyno recipes`.

use crate::{
    context::Context,
    exit,
    output::{self, listing},
};

/// Lists the recipes, or shows one.
///
/// # Errors
/// When there is no recipe of that name.
pub(crate) fn run(name: Option<&str>, context: &Context) -> anyhow::Result<u8> {
    if let Some(name) = name {
        let recipe = dyno_vision::recipe(name)?;
        output::write(recipe.text, None)?;
        return Ok(exit::OK);
    }
    let rows: Vec<Vec<String>> = dyno_vision::RECIPES
        .iter()
        .map(|r| vec![r.name.to_owned(), r.about.to_owned()])
        .collect();
    listing(context.format, &["recipe", "about"], &rows)
}
