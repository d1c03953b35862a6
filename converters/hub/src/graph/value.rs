//! What is known of a value: name, element type, shape.

use super::element::ElementType;
use dyno_core::Dimension;

/// A named value of a graph.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// Its name, unique in the graph.
    pub name: String,
    /// Its element type, where known.
    pub dtype: Option<ElementType>,
    /// Its shape, where at least the number of axes is known.
    pub shape: Option<Vec<Dimension>>,
}

impl Value {
    /// A value of which everything is known.
    pub fn new(name: impl Into<String>, dtype: ElementType, shape: &[usize]) -> Self {
        Self {
            name: name.into(),
            dtype: Some(dtype),
            shape: Some(fixed(shape)),
        }
    }

    /// A value of which nothing but the name is known.
    pub fn unknown(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            dtype: None,
            shape: None,
        }
    }

    /// Its shape, when every axis is a number.
    pub fn fixed_shape(&self) -> Option<Vec<usize>> {
        let axes = self.shape.as_ref()?;
        axes.iter()
            .map(|d| match d {
                Dimension::Fixed(n) => Some(*n),
                Dimension::Symbolic(_) | Dimension::Unknown => None,
            })
            .collect()
    }
}

/// A shape of numbers.
pub fn fixed(shape: &[usize]) -> Vec<Dimension> {
    shape.iter().map(|&n| Dimension::Fixed(n)).collect()
}
