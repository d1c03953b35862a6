//! B7: an engine that crashes, hangs or is no library takes nothing with it, and a child ends with
//! its parent.

use crate::cheats::kit::{
    DETECTOR, HANGS, Limits, children, ended, kill, limited, shapes, started,
};
use std::{fs, path::Path, thread};

const NULL: &str =
    "--backend null --set inputs=images:f32:1x3x128x128 --set outputs=output:f32:1x336x11";

/// A shared library of 64-bit ELF (System V ABI) whose one segment is announced with a megabyte and
/// ends after its headers: who reads the rest of the mapping gets SIGBUS.
fn truncated_library() -> Vec<u8> {
    let machine: u16 = if cfg!(target_arch = "aarch64") {
        183
    } else {
        62
    };
    let mut elf = b"\x7fELF\x02\x01\x01".to_vec();
    elf.resize(16, 0);
    // Kind (shared object), machine, version, entry, program headers at 64, no sections.
    elf.extend(3_u16.to_le_bytes());
    elf.extend(machine.to_le_bytes());
    elf.extend(1_u32.to_le_bytes());
    elf.extend([0_u64, 64, 0].iter().flat_map(|v| v.to_le_bytes()));
    elf.extend(0_u32.to_le_bytes());
    elf.extend(
        [64_u16, 56, 2, 64, 0, 0]
            .iter()
            .flat_map(|v| v.to_le_bytes()),
    );
    let mut header = |kind: u32, flags: u32, offset: u64, size: u64| {
        elf.extend(kind.to_le_bytes());
        elf.extend(flags.to_le_bytes());
        elf.extend(
            [offset, offset, offset, size, size, 0x1000]
                .iter()
                .flat_map(|v| v.to_le_bytes()),
        );
    };
    header(1, 6, 0, 0x10_0000);
    header(2, 6, 0x8_0000, 0x1000);
    elf
}

#[test]
fn a_library_that_is_cut_short_is_a_finding_of_the_doctor() {
    let place = shapes(2);
    let library = place.join("libonnxruntime.so");
    fs::write(&library, truncated_library()).expect("writable");
    for line in [
        "doctor".to_owned(),
        "backends list".to_owned(),
        format!("{DETECTOR} --backend tract"),
    ] {
        let mut command = Limits::default().command(&place, &line);
        let child = command
            .env("DYNO_ONNXRUNTIME", &library)
            .spawn()
            .expect("the binary starts");
        ended(child).succeeds();
    }
    let mut command =
        Limits::default().command(&place, &format!("{DETECTOR} --backend onnxruntime"));
    let child = command
        .env("DYNO_ONNXRUNTIME", &library)
        .spawn()
        .expect("the binary starts");
    let done = ended(child);
    assert!(
        done.code.is_some_and(|c| (2..=5).contains(&c)),
        "{:?}\n{}",
        done.code,
        done.stderr
    );
    done.says(&["libonnxruntime.so"]);
}

#[test]
fn a_child_ends_with_its_parent() {
    let place = shapes(8);
    // An hour a query.
    let line = format!("{DETECTOR} {NULL} --set delay_ns=3600000000000 --isolate --workers 1");
    let mut parent = started(&place, &line);
    let busy = |id: u32| fs::read_dir(format!("/proc/{id}/task")).map_or(0, Iterator::count) > 1;
    let mut measuring = Vec::new();
    // The child that measures has threads; the one that was asked for the model's outputs has ended.
    while measuring.is_empty() || !has_plan(&place.join("runs")) {
        assert!(parent.try_wait().expect("a child").is_none(), "it ended");
        measuring = children(parent.id());
        measuring.retain(|id| busy(*id));
        thread::yield_now();
    }
    // `kill` of the standard library is SIGKILL: the parent can do nothing any more.
    parent.kill().expect("a child");
    parent.wait().expect("a child");
    for id in measuring {
        assert!(gone(id), "the child {id} outlives its parent");
    }
}

/// A run has a plan.
fn has_plan(runs: &Path) -> bool {
    fs::read_dir(runs)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .any(|run| run.path().join("plan.json").is_file())
}

/// Waits for a process that is not ours to end; ends it, if it does not.
fn gone(id: u32) -> bool {
    let alive = || {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        // A process that has ended and that nobody has asked for is a zombie.
        !stat.is_empty()
            && !stat
                .rsplit(')')
                .next()
                .is_some_and(|s| s.trim().starts_with('Z'))
    };
    let began = std::time::Instant::now();
    while alive() {
        if began.elapsed() > HANGS {
            kill(id);
            return false;
        }
        thread::yield_now();
    }
    true
}

#[test]
fn an_engine_that_does_not_return_is_given_up() {
    let place = shapes(4);
    let hour = "--set delay_ns=3600000000000";
    for more in [
        "--only accuracy",
        "--only accuracy --workers 1",
        "--only accuracy --isolate",
        "--only latency --profile quick",
    ] {
        let line = format!(
            "run dyno/shapes-detector --dataset coco:pictures {more} {NULL} {hour} --engine-timeout 1s"
        );
        let done = limited(&place, Limits::default(), &line);
        assert_eq!(done.code, Some(5), "{more}:\n{}", done.stderr);
        done.says(&["did not return"]);
    }
}

#[test]
fn a_crash_while_the_model_is_asked_for_its_outputs_is_told() {
    let place = shapes(4);
    let crash = format!("{DETECTOR} {NULL} --set crash_at=0");
    let done = limited(&place, Limits::default(), &format!("{crash} --isolate")).exits(5);
    done.says(&["signal 6"]);
}
