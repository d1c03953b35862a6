//! The contract of sessions, on the null engine, for both adapters.

use crate::support::{from_bytes, null, random_inputs, run};
use dyno_core::{Completion, DType, Dimension, QueryToken, Session, SessionConfig};
use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

fn open(slots: u32, settings: &[(&str, &str)]) -> Box<dyn Session> {
    let settings = settings
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect();
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
}

const SMALL: (&str, &str) = ("inputs", "x:f32:?x8");

#[test]
fn one_slot_blocks_and_several_do_not() {
    let one = open(1, &[SMALL]);
    assert!(one.blocking());
    assert_eq!(one.slots(), 1);
    let three = open(3, &[SMALL]);
    assert!(!three.blocking());
    assert_eq!(three.slots(), 3);
}

#[test]
fn a_slot_holds_one_query_until_its_completion_was_fetched() {
    for slots in [1, 2] {
        let mut session = open(slots, &[SMALL, ("delay_ns", "2000000")]);
        let inputs = random_inputs(session.as_ref());
        session.submit(0, &inputs, QueryToken(1)).expect("free");
        let error = session
            .submit(0, &inputs, QueryToken(2))
            .expect_err("taken")
            .to_string();
        assert!(error.starts_with("slot 0 is not free"), "{error}");
        let mut done = Vec::new();
        while done.is_empty() {
            session
                .wait(Duration::from_secs(1), &mut done)
                .expect("alive");
        }
        session
            .submit(0, &inputs, QueryToken(3))
            .expect("free again");
    }
}

#[test]
fn slots_run_side_by_side_and_every_token_comes_back_once() {
    let mut session = open(4, &[SMALL, ("delay_ns", "20000000")]);
    let inputs = random_inputs(session.as_ref());
    let began = Instant::now();
    for slot in 0..4 {
        session
            .submit(slot, &inputs, QueryToken(100 + slot as u64))
            .expect("free");
    }
    let mut done: Vec<Completion> = Vec::new();
    session
        .wait(Duration::ZERO, &mut done)
        .expect("a look does not wait");
    assert!(began.elapsed() < Duration::from_millis(20), "a look waited");
    while done.len() < 4 {
        session
            .wait(Duration::from_secs(1), &mut done)
            .expect("alive");
    }
    assert!(
        began.elapsed() < Duration::from_millis(70),
        "four sleeps of 20 ms took {:?}",
        began.elapsed()
    );
    assert_eq!(
        done.iter()
            .map(|c| (c.slot, c.token.0))
            .collect::<BTreeSet<_>>(),
        (0..4).map(|s| (s, 100 + s as u64)).collect()
    );
    assert!(
        done.iter()
            .all(|c| c.at.duration_since(began) >= Duration::from_millis(20)),
        "a completion before its delay"
    );
    assert_eq!(
        Arc::strong_count(&inputs),
        1,
        "a completed query keeps no inputs"
    );
}

#[test]
fn running_into_the_timeout_is_no_error() {
    let mut session = open(2, &[SMALL, ("delay_ns", "300000000")]);
    let inputs = random_inputs(session.as_ref());
    session.submit(1, &inputs, QueryToken(5)).expect("free");
    let (began, mut done) = (Instant::now(), Vec::new());
    session
        .wait(Duration::from_millis(30), &mut done)
        .expect("a timeout is no error");
    assert!(done.is_empty() && began.elapsed() >= Duration::from_millis(30));
    // Dropping a session with a query under way waits for it and does not hang.
    drop(session);
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[test]
fn scripted_failures_are_completions() {
    for slots in [1, 2] {
        let mut session = open(slots, &[SMALL, ("fail_every", "3")]);
        let inputs = random_inputs(session.as_ref());
        let results: Vec<bool> = (0..6)
            .map(|_| run(session.as_mut(), &inputs).result.is_ok())
            .collect();
        assert_eq!(results, [true, true, false, true, true, false]);
    }
}

#[test]
fn scripted_outputs_have_the_scripted_values() {
    let output = ("outputs", "a:f32:?x3;b:u8:2x2;c:i64:2");
    let mut session = open(1, &[SMALL, output, ("fill", "values:1,2.5")]);
    let inputs = random_inputs(session.as_ref());
    run(session.as_mut(), &inputs)
        .result
        .expect("no failure is scripted");
    assert_eq!(session.output(0, 0).to_f32_vec(), [1.0, 2.5, 1.0]);
    assert_eq!(session.output(0, 1).to_f32_vec(), [1.0, 2.0, 1.0, 2.0]);
    assert_eq!(
        (session.output(0, 2).dtype(), session.output(0, 2).shape()),
        (DType::I64, &[2][..])
    );
    assert_eq!(
        session.io().outputs[0].shape,
        [Dimension::Fixed(1), Dimension::Fixed(3)]
    );

    let pattern = |fill: &str| {
        let mut session = open(1, &[SMALL, output, ("fill", fill)]);
        run(session.as_mut(), &inputs)
            .result
            .expect("no failure is scripted");
        session.output(0, 0).to_f32_vec()
    };
    assert_eq!(pattern("pattern:1"), pattern("pattern:1"));
    assert_ne!(pattern("pattern:1"), pattern("pattern:2"));
    assert_eq!(pattern("input:1"), pattern("input:1"));
    assert_ne!(pattern("input:1"), pattern("pattern:1"));
    assert!(pattern("pattern:1").iter().all(|v| (0.0..1.0).contains(v)));
}

#[test]
fn a_crash_ends_the_process_at_its_query() {
    const CHILD: &str = "DYNO_TEST_CRASH_CHILD";
    if std::env::var_os(CHILD).is_some() {
        let mut session = open(1, &[SMALL, ("crash_at", "2")]);
        let inputs = random_inputs(session.as_ref());
        for _ in 0..2 {
            run(session.as_mut(), &inputs)
                .result
                .expect("the first two pass");
        }
        eprintln!("two queries passed");
        run(session.as_mut(), &inputs).result.expect("not reached");
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
