//! A node with what is known of its inputs, as the rules see it.

use super::{dimensions, number::Number};
use crate::graph::{Attribute, ElementType, Node, Tensor};
use dyno_core::Dimension;

/// What is known of a value.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Known {
    /// Element type.
    pub(crate) dtype: Option<ElementType>,
    /// Shape, when at least the number of axes is known.
    pub(crate) shape: Option<Vec<Dimension>>,
    /// The elements of a short list (one axis or none).
    pub(crate) numbers: Option<Vec<Number>>,
}

impl Known {
    /// Type and shape.
    pub(super) fn new(dtype: Option<ElementType>, shape: Option<Vec<Dimension>>) -> Self {
        Self {
            dtype,
            shape,
            numbers: None,
        }
    }

    /// A list of `i64`, or one number without axes.
    pub(super) fn integers(numbers: Vec<Number>, list: bool) -> Self {
        let shape = if list {
            vec![Dimension::Fixed(numbers.len())]
        } else {
            Vec::new()
        };
        Self {
            dtype: Some(ElementType::I64),
            shape: Some(shape),
            numbers: (numbers.len() <= super::number::MOST_NUMBERS).then_some(numbers),
        }
    }

    /// The same list of numbers, if it is one.
    #[must_use]
    pub(super) fn with_numbers(mut self, numbers: Option<Vec<Number>>) -> Self {
        self.numbers = numbers;
        self
    }
}

/// A node and what is known of its inputs.
pub(super) struct Call<'a> {
    pub(super) node: &'a Node,
    /// Version of ONNX's operator set.
    pub(super) opset: i64,
    /// One an input of the node; of one that is left out, nothing is known.
    pub(super) inputs: Vec<Known>,
    /// Constants among the inputs.
    pub(super) tensors: Vec<Option<&'a Tensor>>,
    pub(super) nothing: Known,
}

impl Call<'_> {
    /// What is known of input `at`.
    pub(super) fn input(&self, at: usize) -> &Known {
        self.inputs.get(at).unwrap_or(&self.nothing)
    }

    /// Whether input `at` is given.
    pub(super) fn has(&self, at: usize) -> bool {
        self.node
            .inputs
            .get(at)
            .is_some_and(|name| !name.is_empty())
    }

    /// Shape of input `at`.
    pub(super) fn shape(&self, at: usize) -> Option<&[Dimension]> {
        self.input(at).shape.as_deref()
    }

    /// Element type of input `at`.
    pub(super) fn dtype(&self, at: usize) -> Option<ElementType> {
        self.input(at).dtype
    }

    /// The elements of input `at`, a short list.
    pub(super) fn numbers(&self, at: usize) -> Option<&[Number]> {
        self.input(at).numbers.as_deref()
    }

    /// The integers of input `at`, when all are known.
    pub(super) fn integers(&self, at: usize) -> Option<Vec<i64>> {
        self.numbers(at)?.iter().map(Number::int).collect()
    }

    /// The real numbers of input `at`, a constant or computed.
    pub(super) fn reals(&self, at: usize) -> Option<Vec<f64>> {
        if let Some(numbers) = self.numbers(at) {
            return numbers.iter().map(Number::real).collect();
        }
        let tensor = self.tensors.get(at).copied().flatten()?;
        let values = tensor.to_f32s().ok()?;
        Some(values.into_iter().map(f64::from).collect())
    }

    /// Type and shape of input `at`.
    pub(super) fn like(&self, at: usize) -> Known {
        let input = self.input(at);
        Known::new(input.dtype, input.shape.clone())
    }

    /// The integer attribute `name`, or `default`.
    pub(super) fn int(&self, name: &str, default: i64) -> i64 {
        self.node.int(name).unwrap_or(default)
    }

    /// The list of integers of attribute `name`, or of input `at` when there is no such attribute.
    pub(super) fn list(&self, name: &str, at: usize) -> List {
        if let Some(ints) = self.node.ints(name) {
            return List::Known(ints.to_vec());
        }
        if let Some(Attribute::Int(n)) = self.node.attributes.get(name) {
            return List::Known(vec![*n]);
        }
        if !self.has(at) {
            return List::Absent;
        }
        self.integers(at).map_or(List::Unknown, List::Known)
    }

    /// The axis of attribute `name` for a shape of `rank` axes.
    pub(super) fn axis(&self, name: &str, default: i64, rank: usize) -> Result<usize, String> {
        dimensions::axis(self.int(name, default), rank)
    }
}

/// A list of integers that may be left out, or not known before the graph runs.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum List {
    Absent,
    Known(Vec<i64>),
    Unknown,
}

/// Axes that may be counted from the end, in rising order.
pub(super) fn axes_of(axes: &[i64], rank: usize) -> Result<Vec<usize>, String> {
    let mut found = axes
        .iter()
        .map(|&a| dimensions::axis(a, rank))
        .collect::<Result<Vec<_>, _>>()?;
    found.sort_unstable();
    if found.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(format!("an axis stands twice in {axes:?}"));
    }
    Ok(found)
}
