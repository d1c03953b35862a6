//! What a disturbed window is.

use dyno_machine::Watched;

/// Greatest share of the window in which our threads may have waited for a core, or in which the
/// hypervisor or others may have had ours. A busy loop on the same core is at a half; a quiet
/// machine stays below a hundredth.
pub(super) const MOST_DELAY_SHARE: f64 = 0.02;

/// Share of processor time of other processes from which on it is worth a word.
pub(super) const FOREIGN_SHARE: f64 = 0.05;

/// Why a window was disturbed, in words; `None` when it was not, or the system does not say.
///
/// Where the slots and the threads of their engines are more than `cores`, they wait for each other:
/// then their delay says nothing, and what others took of the cores counts instead.
pub(super) fn disturbed(watched: &Watched, cores: u32) -> Option<String> {
    let d = &watched.disturbance;
    let above = |share: Option<f64>| share.filter(|s| *s > MOST_DELAY_SHARE);
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    if watched.threads <= cores
        && let Some(share) = above(d.run_delay_share)
    {
        return Some(format!(
            "the measuring threads waited for a core for {} of the time",
            percent(share)
        ));
    }
    if let Some(share) = above(d.steal_share) {
        return Some(format!(
            "the hypervisor gave {} of the processors' time to others",
            percent(share)
        ));
    }
    if watched.threads > cores
        && let Some(share) = above(d.foreign_cpu_share)
    {
        return Some(format!(
            "others had {} of the processors' time, and the slots had use for all of it",
            percent(share)
        ));
    }
    None
}

/// A word on others who were busy.
pub(super) fn foreign(watched: &Watched) -> Option<String> {
    let share = watched.disturbance.foreign_cpu_share?;
    (share > FOREIGN_SHARE).then(|| {
        format!(
            "other processes used {:.0} % of the processors' time",
            share * 100.0
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use dyno_core::Disturbance;

    fn watched(delay: f64, steal: f64, foreign: f64, threads: u32) -> Watched {
        Watched {
            disturbance: Disturbance {
                run_delay_share: Some(delay),
                steal_share: Some(steal),
                foreign_cpu_share: Some(foreign),
                ..Disturbance::default()
            },
            threads,
        }
    }

    #[test]
    fn delay_and_steal_disturb_and_own_threads_do_not() {
        let verdict = |w: &Watched| disturbed(w, 2);
        assert_eq!(verdict(&watched(0.02, 0.02, 0.5, 1)), None);
        let delayed = verdict(&watched(0.021, 0.0, 0.0, 2)).expect("delayed");
        assert!(delayed.contains("2.1 %"), "{delayed}");
        assert!(verdict(&watched(0.0, 0.03, 0.0, 1)).is_some());
        assert_eq!(verdict(&watched(0.6, 0.0, 0.0, 4)), None, "each other");
        assert!(verdict(&watched(0.6, 0.0, 0.03, 4)).is_some());
        assert_eq!(verdict(&Watched::default()), None, "nobody says");
        assert_eq!(foreign(&watched(0.0, 0.0, 0.05, 1)), None);
        assert!(foreign(&watched(0.0, 0.0, 0.06, 1)).is_some());
    }
}
