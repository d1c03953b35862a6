//! The figures of an outcome: percentiles and their refusal, steadiness, correlation, stages,
//! histogram.

use crate::common::{MS, go_alone, single};
use base64::Engine;
use dyno_load::{Code, PERCENTILES, Stage};
use hdrhistogram::serialization::Deserializer;

/// A number that looks random, below 1,000.
fn scatter(n: u64) -> u64 {
    let mut z = n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) % 1000
}

#[test]
fn a_percentile_is_refused_where_the_count_cannot_support_it() {
    let floors = [11, 64, 130, 219, 662, 6636];
    for n in [10, 11, 63, 64, 662, 6635, 6636] {
        // All equal: as good as independent.
        let (outcome, _) = go_alone(&single(n, 0, 100_000), |_| MS);
        let given = &outcome.summary.percentiles;
        assert_eq!(given.len(), PERCENTILES.len());
        for ((percentile, p), floor) in given.iter().zip(PERCENTILES).zip(floors) {
            assert!((percentile.p - p).abs() < 1e-12);
            assert_eq!(percentile.ns, (n >= floor).then_some(MS), "n {n} p {p}");
            assert_eq!(percentile.bound_ns, percentile.ns, "n {n} p {p}");
            assert_eq!(percentile.needs, floor, "n {n} p {p}");
        }
    }
    let (outcome, _) = go_alone(&single(1000, 0, 100_000), |n| MS + n);
    let summary = &outcome.summary;
    assert_eq!(summary.percentile(0.9).and_then(|p| p.ns), Some(MS + 900));
    assert_eq!(summary.percentile(0.8), None);
}

#[test]
fn a_bound_needs_the_effective_count() {
    // Independent: nearly the count.
    let (outcome, _) = go_alone(&single(1000, 0, 100_000), |n| MS + scatter(n));
    let summary = &outcome.summary;
    assert!(summary.effective_n > 800.0, "{}", summary.effective_n);
    assert!(summary.autocorrelation.expect("varies").abs() < 0.1);
    assert!(summary.percentile(0.9).is_some_and(|p| p.bound_ns >= p.ns));
    // In runs of forty equal latencies: as good as 25.
    let (outcome, _) = go_alone(&single(1000, 0, 100_000), |n| MS + scatter(n / 40));
    let summary = &outcome.summary;
    assert!(
        (10.0..45.0).contains(&summary.effective_n),
        "{}",
        summary.effective_n
    );
    assert!(summary.autocorrelation > Some(0.9));
    let p90 = summary.percentile(0.9).expect("listed");
    assert!(p90.ns.is_some());
    assert_eq!(p90.bound_ns, None);
    let expected = (64.0 * 1000.0 / summary.effective_n).ceil() as u64;
    assert_eq!(p90.needs, expected);
    assert!(summary.percentile(0.999).is_some_and(|p| p.needs == 6636));
}

#[test]
fn a_drifting_run_is_unsteady_and_a_single_slow_query_is_not() {
    let s = single(300, 0, 10_000);
    let (drifting, _) = go_alone(&s, |n| MS + n * MS / 300);
    assert_eq!(drifting.codes, [Code::Unsteady]);
    let (spiky, _) = go_alone(&s, |n| if n == 150 { 5 * MS } else { MS + n % 5 });
    assert_eq!(spiky.codes, []);
    assert_eq!(
        (spiky.summary.outliers, spiky.summary.latency.max),
        (1, 5 * MS)
    );
    // Medians do not see a burst or a tail that comes and goes; mean and p90 do.
    let (burst, _) = go_alone(&s, |n| if n / 4 == 40 { 5 * MS } else { MS });
    assert_eq!(burst.codes, [Code::Unsteady]);
    assert_eq!(burst.summary.spread.median, Some(1.0));
    let tail = |n| {
        if n > 250 && n % 4 == 0 {
            12 * MS / 10
        } else {
            MS
        }
    };
    let (tail, _) = go_alone(&s, tail);
    assert_eq!(tail.codes, [Code::Unsteady]);
    assert!(tail.summary.spread.mean < Some(1.1));
}

#[test]
fn stages_have_median_and_mean() {
    let (outcome, _) = go_alone(&single(100, 0, 10_000), |_| MS);
    let [first, second, _, fourth, ..] = outcome.summary.stages;
    let stage = |p50_ns, mean_ns| Stage {
        p50_ns,
        mean_ns,
        n: 100,
    };
    assert_eq!(first, Some(stage(7, 7)));
    assert_eq!(second, None);
    // The numbers 0 to 99: median sorted[50], mean 49.5.
    assert_eq!(fourth, Some(stage(50, 50)));
}

#[test]
fn the_histogram_reads_back() {
    let (outcome, _) = go_alone(&single(100, 0, 10_000), |n| MS + n * 1000);
    assert!(outcome.raw_is_complete());
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(outcome.histogram_base64().expect("serializes"))
        .expect("base64");
    let back: hdrhistogram::Histogram<u64> = Deserializer::new()
        .deserialize(&mut bytes.as_slice())
        .expect("V2 with DEFLATE");
    assert_eq!(back, outcome.histogram);
    assert_eq!(back.len(), 100);
}
