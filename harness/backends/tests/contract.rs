//! The contract of models and slots, on the null engine: scripts of outputs, failures, NaN, crashes.

use crate::support::{from_bytes, null, random_inputs, run};
use dyno_core::{DType, Dimension, EngineStages, Model, OpenConfig};
use std::sync::Arc;

fn open(settings: &[(&str, &str)]) -> Arc<dyn Model> {
    let settings = settings
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect();
    null()
        .open(
            &from_bytes(Vec::new()),
            &OpenConfig {
                settings,
                ..OpenConfig::default()
            },
        )
        .expect("a good script")
}

const SMALL: (&str, &str) = ("inputs", "x:f32:?x8");

/// Which of six queries, taken in turns by two slots, succeed.
fn successes(settings: &[(&str, &str)]) -> Vec<bool> {
    let model = open(settings);
    let inputs = random_inputs(model.as_ref(), 0);
    let mut slots = [0, 1].map(|_| model.slot().expect("as many as wanted"));
    (0..6)
        .map(|turn| slots[turn % 2].run(&inputs).is_ok())
        .collect()
}

#[test]
fn scripted_failures_are_counted_over_all_slots() {
    assert_eq!(successes(&[SMALL]), [true; 6]);
    assert_eq!(
        successes(&[SMALL, ("fail_every", "3")]),
        [true, true, false, true, true, false]
    );
}

#[test]
fn an_engine_says_only_what_it_sees() {
    let model = open(&[SMALL, ("delay_ns", "3000"), ("wait", "spin")]);
    let mut slot = model.slot().expect("as many as wanted");
    let stages = slot
        .run(&random_inputs(model.as_ref(), 0))
        .expect("it fits");
    // Nothing is copied to a device and back, which is not the same as in no time.
    let expected = EngineStages {
        engine_ns: Some(3000),
        ..EngineStages::default()
    };
    assert_eq!(stages, expected);
    assert!(!null().computes());
    assert_eq!(model.facts().shapes["x"], [1, 8]);
    assert!(model.facts().providers.is_empty());
    assert_eq!(model.max_slots(), None);
}

#[test]
fn scripted_outputs_have_the_scripted_values() {
    let output = ("outputs", "a:f32:?x3;b:u8:2x2;c:i64:2");
    let model = open(&[SMALL, output, ("fill", "values:1,2.5")]);
    let inputs = random_inputs(model.as_ref(), 0);
    let mut slot = model.slot().expect("as many as wanted");
    let found = run(model.as_ref(), slot.as_mut(), &inputs);
    assert_eq!(found[0], [1.0, 2.5, 1.0]);
    assert_eq!(found[1], [1.0, 2.0, 1.0, 2.0]);
    let third = slot.output(2);
    assert_eq!((third.dtype(), third.shape()), (DType::I64, &[2][..]));
    assert_eq!(
        model.io().outputs[0].shape,
        [Dimension::Fixed(1), Dimension::Fixed(3)]
    );

    let pattern = |fill: &str| {
        let model = open(&[SMALL, output, ("fill", fill)]);
        let mut slot = model.slot().expect("as many as wanted");
        run(model.as_ref(), slot.as_mut(), &inputs).swap_remove(0)
    };
    assert_eq!(pattern("pattern:1"), pattern("pattern:1"));
    assert_ne!(pattern("pattern:1"), pattern("pattern:2"));
    assert_eq!(pattern("input:1"), pattern("input:1"));
    assert_ne!(pattern("input:1"), pattern("pattern:1"));
    assert!(pattern("pattern:1").iter().all(|v| (0.0..1.0).contains(v)));
    assert!(pattern("constant:nan").iter().all(|v| v.is_nan()));
}

#[test]
fn scripted_nan_comes_and_goes() {
    let model = open(&[
        SMALL,
        ("outputs", "y:f32:1x2"),
        ("fill", "values:1,2"),
        ("nan_every", "2"),
    ]);
    let inputs = random_inputs(model.as_ref(), 0);
    let mut slot = model.slot().expect("as many as wanted");
    for turn in 0..4 {
        let found = run(model.as_ref(), slot.as_mut(), &inputs).swap_remove(0);
        if turn % 2 == 0 {
            assert_eq!(found, [1.0, 2.0]);
        } else {
            assert!(found.iter().all(|v| v.is_nan()), "{found:?}");
        }
    }
}

#[test]
fn a_scripted_hang_is_a_late_answer() {
    // The script's default is a minute; what matters here is that the query goes on afterwards.
    assert_eq!(
        successes(&[
            SMALL,
            ("hang_at", "1"),
            ("hang_ns", "1"),
            ("fail_every", "6")
        ]),
        [true, true, true, true, true, false]
    );
}

#[test]
fn a_crash_ends_the_process_at_its_query() {
    const CHILD: &str = "DYNO_TEST_CRASH_CHILD";
    if std::env::var_os(CHILD).is_some() {
        let model = open(&[SMALL, ("crash_at", "2")]);
        let inputs = random_inputs(model.as_ref(), 0);
        let mut slot = model.slot().expect("as many as wanted");
        for _ in 0..2 {
            slot.run(&inputs).expect("the first two pass");
        }
        eprintln!("two queries passed");
        slot.run(&inputs).expect("not reached");
        return;
    }
    let child = std::process::Command::new(std::env::current_exe().expect("this test"))
        .args([
            "--exact",
            "contract::a_crash_ends_the_process_at_its_query",
            "--nocapture",
        ])
        .env(CHILD, "1")
        .output()
        .expect("the test starts itself");
    let text = String::from_utf8_lossy(&child.stderr);
    assert!(
        !child.status.success() && child.status.code().is_none(),
        "ended by a signal, not with {:?}",
        child.status.code()
    );
    assert!(text.contains("two queries passed"), "{text}");
}
