//! Temperatures and power rails of the kernel (`/sys/class/thermal`, `hwmon`). Clocks are in the
//! disturbance of a window.

use crate::disturbance::numbered;
use dyno_core::SensorTrace;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// At most this many sensors are kept: servers have dozens, a record has 64 kB.
const MAX_SENSORS: usize = 16;

#[derive(Debug, Clone)]
struct Sensor {
    name: &'static str,
    source: String,
    path: PathBuf,
    start: Option<f64>,
    end: Option<f64>,
}

/// The sensors of this machine; none on systems without such files.
#[derive(Debug, Clone, Default)]
pub struct Sensors {
    sources: Vec<Sensor>,
}

impl Sensors {
    /// Those that can be read now.
    pub fn find() -> Self {
        Self::below(Path::new("/sys"))
    }

    fn below(sys: &Path) -> Self {
        let mut sources = Vec::new();
        for (_, zone) in numbered(&sys.join("class/thermal"), "thermal_zone") {
            let kind = line(&zone.join("type")).unwrap_or_else(|| file_name(&zone));
            add(
                &mut sources,
                "temperature_millicelsius",
                format!("thermal {kind}"),
                zone.join("temp"),
            );
        }
        for (_, monitor) in numbered(&sys.join("class/hwmon"), "hwmon") {
            let chip = line(&monitor.join("name")).unwrap_or_else(|| file_name(&monitor));
            for rail in 1..=4 {
                let label = line(&monitor.join(format!("power{rail}_label")))
                    .unwrap_or_else(|| format!("power{rail}"));
                add(
                    &mut sources,
                    "power_microwatt",
                    format!("{chip} {label}"),
                    monitor.join(format!("power{rail}_input")),
                );
            }
        }
        sources.truncate(MAX_SENSORS);
        Self { sources }
    }

    /// Keeps the present values as those of the start.
    pub fn start(&mut self) {
        for source in &mut self.sources {
            source.start = number(&source.path);
        }
    }

    /// Keeps the present values as those of the end.
    pub fn end(&mut self) {
        for source in &mut self.sources {
            source.end = number(&source.path);
        }
    }

    /// What stands in the record; sensors that gave no value are left out.
    pub fn record(&self) -> Vec<SensorTrace> {
        self.sources
            .iter()
            .filter(|s| s.start.is_some() || s.end.is_some())
            .map(|s| SensorTrace {
                name: s.name.to_owned(),
                source: s.source.clone(),
                start: s.start,
                end: s.end,
                trace: None,
            })
            .collect()
    }
}

fn add(sources: &mut Vec<Sensor>, name: &'static str, source: String, path: PathBuf) {
    if number(&path).is_some() {
        sources.push(Sensor {
            name,
            source,
            path,
            start: None,
            end: None,
        });
    }
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

/// The kernel gives whole numbers.
fn number(path: &Path) -> Option<f64> {
    line(path)?.parse::<i64>().ok().map(|n| n as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_like_a_boards_is_read_at_start_and_end() {
        let root = tempfile::tempdir().expect("a folder");
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().expect("below the root")).expect("a temporary folder");
            fs::write(path, text).expect("a file");
        };
        write("class/thermal/thermal_zone10/temp", "41000\n");
        write("class/thermal/thermal_zone2/type", "GPU-therm\n");
        write("class/thermal/thermal_zone2/temp", "38500\n");
        write("class/thermal/thermal_zone3/temp", "broken\n");
        write("class/thermal/cooling_device0/temp", "1\n");
        write("class/hwmon/hwmon0/name", "ina3221\n");
        write("class/hwmon/hwmon0/power1_label", "VDD_IN\n");
        write("class/hwmon/hwmon0/power1_input", "5000000\n");
        let mut sensors = Sensors::below(root.path());
        sensors.start();
        write("class/thermal/thermal_zone2/temp", "61500\n");
        fs::remove_file(root.path().join("class/thermal/thermal_zone10/temp")).expect("ours");
        sensors.end();
        let rows: Vec<_> = sensors
            .record()
            .into_iter()
            .map(|s| (s.name, s.source, s.start, s.end))
            .collect();
        let row = |name: &str, source: &str, start, end| {
            (name.to_owned(), source.to_owned(), Some(start), end)
        };
        let celsius = "temperature_millicelsius";
        let expected = [
            row(celsius, "thermal GPU-therm", 38_500.0, Some(61_500.0)),
            row(celsius, "thermal thermal_zone10", 41_000.0, None),
            row("power_microwatt", "ina3221 VDD_IN", 5e6, Some(5e6)),
        ];
        assert_eq!(rows, expected);
        assert!(
            Sensors::below(&root.path().join("none"))
                .record()
                .is_empty()
        );
    }
}
