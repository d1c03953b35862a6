//! The processor: what decides how fast an engine is on it.

use super::{Tree, text_of};
use crate::parse;
use serde::Serialize;
use std::collections::BTreeSet;

/// Instructions that engines choose their code by, in the kernel's words (`/proc/cpuinfo`), for
/// x86 and for ARM.
const FEATURES: &[(&str, &[&str])] = &[
    (
        "flags",
        &[
            "sse4_2",
            "avx",
            "f16c",
            "fma",
            "avx2",
            "avx_vnni",
            "avx512f",
            "avx512bw",
            "avx512vl",
            "avx512_vnni",
            "avx512_bf16",
            "avx512_fp16",
            "amx_tile",
            "amx_int8",
            "amx_bf16",
        ],
    ),
    (
        "Features",
        &[
            "neon", "asimd", "asimdhp", "asimddp", "i8mm", "bf16", "sve", "sve2", "sme",
        ],
    ),
];

/// A processor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Processor {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Processors that the system lists: hardware threads.
    pub logical: u32,
    /// Cores of their own, where the system tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub physical: Option<u32>,
    /// Instructions that matter here and that it has.
    pub features: Vec<String>,
    /// Those of the same family that it has not.
    pub lacks: Vec<String>,
    /// Governors of the clock, one of each kind.
    pub governors: Vec<String>,
    /// Highest clock of any core.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_clock_hz: Option<u64>,
}

pub(super) fn read(tree: &Tree<'_>) -> Processor {
    let cpuinfo = tree.text("proc/cpuinfo").unwrap_or_default();
    let (features, lacks) = features(&cpuinfo);
    let mut governors = BTreeSet::new();
    let mut max_clock_hz = None;
    for policy in tree.entries("sys/devices/system/cpu/cpufreq", "policy") {
        governors.extend(text_of(&policy.join("scaling_governor")));
        // Kilohertz.
        let clock = text_of(&policy.join("cpuinfo_max_freq"))
            .and_then(|t| t.parse::<u64>().ok()?.checked_mul(1000));
        max_clock_hz = max_clock_hz.max(clock);
    }
    Processor {
        model: parse::cpu_name(&cpuinfo),
        logical: count(&cpuinfo, "processor"),
        physical: physical(&cpuinfo),
        features,
        lacks,
        governors: governors.into_iter().collect(),
        max_clock_hz,
    }
}

fn features(cpuinfo: &str) -> (Vec<String>, Vec<String>) {
    for (key, known) in FEATURES {
        let Some(line) = parse::field(cpuinfo, key) else {
            continue;
        };
        let has: BTreeSet<&str> = line.split_whitespace().collect();
        let (yes, no): (Vec<&str>, Vec<&str>) = known.iter().partition(|f| has.contains(**f));
        let owned = |list: Vec<&str>| list.into_iter().map(str::to_owned).collect();
        return (owned(yes), owned(no));
    }
    (Vec::new(), Vec::new())
}

fn count(cpuinfo: &str, key: &str) -> u32 {
    let lines = cpuinfo.lines();
    lines
        .filter(|l| l.split_once(':').is_some_and(|(k, _)| k.trim() == key))
        .count() as u32
}

/// Pairs of package and core.
fn physical(cpuinfo: &str) -> Option<u32> {
    let mut cores = BTreeSet::new();
    let mut package = "";
    for line in cpuinfo.lines() {
        let Some((key, value)) = line.split_once(':') else {
            continue;
        };
        match key.trim() {
            "physical id" => package = value.trim(),
            "core id" => {
                cores.insert((package, value.trim()));
            }
            _ => {}
        }
    }
    (!cores.is_empty()).then_some(cores.len() as u32)
}
