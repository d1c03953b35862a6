//! State that is keyed by sample: the same sample again is harmless, another content for it is an
//! error.

use dyno_core::{Annotation, Detection, ImageAnnotation, MetricError, Prediction, SampleIndex};
use std::{
    collections::{BTreeMap, btree_map::Entry},
    hash::{DefaultHasher, Hash, Hasher},
};

/// What is kept of each sample, in sample order.
#[derive(Debug, Clone)]
pub(crate) struct BySample<T>(BTreeMap<SampleIndex, T>);

impl<T> Default for BySample<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: PartialEq> BySample<T> {
    /// Adds a sample.
    pub(crate) fn insert(&mut self, sample: SampleIndex, value: T) -> Result<(), MetricError> {
        match self.0.entry(sample) {
            Entry::Vacant(slot) => {
                slot.insert(value);
                Ok(())
            }
            Entry::Occupied(slot) if *slot.get() == value => Ok(()),
            Entry::Occupied(_) => Err(MetricError::Conflict { sample }),
        }
    }

    /// Adds what another state holds. After a conflict the samples before it have been added.
    pub(crate) fn merge(&mut self, other: Self) -> Result<(), MetricError> {
        other
            .0
            .into_iter()
            .try_for_each(|(sample, value)| self.insert(sample, value))
    }

    /// The samples, rising.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (SampleIndex, &T)> {
        self.0.iter().map(|(&sample, value)| (sample, value))
    }

    /// Number of samples.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// What came of one image, with a hash of what went in: two images with one outcome are told apart
/// without keeping them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Matched<T> {
    content: u64,
    pub(crate) outcome: T,
}

/// AP at an overlap of 0.5 up to this is at chance: outputs of a detector read in the wrong order
/// score about 0.0002 (nanodet), the poorest real one 0.13.
pub(crate) const CHANCE_AP50: f64 = 0.005;

/// Images below which an AP near zero accuses nobody.
pub(crate) const CHANCE_SAMPLES: u64 = 10;

/// An image with what was found in it; all numbers are finite, all classes of the truth exist.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DetectedImage<'a> {
    pub(crate) truth: &'a ImageAnnotation,
    pub(crate) detections: &'a [Detection],
}

impl<'a> DetectedImage<'a> {
    /// Checks kinds and numbers.
    pub(crate) fn new(
        metric: &'static str,
        classes: usize,
        sample: SampleIndex,
        prediction: &'a Prediction,
        annotation: &'a Annotation,
    ) -> Result<Self, MetricError> {
        let (Prediction::Detections(detections), Annotation::Objects(truth)) =
            (prediction, annotation)
        else {
            return Err(MetricError::Kind {
                metric,
                needs: "detections and annotated objects",
            });
        };
        let refuse = |what: String| {
            Err(MetricError::Engine {
                metric,
                reason: format!("sample {}: {what}", sample.0),
            })
        };
        for object in &truth.objects {
            let b = object.bbox;
            if !(b.x.is_finite()
                && b.y.is_finite()
                && b.w.is_finite()
                && b.h.is_finite()
                && object.area.is_finite())
            {
                return refuse(format!(
                    "object {} has a number that is not finite",
                    object.id
                ));
            }
            if object.label.index() >= classes {
                return refuse(format!(
                    "object {} is of class {}, and the dataset has {classes}",
                    object.id, object.label.0
                ));
            }
        }
        if let Some(at) = detections
            .iter()
            .position(|d| !d.bbox.is_finite() || !d.score.is_finite())
        {
            return refuse(format!("detection {at} has a number that is not finite"));
        }
        Ok(Self { truth, detections })
    }

    /// The outcome of matching with the hash of this image.
    pub(crate) fn matched<T>(&self, outcome: T) -> Matched<T> {
        let mut hasher = DefaultHasher::new();
        let truth = self.truth;
        (truth.image_id, truth.width, truth.height).hash(&mut hasher);
        truth.objects.len().hash(&mut hasher);
        for o in &truth.objects {
            let numbers = [o.bbox.x, o.bbox.y, o.bbox.w, o.bbox.h, o.area].map(f64::to_bits);
            (o.id, o.label, numbers).hash(&mut hasher);
            (o.iscrowd, o.difficult, o.truncated).hash(&mut hasher);
        }
        self.detections.len().hash(&mut hasher);
        for d in self.detections {
            let corners = [d.bbox.x1, d.bbox.y1, d.bbox.x2, d.bbox.y2].map(f64::to_bits);
            (d.label, d.score.to_bits(), corners).hash(&mut hasher);
        }
        Matched {
            content: hasher.finish(),
            outcome,
        }
    }
}
