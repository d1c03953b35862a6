//! Who else used the processors between two moments: two [`Snapshot`]s and their difference.

use crate::{
    counters::{self, CpuTicks, TaskCounters},
    parse::field,
};
use dyno_core::Disturbance;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// A thread that ran less than this share of the window only waits for others: what it was delayed
/// says nothing of the measurement.
const LEAST_SHARE: f64 = 0.01;

/// The counters at one moment.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    tasks: BTreeMap<u32, TaskCounters>,
    cores: Option<CpuTicks>,
    own_ticks: Option<u64>,
    clock_hz: Option<u64>,
    temperature_millicelsius: Option<i64>,
}

/// What went on between two moments.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Watched {
    /// What stands in the record.
    pub disturbance: Disturbance,
    /// Threads of this process that worked: those of the slots and those that the engine made.
    pub threads: u32,
}

impl Snapshot {
    /// The counters now. Takes some ten microseconds for each thread of the process and each core.
    pub fn take() -> Self {
        Self::below(Path::new("/"))
    }

    fn below(root: &Path) -> Self {
        let text = |path: &str| fs::read_to_string(root.join(path)).ok();
        let allowed = text("proc/self/status")
            .and_then(|s| counters::cpu_list(field(&s, "Cpus_allowed_list")?));
        let stat = text("proc/stat");
        Self {
            tasks: tasks(&root.join("proc/self/task")),
            cores: stat
                .zip(allowed)
                .and_then(|(stat, allowed)| counters::cpu_ticks(&stat, &allowed)),
            own_ticks: text("proc/self/stat").and_then(|s| counters::own_ticks(&s)),
            clock_hz: mean_clock(&root.join("sys/devices/system/cpu")),
            temperature_millicelsius: hottest(&root.join("sys/class/thermal")),
        }
    }

    /// What happened from `self` to `end`, `window_ns` later.
    pub fn until(&self, end: &Self, window_ns: u64) -> Watched {
        let window = window_ns.max(1) as f64;
        let mut threads = 0u32;
        let (mut delay_ns, mut involuntary) = (0.0, Some(0u64));
        for (id, after) in &end.tasks {
            let before = self.tasks.get(id).copied().unwrap_or_default();
            let run = after.run_ns.saturating_sub(before.run_ns) as f64;
            if run < window * LEAST_SHARE {
                continue;
            }
            threads += 1;
            delay_ns += after.delay_ns.saturating_sub(before.delay_ns) as f64;
            involuntary = involuntary
                .zip(after.involuntary)
                .map(|(sum, n)| sum + n.saturating_sub(before.involuntary.unwrap_or_default()));
        }
        let cores = self.cores.zip(end.cores).and_then(|(a, b)| {
            let total = b.total.checked_sub(a.total).filter(|t| *t > 0)?;
            let busy = b.busy.saturating_sub(a.busy);
            Some((total, busy, b.steal.saturating_sub(a.steal)))
        });
        let own = self
            .own_ticks
            .zip(end.own_ticks)
            .map(|(a, b)| b.saturating_sub(a));
        let share = |ticks: u64, of: u64| ticks as f64 / of as f64;
        let counted = threads > 0;
        Watched {
            disturbance: Disturbance {
                run_delay_share: counted.then(|| delay_ns / (window * f64::from(threads))),
                involuntary_switches: involuntary.filter(|_| counted),
                steal_share: cores.map(|(total, _, steal)| share(steal, total)),
                foreign_cpu_share: cores
                    .zip(own)
                    .map(|((total, busy, _), own)| share(busy.saturating_sub(own), total)),
                clock_start_hz: self.clock_hz,
                clock_end_hz: end.clock_hz,
                temperature_start_millicelsius: self.temperature_millicelsius,
                temperature_end_millicelsius: end.temperature_millicelsius,
            },
            threads,
        }
    }
}

/// The threads of a process by number. A thread that ends while its files are read is left out.
fn tasks(folder: &Path) -> BTreeMap<u32, TaskCounters> {
    numbered(folder, "")
        .into_iter()
        .filter_map(|(id, path)| {
            let (run_ns, delay_ns) =
                counters::schedstat(&fs::read_to_string(path.join("schedstat")).ok()?)?;
            let involuntary = fs::read_to_string(path.join("status"))
                .ok()
                .and_then(|s| counters::involuntary(&s));
            let counters = TaskCounters {
                run_ns,
                delay_ns,
                involuntary,
            };
            Some((id, counters))
        })
        .collect()
}

fn mean_clock(folder: &Path) -> Option<u64> {
    let clocks: Vec<u64> = numbered(folder, "cpu")
        .into_iter()
        .filter_map(|(_, cpu)| number(&cpu.join("cpufreq/scaling_cur_freq")))
        .collect();
    let khz = clocks
        .iter()
        .sum::<u64>()
        .checked_div(clocks.len() as u64)?;
    khz.checked_mul(1000)
}

fn hottest(folder: &Path) -> Option<i64> {
    numbered(folder, "thermal_zone")
        .into_iter()
        .filter_map(|(_, zone)| number(&zone.join("temp")))
        .max()
}

fn number<T: std::str::FromStr>(path: &Path) -> Option<T> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// Entries called `prefix` and a number, in the order of the number.
pub(crate) fn numbered(parent: &Path, prefix: &str) -> Vec<(u32, PathBuf)> {
    let Ok(entries) = fs::read_dir(parent) else {
        return Vec::new();
    };
    let mut found: Vec<(u32, PathBuf)> = entries
        .filter_map(|e| {
            let path = e.ok()?.path();
            let number = path.file_name()?.to_str()?.strip_prefix(prefix)?;
            Some((number.parse().ok()?, path))
        })
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A system as its files show it.
    struct System(tempfile::TempDir);

    impl System {
        fn new() -> Self {
            let system = Self(tempfile::tempdir().expect("a folder"));
            system.write("proc/self/status", "Cpus_allowed_list:\t0-1\n");
            system
        }

        fn write(&self, path: &str, text: &str) {
            let path = self.0.path().join(path);
            fs::create_dir_all(path.parent().expect("below the root")).expect("a folder");
            fs::write(path, text).expect("a file");
        }

        fn task(&self, id: u32, run_ns: u64, delay_ns: u64, involuntary: u64) {
            let path = format!("proc/self/task/{id}");
            let status = format!("nonvoluntary_ctxt_switches:\t{involuntary}\n");
            self.write(
                &format!("{path}/schedstat"),
                &format!("{run_ns} {delay_ns} 9\n"),
            );
            self.write(&format!("{path}/status"), &status);
        }

        fn stat(&self, user: [u64; 2], idle: [u64; 2], steal: u64, own: u64) {
            let line =
                |n: usize, steal| format!("cpu{n} {} 0 0 {} 0 0 0 {steal} 0 0\n", user[n], idle[n]);
            // A core that this process may not use.
            let other = "cpu2 99999 0 0 0 0 0 0 0 0 0\n";
            self.write("proc/stat", &(line(0, steal) + &line(1, 0) + other));
            self.write(
                "proc/self/stat",
                &format!("1 (x) R 1 1 1 0 -1 0 0 0 0 0 {own} 0 0 0 20 0"),
            );
        }

        fn take(&self) -> Snapshot {
            Snapshot::below(self.0.path())
        }
    }

    #[test]
    fn the_difference_is_that_of_the_window_and_of_threads_that_worked() {
        let system = System::new();
        system.stat([1000, 1000], [500, 500], 10, 200);
        system.task(7, 5_000, 1_000, 3);
        system.task(8, 0, 0, 0);
        system.write("sys/class/thermal/thermal_zone0/temp", "41000\n");
        system.write("sys/class/thermal/thermal_zone12/temp", "52000\n");
        let clock = "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq";
        system.write(clock, "1400000\n");
        let start = system.take();
        // One second: 100 ticks a core. Of 200 ticks 90 were ours, 20 others', 4 stolen.
        system.stat([1080, 1030], [516, 570], 14, 290);
        system.task(7, 900_005_000, 50_001_000, 13);
        system.task(8, 1_000, 900_000_000, 99);
        // A thread that the engine made in the window.
        system.task(9, 500_000_000, 10_000_000, 2);
        system.write(clock, "700000\n");
        let watched = start.until(&system.take(), 1_000_000_000);
        assert_eq!(watched.threads, 2, "the one that only waited is left out");
        let d = watched.disturbance;
        assert_eq!(d.run_delay_share, Some(0.03));
        assert_eq!(d.involuntary_switches, Some(12));
        assert_eq!(d.steal_share, Some(4.0 / 200.0));
        assert_eq!(d.foreign_cpu_share, Some(20.0 / 200.0));
        assert_eq!(d.clock_start_hz, Some(1_400_000_000));
        assert_eq!(d.clock_end_hz, Some(700_000_000));
        assert_eq!(d.temperature_start_millicelsius, Some(52_000));
    }

    #[test]
    fn what_the_system_does_not_say_is_absent() {
        let empty = tempfile::tempdir().expect("a folder");
        let snapshot = Snapshot::below(empty.path());
        let watched = snapshot.until(&snapshot, 1_000_000_000);
        assert_eq!(watched, Watched::default());
        // Broken files are like none.
        let system = System::new();
        system.write("proc/stat", "cpu0 many\n");
        system.write("proc/self/task/7/schedstat", "\n");
        assert_eq!(
            system.take().until(&system.take(), 1).disturbance,
            Disturbance::default()
        );
    }

    #[test]
    fn this_process_is_seen_at_work() {
        if !cfg!(target_os = "linux") {
            return;
        }
        let start = Snapshot::take();
        let mut sum = 0u64;
        let mut end = Snapshot::take();
        // Until the counters show it: the kernel brings them up to date when it likes.
        while start.until(&end, 20_000_000).threads == 0 {
            sum = (0..1_000_000).fold(sum, |s, n| std::hint::black_box(s ^ n));
            end = Snapshot::take();
        }
        let share = start.until(&end, 20_000_000).disturbance.run_delay_share;
        assert!(share.is_some_and(|s| s >= 0.0), "{sum} {share:?}");
    }
}
