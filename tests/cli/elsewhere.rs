//! Plans that leave their machine, and engines that are opened in another process.

use super::{DETECTOR, NULL};
use crate::support::{Done, Place};
use dyno_core::{Event, PLAN_SCHEMA, Plan, Record, ShardRange};
use serde_json::{Value, json};
use std::{fs, io::Write as _, path::Path, process::Stdio};

/// Gives a worker in `place` a document and returns what came of it.
fn worker(place: &Place, document: &Value) -> Done {
    let mut child = place
        .dyno()
        .arg("worker")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin
        .write_all(document.to_string().as_bytes())
        .expect("the worker reads");
    drop(stdin);
    Done::from(child.wait_with_output().expect("the worker ends"))
}

fn events(done: &Done) -> Vec<Event> {
    let parse =
        |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("no event: {e}\n{line}"));
    done.stdout.lines().map(parse).collect()
}

fn scores(record: &Record) -> (Vec<(String, Option<u64>)>, String) {
    let accuracy = record.measurements[0].accuracy().expect("accuracy");
    let bits = accuracy.scores.iter();
    let bits = bits.map(|s| (s.metric.clone(), s.value.map(f64::to_bits)));
    (bits.collect(), accuracy.predictions_sha256.clone())
}

/// A plan is made in one place, its bindings are rewritten for another, two workers there take half
/// of the shards each, and the first place makes the record of what they found.
#[test]
fn a_plan_is_rebound_and_run_in_another_folder_by_two_workers() {
    let here = Place::new();
    here.with_shapes(40);
    let line = format!("{DETECTOR} --only accuracy --shard-size 8 --format json");
    let whole = here.run(&line).succeeds().record();
    let plan = here.run(&format!("{line} --dry-run")).succeeds();
    let plan: Value = serde_json::from_str(&plan.stdout).expect("a plan");
    assert_eq!(plan["schema"], PLAN_SCHEMA);

    // The other place has the same files under other names.
    let there = Place::new();
    let (model, pictures) = (there.join("weights"), there.join("photos"));
    fs::create_dir_all(&model).expect("a folder");
    crate::support::copy(&here.join("models/dyno/shapes-detector"), &model);
    crate::support::copy(
        &here.join("pictures/annotations"),
        &pictures.join("annotations"),
    );
    crate::support::copy(
        &here.join("pictures/images/val2017"),
        &pictures.join("images/val2017"),
    );
    crate::support::copy(&here.join("pictures"), &pictures);
    let run = there.join("shards");
    fs::create_dir_all(&run).expect("a folder");
    let mut rebound = plan.clone();
    let bindings = &mut rebound["bindings"];
    for file in bindings["files"].as_array_mut().expect("files") {
        let path = file["content"]["path"].as_str().expect("a path").to_owned();
        let name = Path::new(&path).file_name().expect("a name");
        file["content"]["path"] = json!(model.join(name));
    }
    bindings["dataset"]["path"] = json!(pictures);
    bindings["run_folder"] = json!(run);
    bindings["division"] = json!({"fused": {"workers": 1, "threads": 1}});
    bindings["cache_dir"] = json!(there.join("cache"));
    fs::write(run.join("plan.json"), rebound.to_string()).expect("writable");
    let typed: Plan = serde_json::from_value(rebound.clone()).expect("a plan");
    assert_eq!(typed.shard_count(), 5);
    for range in [
        ShardRange { first: 0, end: 2 },
        ShardRange { first: 2, end: 5 },
    ] {
        let mut part = rebound.clone();
        part["shards"] = json!(range);
        let done = worker(&there, &part).succeeds();
        let events = events(&done);
        assert!(
            matches!(events.first(), Some(Event::Started { tool, .. }) if tool.name == "dyno"),
            "who it is comes first"
        );
        let shards = events
            .iter()
            .filter(|e| matches!(e, Event::ShardDone { .. }));
        assert_eq!(shards.count() as u32, range.end - range.first);
        assert!(matches!(
            events.last(),
            Some(Event::Finished { partial: false })
        ));
    }

    // What they found goes home: the run is taken up with nothing left to measure.
    let home = here.join("runs/0-brought-home");
    fs::create_dir_all(home.join("data")).expect("a folder");
    crate::support::copy(&run, &home);
    crate::support::copy(&run.join("data"), &home.join("data"));
    let merged = here.run(&format!("{line} --resume")).succeeds().record();
    assert_eq!(scores(&whole), scores(&merged));
    assert_eq!(merged.plan.sha256, whole.plan.sha256);
}

#[test]
fn a_worker_answers_questions_and_refuses_what_is_neither() {
    let place = Place::new();
    place.with_shapes(1);
    let question = json!({
        "schema": "dyno.question/1",
        "backend": "tract",
        "source": {"framework": "onnx", "files": [{"role": "model", "content":
            {"path": place.join("models/dyno/shapes-detector/shapes-detector.onnx")}}]},
        "config": {"device": "cpu", "precision": "native", "threads": 1, "batch": 1, "slots": 1,
            "shapes": {}, "outputs": [], "settings": {}},
        "cache_dir": null,
        "engine_timeout_ns": 60_000_000_000_u64,
    });
    let answers = events(&worker(&place, &question).succeeds());
    let [
        Event::Answered {
            io,
            facts,
            import: None,
            says: None,
        },
    ] = answers.as_slice()
    else {
        panic!("one answer: {answers:?}")
    };
    assert_eq!((io.inputs.len(), facts.backend.as_str()), (1, "tract"));
    for document in [json!({}), json!({"schema": "dyno.plan/9"}), json!(7)] {
        worker(&place, &document)
            .exits(2)
            .says(&["error:", "standard input"]);
    }
}

/// With `--isolate` no engine is opened in the process that plans: one that kills whoever opens it
/// is an error there, with its signal.
#[test]
fn an_engine_that_kills_whoever_opens_it_kills_a_child() {
    let place = Place::new();
    place.with_shapes(2);
    // Recipes are chosen by what the engine says, so planning itself asks it.
    let model = "models/dyno/shapes-detector/shapes-detector.onnx";
    let line = format!(
        "run {model} --dataset coco:pictures --only accuracy {NULL} --set crash_on_open=true --labels models/dyno/shapes-detector/labels.txt"
    );
    place
        .run(&format!("{line} --isolate"))
        .exits(5)
        .says(&["error: the worker process was killed by signal 6 (abort)"]);
    // Without it, this process dies: the test above tests something.
    assert_eq!(place.run(&line).code, None);
}

#[test]
fn an_engine_that_does_not_return_ends_the_run_with_an_error() {
    let place = Place::new();
    place.with_shapes(6);
    let line = format!(
        "{DETECTOR} --only accuracy {NULL} --set delay_ns=3600000000000 --engine-timeout 200ms"
    );
    for isolate in ["", " --isolate"] {
        place
            .run(&format!("{line}{isolate}"))
            .exits(5)
            .says(&["the engine did not return within 0.2 s"]);
    }
}
