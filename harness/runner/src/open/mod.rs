//! Opening what a plan names: model, dataset, decoder. [`open_model`] is the one place that opens
//! engines.

mod import;
mod model;
mod plan;

pub use model::{OpenedModel, model_source, open_model};
pub(crate) use plan::{Open, dataset, decoder, model, opened, thresholds};
