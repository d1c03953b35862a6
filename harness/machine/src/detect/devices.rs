//! GPUs, NPUs and other chips that run networks, with their drivers.
//!
//! Sources: `/proc/driver/nvidia` (NVIDIA's driver, README), `/sys/class/drm` (kernel, DRM),
//! `/sys/class/accel` (kernel, *compute accelerators*), `/dev/hailo*` and PCI vendor 1e60 (Hailo's
//! driver `hailort-drivers`), USB ids of Movidius' Myriad (Intel's udev rules for it).

use super::{Tree, name_of, text_of};
use crate::parse::field;
use serde::Serialize;
use std::path::Path;

/// A GPU.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gpu {
    /// Its name, else vendor and device number.
    pub name: String,
    /// `NVIDIA`, `AMD`, `Intel`, else the vendor's number.
    pub vendor: String,
    /// The driver and its version; absent where none is bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// The file that told.
    pub source: String,
}

/// What kind of chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AcceleratorKind {
    /// Hailo-8 and its kin.
    Hailo,
    /// A neural unit of the processor's package.
    Npu,
    /// Intel's Movidius Myriad on USB.
    Myriad,
}

impl AcceleratorKind {
    /// For people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Hailo => "Hailo",
            Self::Npu => "NPU",
            Self::Myriad => "Myriad",
        }
    }
}

/// A chip that runs networks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Accelerator {
    /// Its kind.
    pub kind: AcceleratorKind,
    /// What tells it apart: a device file, a place on a bus.
    pub name: String,
    /// The driver; absent where the chip is there and no driver has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
}

/// PCI vendors of GPUs.
const VENDORS: &[(&str, &str)] = &[("0x10de", "NVIDIA"), ("0x1002", "AMD"), ("0x8086", "Intel")];

/// Hailo's PCI vendor.
const HAILO: &str = "0x1e60";

/// USB product numbers of Movidius (vendor 03e7).
const MYRIAD: &[(&str, &str)] = &[
    ("2150", "Myriad 2"),
    ("2485", "Myriad X"),
    ("f63b", "Myriad X, running"),
];

pub(super) fn gpus(tree: &Tree<'_>) -> Vec<Gpu> {
    let mut found = nvidia(tree);
    let by_driver = !found.is_empty();
    for card in tree.entries("sys/class/drm", "card") {
        // `card0-HDMI-A-1` is a connector.
        if name_of(&card).contains('-') {
            continue;
        }
        let device = card.join("device");
        let Some(vendor_id) = text_of(&device.join("vendor")) else {
            continue;
        };
        let vendor = VENDORS
            .iter()
            .find(|(id, _)| *id == vendor_id)
            .map_or(vendor_id.as_str(), |(_, name)| name);
        if by_driver && vendor == "NVIDIA" {
            continue;
        }
        let number = text_of(&device.join("device")).unwrap_or_default();
        found.push(Gpu {
            name: format!("{vendor} {number}").trim().to_owned(),
            vendor: vendor.to_owned(),
            driver: bound(&device),
            source: format!("/sys/class/drm/{}", name_of(&card)),
        });
    }
    found
}

/// GPUs that NVIDIA's driver has; on a Jetson the driver lists none, and the board tells.
fn nvidia(tree: &Tree<'_>) -> Vec<Gpu> {
    let version = tree.text("proc/driver/nvidia/version");
    let driver = version.as_deref().map(|text| {
        let number = text
            .lines()
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .find(|w| {
                w.split('.').count() > 1 && w.chars().all(|c| c.is_ascii_digit() || c == '.')
            });
        number.map_or_else(|| "nvidia".to_owned(), |n| format!("nvidia {n}"))
    });
    let mut found = Vec::new();
    for gpu in tree.entries("proc/driver/nvidia/gpus", "") {
        let information = text_of(&gpu.join("information")).unwrap_or_default();
        found.push(Gpu {
            name: field(&information, "Model")
                .unwrap_or("NVIDIA GPU")
                .to_owned(),
            vendor: "NVIDIA".to_owned(),
            driver: driver.clone(),
            source: format!("/proc/driver/nvidia/gpus/{}", name_of(&gpu)),
        });
    }
    if found.is_empty()
        && let Some(release) = tree.text("etc/nv_tegra_release")
    {
        let line = release.lines().next().unwrap_or_default();
        found.push(Gpu {
            name: "NVIDIA Tegra".to_owned(),
            vendor: "NVIDIA".to_owned(),
            driver: Some(line.trim_start_matches(['#', ' ']).to_owned()),
            source: "/etc/nv_tegra_release".to_owned(),
        });
    }
    found
}

/// The driver that a device is bound to (`DRIVER=` of its `uevent`).
fn bound(device: &Path) -> Option<String> {
    let uevent = text_of(&device.join("uevent"))?;
    uevent
        .lines()
        .find_map(|l| l.strip_prefix("DRIVER="))
        .map(str::to_owned)
}

pub(super) fn accelerators(tree: &Tree<'_>) -> Vec<Accelerator> {
    let mut found = Vec::new();
    let accelerator = |kind, name: String, driver| Accelerator { kind, name, driver };
    let files: Vec<_> = tree
        .entries("dev", "hailo")
        .into_iter()
        .filter(|p| name_of(p)["hailo".len()..].parse::<u32>().is_ok())
        .collect();
    for file in &files {
        let name = format!("/dev/{}", name_of(file));
        let driver = tree
            .text("sys/module/hailo_pci/version")
            .map_or_else(|| "hailo_pci".to_owned(), |v| format!("hailo_pci {v}"));
        found.push(accelerator(AcceleratorKind::Hailo, name, Some(driver)));
    }
    if files.is_empty() {
        for device in tree.entries("sys/bus/pci/devices", "") {
            if text_of(&device.join("vendor")).as_deref() == Some(HAILO) {
                let name = format!("PCI {}", name_of(&device));
                found.push(accelerator(AcceleratorKind::Hailo, name, bound(&device)));
            }
        }
    }
    for device in tree.entries("sys/class/accel", "accel") {
        let name = format!("/dev/accel/{}", name_of(&device));
        let driver = bound(&device.join("device"));
        found.push(accelerator(AcceleratorKind::Npu, name, driver));
    }
    for device in tree.entries("sys/bus/usb/devices", "") {
        if text_of(&device.join("idVendor")).as_deref() != Some("03e7") {
            continue;
        }
        let product = text_of(&device.join("idProduct")).unwrap_or_default();
        let chip = MYRIAD.iter().find(|(id, _)| *id == product).map_or_else(
            || format!("Movidius {product}"),
            |(_, name)| (*name).to_owned(),
        );
        let name = format!("{chip}, USB {}", name_of(&device));
        found.push(accelerator(AcceleratorKind::Myriad, name, None));
    }
    found
}
