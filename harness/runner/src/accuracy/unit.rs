//! One unit of work: the samples of one run of the engine, from file to predictions.

use crate::{
    context::Context,
    error::RunError,
    guard::of_sample,
    open,
    outputs::{not_finite, sha256, views},
    prepare::{Prepared, Preparer, chain, orientation},
    results::Times,
    sample::Samples,
};
use crossbeam_channel::{Receiver, Sender};
use dyno_core::{
    Decoder, Geometry, Model, Prediction, SampleResult, Slot, TensorInfo, TensorSet, TensorView,
    ThresholdSet, sha256_hex,
};
use std::{
    collections::BTreeSet,
    ops::Range,
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

/// Neighbouring samples of one shard that run as one batch.
pub(super) struct Unit {
    /// Number of the shard.
    pub(super) shard: u32,
    /// The samples, by their position in the set.
    pub(super) positions: Range<usize>,
}

/// What became of a unit.
pub(super) struct UnitDone {
    pub(super) shard: u32,
    pub(super) results: Vec<SampleResult>,
    pub(super) times: Times,
}

/// A unit whose tensors are ready. Samples that failed are results already.
pub(super) struct LoadedUnit {
    set: TensorSet,
    geometries: Vec<Geometry>,
    /// Per geometry, the sample's place in `results`.
    places: Vec<usize>,
    results: Vec<SampleResult>,
    host_ns: u64,
}

/// What the threads of one run of an open model share.
pub(super) struct Shared<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) model: &'a dyn Model,
    pub(super) samples: Samples<'a>,
    pub(super) batch: u32,
    /// Positions of samples whose input tensors are hashed.
    pub(super) hashed: Range<usize>,
    /// Positions of samples whose output tensors are hashed.
    pub(super) compared: &'a BTreeSet<usize>,
    /// Pictures with an orientation that is not applied.
    pub(super) turned: AtomicU64,
}

impl Shared<'_> {
    pub(super) fn preparer(&self) -> Result<Preparer, RunError> {
        Preparer::new(
            &self.context.plan.spec.model.inputs,
            self.model.io(),
            self.batch,
            orientation(self.context.dataset),
        )
    }

    pub(super) fn new_set(&self, preparer: &Preparer) -> Result<TensorSet, RunError> {
        self.context.engine(
            || "while it gave memory for tensors".to_owned(),
            || preparer.new_set(self.model),
        )
    }

    fn decoder(&self, network_size: [u32; 2]) -> Result<Option<Box<dyn Decoder>>, RunError> {
        let evaluate = ThresholdSet::Evaluate;
        open::decoder(self.context, self.model.io(), network_size, evaluate)
    }
}

/// Reads and prepares samples.
pub(super) struct Loader<'a> {
    shared: &'a Shared<'a>,
    preparer: Preparer,
    /// Tensors that came back.
    spare: Receiver<TensorSet>,
}

impl<'a> Loader<'a> {
    pub(super) fn new(
        shared: &'a Shared<'a>,
        spare: Receiver<TensorSet>,
    ) -> Result<Self, RunError> {
        Ok(Self {
            shared,
            preparer: shared.preparer()?,
            spare,
        })
    }

    /// # Errors
    /// When the bytes of a sample are not those of the plan, or the engine gives no memory. A
    /// sample that fails is a result.
    pub(super) fn load(&mut self, unit: &Unit) -> Result<LoadedUnit, RunError> {
        let mut set = match self.spare.try_recv() {
            Ok(set) => set,
            Err(_) => self.shared.new_set(&self.preparer)?,
        };
        let start = Instant::now();
        let (mut geometries, mut places) = (Vec::new(), Vec::new());
        let mut results = Vec::with_capacity(unit.positions.len());
        for position in unit.positions.clone() {
            let mut result = self.nothing_yet(position)?;
            let item = geometries.len();
            match self.prepare(position, item, &mut set)? {
                Ok(prepared) => {
                    if self.shared.hashed.contains(&position) {
                        result.tensor_sha256 = Some(hash(&set, item));
                    }
                    places.push(results.len());
                    geometries.push(prepared.geometry);
                }
                Err(words) => result.error = Some(words),
            }
            results.push(result);
        }
        Ok(LoadedUnit {
            set,
            geometries,
            places,
            results,
            host_ns: start.elapsed().as_nanos() as u64,
        })
    }

    fn nothing_yet(&self, position: usize) -> Result<SampleResult, RunError> {
        let indices = &self.shared.context.plan.bindings.sample_set.samples;
        let index = indices.get(position).copied().ok_or_else(|| {
            RunError::Internal(format!("the sample set has no position {position}"))
        })?;
        Ok(SampleResult {
            index,
            id: self.shared.samples.id(position),
            prediction: None,
            error: None,
            tensor_sha256: None,
            outputs_sha256: None,
        })
    }

    /// The inner error is the sample's own.
    fn prepare(
        &mut self,
        position: usize,
        item: usize,
        set: &mut TensorSet,
    ) -> Result<Result<Prepared, String>, RunError> {
        let samples = &self.shared.samples;
        let sample = match samples.load(position)? {
            Ok(sample) => sample,
            Err(words) => return Ok(Err(words)),
        };
        if samples.ignores_orientation(&sample) {
            self.shared.turned.fetch_add(1, Ordering::Relaxed);
        }
        let prepared = match of_sample(|| self.preparer.prepare(&sample, item, set)) {
            Ok(prepared) => prepared,
            Err(panic) => {
                // What a panic leaves in its buffers belongs to no sample.
                self.preparer = self.shared.preparer()?;
                Err(panic)
            }
        };
        Ok(prepared.and_then(|prepared| {
            if let Some(size) = prepared.image_size {
                samples.check_size(position, size)?;
            }
            Ok(prepared)
        }))
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
pub(super) struct Runner<'a> {
    shared: &'a Shared<'a>,
    slot: Box<dyn Slot>,
    decoder: Box<dyn Decoder>,
    network_size: [u32; 2],
    outputs: &'a [TensorInfo],
    give_back: Sender<TensorSet>,
}

impl<'a> Runner<'a> {
    /// A slot of the model, run once on zeros: engines allocate and compile late.
    pub(super) fn warm(
        shared: &'a Shared<'a>,
        give_back: Sender<TensorSet>,
    ) -> Result<Self, RunError> {
        let preparer = shared.preparer()?;
        let network_size = preparer.network_size();
        let decoder = shared.decoder(network_size)?.ok_or_else(|| {
            RunError::Plan("accuracy needs a decoder, the plan's model has none".to_owned())
        })?;
        let zeros = shared.new_set(&preparer)?;
        let mut slot = shared.context.engine(
            || "while it made a slot".to_owned(),
            || Ok(shared.model.slot()?),
        )?;
        shared.context.engine(
            || "in its first run".to_owned(),
            || Ok(slot.run(&zeros).map(|_| ())?),
        )?;
        // Whoever loads has gone only when the run ends.
        let _ = give_back.send(zeros);
        Ok(Self {
            shared,
            slot,
            decoder,
            network_size,
            outputs: &shared.model.io().outputs,
            give_back,
        })
    }

    /// The unit's predictions; its tensors go back to whoever loads.
    ///
    /// # Errors
    /// When the engine panics or is overdue, or the decoder refuses the outputs. A run that fails
    /// makes its samples results with an error.
    pub(super) fn run(&mut self, loaded: LoadedUnit, unit: &Unit) -> Result<UnitDone, RunError> {
        let LoadedUnit {
            set,
            geometries,
            places,
            mut results,
            host_ns,
        } = loaded;
        let mut times = Times {
            engine_ns: 0,
            host_ns,
        };
        if !geometries.is_empty() {
            let start = Instant::now();
            let slot = &mut self.slot;
            let ran = self.shared.context.engine(
                || {
                    let ids: Vec<&str> = results.iter().map(|r| r.id.as_str()).collect();
                    format!("while it ran `{}`", ids.join("`, `"))
                },
                || Ok(slot.run(&set)),
            )?;
            times.engine_ns = start.elapsed().as_nanos() as u64;
            let start = Instant::now();
            match ran {
                Ok(_) => self.read(&geometries, &places, &mut results, &unit.positions)?,
                Err(error) => fail(&places, &mut results, &chain(&error)),
            }
            times.host_ns += start.elapsed().as_nanos() as u64;
        }
        // Whoever loads has gone only when the run ends.
        let _ = self.give_back.send(set);
        Ok(UnitDone {
            shard: unit.shard,
            results,
            times,
        })
    }

    /// Reads the outputs of the last run into `results`.
    fn read(
        &mut self,
        geometries: &[Geometry],
        places: &[usize],
        results: &mut [SampleResult],
        positions: &Range<usize>,
    ) -> Result<(), RunError> {
        let batch = self.shared.batch as usize;
        let views = views(self.slot.as_ref(), self.outputs.len());
        let mut predictions: Vec<Prediction> = Vec::with_capacity(geometries.len());
        let decoder = &mut self.decoder;
        let decoded = of_sample(|| Ok(decoder.decode(&views, geometries, &mut predictions)));
        match decoded.and_then(|inner| inner) {
            Ok(decoded) => decoded?,
            Err(panic) => {
                fail(places, results, &panic);
                let fresh = self.shared.decoder(self.network_size)?;
                self.decoder = fresh.ok_or_else(|| {
                    RunError::Internal("the decoder cannot be built twice".to_owned())
                })?;
                return Ok(());
            }
        }
        let wrong = not_finite(&views, self.outputs, batch, geometries.len());
        let answers = places.iter().zip(predictions).zip(wrong).enumerate();
        for (item, ((place, prediction), wrong)) in answers {
            let Some(result) = results.get_mut(*place) else {
                continue;
            };
            if let Some(words) = wrong {
                result.error = Some(words);
                continue;
            }
            result.prediction = Some(prediction);
            if self.shared.compared.contains(&(positions.start + place)) {
                result.outputs_sha256 = sha256(&views, item, batch);
            }
        }
        Ok(())
    }
}

fn fail(places: &[usize], results: &mut [SampleResult], words: &str) {
    for place in places {
        if let Some(result) = results.get_mut(*place) {
            result.error = Some(words.to_owned());
        }
    }
}
