//! Criterion benches: `cargo bench --bench micro`. Figures are in `docs/figures.md`, as ratios
//! within one run.

mod image;
mod load;
mod metrics;
mod vision;

use criterion::{criterion_group, criterion_main};

criterion_group!(
    benches,
    image::benches,
    vision::benches,
    metrics::benches,
    load::benches
);
criterion_main!(benches);
