//! Readers of the kernel's counters of processor time (man page proc(5); the fields of `schedstat`
//! are described in the kernel's `Documentation/scheduler/sched-stats.rst`).

use crate::parse::field;

/// Processor time of the cores that a process may use, in clock ticks since the system's start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct CpuTicks {
    /// All of it, idle time and stolen time too.
    pub(crate) total: u64,
    /// Time in which something ran.
    pub(crate) busy: u64,
    /// Time in which the hypervisor ran something else.
    pub(crate) steal: u64,
}

/// What one thread has had of the processors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct TaskCounters {
    /// Nanoseconds on a core.
    pub(crate) run_ns: u64,
    /// Nanoseconds ready to run and without a core.
    pub(crate) delay_ns: u64,
    /// Times that it lost its core; absent where `status` does not say.
    pub(crate) involuntary: Option<u64>,
}

/// The sum over the cores `allowed` of `/proc/stat`; `None` when none of them is listed.
///
/// Fields of a line: user nice system idle iowait irq softirq steal guest guest_nice. Guest time is
/// part of user time.
pub(crate) fn cpu_ticks(stat: &str, allowed: &[u32]) -> Option<CpuTicks> {
    let mut sum = CpuTicks::default();
    let mut found = false;
    for line in stat.lines() {
        let mut words = line.split_whitespace();
        let Some(number) = words
            .next()
            .and_then(|w| w.strip_prefix("cpu"))
            .and_then(|n| n.parse::<u32>().ok())
        else {
            continue;
        };
        if !allowed.contains(&number) {
            continue;
        }
        let ticks: Vec<u64> = words.take(8).map_while(|w| w.parse().ok()).collect();
        let &[user, nice, system, idle, iowait, irq, softirq, steal] = ticks.as_slice() else {
            return None;
        };
        let busy = user + nice + system + irq + softirq;
        sum.busy += busy;
        sum.steal += steal;
        sum.total += busy + idle + iowait + steal;
        found = true;
    }
    found.then_some(sum)
}

/// Cores in a list such as `0-2,5` (`Cpus_allowed_list` of `/proc/self/status`).
pub(crate) fn cpu_list(text: &str) -> Option<Vec<u32>> {
    /// More than any machine has: a list of a damaged file takes no memory.
    const MOST: u32 = 1 << 16;
    let mut cores = Vec::new();
    for part in text.trim().split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u32, u32) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        if first > last || last >= MOST {
            return None;
        }
        cores.extend(first..=last);
    }
    Some(cores)
}

/// Ticks of user and system time in `/proc/self/stat`, all threads together, ended ones too.
///
/// The second field, the program's name in parentheses, may itself hold blanks and parentheses.
pub(crate) fn own_ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    // The first field of the rest is number 3 (state); utime is 14, stime 15.
    let mut words = rest.split_whitespace().skip(11);
    let (user, system): (u64, u64) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    user.checked_add(system)
}

/// Time on a core and time waiting for one, of `/proc/…/schedstat`.
pub(crate) fn schedstat(text: &str) -> Option<(u64, u64)> {
    let mut words = text.split_whitespace();
    Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
}

/// Involuntary switches of `/proc/…/status`.
pub(crate) fn involuntary(status: &str) -> Option<u64> {
    field(status, "nonvoluntary_ctxt_switches")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "cpu  119275 1314 11811 106548 1358 0 174 103 0 0\ncpu0 59113 691 5214 54621 577 0 21 51 7 0\ncpu1 60161 623 6596 51927 780 0 153 51 0 0\nintr 9 0\nctxt 5\n";

    #[test]
    fn ticks_are_those_of_the_cores_that_may_be_used() {
        let one = cpu_ticks(STAT, &[0]).expect("a core");
        assert_eq!((one.busy, one.steal), (59_113 + 691 + 5214 + 21, 51));
        assert_eq!(one.total, one.busy + 54_621 + 577 + 51, "guest is in user");
        let both = cpu_ticks(STAT, &[0, 1]).expect("two cores");
        assert_eq!(both.steal, 102);
        assert_eq!(cpu_ticks(STAT, &[7]), None);
        assert_eq!(cpu_ticks("cpu0 1 2 three\n", &[0]), None);
        assert_eq!(cpu_ticks("", &[0]), None);
    }

    #[test]
    fn lists_of_cores() {
        assert_eq!(cpu_list("0-2,5\n"), Some(vec![0, 1, 2, 5]));
        assert_eq!(cpu_list("3"), Some(vec![3]));
        for wrong in ["", "a", "2-1", "0-4294967295", "1,,2"] {
            assert_eq!(cpu_list(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn own_time_survives_a_hostile_name() {
        let stat = "28702 (a ) b) R 28686 28686 20791 0 -1 4194304 98 0 0 0 11 4 0 0 20 0 1 0 1 2";
        assert_eq!(own_ticks(stat), Some(15));
        assert_eq!(own_ticks("1 (x) R 1"), None);
        assert_eq!(own_ticks("garbage"), None);
    }

    #[test]
    fn threads() {
        assert_eq!(schedstat("94459 1042903 2\n"), Some((94_459, 1_042_903)));
        assert_eq!(schedstat("94459\n"), None);
        let status = "Name:\tx\nvoluntary_ctxt_switches:\t7\nnonvoluntary_ctxt_switches:\t12\n";
        assert_eq!(involuntary(status), Some(12));
        assert_eq!(involuntary("Name:\tx\n"), None);
    }
}
