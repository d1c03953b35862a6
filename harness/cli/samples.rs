//! Data sets and their samples for the planner.

use dyno_core::{Dataset, DatasetError, DatasetRequest, SampleSet, TensorInfo};
use dyno_datasets::HashCache;
use dyno_planner::Samples;
use std::{collections::BTreeMap, path::PathBuf};

/// Takes samples with hashes that were taken before.
pub(crate) struct Taker<'a>(pub(crate) &'a HashCache);

impl Samples for Taker<'_> {
    fn parse(&self, text: &str) -> Result<DatasetRequest, DatasetError> {
        dyno_datasets::parse_request(text)
    }

    fn select(
        &self,
        request: &DatasetRequest,
        dataset: &dyn Dataset,
        samples: Option<u32>,
    ) -> Result<SampleSet, DatasetError> {
        dyno_datasets::select(request, dataset, samples, self.0)
    }

    fn stand_in(
        &self,
        inputs: &[TensorInfo],
        files: &BTreeMap<String, PathBuf>,
        count: u32,
        seed: u64,
    ) -> Result<DatasetRequest, DatasetError> {
        dyno_datasets::random::request(inputs, files, count, seed)
    }
}
