//! The machine of a record.

use crate::{board::board_of, parse};
use dyno_core::{Machine, sha256_hex};
use std::{env::consts, fs, thread};

fn text(path: &str) -> Option<String> {
    fs::read_to_string(path).ok()
}

/// Cores that this process may use (affinity and control groups counted in); at least 1.
pub fn cores() -> u32 {
    thread::available_parallelism()
        .ok()
        .and_then(|n| u32::try_from(n.get()).ok())
        .unwrap_or(1)
}

/// The machine that this process runs on. The host's name is a hash unless `include_host`.
pub fn describe(include_host: bool) -> Machine {
    let cpuinfo = text("/proc/cpuinfo").unwrap_or_default();
    let tree = [
        "/proc/device-tree/model",
        "/sys/firmware/devicetree/base/model",
    ]
    .iter()
    .find_map(|p| text(p))
    .and_then(|t| parse::device_tree(&t));
    let power_mode = text("/var/lib/nvpmodel/status").and_then(|status| {
        parse::power_mode(&status, &text("/etc/nvpmodel.conf").unwrap_or_default())
    });
    let os = ["/etc/os-release", "/usr/lib/os-release"]
        .iter()
        .find_map(|p| text(p))
        .and_then(|t| parse::os_name(&t));
    Machine {
        board: board_of(tree.as_deref(), consts::ARCH),
        power_mode,
        cpu: parse::cpu_name(&cpuinfo).unwrap_or_else(|| consts::ARCH.to_owned()),
        cores: cores(),
        memory_bytes: text("/proc/meminfo")
            .and_then(|t| parse::kib_field(&t, "MemTotal"))
            .unwrap_or(0),
        os: format!("{} {}", os.as_deref().unwrap_or(consts::OS), consts::ARCH),
        governor: text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
            .map(|g| g.trim().to_owned())
            .filter(|g| !g.is_empty()),
        virtualized: parse::hypervisor(&cpuinfo),
        host: host(include_host),
    }
}

/// The host's name or 16 digits of its hash; empty where the system does not tell it.
fn host(include: bool) -> String {
    let name = ["/proc/sys/kernel/hostname", "/etc/hostname"]
        .iter()
        .find_map(|p| text(p))
        .map(|n| n.trim().to_owned())
        .filter(|n| !n.is_empty());
    match name {
        None => String::new(),
        Some(name) if include => name,
        Some(name) => sha256_hex(name.as_bytes()).chars().take(16).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_described_without_its_name() {
        let machine = describe(false);
        assert!(machine.cores >= 1);
        assert!(machine.os.ends_with(consts::ARCH), "{}", machine.os);
        assert!(!machine.board.id.is_empty() && !machine.cpu.is_empty());
        let shown = describe(true).host;
        if !shown.is_empty() {
            assert_eq!(machine.host.len(), 16);
            assert!(machine.host.chars().all(|c| c.is_ascii_hexdigit()));
            assert_eq!(machine.host, sha256_hex(shown.as_bytes())[..16]);
        }
        if cfg!(target_os = "linux") {
            assert!(machine.memory_bytes > 1 << 20);
        }
    }
}
