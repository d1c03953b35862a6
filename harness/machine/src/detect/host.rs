//! What stands around the processor: board, system, memory, container, virtual machine, load.
//!
//! Containers: the marks that Docker (`/.dockerenv`) and Podman (`/run/.containerenv`) leave, and
//! the names of control groups; limits are those of control groups, version 2 (kernel,
//! *Control Group v2*: `cpu.max`, `memory.max`).

use super::Tree;
use crate::{board::board_of, parse};
use dyno_core::Board;
use serde::Serialize;

/// A container around this program.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Container {
    /// `docker`, `podman`, `kubernetes`, `lxc`, or `control group` where only limits tell.
    pub kind: String,
    /// Cores that it may use, where it is limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cores: Option<f64>,
    /// Memory that it may use, where it is limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
}

/// How busy the machine is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Load {
    /// Mean number of processes that ran or wanted to, in the last minute.
    pub one_minute: f64,
    /// In the last 15 minutes.
    pub fifteen_minutes: f64,
}

/// The surroundings.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Host {
    /// Board by its device tree.
    pub board: Board,
    /// Name and version of the system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// Release of the kernel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel: Option<String>,
    /// Memory of the machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Memory that could be used without swapping.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_available_bytes: Option<u64>,
    /// A container, where there are signs of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<Container>,
    /// The virtual machine, where the processor or the firmware tell of one: its maker's words, or
    /// `yes`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub virtual_machine: Option<String>,
    /// Load, where the system tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load: Option<Load>,
}

pub(super) fn read(tree: &Tree<'_>) -> Host {
    let model = [
        "proc/device-tree/model",
        "sys/firmware/devicetree/base/model",
    ]
    .iter()
    .find_map(|p| tree.text(p));
    let meminfo = tree.text("proc/meminfo").unwrap_or_default();
    let system = ["etc/os-release", "usr/lib/os-release"]
        .iter()
        .find_map(|p| tree.text(p))
        .and_then(|t| parse::os_name(&t));
    Host {
        board: board_of(model.as_deref(), std::env::consts::ARCH),
        system,
        kernel: tree.text("proc/sys/kernel/osrelease"),
        memory_bytes: parse::kib_field(&meminfo, "MemTotal"),
        memory_available_bytes: parse::kib_field(&meminfo, "MemAvailable"),
        container: container(tree),
        virtual_machine: virtual_machine(tree),
        load: load(tree),
    }
}

fn container(tree: &Tree<'_>) -> Option<Container> {
    let groups = tree.text("proc/1/cgroup").unwrap_or_default();
    let kind = [
        ("kubernetes", groups.contains("kubepods")),
        (
            "docker",
            tree.exists(".dockerenv") || groups.contains("docker"),
        ),
        (
            "podman",
            tree.exists("run/.containerenv") || groups.contains("libpod"),
        ),
        ("lxc", groups.contains("/lxc")),
    ]
    .iter()
    .find(|(_, is)| *is)
    .map(|(kind, _)| *kind);
    let cores = tree.text("sys/fs/cgroup/cpu.max").and_then(|t| {
        let (quota, period) = t.split_once(' ')?;
        let (quota, period): (f64, f64) = (quota.parse().ok()?, period.trim().parse().ok()?);
        (period > 0.0).then_some(quota / period)
    });
    let memory_bytes = tree
        .text("sys/fs/cgroup/memory.max")
        .and_then(|t| t.parse().ok());
    let limited = cores.is_some() || memory_bytes.is_some();
    kind.or(limited.then_some("control group"))
        .map(|kind| Container {
            kind: kind.to_owned(),
            cores,
            memory_bytes,
        })
}

/// Makers of virtual machines, as firmware names them.
const MAKERS: &[&str] = &[
    "QEMU",
    "KVM",
    "VMware",
    "VirtualBox",
    "innotek",
    "Xen",
    "Google Compute Engine",
    "Amazon EC2",
    "Virtual Machine",
    "Firecracker",
    "Parallels",
    "Bochs",
];

fn virtual_machine(tree: &Tree<'_>) -> Option<String> {
    let firmware: Vec<String> = ["sys_vendor", "product_name"]
        .iter()
        .filter_map(|f| tree.text(&format!("sys/class/dmi/id/{f}")))
        .collect();
    let words = firmware.join(" ");
    if MAKERS.iter().any(|m| words.contains(m)) {
        return Some(words);
    }
    let flagged = parse::hypervisor(&tree.text("proc/cpuinfo").unwrap_or_default()) == Some(true);
    tree.text("sys/hypervisor/type")
        .or_else(|| flagged.then(|| "yes".to_owned()))
}

fn load(tree: &Tree<'_>) -> Option<Load> {
    let text = tree.text("proc/loadavg")?;
    let mut words = text.split_whitespace();
    Some(Load {
        one_minute: words.next()?.parse().ok()?,
        fifteen_minutes: words.nth(1)?.parse().ok()?,
    })
}
