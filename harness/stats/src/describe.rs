//! Means and variances.

/// Arithmetic mean, summed in the order given; `None` of nothing.
pub fn mean(values: &[f64]) -> Option<f64> {
    if values.is_empty() {
        None
    } else {
        Some(values.iter().sum::<f64>() / values.len() as f64)
    }
}

/// Unbiased sample variance (divisor n - 1), in two passes; `None` of fewer than two values.
pub fn sample_variance(values: &[f64]) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    let mean = mean(values)?;
    Some(values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (values.len() - 1) as f64)
}

/// Arithmetic mean of nanoseconds, exact, rounded half up; `None` of nothing.
pub fn mean_ns(values: &[u64]) -> Option<u64> {
    if values.is_empty() {
        return None;
    }
    let (sum, n) = (
        values.iter().map(|&v| u128::from(v)).sum::<u128>(),
        values.len() as u128,
    );
    u64::try_from((2 * sum + n) / (2 * n)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        assert_eq!(mean(&[1.0, 2.0, 6.0]), Some(3.0));
        assert_eq!(sample_variance(&[1.0, 2.0, 6.0]), Some(7.0));
        assert_eq!(
            (mean(&[]), sample_variance(&[1.0]), mean_ns(&[])),
            (None, None, None)
        );
        assert_eq!(mean_ns(&[1, 2]), Some(2));
        assert_eq!(mean_ns(&[u64::MAX, u64::MAX, u64::MAX]), Some(u64::MAX));
    }
}
