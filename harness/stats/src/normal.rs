//! The normal distribution and Wilson's interval.
//!
//! Source: E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference",
//! 1927. Chosen over the textbook interval because it stays inside 0 to 1 and is right near both
//!   ends.

/// The z for which a standard normal value lies within ±z with probability `level`: 1.959964 for
/// 0.95. `None` unless `level` lies strictly between 0 and 1.
pub fn normal_two_sided(level: f64) -> Option<f64> {
    if !(level > 0.0 && level < 1.0) {
        return None;
    }
    // P[|Z| > z] = erfc(z/√2) falls in z; bisection ends at neighbouring floats. 40 is beyond the
    // smallest positive tail.
    let (mut low, mut high) = (0.0f64, 40.0f64);
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            break;
        }
        if libm::erfc(middle / std::f64::consts::SQRT_2) > 1.0 - level {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(f64::midpoint(low, high))
}

/// Wilson's score interval of a share `hits / n`: low and high end, both within 0 to 1. `None` for
/// `n` = 0, `hits` above `n`, or a level outside 0 to 1.
pub fn wilson(hits: u64, n: u64, level: f64) -> Option<(f64, f64)> {
    if n == 0 || hits > n {
        return None;
    }
    let z = normal_two_sided(level)?;
    let (nf, share) = (n as f64, hits as f64 / n as f64);
    let z2n = z * z / nf;
    let centre = (share + z2n / 2.0) / (1.0 + z2n);
    let half = z / (1.0 + z2n) * (share * (1.0 - share) / nf + z2n / (4.0 * nf)).sqrt();
    // Exact at the ends, where rounding would leave 1e-17.
    let low = if hits == 0 {
        0.0
    } else {
        (centre - half).max(0.0)
    };
    let high = if hits == n {
        1.0
    } else {
        (centre + half).min(1.0)
    };
    Some((low, high))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_the_normal_distribution() {
        for (level, z) in [
            (0.95, 1.959_963_984_540_054),
            (0.99, 2.575_829_303_548_901),
            (0.5, 0.674_489_750_196_082),
        ] {
            assert!(
                (normal_two_sided(level).expect("level") - z).abs() < 1e-13,
                "{level}"
            );
        }
        assert_eq!(normal_two_sided(1.0), None);
    }

    #[test]
    fn wilson_meets_published_half_widths() {
        // specs/measurement.md, top-1 at 76 %: half-widths in points.
        for (n, half) in [
            (100, 8.3),
            (500, 3.7),
            (1000, 2.6),
            (5000, 1.2),
            (50_000, 0.37),
        ] {
            let (low, high) = wilson(n * 76 / 100, n, 0.95).expect("share");
            assert!(
                ((high - low) * 50.0 - half).abs() < 0.05,
                "n {n}: {}",
                (high - low) * 50.0
            );
        }
        // Newcombe 1998, table I: 81 of 263 and 15 of 148.
        let (low, high) = wilson(81, 263, 0.95).expect("share");
        assert!(
            (low - 0.2553).abs() < 5e-5 && (high - 0.3662).abs() < 5e-5,
            "{low} {high}"
        );
        assert_eq!(wilson(0, 20, 0.95).expect("share").0.to_bits(), 0);
        assert!((wilson(0, 20, 0.95).expect("share").1 - 0.1611).abs() < 5e-5);
        assert_eq!(wilson(1, 0, 0.95), None);
        assert_eq!(wilson(3, 2, 0.95), None);
    }
}
