//! Workers in processes of their own. This program is the test and, with a word in its environment,
//! the worker, or a parent that dies.

#[expect(dead_code, reason = "the tests of this file need few of them")]
mod plans;
#[expect(dead_code, reason = "the tests of this file need few of them")]
mod toy;

use dyno_core::{Event, OpenConfig, Plan, QUESTION_SCHEMA, Question};
use dyno_runner::{RunError, WorkerCommand, ask, claim_stdout, isolate, serve};
use plans::{Machine, collect, identity, with, write_plan};
use std::{
    env,
    ffi::OsString,
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Command, Stdio},
    sync::{Mutex, atomic::AtomicBool},
};

/// What this process is, and for a parent its plan.
const ROLE: &str = "DYNO_TOY_ROLE";
const PLAN: &str = "DYNO_TOY_PLAN";

static STOP: AtomicBool = AtomicBool::new(false);

fn main() {
    match env::var(ROLE).as_deref() {
        Ok("parent") => parent(),
        Ok(_) => end(worker()),
        Err(_) => tests(),
    }
}

#[expect(clippy::exit, reason = "the end of a process is what is tried")]
fn end(code: u8) {
    std::process::exit(code.into());
}

fn worker() -> u8 {
    let output = claim_stdout().expect("a descriptor");
    // What anybody prints from here on is not for whoever reads events.
    #[expect(clippy::print_stdout, reason = "that is the point")]
    {
        println!("hello from a library");
    }
    let input = BufReader::new(std::io::stdin());
    serve(
        input,
        output,
        &toy::TABLES,
        &identity("c0ffee"),
        &STOP,
        &end,
    )
    .expect("a request")
}

/// Starts a worker, and lives as long as it does.
fn parent() {
    let text = std::fs::read(env::var_os(PLAN).expect("a plan")).expect("a file");
    let plan: Plan = serde_json::from_slice(&text).expect("a plan");
    let _ = isolate(&plan, &command(), &|_| ());
}

fn command() -> WorkerCommand {
    // The child inherits the environment; its role is the program's argument, for `env`.
    WorkerCommand {
        program: "env".into(),
        arguments: vec![
            OsString::from(format!("{ROLE}=worker")),
            env::current_exe().expect("this program").into(),
        ],
    }
}

fn tests() {
    let tests: [(&str, fn()); 6] = [
        ("a plan is run in a child", a_plan_is_run_in_a_child),
        ("a question is answered", a_question_is_answered),
        ("a failure has its code", a_failure_has_its_code),
        ("an engine that hangs ends the child", an_engine_that_hangs),
        ("a child ends with its parent", a_child_ends_with_its_parent),
        ("a plan from a file", a_plan_from_a_file_runs_to_its_end),
    ];
    for (name, test) in tests {
        test();
        #[expect(clippy::print_stderr, reason = "what a test harness does")]
        {
            eprintln!("test {name} ... ok");
        }
    }
}

fn run(plan: &Plan) -> (Result<(), RunError>, Vec<Event>) {
    write_plan(plan);
    let events = Mutex::new(Vec::new());
    let sink = |event| events.lock().expect("no panic").push(event);
    let result = isolate(plan, &command(), &sink);
    (result, events.into_inner().expect("no panic"))
}

fn a_plan_is_run_in_a_child() {
    let machine = Machine::new();
    let here = plans::outcome(&machine.plan());
    let other = Machine::new();
    // Its engine prints on standard output in every run.
    let plan = with(other.plan(), &[("noise", "1")]);
    let (result, events) = run(&plan);
    result.expect("noise harms nobody");
    assert!(matches!(events.first(), Some(Event::Started { .. })));
    let ran = plans::Ran {
        events,
        result: Ok(()),
    };
    let there = collect(&plan, &[&ran]).expect("a record");
    let [one, two] = [&here, &there].map(|o| {
        o.record.measurements[0]
            .accuracy()
            .expect("accuracy")
            .predictions_sha256
            .clone()
    });
    assert_eq!(one, two);
}

fn question(plan: &Plan) -> Question {
    Question {
        schema: QUESTION_SCHEMA.into(),
        backend: "toy".into(),
        source: dyno_runner::model_source(plan),
        config: OpenConfig::default(),
        cache_dir: None,
        engine_timeout_ns: plan.bindings.engine_timeout_ns,
    }
}

fn a_question_is_answered() {
    let machine = Machine::new();
    let mut question = question(&machine.plan());
    let answer = ask(&question, &command()).expect("an answer");
    assert_eq!(answer.io.inputs[0].name, "x");
    assert_eq!(
        (answer.facts.backend.as_str(), answer.import),
        ("toy", None)
    );
    question.backend = "tyo".into();
    let error = ask(&question, &command()).expect_err("no such engine");
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().contains("did you mean `toy`?"), "{error}");
}

fn a_failure_has_its_code() {
    let machine = Machine::new();
    let plan = with(machine.plan(), &[("slots", "1")]);
    let (result, _) = run(&plan);
    let error = result.expect_err("three slots of one");
    assert_eq!(error.exit_code(), 3);
    assert!(error.to_string().contains("1 slots at once"), "{error}");
}

fn an_engine_that_hangs() {
    let machine = Machine::new();
    let mut plan = with(machine.plan(), &[("hang", "13")]);
    plan.bindings.engine_timeout_ns = 100_000_000;
    let (result, _) = run(&plan);
    let error = result.expect_err("overdue");
    assert_eq!(error.exit_code(), 5);
    assert!(
        error.to_string().contains("did not return within 0.1 s"),
        "{error}"
    );
}

fn parent_of(plan: &Path) -> std::process::Child {
    Command::new(env::current_exe().expect("this program"))
        .env(ROLE, "parent")
        .env(PLAN, plan)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("this program")
}

fn a_child_ends_with_its_parent() {
    let machine = Machine::new();
    let plan = with(machine.plan(), &[("hang", "13")]);
    write_plan(&plan);
    let mut parent = parent_of(&plan.bindings.run_folder.join("plan.json"));
    let mut words = BufReader::new(parent.stderr.take().expect("a pipe"));
    let mut line = String::new();
    while line.trim() != "hanging" {
        line.clear();
        let read = words.read_line(&mut line).expect("a line");
        assert!(read > 0, "the worker ended before it hung");
    }
    parent.kill().expect("it lives");
    parent.wait().expect("it is dead");
    // The pipe ends when the worker, which holds its other end, is gone too.
    let mut rest = Vec::new();
    words.read_to_end(&mut rest).expect("the end");
}

fn a_plan_from_a_file_runs_to_its_end() {
    let machine = Machine::new();
    let plan = machine.plan();
    write_plan(&plan);
    let file = std::fs::File::open(plan.bindings.run_folder.join("plan.json")).expect("a plan");
    let output = Command::new(env::current_exe().expect("this program"))
        .env(ROLE, "worker")
        .stdin(file)
        .output()
        .expect("this program");
    assert!(output.status.success(), "{output:?}");
    let lines: Vec<&[u8]> = output.stdout.split(|b| *b == b'\n').collect();
    let last = lines.iter().rev().find(|l| !l.is_empty()).expect("events");
    let event: Event = serde_json::from_slice(last).expect("an event");
    assert_eq!(event, Event::Finished { partial: false });
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("hello from a library"), "{said}");
}
