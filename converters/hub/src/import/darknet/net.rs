//! A model in the making: the layers so far with their shapes, and where the next one stands.

use super::heads::Head;
use crate::graph::{Builder, ElementType, Tensor, Value};
use dyno_core::{Framework, ImportError};
use dyno_formats::{
    FormatError,
    darknet::{Part, Section, Weights},
};
use std::str::FromStr;

/// Most numbers that a layer may give, batch included: bounds what a cfg of a few lines can claim.
const MAX_ELEMENTS: usize = 1 << 31;
/// Greatest number of a geometric setting.
const MAX_SETTING: usize = 1 << 20;

/// What a layer gives: `[N, channels, height, width]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layer {
    /// Name of its value.
    pub(super) value: String,
    pub(super) channels: usize,
    pub(super) height: usize,
    pub(super) width: usize,
}

impl Layer {
    /// Numbers of one picture.
    pub(super) fn len(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// The same value seen with another name.
    pub(super) fn with(&self, value: String) -> Self {
        Self {
            value,
            ..self.clone()
        }
    }
}

/// The number that batch normalization adds to the variance, or to its root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Epsilon {
    /// `sqrt(variance + 1e-5)`.
    Alexeyab,
    /// `sqrt(variance + 1e-6)`.
    Opencv,
    /// `sqrt(variance) + 1e-6`.
    Pjreddie,
}

impl Epsilon {
    /// What a centred value is divided by.
    pub(super) fn deviation(self, variance: f64) -> f64 {
        match self {
            Self::Alexeyab => (variance + 1e-5).sqrt(),
            Self::Opencv => (variance + 1e-6).sqrt(),
            Self::Pjreddie => variance.sqrt() + 1e-6,
        }
    }
}

/// A model in the making.
pub(super) struct Net {
    pub(super) builder: Builder,
    pub(super) weights: Weights,
    pub(super) epsilon: Epsilon,
    /// First axis of every value.
    pub(super) batch: usize,
    /// The input of the model, `data`.
    pub(super) input: Layer,
    /// The layers so far.
    pub(super) layers: Vec<Layer>,
    /// Detection heads so far.
    pub(super) heads: Vec<Head>,
    pub(super) notes: Vec<String>,
    /// Name of the cfg, for messages.
    pub(super) file: String,
}

/// The file and place of an error of the readers.
pub(super) fn from_format(file: &str, error: &FormatError) -> ImportError {
    let reason = match error {
        FormatError::Malformed { place, problem, .. } => format!("{file}, {place}: {problem}"),
        other => other.to_string(),
    };
    ImportError::Malformed {
        framework: Framework::Darknet,
        reason,
    }
}

impl Net {
    /// The section contradicts itself or what stands before it.
    pub(super) fn malformed(&self, section: &Section, problem: impl AsRef<str>) -> ImportError {
        ImportError::Malformed {
            framework: Framework::Darknet,
            reason: format!("{}, {}: {}", self.file, section.place(), problem.as_ref()),
        }
    }

    /// The section means something that is not expressed.
    pub(super) fn unsupported(&self, section: &Section, what: impl AsRef<str>) -> ImportError {
        ImportError::Unsupported {
            operators: vec![format!(
                "{}, {}: {}",
                self.file,
                section.place(),
                what.as_ref()
            )],
        }
    }

    /// Number of the layer that is being built.
    pub(super) fn index(&self) -> usize {
        self.layers.len()
    }

    /// `conv_12`, for the value of the layer that is being built.
    pub(super) fn name(&self, kind: &str) -> String {
        format!("{kind}_{}", self.index())
    }

    /// What goes into the layer: the one before it, or the input.
    pub(super) fn before(&self) -> Layer {
        self.layers.last().unwrap_or(&self.input).clone()
    }

    /// A layer before this one; negative numbers count backwards from this one.
    pub(super) fn earlier(&self, section: &Section, number: i64) -> Result<Layer, ImportError> {
        let index = self.index();
        let absolute = if number < 0 {
            i64::try_from(index)
                .ok()
                .and_then(|i| i.checked_add(number))
        } else {
            Some(number)
        };
        absolute
            .and_then(|i| self.layers.get(usize::try_from(i).ok()?))
            .cloned()
            .ok_or_else(|| {
                let problem = format!(
                    "layer {number} does not stand before this one, which is number {index}"
                );
                self.malformed(section, problem)
            })
    }

    /// A layer of this shape.
    pub(super) fn layer(
        &self,
        section: &Section,
        value: String,
        [channels, height, width]: [usize; 3],
    ) -> Result<Layer, ImportError> {
        let elements = [self.batch, channels, height, width]
            .iter()
            .try_fold(1usize, |n, &d| n.checked_mul(d));
        if elements.is_none_or(|n| n == 0 || n > MAX_ELEMENTS) {
            let problem = format!("an output of {channels}x{height}x{width} is none that can be");
            return Err(self.malformed(section, problem));
        }
        Ok(Layer {
            value,
            channels,
            height,
            width,
        })
    }

    /// Says in the graph what is known of a layer's value.
    pub(super) fn state(&mut self, layer: &Layer) {
        if layer.value == self.input.value {
            return;
        }
        let shape = [self.batch, layer.channels, layer.height, layer.width];
        let value = Value::new(layer.value.clone(), ElementType::F32, &shape);
        self.builder.state(value);
    }

    /// A setting that is a number, or `default`.
    pub(super) fn number<T: FromStr>(
        &self,
        section: &Section,
        key: &str,
        default: T,
    ) -> Result<T, ImportError> {
        let number = section
            .number(key)
            .map_err(|e| from_format(&self.file, &e))?;
        Ok(number.unwrap_or(default))
    }

    /// A setting that counts something, at least `least`.
    pub(super) fn count(
        &self,
        section: &Section,
        key: &str,
        default: usize,
        least: usize,
    ) -> Result<usize, ImportError> {
        let n: i64 = self.number(section, key, default.try_into().unwrap_or(i64::MAX))?;
        usize::try_from(n)
            .ok()
            .filter(|n| (least..=MAX_SETTING).contains(n))
            .ok_or_else(|| {
                let problem = format!("`{key}={n}` must lie in {least} to {MAX_SETTING}");
                self.malformed(section, problem)
            })
    }

    /// A setting that is switched on.
    pub(super) fn flag(&self, section: &Section, key: &str) -> Result<bool, ImportError> {
        Ok(self.number(section, key, 0i64)? != 0)
    }

    /// A setting that is text, or `default`.
    pub(super) fn text<'s>(
        &self,
        section: &'s Section,
        key: &str,
        default: &'s str,
    ) -> Result<&'s str, ImportError> {
        let text = section.text(key).map_err(|e| from_format(&self.file, &e))?;
        Ok(text.unwrap_or(default))
    }

    /// A setting that is a list of numbers.
    pub(super) fn list<T: FromStr>(
        &self,
        section: &Section,
        key: &str,
    ) -> Result<Option<Vec<T>>, ImportError> {
        section.list(key).map_err(|e| from_format(&self.file, &e))
    }

    /// A setting that is a list of numbers and must be there.
    pub(super) fn needed<T: FromStr>(
        &self,
        section: &Section,
        key: &str,
    ) -> Result<Vec<T>, ImportError> {
        self.list(section, key)?
            .ok_or_else(|| self.malformed(section, format!("`{key}` is missing")))
    }

    /// The next numbers of the file of weights, which are this layer's; `None` when they are not
    /// there, which [`Weights::finish`] will say.
    pub(super) fn take(&mut self, section: &Section, counts: &[usize]) -> Option<Part> {
        let count = counts.iter().fold(1u64, |n, &c| n.saturating_mul(c as u64));
        let place = format!("layer {}, {}", self.index(), section.place());
        self.weights.take(count, &place)
    }

    /// A constant of weights.
    pub(super) fn constant(
        &mut self,
        section: &Section,
        name: &str,
        tensor: Result<Tensor, crate::HubError>,
    ) -> Result<String, ImportError> {
        match tensor {
            Ok(tensor) => Ok(self.builder.constant(name, tensor)),
            Err(e) => Err(self.malformed(section, e.to_string())),
        }
    }

    /// A constant list of integers, for shapes and axes.
    pub(super) fn integers(&mut self, name: &str, values: &[usize]) -> String {
        let values: Vec<i64> = values.iter().map(|&v| v as i64).collect();
        self.builder.constant(name, Tensor::list(&values))
    }
}
