//! State that is keyed by sample: the same sample again is harmless, another content for it is an
//! error.

use dyno_core::{Annotation, Detection, ImageAnnotation, MetricError, Prediction, SampleIndex};
use std::collections::{BTreeMap, btree_map::Entry};

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

/// AP at an overlap of 0.5 up to this is at chance: outputs of a detector read in the wrong order
/// score about 0.0002 (nanodet), the poorest real one 0.13.
pub(crate) const CHANCE_AP50: f64 = 0.005;

/// Images below which an AP near zero accuses nobody.
pub(crate) const CHANCE_SAMPLES: u64 = 10;

/// An image with what was found in it; all numbers are finite, all classes of the truth exist.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DetectedImage {
    pub(crate) truth: ImageAnnotation,
    pub(crate) detections: Vec<Detection>,
}

impl DetectedImage {
    /// Checks kinds and numbers. Detections of classes that the dataset does not have are left out:
    /// nothing could match them, and no mean counts them.
    pub(crate) fn new(
        metric: &'static str,
        classes: usize,
        sample: SampleIndex,
        prediction: &Prediction,
        annotation: &Annotation,
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
        let detections = detections
            .iter()
            .copied()
            .filter(|d| d.label.index() < classes)
            .collect();
        Ok(Self {
            truth: truth.clone(),
            detections,
        })
    }
}
