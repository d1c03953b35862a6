//! The machine as `dyno doctor` shows it: what `dyno-machine` detects, what NVIDIA's own tool says,
//! and what others use of the processor.

use crate::version;
use dyno_machine::{Detected, Sensors, Snapshot};
use dyno_reports::{
    terminal::clean,
    text::{bytes, percent},
};
use serde_json::{Value, json};
use std::{
    fmt::Write as _,
    io::Read as _,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Window in which the processor time of others is counted.
const WINDOW: Duration = Duration::from_millis(250);

/// Longest time that NVIDIA's tool may take: with a damaged driver it never ends.
const PATIENCE: Duration = Duration::from_secs(5);

/// Share of all cores that other processes used in a short window just now.
fn foreign_share() -> Option<f64> {
    let before = Snapshot::take();
    thread::sleep(WINDOW);
    let window_ns = u64::try_from(WINDOW.as_nanos()).unwrap_or(u64::MAX);
    let watched = before.until(&Snapshot::take(), window_ns);
    watched.disturbance.foreign_cpu_share
}

/// Lines of `nvidia-smi`, one a GPU: name, memory, driver, compute capability. Asked only where the
/// driver is loaded.
fn nvidia_smi() -> Vec<String> {
    if !Path::new("/proc/driver/nvidia/version").exists() {
        return Vec::new();
    }
    let child = Command::new("nvidia-smi")
        .args([
            "--query-gpu=name,memory.total,driver_version,compute_cap",
            "--format=csv,noheader",
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = child else {
        return Vec::new();
    };
    let begun = Instant::now();
    while matches!(child.try_wait(), Ok(None)) {
        if begun.elapsed() > PATIENCE {
            let _ = child.kill();
            let _ = child.wait();
            return vec!["nvidia-smi did not answer: the driver may be damaged".to_owned()];
        }
        thread::sleep(Duration::from_millis(20));
    }
    let mut text = String::new();
    if let Some(mut stdout) = child.stdout.take() {
        let _ = stdout.by_ref().take(1 << 16).read_to_string(&mut text);
    }
    text.lines().map(|l| l.trim().to_owned()).collect()
}

/// The machine as JSON.
pub(crate) fn document() -> Value {
    json!({
        "detected": Detected::here(),
        "cores": dyno_machine::cores(),
        "foreign_cpu_share": foreign_share(),
        "nvidia_smi": nvidia_smi(),
        "sensors": sensors(),
    })
}

fn sensors() -> Vec<String> {
    let mut sensors = Sensors::find();
    sensors.start();
    sensors
        .record()
        .iter()
        .map(|s| format!("{} ({})", s.name, s.source))
        .collect()
}

/// The machine in lines.
pub(crate) fn lines() -> String {
    let machine = Detected::here();
    let (cpu, host) = (&machine.processor, &machine.host);
    let mut text = format!("dyno {}\n\n", version::text());
    let mut line = |what: &str, value: &str| {
        let _ = writeln!(text, "{what:12} {}", clean(value));
    };
    let board = host.board.model.as_ref();
    line(
        "board",
        &board.map_or(host.board.id.clone(), |m| {
            format!("{} ({m})", host.board.id)
        }),
    );
    let model = cpu.model.as_deref().unwrap_or("unknown");
    let physical = cpu
        .physical
        .map_or_else(String::new, |n| format!(", {n} physical"));
    let usable = dyno_machine::cores();
    line(
        "cpu",
        &format!("{model}: {usable} cores of {}{physical}", cpu.logical),
    );
    line("features", &cpu.features.join(" "));
    line("not", &cpu.lacks.join(" "));
    if let Some(hz) = cpu.max_clock_hz {
        line("clock", &format!("at most {:.2} GHz", hz as f64 / 1e9));
    }
    if cpu.governors.is_empty() {
        line("governor", "the system tells none");
    } else {
        line("governor", &cpu.governors.join(" "));
    }
    if let Some(memory) = host.memory_bytes {
        let available = host
            .memory_available_bytes
            .map_or_else(String::new, |b| format!(", {} available", bytes(b)));
        line("memory", &format!("{}{available}", bytes(memory)));
    }
    let kernel = host.kernel.as_deref().unwrap_or("");
    let system = host.system.as_deref().unwrap_or(std::env::consts::OS);
    line(
        "system",
        &format!("{system} {} {kernel}", std::env::consts::ARCH),
    );
    for gpu in &machine.gpus {
        let driver = gpu.driver.as_deref().unwrap_or("no driver");
        line("gpu", &format!("{}, {driver} ({})", gpu.name, gpu.source));
    }
    for told in nvidia_smi() {
        line("nvidia-smi", &told);
    }
    for chip in &machine.accelerators {
        let driver = chip.driver.as_deref().unwrap_or("no driver");
        line(
            "accelerator",
            &format!("{}: {}, {driver}", chip.kind.word(), chip.name),
        );
    }
    if machine.gpus.is_empty() && machine.accelerators.is_empty() {
        line("devices", "no GPU, NPU, Hailo or Myriad was found");
    }
    if let Some(container) = &host.container {
        let mut limits = Vec::new();
        limits.extend(container.cores.map(|c| format!("{c} cores")));
        limits.extend(container.memory_bytes.map(bytes));
        let limits = if limits.is_empty() {
            "without limits".to_owned()
        } else {
            limits.join(", ")
        };
        line("container", &format!("{}, {limits}", container.kind));
    }
    if let Some(maker) = &host.virtual_machine {
        line(
            "virtual",
            &format!("machine ({maker}): timings carry the noise of its neighbours"),
        );
    }
    let share = foreign_share().map_or_else(String::new, |s| {
        format!("others use {} of all cores just now; ", percent(s))
    });
    if let Some(load) = host.load {
        line(
            "load",
            &format!(
                "{share}{} in the last minute, {} in 15",
                load.one_minute, load.fifteen_minutes
            ),
        );
    }
    for sensor in sensors() {
        line("sensor", &sensor);
    }
    text.push('\n');
    text
}
