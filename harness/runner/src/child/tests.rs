//! Children that misbehave: shells that say what a worker might.

use super::{
    isolate::{InHand, Watched, watch},
    request::{Request, read_request},
    *,
};
use crate::error::RunError;
use dyno_core::Event;
use std::{
    process::{Command, Stdio},
    sync::Mutex,
};

fn shell(script: &str) -> (Result<(), RunError>, Vec<Event>) {
    let command = WorkerCommand {
        program: "sh".into(),
        arguments: vec!["-c".into(), script.into()],
    };
    let seen = Mutex::new(Vec::new());
    let result = watch(b"{}\nattended\n", &command, &|event| {
        seen.lock().expect("one thread").push(event);
    });
    (result, seen.into_inner().expect("one thread"))
}

#[test]
fn a_child_that_dies_is_told_with_what_it_had_in_hand() {
    let (result, events) = shell(
        r#"read plan; read word
        echo '{"event":"progress","stage":"accuracy","done":3,"total":9}'
        echo '{"event":"working","worker":0,"ids":["a.jpg"]}'
        echo '{"event":"working","worker":1,"ids":["b.jpg"]}'
        echo '{"event":"working","worker":0,"ids":["c.jpg"]}'
        echo '{"event":"warned","code":"engine","detail":"x"}'
        printf '{"event":"torn'
        kill -SEGV $$"#,
    );
    let error = result.expect_err("it died");
    assert_eq!(
        error.to_string(),
        "the worker process was killed by signal 11 (segmentation fault), last known: accuracy, after sample 3 of 9, in hand: `c.jpg`, `b.jpg`"
    );
    assert!(
        matches!(
            events.as_slice(),
            [
                Event::Progress { .. },
                Event::Warned(_),
                Event::Died {
                    sample: Some(_),
                    ..
                }
            ]
        ),
        "{events:?}"
    );
}

#[test]
fn what_is_no_event_is_an_error_and_the_child_is_ended() {
    for line in [
        "a library prints",
        r#"{"event":"of another version"}"#,
        r#"{"event":"finished"}"#,
        r#"{"event":"progress","stage":"x","#,
    ] {
        let script = format!("printf '%s\\n' '{line}'; sleep 1000");
        match shell(&script).0 {
            Err(RunError::Protocol(words)) => {
                assert!(words.contains(line.get(..9).expect("longer")), "{words}");
            }
            other => panic!("{line}: {other:?}"),
        }
    }
    let raw = shell(r"printf '\033[2J\377\n'; sleep 1000").0;
    let words = raw.expect_err("no event").to_string();
    assert!(words.contains("\\u{1b}[2J\u{fffd}"), "{words}");
}

#[test]
fn per_mille_are_no_samples_and_finished_threads_have_nothing_in_hand() {
    let mut in_hand = InHand::default();
    assert_eq!(in_hand.words(), None);
    in_hand.on(&Event::Working {
        worker: 2,
        ids: vec!["a".into()],
    });
    in_hand.on(&Event::Working {
        worker: 2,
        ids: Vec::new(),
    });
    in_hand.on(&Event::Progress {
        stage: "performance".into(),
        done: 40,
        total: 1000,
    });
    assert_eq!(in_hand.words().as_deref(), Some("performance at 40 ‰"));
}

#[test]
fn the_last_word_decides() {
    let finished = r#"{"event":"finished","partial":false}"#;
    assert!(shell(&format!("read plan; echo '{finished}'")).0.is_ok());
    assert!(matches!(
        shell(&format!("echo '{finished}'; exit 3")).0,
        Err(RunError::Died { .. })
    ));
    assert!(
        matches!(shell("exit 0").0, Err(RunError::Died { .. })),
        "it never finished"
    );
    let failed = shell(r#"echo '{"event":"failed","errors":["a","b"],"code":3}'; exit 3"#)
        .0
        .expect_err("it failed");
    assert_eq!(
        (failed.to_string().as_str(), failed.exit_code()),
        ("a: b", 3)
    );
}

#[test]
fn a_child_does_not_outlive_its_watcher() {
    let child = Command::new("sleep")
        .arg("1000000")
        .stdin(Stdio::piped())
        .spawn()
        .expect("sleep");
    // Returns when the child is gone.
    drop(Watched::new(child));
}

#[test]
fn requests_are_told_apart_by_their_schema() {
    let read = |text: &str| read_request(&mut text.as_bytes());
    let question = r#"{
        "schema": "dyno.question/1", "backend": "b", "cache_dir": null, "engine_timeout_ns": 1,
        "source": {"framework": "onnx", "files": []},
        "config": {"device": "cpu", "precision": "native", "threads": 1, "batch": 1, "slots": 1,
            "shapes": {}, "outputs": [], "settings": {}}
    }
    attended"#;
    assert!(matches!(read(question), Ok(Request::Question(_))));
    for (text, word) in [
        ("", "no JSON"),
        ("{}", "no schema"),
        (r#"{"schema": "dyno.plan/1"}"#, "not a plan"),
        (r#"{"schema": "dyno.plan/9"}"#, "neither"),
    ] {
        let error = read(text).expect_err(word);
        assert!(error.to_string().contains(word), "{error}");
        assert_eq!(error.exit_code(), 2);
    }
}
