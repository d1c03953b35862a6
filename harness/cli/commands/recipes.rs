//! `dyno recipes`.

use crate::{context::Context, exit, output, tables::TABLES};
use dyno_reports::table::{Column, Table};

/// Lists the recipes, or shows one.
///
/// # Errors
/// When there is no recipe of that name.
pub(crate) fn run(name: Option<&str>, context: &Context) -> anyhow::Result<u8> {
    if let Some(name) = name {
        let recipe = TABLES.recipe(name)?;
        output::write(recipe.text().as_bytes(), None)?;
        return Ok(exit::OK);
    }
    let mut table = Table::new(["recipe", "about"].map(Column::text));
    for recipe in TABLES.recipes {
        table.push([recipe.name(), recipe.about()]);
    }
    context.list(&table)?;
    Ok(exit::OK)
}
