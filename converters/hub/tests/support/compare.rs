//! How far two tensors are apart.

use dyno_core::Tensor;

/// How far a tensor is from the expected one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Difference {
    /// Largest absolute difference of two elements.
    pub(crate) absolute: f32,
    /// The same as a share of the largest expected magnitude; 0 when both are all zeros.
    pub(crate) relative: f32,
}

/// The difference of two tensors, whose shapes may differ in axes of size 1 only: stored outputs of
/// other engines have lost or gained some.
///
/// # Errors
/// Shapes that hold different elements, and numbers that are not finite where the others are.
pub(crate) fn difference(expected: &Tensor, got: &Tensor) -> Result<Difference, String> {
    let axes = |t: &Tensor| -> Vec<usize> {
        let shape = t.shape().iter().copied();
        shape.filter(|&n| n != 1).collect()
    };
    if axes(expected) != axes(got) {
        return Err(format!(
            "shape {:?}, expected {:?}",
            got.shape(),
            expected.shape()
        ));
    }
    let (expected, got) = (expected.view().to_f32_vec(), got.view().to_f32_vec());
    let (mut absolute, mut largest) = (0f32, 0f32);
    for (at, (&e, &g)) in expected.iter().zip(&got).enumerate() {
        // Equal infinities are no difference.
        if e.to_bits() == g.to_bits() || (e.is_nan() && g.is_nan()) {
            continue;
        }
        if !(e - g).is_finite() {
            return Err(format!("element {at} is {g}, expected {e}"));
        }
        absolute = absolute.max((e - g).abs());
    }
    for e in expected.iter().filter(|e| e.is_finite()) {
        largest = largest.max(e.abs());
    }
    let relative = if absolute > 0.0 {
        absolute / largest
    } else {
        0.0
    };
    Ok(Difference { absolute, relative })
}

/// Whether `got` is `expected` up to `tolerance`, a share of the largest expected magnitude.
///
/// # Errors
/// What [`difference`] refuses, and a larger difference, with its numbers.
pub(crate) fn close(expected: &Tensor, got: &Tensor, tolerance: f32) -> Result<(), String> {
    let found = difference(expected, got)?;
    // Not `>`: NaN is no pass.
    if found.relative <= tolerance {
        Ok(())
    } else {
        Err(format!(
            "differs by {:.3e} absolute, {:.3e} relative; allowed is {tolerance:.0e} relative",
            found.absolute, found.relative
        ))
    }
}

/// Whether no element differs by more than `tolerance`, absolute.
///
/// # Errors
/// As [`close`].
pub(crate) fn within(expected: &Tensor, got: &Tensor, tolerance: f32) -> Result<(), String> {
    let found = difference(expected, got)?;
    if found.absolute <= tolerance {
        Ok(())
    } else {
        Err(format!(
            "differs by {:.3e}; allowed is {tolerance:.0e}",
            found.absolute
        ))
    }
}

#[test]
fn differences_are_found() {
    use super::npy::tensor;
    let a = tensor(&[2, 1], &[1.0, -4.0]);
    let b = tensor(&[1, 2], &[1.0, -4.5]);
    let found = difference(&a, &b).expect("the same axes");
    assert_eq!((found.absolute, found.relative), (0.5, 0.125));
    assert!(close(&a, &b, 0.13).is_ok() && close(&a, &b, 0.12).is_err());
    assert!(within(&a, &b, 0.5).is_ok() && within(&a, &b, 0.4).is_err());
    assert!(difference(&a, &tensor(&[2, 2], &[0.0; 4])).is_err());
    let nan = tensor(&[2], &[f32::NAN, -4.0]);
    assert!(difference(&a, &nan).is_err(), "NaN where a number is due");
    let zeros = tensor(&[2], &[0.0, 0.0]);
    assert!(close(&zeros, &tensor(&[2], &[0.0, 1e-9]), 1.0).is_err());
}
