//! Percentiles, bounds, intervals: the numbers behind a claim.
//!
//! Everything here is a pure function of its arguments and gives the same bits on every platform:
//! sums run in the order given, and the special functions come from `libm`, not from the platform's
//! C library.

mod binomial;
mod bootstrap;
mod correlation;
mod describe;
mod halves;
mod normal;
mod percentile;
mod steadiness;

pub use binomial::binomial_cdf;
pub use bootstrap::{bootstrap_indices, bootstrap_interval, bootstrap_weights};
pub use correlation::{
    BLOCKS, EFFECTIVE_SIZE_ESTIMATOR, autocorrelation, effective_sample_size, mid_ranks,
};
pub use describe::{mean, mean_ns, sample_variance};
pub use halves::{half_scale, random_half};
pub use normal::{normal_two_sided, wilson};
pub use percentile::{
    CONFIDENCE, ESTIMATOR, early_stopping_bound, early_stopping_rank, minimum_count,
    order_statistic, percentile, required_for,
};
pub use steadiness::{IQR_FACTOR, Spread, UNSTEADY_SPREAD, iqr_outliers, window_spread};
