//! What the adapters themselves cost, on the null engine. The bounds are loose, because test
//! machines are shared; the figures are printed.

use crate::support::{from_bytes, null, random_inputs};
use dyno_core::{QueryToken, Session, SessionConfig};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Median nanoseconds of a query over batches of `each`.
fn per_query(session: &mut dyn Session, each: u32) -> f64 {
    let inputs = random_inputs(session);
    let mut done = Vec::with_capacity(1);
    let mut times: Vec<f64> = (0..31)
        .map(|_| {
            let began = Instant::now();
            for token in 0..u64::from(each) {
                session.submit(0, &inputs, QueryToken(token)).expect("free");
                while done.is_empty() {
                    session
                        .wait(Duration::from_secs(1), &mut done)
                        .expect("alive");
                }
                done.clear();
            }
            began.elapsed().as_nanos() as f64 / f64::from(each)
        })
        .collect();
    assert_eq!(Arc::strong_count(&inputs), 1);
    times.sort_by(f64::total_cmp);
    times[15]
}

#[test]
fn adapters_cost_little() {
    let open = |slots| {
        let settings = [("inputs".to_owned(), "x:f32:?x8".to_owned())].into();
        null()
            .open(
                &from_bytes(Vec::new()),
                &SessionConfig {
                    slots,
                    settings,
                    ..SessionConfig::default()
                },
            )
            .expect("a good script")
    };
    let inline = per_query(open(1).as_mut(), 10_000);
    eprintln!("null engine, inline: {inline:.0} ns a query");
    assert!(inline < 2_000.0, "{inline} ns");
    let threaded = per_query(open(2).as_mut(), 500);
    eprintln!("null engine, threaded: {threaded:.0} ns a query");
    assert!(threaded < 1_000_000.0, "{threaded} ns");
}
