//! A dense tensor that owns its elements.

use super::{data::TensorData, dtype::DType, view::TensorView};

/// What is wrong with a tensor.
#[derive(Debug, thiserror::Error)]
pub enum TensorError {
    /// Shape and data disagree.
    #[error("a tensor of shape {shape:?} needs {expected} values, got {found}")]
    Length {
        /// The shape.
        shape: Vec<usize>,
        /// Its product.
        expected: usize,
        /// Values given.
        found: usize,
    },
    /// The product of the shape is not a number of this machine.
    #[error("shape {shape:?} is too large")]
    Overflow {
        /// The shape.
        shape: Vec<usize>,
    },
    /// Another element type was asked for.
    #[error("the tensor holds {found}, not {expected}")]
    DType {
        /// Type asked for.
        expected: DType,
        /// Type held.
        found: DType,
    },
}

/// Elements of a tensor of this shape.
pub(super) fn product(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d))
}

/// A dense tensor in host memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    shape: Vec<usize>,
    data: TensorData,
}

impl Tensor {
    /// A tensor of `shape` over `data`.
    ///
    /// # Errors
    /// When the product of `shape` is not the number of elements.
    pub fn new(shape: Vec<usize>, data: TensorData) -> Result<Self, TensorError> {
        let Some(expected) = product(&shape) else {
            return Err(TensorError::Overflow { shape });
        };
        let found = data.as_slice().len();
        if expected == found {
            Ok(Self { shape, data })
        } else {
            Err(TensorError::Length {
                shape,
                expected,
                found,
            })
        }
    }

    /// A tensor of zeros.
    ///
    /// # Errors
    /// When the shape is too large for this machine's numbers.
    pub fn zeros(shape: Vec<usize>, dtype: DType) -> Result<Self, TensorError> {
        let Some(count) = product(&shape) else {
            return Err(TensorError::Overflow { shape });
        };
        Ok(Self {
            data: TensorData::zeros(dtype, count),
            shape,
        })
    }

    /// The shape.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Element type.
    pub fn dtype(&self) -> DType {
        self.data.as_slice().dtype()
    }

    /// The elements.
    pub fn data(&self) -> &TensorData {
        &self.data
    }

    /// The elements, to write into; their number cannot change through this.
    pub fn data_mut(&mut self) -> &mut TensorData {
        &mut self.data
    }

    /// A view.
    pub fn view(&self) -> TensorView<'_> {
        TensorView::unchecked(&self.shape, self.data.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::TensorSlice;

    #[test]
    fn shape_and_length_must_agree() {
        assert!(Tensor::new(vec![2, 2], TensorData::U8(vec![0; 3])).is_err());
        assert!(Tensor::new(vec![usize::MAX, 2], TensorData::U8(vec![])).is_err());
        let t = Tensor::new(vec![2, 2], TensorData::U8(vec![1, 2, 3, 4])).expect("four values");
        assert_eq!(
            t.view().batch_item(1),
            Some((vec![1, 2], TensorSlice::U8(&[3, 4])))
        );
        assert_eq!(t.view().batch_item(2), None);
    }
}
