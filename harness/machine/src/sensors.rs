//! Temperatures and clocks of the kernel (`/sys/class/thermal`,
//! `/sys/devices/system/cpu/*/cpufreq`, power rails of `hwmon`).

use dyno_core::Sensor;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// At most this many sensors are kept: servers have hundreds of cores, a record has 64 kB.
const MAX_SENSORS: usize = 32;

/// A value of one sensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The sensor's name: `thermal cpu-thermal`, `cpu0 clock`.
    pub name: String,
    /// What it gives, with the unit: `temperature, millidegrees Celsius`.
    pub quantity: &'static str,
    /// The value.
    pub value: i64,
}

#[derive(Debug, Clone)]
struct Source {
    name: String,
    quantity: &'static str,
    path: PathBuf,
    start: Option<i64>,
    end: Option<i64>,
}

/// The sensors of this machine; none on systems without such files.
#[derive(Debug, Clone, Default)]
pub struct Sensors {
    sources: Vec<Source>,
}

impl Sensors {
    /// Those that can be read now.
    pub fn find() -> Self {
        Self::below(Path::new("/sys"))
    }

    fn below(sys: &Path) -> Self {
        let mut sources = Vec::new();
        for zone in folders(&sys.join("class/thermal"), "thermal_zone") {
            let kind = line(&zone.join("type")).unwrap_or_else(|| file_name(&zone));
            add(
                &mut sources,
                format!("thermal {kind}"),
                "temperature, millidegrees Celsius",
                zone.join("temp"),
            );
        }
        for cpu in folders(&sys.join("devices/system/cpu"), "cpu") {
            add(
                &mut sources,
                format!("{} clock", file_name(&cpu)),
                "frequency, kHz",
                cpu.join("cpufreq/scaling_cur_freq"),
            );
        }
        for monitor in folders(&sys.join("class/hwmon"), "hwmon") {
            let chip = line(&monitor.join("name")).unwrap_or_else(|| file_name(&monitor));
            for rail in 1..=4 {
                let label = line(&monitor.join(format!("power{rail}_label")))
                    .unwrap_or_else(|| format!("power{rail}"));
                add(
                    &mut sources,
                    format!("{chip} {label}"),
                    "power, microwatts",
                    monitor.join(format!("power{rail}_input")),
                );
            }
        }
        sources.truncate(MAX_SENSORS);
        Self { sources }
    }

    /// Present values, those that cannot be read left out.
    pub fn read(&self) -> Vec<Reading> {
        self.sources
            .iter()
            .filter_map(|s| {
                Some(Reading {
                    name: s.name.clone(),
                    quantity: s.quantity,
                    value: number(&s.path)?,
                })
            })
            .collect()
    }

    /// Keeps the present values as those of the start.
    #[must_use]
    pub fn start(mut self) -> Self {
        for source in &mut self.sources {
            source.start = number(&source.path);
        }
        self
    }

    /// Keeps the present values as those of the end.
    #[must_use]
    pub fn end(mut self) -> Self {
        for source in &mut self.sources {
            source.end = number(&source.path);
        }
        self
    }

    /// What stands in the record.
    pub fn record(&self) -> Vec<Sensor> {
        self.sources
            .iter()
            .map(|s| Sensor {
                name: s.name.clone(),
                quantity: s.quantity.to_owned(),
                start: s.start,
                end: s.end,
            })
            .collect()
    }
}

fn add(sources: &mut Vec<Source>, name: String, quantity: &'static str, path: PathBuf) {
    if number(&path).is_some() {
        sources.push(Source {
            name,
            quantity,
            path,
            start: None,
            end: None,
        });
    }
}

/// Folders called `prefix` and a number, in the order of the number.
fn folders(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(parent) else {
        return Vec::new();
    };
    let mut found: Vec<(u32, PathBuf)> = entries
        .filter_map(|e| {
            let path = e.ok()?.path();
            let number = file_name(&path).strip_prefix(prefix)?.parse().ok()?;
            Some((number, path))
        })
        .collect();
    found.sort();
    found.into_iter().map(|(_, path)| path).collect()
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn line(path: &Path) -> Option<String> {
    fs::read_to_string(path)
        .ok()
        .map(|t| t.trim().to_owned())
        .filter(|t| !t.is_empty())
}

fn number(path: &Path) -> Option<i64> {
    line(path)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_like_a_boards_is_read_at_start_and_end() {
        let root = std::env::temp_dir().join(format!("dyno-sensors-{}", std::process::id()));
        let write = |path: &str, text: &str| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().expect("below the root")).expect("a temporary folder");
            fs::write(path, text).expect("a file");
        };
        write("class/thermal/thermal_zone10/temp", "41000\n");
        write("class/thermal/thermal_zone2/type", "GPU-therm\n");
        write("class/thermal/thermal_zone2/temp", "38500\n");
        write("class/thermal/thermal_zone3/temp", "broken\n");
        write("class/thermal/cooling_device0/temp", "1\n");
        write(
            "devices/system/cpu/cpu0/cpufreq/scaling_cur_freq",
            "1479000\n",
        );
        write("devices/system/cpu/cpufreq/scaling_cur_freq", "1\n");
        write("class/hwmon/hwmon0/name", "ina3221\n");
        write("class/hwmon/hwmon0/power1_label", "VDD_IN\n");
        write("class/hwmon/hwmon0/power1_input", "5000000\n");
        let sensors = Sensors::below(&root).start();
        write("class/thermal/thermal_zone2/temp", "61500\n");
        let sensors = sensors.end();
        let rows: Vec<_> = sensors
            .record()
            .into_iter()
            .map(|s| (s.name, s.start, s.end))
            .collect();
        let row = |name: &str, start, end| (name.to_owned(), Some(start), Some(end));
        let expected = [
            row("thermal GPU-therm", 38_500, 61_500),
            row("thermal thermal_zone10", 41_000, 41_000),
            row("cpu0 clock", 1_479_000, 1_479_000),
            row("ina3221 VDD_IN", 5_000_000, 5_000_000),
        ];
        assert_eq!(rows, expected);
        assert_eq!(
            sensors.read()[0],
            Reading {
                name: "thermal GPU-therm".to_owned(),
                quantity: "temperature, millidegrees Celsius",
                value: 61_500
            }
        );
        fs::remove_dir_all(&root).expect("the folder is ours");
        assert!(
            sensors.read().is_empty(),
            "sensors that went away are left out"
        );
        assert!(Sensors::below(&root).record().is_empty());
    }
}
