//! One unit of work: the samples of one run of the engine, from file to predictions.

use crate::{
    error::RunError,
    prepare::{Preparer, chain},
    results::Times,
};
use dyno_core::{
    Completion, Dataset, Decoder, Geometry, IoSpec, Plan, Prediction, QueryToken, SampleIndex,
    SampleResult, Session, TensorSet, TensorView, sha256_hex,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Neighbouring samples of one shard that run as one batch.
pub(super) struct Unit {
    /// Number of the shard.
    pub(super) shard: u32,
    /// Position of the first sample in the set.
    pub(super) first: usize,
    /// The samples.
    pub(super) samples: Vec<SampleIndex>,
}

/// What became of a unit.
pub(super) struct UnitDone {
    pub(super) shard: u32,
    pub(super) results: Vec<SampleResult>,
    pub(super) times: Times,
}

/// The work that is left: units never reach over the border of a shard.
pub(super) fn units(
    plan: &Plan,
    batch: usize,
    shard_size: usize,
    done: impl Fn(u32) -> bool,
) -> Vec<Unit> {
    let mut units = Vec::new();
    for (number, shard) in plan
        .bindings
        .sample_set
        .samples
        .chunks(shard_size)
        .enumerate()
    {
        if done(number as u32) {
            continue;
        }
        for (at, samples) in shard.chunks(batch).enumerate() {
            units.push(Unit {
                shard: number as u32,
                first: number * shard_size + at * batch,
                samples: samples.to_vec(),
            });
        }
    }
    units
}

/// A unit whose tensors are ready. Samples that failed are results already.
pub(super) struct LoadedUnit {
    set: Arc<TensorSet>,
    geometries: Vec<Geometry>,
    /// Per geometry, the sample's place in `results`.
    places: Vec<usize>,
    results: Vec<SampleResult>,
    host_ns: u64,
}

/// Reads and prepares samples.
pub(super) struct Loader {
    preparer: Preparer,
    spare: Option<Arc<TensorSet>>,
    hashed: usize,
}

impl Loader {
    pub(super) fn new(preparer: Preparer, plan: &Plan) -> Result<Self, RunError> {
        let spare = Some(Arc::new(preparer.new_set()?));
        Ok(Self {
            preparer,
            spare,
            hashed: super::HASHED_SAMPLES.min(plan.bindings.sample_set.samples.len()),
        })
    }

    /// A set that nobody else holds.
    fn set(&mut self) -> Result<Arc<TensorSet>, String> {
        if let Some(mut set) = self.spare.take()
            && Arc::get_mut(&mut set).is_some()
        {
            return Ok(set);
        }
        self.preparer.new_set().map(Arc::new).map_err(|e| chain(&e))
    }

    pub(super) fn give_back(&mut self, set: Arc<TensorSet>) {
        self.spare = Some(set);
    }

    pub(super) fn load(&mut self, dataset: &dyn Dataset, unit: &Unit) -> LoadedUnit {
        let start = Instant::now();
        let mut loaded = LoadedUnit {
            set: Arc::new(TensorSet::default()),
            geometries: Vec::new(),
            places: Vec::new(),
            results: Vec::with_capacity(unit.samples.len()),
            host_ns: 0,
        };
        let mut set = self.set();
        for (at, &index) in unit.samples.iter().enumerate() {
            let id = dataset
                .entries()
                .get(index.index())
                .map_or_else(String::new, |e| e.id.clone());
            let mut result = SampleResult {
                index,
                id,
                prediction: None,
                error: None,
                tensor_sha256: None,
            };
            let item = loaded.geometries.len();
            let prepared = match &mut set {
                Ok(set) => match Arc::get_mut(set) {
                    Some(set) => dataset
                        .load(index)
                        .map_err(|e| chain(&e))
                        .and_then(|sample| self.preparer.prepare(&sample, item, set)),
                    None => Err("the tensors are still in use".to_owned()),
                },
                Err(error) => Err(error.clone()),
            };
            match prepared {
                Ok(prepared) => {
                    if unit.first + at < self.hashed
                        && let Ok(set) = &set
                    {
                        result.tensor_sha256 = Some(hash(set, item));
                    }
                    loaded.places.push(loaded.results.len());
                    loaded.geometries.push(prepared.geometry);
                }
                Err(error) => result.error = Some(error),
            }
            loaded.results.push(result);
        }
        if let Ok(set) = set {
            loaded.set = set;
        }
        loaded.host_ns = start.elapsed().as_nanos() as u64;
        loaded
    }
}

/// sha256 over the input tensors of one batch item, before any engine changed layout or type.
fn hash(set: &TensorSet, item: usize) -> String {
    let mut bytes = Vec::new();
    for named in &set.tensors {
        if let Some((shape, data)) = named.tensor.view().batch_item(item)
            && let Ok(view) = TensorView::new(&shape, data)
        {
            bytes.extend_from_slice(&view.to_le_bytes());
        }
    }
    sha256_hex(&bytes)
}

/// Runs prepared samples and decodes the outputs.
pub(super) struct Runner {
    session: Box<dyn Session>,
    decoder: Box<dyn Decoder>,
    outputs: usize,
    completions: Vec<Completion>,
    predictions: Vec<Prediction>,
}

impl Runner {
    pub(super) fn new(
        session: Box<dyn Session>,
        decoder: Box<dyn Decoder>,
        outputs: usize,
    ) -> Self {
        Self {
            session,
            decoder,
            outputs,
            completions: Vec::new(),
            predictions: Vec::new(),
        }
    }

    pub(super) fn io(&self) -> &IoSpec {
        self.session.io()
    }

    pub(super) fn warm_up(&mut self, loader: &mut Loader) -> Result<(), RunError> {
        let set = loader.set().map_err(RunError::Internal)?;
        self.query(&set, QueryToken(u64::MAX))??;
        loader.give_back(set);
        Ok(())
    }

    /// Outer error: the session is gone. Inner: this query failed.
    fn query(
        &mut self,
        set: &Arc<TensorSet>,
        token: QueryToken,
    ) -> Result<Result<u64, dyno_core::BackendError>, RunError> {
        let start = Instant::now();
        self.session.submit(0, set, token)?;
        self.completions.clear();
        while self.completions.is_empty() {
            self.session
                .wait(Duration::from_secs(1), &mut self.completions)?;
        }
        let elapsed = start.elapsed().as_nanos() as u64;
        match self.completions.pop() {
            Some(Completion { result: Ok(_), .. }) => Ok(Ok(elapsed)),
            Some(Completion {
                result: Err(error), ..
            }) => Ok(Err(error)),
            None => Err(RunError::Internal(
                "the session completed nothing".to_owned(),
            )),
        }
    }

    /// The unit's predictions, and its tensors back for the next.
    pub(super) fn run(
        &mut self,
        mut loaded: LoadedUnit,
        unit: &Unit,
        token: QueryToken,
    ) -> Result<(UnitDone, Arc<TensorSet>), RunError> {
        let mut times = Times {
            engine_ns: 0,
            host_ns: loaded.host_ns,
        };
        if !loaded.geometries.is_empty() {
            match self.query(&loaded.set, token)? {
                Ok(engine_ns) => {
                    times.engine_ns = engine_ns;
                    let start = Instant::now();
                    self.predictions.clear();
                    let views: Vec<TensorView<'_>> = (0..self.outputs)
                        .map(|i| self.session.output(0, i))
                        .collect();
                    self.decoder
                        .decode(&views, &loaded.geometries, &mut self.predictions)?;
                    for (place, prediction) in loaded.places.iter().zip(self.predictions.drain(..))
                    {
                        loaded.results[*place].prediction = Some(prediction);
                    }
                    times.host_ns += start.elapsed().as_nanos() as u64;
                }
                Err(error) => {
                    let text = chain(&error);
                    for place in &loaded.places {
                        loaded.results[*place].error = Some(text.clone());
                    }
                }
            }
        }
        Ok((
            UnitDone {
                shard: unit.shard,
                results: loaded.results,
                times,
            },
            loaded.set,
        ))
    }
}
