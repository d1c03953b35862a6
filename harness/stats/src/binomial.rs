//! The lower tail of the binomial distribution, exact for counts into the tens of millions.
//!
//! Source: the definition. `statrs` was looked at first: its incomplete beta function stops its
//! continued fraction after 140 steps, and counts of millions need thousands. The sum below takes
//! about `8·sqrt(n)` terms at most, because terms fall geometrically away from the mode.

/// `P[Binomial(n, q) <= t]`: the probability of at most `t` successes in `n` trials of probability
/// `q`.
///
/// Relative error below 1e-7 up to n = 10^7 (the cancellation of `lgamma`). 1 for `t >= n`; NaN
/// when `q` is not within 0 to 1.
pub fn binomial_cdf(t: u64, n: u64, q: f64) -> f64 {
    if !(0.0..=1.0).contains(&q) {
        return f64::NAN;
    }
    if t >= n || q <= 0.0 {
        return 1.0;
    }
    if q >= 1.0 {
        return 0.0;
    }
    // Sum the shorter way, away from the mode, so that terms only fall.
    if t as f64 > n as f64 * q {
        1.0 - falling_tail(n - t - 1, n, 1.0 - q)
    } else {
        falling_tail(t, n, q)
    }
}

/// Sum of the terms `t, t-1, …, 0`; meant for `t` at or below the mode.
fn falling_tail(t: u64, n: u64, q: f64) -> f64 {
    let (nf, tf, p) = (n as f64, t as f64, 1.0 - q);
    let log_term = libm::lgamma(nf + 1.0) - libm::lgamma(tf + 1.0) - libm::lgamma(nf - tf + 1.0)
        + tf * libm::log(q)
        + (nf - tf) * libm::log1p(-q);
    let (mut sum, mut term, mut k) = (1.0, 1.0, tf);
    while k > 0.0 {
        term *= k * p / ((nf - k + 1.0) * q);
        sum += term;
        k -= 1.0;
        // Beyond the mode the terms may rise at first; they only count as spent once they fall.
        if term < sum * 1e-18 {
            break;
        }
    }
    (libm::exp(log_term) * sum).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::binomial_cdf;

    #[test]
    fn small_cases_equal_the_sum_of_the_definition() {
        for n in 1..40u64 {
            for q in [0.001, 0.1, 0.3, 0.5, 0.77, 0.999] {
                let (mut term, mut sum) = ((1.0f64 - q).powi(n as i32), 0.0);
                for t in 0..n {
                    sum += term;
                    let got = binomial_cdf(t, n, q);
                    assert!(
                        (got - sum).abs() < 1e-12,
                        "t {t} n {n} q {q}: {got} against {sum}"
                    );
                    term *= (n - t) as f64 / (t + 1) as f64 * q / (1.0 - q);
                }
            }
        }
    }

    #[test]
    fn large_counts_agree_with_the_normal_approximation() {
        // Continuity-corrected, with the skewness term of Edgeworth's series: error O(1/n).
        let (n, q) = (10_000_000u64, 0.1f64);
        let sd = (n as f64 * q * (1.0 - q)).sqrt();
        for z in [-3.0, -2.3, -1.0, 0.0, 1.5] {
            let t = (n as f64 * q + z * sd).floor();
            let x = (t + 0.5 - n as f64 * q) / sd;
            let density = (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
            let expected = 0.5 * libm::erfc(-x / std::f64::consts::SQRT_2)
                - (1.0 - 2.0 * q) / sd / 6.0 * (x * x - 1.0) * density;
            let got = binomial_cdf(t as u64, n, q);
            assert!(
                (got - expected).abs() < 2e-7,
                "z {z}: {got} against {expected}"
            );
        }
    }
}
