//! Products of matrices.

use super::{
    call::{Call, Known},
    dimensions::{broadcast, same, shown},
};
use crate::graph::ElementType;
use dyno_core::Dimension;

/// `Gemm`.
pub(super) fn gemm(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let matrix = |at: usize, transposed: &str| match c.shape(at) {
        None => Ok(None),
        Some([a, b]) if c.int(transposed, 0) == 0 => Ok(Some((a.clone(), b.clone()))),
        Some([a, b]) => Ok(Some((b.clone(), a.clone()))),
        Some(other) => Err(format!("input {at} of shape {} is no matrix", shown(other))),
    };
    let (a, b) = (matrix(0, "transA")?, matrix(1, "transB")?);
    if let (Some((_, k)), Some((l, _))) = (&a, &b) {
        same(k, l).map_err(|e| format!("the matrices do not fit each other: {e}"))?;
    }
    let rows = a.map_or(Dimension::Unknown, |(m, _)| m);
    let columns = b.map_or(Dimension::Unknown, |(_, n)| n);
    let shape = vec![rows, columns];
    if let Some(bias) = c.shape(2)
        && c.opset >= 7
    {
        let fits = broadcast(&shape, bias)?;
        if fits.len() > 2 {
            return Err(format!("a bias of shape {}", shown(bias)));
        }
    }
    Ok(vec![Known::new(c.dtype(0).or(c.dtype(1)), Some(shape))])
}

/// The shape of `numpy.matmul` of inputs `a` and `b`.
fn product(c: &Call<'_>, a: usize, b: usize) -> Result<Option<Vec<Dimension>>, String> {
    let (Some(a), Some(b)) = (c.shape(a), c.shape(b)) else {
        return Ok(None);
    };
    if a.is_empty() || b.is_empty() {
        return Err("a product of matrices with a single number".to_owned());
    }
    // A vector on the left is a row, on the right a column.
    let (vector_a, vector_b) = (a.len() == 1, b.len() == 1);
    let one = Dimension::Fixed(1);
    let left = if vector_a {
        vec![one.clone(), a[0].clone()]
    } else {
        a.to_vec()
    };
    let right = if vector_b {
        vec![b[0].clone(), one]
    } else {
        b.to_vec()
    };
    let (head_a, tail_a) = left.split_at(left.len() - 2);
    let (head_b, tail_b) = right.split_at(right.len() - 2);
    same(&tail_a[1], &tail_b[0]).map_err(|_| {
        let (a, b) = (shown(a), shown(b));
        format!("matrices {a} and {b} do not fit each other")
    })?;
    let mut shape = broadcast(head_a, head_b)?;
    if !vector_a {
        shape.push(tail_a[0].clone());
    }
    if !vector_b {
        shape.push(tail_b[1].clone());
    }
    Ok(Some(shape))
}

/// `MatMul`.
pub(super) fn matmul(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let dtype = c.dtype(0).or(c.dtype(1));
    Ok(vec![Known::new(dtype, product(c, 0, 1)?)])
}

/// `MatMulInteger`.
pub(super) fn matmul_integer(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let shape = product(c, 0, 1)?;
    Ok(vec![Known::new(Some(ElementType::I32), shape)])
}

/// `QLinearMatMul`: values, scale and zero point of both and of the output.
pub(super) fn qlinear_matmul(c: &Call<'_>) -> Result<Vec<Known>, String> {
    Ok(vec![Known::new(c.dtype(7), product(c, 0, 3)?)])
}
