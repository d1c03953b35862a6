//! What the load generator drives: a slot of an open model with its samples and decoders.

use super::{
    compare::{Comparison, difference},
    library::{Content, Library},
};
use crate::{
    outputs::{not_finite, sha256, views},
    prepare::Preparer,
};
use dyno_core::{Decoder, Geometry, Prediction, Slot, TensorInfo, TensorSet, Timed};
use dyno_load::{After, Stages, Work, WorkError};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Instant,
};

/// Positions of the stages, and their names in the order in which they happen.
pub(super) const STAGES: [&str; 6] = [
    "decode-image",
    "preprocess",
    "host-to-device",
    "engine",
    "device-to-host",
    "decode-outputs",
];
const DECODE_IMAGE: usize = 0;
const PREPROCESS: usize = 1;
const HOST_TO_DEVICE: usize = 2;
const ENGINE: usize = 3;
const DEVICE_TO_HOST: usize = 4;
const DECODE_OUTPUTS: usize = 5;

/// What the slots of one measurement share.
pub(super) struct Shared {
    pub(super) library: Library,
    pub(super) timed: Timed,
    pub(super) batch: usize,
    pub(super) outputs: Vec<TensorInfo>,
    /// Names of the samples, by position in the sample set, of the library.
    pub(super) ids: Vec<(usize, String)>,
    /// Absent when no accuracy run of the same plan says what is right.
    pub(super) comparison: Option<Comparison>,
}

impl Shared {
    fn id(&self, position: usize) -> &str {
        let found = self.ids.iter().find(|(at, _)| *at == position);
        found.map_or("?", |(_, id)| id)
    }

    /// The samples of an entry, for people.
    pub(super) fn names(&self, entry: u32) -> String {
        let entry = self.library.entries.get(entry as usize);
        let ids: Vec<String> = entry
            .map(|e| e.positions.as_slice())
            .unwrap_or_default()
            .iter()
            .map(|at| format!("`{}`", self.id(*at)))
            .collect();
        ids.join(", ")
    }
}

/// Encoded images on their way.
pub(super) struct EndToEnd {
    pub(super) preparer: Preparer,
    pub(super) set: TensorSet,
    pub(super) geometries: Vec<Geometry>,
}

/// One slot with everything that belongs to its thread.
pub(super) struct SlotWork {
    pub(super) shared: Arc<Shared>,
    pub(super) slot: Box<dyn Slot>,
    /// With the thresholds of deployment; absent where nothing is decoded.
    pub(super) decoder: Option<Box<dyn Decoder>>,
    /// With the thresholds of evaluation: those that the accuracy run decoded with.
    pub(super) evaluate: Option<Box<dyn Decoder>>,
    pub(super) end_to_end: Option<EndToEnd>,
    pub(super) predictions: Vec<Prediction>,
    /// The entry in hand, for the watchdog.
    pub(super) in_hand: Arc<AtomicU32>,
}

impl Work for SlotWork {
    fn run(&mut self, sample: u32, _query: u64) -> Result<Stages, WorkError> {
        self.in_hand.store(sample, Ordering::Relaxed);
        let entry = self
            .shared
            .library
            .entries
            .get(sample as usize)
            .ok_or_else(|| WorkError::new("the library has no such entry"))?;
        let mut stages = Stages::NONE;
        let (set, geometries) = match (&entry.content, &mut self.end_to_end) {
            (Content::Prepared { set, geometries }, _) => (set, geometries.as_slice()),
            (Content::Encoded(samples), Some(way)) => {
                way.geometries.clear();
                let (mut decode, mut preprocess) = (0, 0);
                for (item, sample) in samples.iter().enumerate() {
                    let prepared = way
                        .preparer
                        .prepare(sample, item, &mut way.set)
                        .map_err(WorkError::new)?;
                    way.geometries.push(prepared.geometry);
                    decode += prepared.times.decode_ns;
                    preprocess += prepared.times.preprocess_ns;
                }
                stages = stages
                    .with(DECODE_IMAGE, decode)
                    .with(PREPROCESS, preprocess);
                (&way.set, way.geometries.as_slice())
            }
            (Content::Encoded(_), None) => {
                return Err(WorkError::new("the slot has no way from encoded images"));
            }
        };
        let engine = self.slot.run(set).map_err(WorkError::new)?;
        for (at, ns) in [
            (HOST_TO_DEVICE, engine.host_to_device_ns),
            (ENGINE, engine.engine_ns),
            (DEVICE_TO_HOST, engine.device_to_host_ns),
        ] {
            if let Some(ns) = ns {
                stages = stages.with(at, ns);
            }
        }
        if self.shared.timed == Timed::Engine {
            return Ok(stages);
        }
        let Some(decoder) = &mut self.decoder else {
            return Ok(stages);
        };
        let start = Instant::now();
        self.predictions.clear();
        let views = views(self.slot.as_ref(), self.shared.outputs.len());
        decoder
            .decode(&views, geometries, &mut self.predictions)
            .map_err(WorkError::new)?;
        Ok(stages.with(DECODE_OUTPUTS, start.elapsed().as_nanos() as u64))
    }

    fn after(&mut self, sample: u32, query: u64) -> Result<After, WorkError> {
        let shared = Arc::clone(&self.shared);
        let views = views(self.slot.as_ref(), shared.outputs.len());
        let wrong = not_finite(&views, &shared.outputs, shared.batch, 1);
        if let Some(Some(words)) = wrong.into_iter().next() {
            return Err(WorkError::new(words));
        }
        drop(views);
        if let Some(comparison) = &shared.comparison
            && comparison.chooses(query)
        {
            self.compare(comparison, sample)?;
        }
        Ok(After::Something)
    }
}

impl SlotWork {
    /// Compares the outputs of the query that has just ended.
    fn compare(&mut self, comparison: &Comparison, sample: u32) -> Result<(), WorkError> {
        let shared = Arc::clone(&self.shared);
        let Some(entry) = shared.library.entries.get(sample as usize) else {
            return Ok(());
        };
        let views = views(self.slot.as_ref(), shared.outputs.len());
        let mut decoded: Option<Vec<Prediction>> = None;
        let mut compared = false;
        let mut different = None;
        for (item, position) in entry.positions.iter().enumerate() {
            let Some(expected) = comparison.expected(*position) else {
                continue;
            };
            compared = true;
            let found = sha256(&views, item, shared.batch);
            if found.is_some() && found == expected.outputs_sha256 {
                continue;
            }
            let both = found.is_some() && expected.outputs_sha256.is_some();
            if both && expected.exact {
                different = Some(format!("`{}`: other bits", shared.id(*position)));
                break;
            }
            if decoded.is_none() {
                let geometries = match (&entry.content, &self.end_to_end) {
                    (Content::Prepared { geometries, .. }, _) => geometries.as_slice(),
                    (Content::Encoded(_), Some(way)) => way.geometries.as_slice(),
                    (Content::Encoded(_), None) => &[],
                };
                let mut predictions = Vec::new();
                if let Some(decoder) = &mut self.evaluate {
                    decoder
                        .decode(&views, geometries, &mut predictions)
                        .map_err(WorkError::new)?;
                }
                decoded = Some(predictions);
            }
            let prediction = decoded.as_deref().and_then(|p| p.get(item));
            different = match prediction {
                Some(prediction) => difference(&expected.prediction, prediction),
                None => Some("no prediction".to_owned()),
            };
            if let Some(words) = &different {
                different = Some(format!("`{}`: {words}", shared.id(*position)));
                break;
            }
        }
        if compared {
            comparison.count(different);
        }
        Ok(())
    }
}
