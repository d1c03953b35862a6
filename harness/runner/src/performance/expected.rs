//! What the accuracy run says of the samples of the library: what timed outputs are compared with.

use crate::{accuracy::Measured, context::Context, error::RunError};
use dyno_core::{Prediction, Shard};
use std::collections::{BTreeMap, BTreeSet};

/// What one sample gave in the accuracy run.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Expected {
    /// sha256 of its raw outputs.
    pub(super) outputs_sha256: Option<String>,
    /// Its prediction with the thresholds of evaluation, class ids being the model's.
    pub(super) prediction: Prediction,
    /// The outputs must be the same bits: the same machine ran it in this very run, with as many
    /// threads and samples a run.
    pub(super) exact: bool,
}

/// By position in the sample set. Samples that failed are not in it.
///
/// # Errors
/// When a shard cannot be read.
pub(super) fn expected(
    context: &Context<'_>,
    measured: &Measured,
    positions: &BTreeSet<usize>,
    same_shape: bool,
) -> Result<BTreeMap<usize, Expected>, RunError> {
    let samples = &context.plan.bindings.sample_set.samples;
    let mut found = BTreeMap::new();
    for (number, artifact) in context.folder.shards()? {
        let shard: Shard =
            serde_json::from_slice(&context.folder.get(&artifact)?).map_err(|e| {
                RunError::Internal(format!("shard `{}` is malformed: {e}", artifact.sha256))
            })?;
        let exact = same_shape && measured.shards.contains(&number);
        for result in shard.results {
            let Ok(position) = samples.binary_search(&result.index) else {
                continue;
            };
            if let Some(prediction) = result.prediction
                && positions.contains(&position)
            {
                let expected = Expected {
                    outputs_sha256: result.outputs_sha256,
                    prediction,
                    exact,
                };
                found.insert(position, expected);
            }
        }
    }
    Ok(found)
}
