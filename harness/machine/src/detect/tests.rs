//! Machines as small trees of files.

use super::*;
use std::fs;

/// A tree of files: path and text.
fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder");
    for (path, text) in files {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().expect("in the tree")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    dir
}

fn detect(files: &[(&str, &str)]) -> Detected {
    Detected::below(tree(files).path())
}

const XEON: &str = "processor\t: 0\nmodel name\t: Intel(R) Xeon(R) Processor\nphysical id\t: 0\ncore id\t\t: 0\nflags\t\t: fpu sse4_2 avx avx2 fma avx512f avx512_vnni amx_tile hypervisor\n\nprocessor\t: 1\nphysical id\t: 0\ncore id\t\t: 0\nflags\t\t: fpu\n";

#[test]
fn a_server_in_a_container_in_a_virtual_machine() {
    let found = detect(&[
        ("proc/cpuinfo", XEON),
        ("proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 600 kB\n"),
        ("proc/loadavg", "1.50 2.00 0.25 2/345 678\n"),
        ("proc/1/cgroup", "0::/kubepods/besteffort/pod1\n"),
        ("proc/sys/kernel/osrelease", "6.1.0\n"),
        ("sys/fs/cgroup/cpu.max", "150000 100000\n"),
        ("sys/fs/cgroup/memory.max", "max\n"),
        ("sys/class/dmi/id/sys_vendor", "QEMU\n"),
        ("sys/class/dmi/id/product_name", "Standard PC\n"),
        (
            "sys/devices/system/cpu/cpufreq/policy0/scaling_governor",
            "powersave\n",
        ),
        (
            "sys/devices/system/cpu/cpufreq/policy0/cpuinfo_max_freq",
            "3000000\n",
        ),
        (
            "sys/devices/system/cpu/cpufreq/policy1/scaling_governor",
            "powersave\n",
        ),
        ("etc/os-release", "PRETTY_NAME=\"Debian\"\n"),
    ]);
    let cpu = &found.processor;
    assert_eq!((cpu.logical, cpu.physical), (2, Some(1)));
    assert_eq!(
        cpu.features,
        [
            "sse4_2",
            "avx",
            "fma",
            "avx2",
            "avx512f",
            "avx512_vnni",
            "amx_tile"
        ]
    );
    assert!(cpu.lacks.contains(&"amx_int8".to_owned()));
    assert_eq!(cpu.governors, ["powersave"]);
    assert_eq!(cpu.max_clock_hz, Some(3_000_000_000));
    let host = &found.host;
    assert_eq!(
        host.container,
        Some(Container {
            kind: "kubernetes".to_owned(),
            cores: Some(1.5),
            memory_bytes: None,
        })
    );
    assert_eq!(host.virtual_machine.as_deref(), Some("QEMU Standard PC"));
    assert_eq!(host.memory_available_bytes, Some(614_400));
    assert_eq!(host.load.map(|l| l.fifteen_minutes), Some(0.25));
    assert_eq!(host.system.as_deref(), Some("Debian"));
    assert!(found.gpus.is_empty() && found.accelerators.is_empty());
}

#[test]
fn graphics_with_and_without_a_driver() {
    let found = detect(&[
        (
            "proc/driver/nvidia/version",
            "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19\nGCC version: 12\n",
        ),
        (
            "proc/driver/nvidia/gpus/0000:01:00.0/information",
            "Model: \t\t NVIDIA H100 PCIe\nIRQ: 1\n",
        ),
        ("sys/class/drm/card0/device/vendor", "0x10de\n"),
        ("sys/class/drm/card1/device/vendor", "0x1002\n"),
        ("sys/class/drm/card1/device/device", "0x744c\n"),
        (
            "sys/class/drm/card1/device/uevent",
            "DRIVER=amdgpu\nPCI_CLASS=30000\n",
        ),
        ("sys/class/drm/card1-HDMI-A-1/device/vendor", "0x1002\n"),
        ("sys/class/drm/card2/device/vendor", "0x8086\n"),
        ("sys/class/drm/renderD128/device/vendor", "0x8086\n"),
    ]);
    let shown: Vec<(&str, Option<&str>)> = found
        .gpus
        .iter()
        .map(|g| (g.name.as_str(), g.driver.as_deref()))
        .collect();
    assert_eq!(
        shown,
        [
            ("NVIDIA H100 PCIe", Some("nvidia 535.104.05")),
            ("AMD 0x744c", Some("amdgpu")),
            ("Intel", None),
        ]
    );
}

#[test]
fn a_jetson_tells_by_its_device_tree() {
    let found = detect(&[
        (
            "proc/device-tree/model",
            "NVIDIA Jetson Xavier NX Developer Kit\0",
        ),
        ("etc/nv_tegra_release", "# R35 (release), REVISION: 4.1\n"),
        (
            "proc/cpuinfo",
            "processor\t: 0\nFeatures\t: fp asimd fphp asimdhp\nCPU implementer\t: 0x4e\nCPU part\t: 0x004\n",
        ),
    ]);
    assert_eq!(found.host.board.id, "xavier-nx");
    assert_eq!(
        found.gpus[0].driver.as_deref(),
        Some("R35 (release), REVISION: 4.1")
    );
    assert_eq!(found.processor.model.as_deref(), Some("NVIDIA Carmel"));
    assert_eq!(found.processor.features, ["asimd", "asimdhp"]);
    assert_eq!(found.processor.physical, None);
}

#[test]
fn chips_that_run_networks() {
    let found = detect(&[
        ("dev/hailo0", ""),
        ("dev/hailo_integrated", ""),
        ("sys/module/hailo_pci/version", "4.20.0\n"),
        ("sys/class/accel/accel0/device/uevent", "DRIVER=intel_vpu\n"),
        ("sys/bus/usb/devices/1-2/idVendor", "03e7\n"),
        ("sys/bus/usb/devices/1-2/idProduct", "2485\n"),
        ("sys/bus/usb/devices/1-3/idVendor", "046d\n"),
    ]);
    let shown: Vec<(&str, &str, Option<&str>)> = found
        .accelerators
        .iter()
        .map(|a| (a.kind.word(), a.name.as_str(), a.driver.as_deref()))
        .collect();
    assert_eq!(
        shown,
        [
            ("Hailo", "/dev/hailo0", Some("hailo_pci 4.20.0")),
            ("NPU", "/dev/accel/accel0", Some("intel_vpu")),
            ("Myriad", "Myriad X, USB 1-2", None),
        ]
    );
    let without = detect(&[("sys/bus/pci/devices/0000:03:00.0/vendor", "0x1e60\n")]);
    assert_eq!(without.accelerators[0].name, "PCI 0000:03:00.0");
    assert_eq!(without.accelerators[0].driver, None, "no driver has it");
}

#[test]
fn an_empty_machine_and_damaged_files_are_no_panic() {
    let empty = detect(&[]);
    assert_eq!((empty.processor.logical, empty.host.load), (0, None));
    let damaged = detect(&[
        ("proc/cpuinfo", "processor\nflags :\n\u{fffd}:\0"),
        ("proc/loadavg", "x"),
        ("sys/fs/cgroup/cpu.max", "1 0"),
        ("sys/fs/cgroup/memory.max", "-5"),
        ("proc/driver/nvidia/gpus/x/information", ""),
        ("dev/hailo99999999999999999999", ""),
    ]);
    assert_eq!(damaged.host.container, None);
    assert_eq!(damaged.gpus[0].name, "NVIDIA GPU");
    assert!(damaged.accelerators.is_empty());
}
