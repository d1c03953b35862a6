//! Percentiles, bounds, intervals: the numbers behind a claim.
