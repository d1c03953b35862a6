//! Trials: which are repeated, which are kept, and whose numbers are given.

use super::trials::{TRIALS, Trial, Trials, measure};
use crate::error::RunError;
use dyno_core::ValidityCode;
use dyno_load::{
    Controls, LoadError, ManualClock, Outcome, Scenario, Settings, Stages, Work, WorkError,
};
use dyno_machine::Watched;
use std::sync::atomic::AtomicBool;

/// Work of one slot whose later half is slower by this factor.
struct Fake {
    clock: ManualClock,
    slower: u64,
    fails: bool,
}

const QUERIES: u64 = 300;

impl Work for Fake {
    fn run(&mut self, _sample: u32, query: u64) -> Result<Stages, WorkError> {
        if self.fails {
            return Err(WorkError::new("gone"));
        }
        let slow = query >= QUERIES / 2;
        self.clock
            .advance(1_000_000 * if slow { self.slower } else { 1 });
        Ok(Stages::NONE)
    }
}

/// One attempt by its nature.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Sound,
    Unsteady,
    Disturbed,
    Failing,
    Interrupted,
}

fn outcome(kind: Kind) -> Result<Outcome, LoadError> {
    let clock = ManualClock::new();
    let settings = Settings {
        scenario: Scenario::SingleStream,
        warmup_queries: 0,
        min_queries: QUERIES,
        min_duration: std::time::Duration::ZERO,
        max_duration: std::time::Duration::from_hours(1),
        library_size: 4,
        ..Settings::default()
    };
    let mut slots = vec![Fake {
        clock: clock.clone(),
        slower: if kind == Kind::Unsteady { 5 } else { 1 },
        fails: kind == Kind::Failing,
    }];
    let stop = AtomicBool::new(kind == Kind::Interrupted);
    dyno_load::run(&settings, &mut slots, &clock, &mut Controls::new(&stop))
}

fn go(kinds: &[Kind]) -> (Result<Option<Trials>, RunError>, usize) {
    let mut asked = 0;
    let result = measure(|| {
        let kind = *kinds.get(asked).expect("it is not asked more often");
        asked += 1;
        Ok(Trial {
            outcome: outcome(kind)?,
            watched: Watched::default(),
            sensors: Vec::new(),
            started_utc: String::new(),
            disturbed: (kind == Kind::Disturbed).then(|| "others were busy".to_owned()),
        })
    });
    (result, asked)
}

#[test]
fn only_unrest_is_repeated_and_every_trial_is_kept() {
    use Kind::{Disturbed, Failing, Interrupted, Sound, Unsteady};
    struct Case {
        kinds: &'static [Kind],
        kept: usize,
        chosen: usize,
        said: bool,
    }
    let case = |kinds, kept, chosen, said| Case {
        kinds,
        kept,
        chosen,
        said,
    };
    for case in [
        case(&[Sound], 1, 0, false),
        case(&[Unsteady, Sound], 2, 1, true),
        case(&[Disturbed, Unsteady, Sound], 3, 2, true),
        case(&[Unsteady, Disturbed, Unsteady], 3, 0, true),
        // What comes to nothing takes nothing away.
        case(&[Unsteady, Failing], 1, 0, true),
        case(&[Disturbed, Interrupted], 1, 0, false),
    ] {
        let (result, asked) = go(case.kinds);
        let trials = result.expect("measured").expect("something");
        assert_eq!(asked, case.kinds.len());
        assert_eq!(
            (trials.all.len(), trials.chosen()),
            (case.kept, case.chosen)
        );
        assert_eq!(trials.retried(0).is_some(), case.said);
    }
    assert_eq!(TRIALS, 3);
}

#[test]
fn a_retried_measurement_says_why_in_words() {
    let (result, _) = go(&[Kind::Disturbed, Kind::Unsteady, Kind::Sound]);
    let trials = result.expect("measured").expect("something");
    assert_eq!(
        trials.retried(4).as_deref(),
        Some(
            "performance measurement 4 was made 3 times (trial 1: others were busy; trial 2: unsteady; trial 3: nothing speaks against it); its numbers are those of trial 3"
        )
    );
    let codes: Vec<_> = trials.all.iter().map(Trial::codes).collect();
    assert_eq!(
        codes,
        [
            vec![ValidityCode::Disturbed],
            vec![ValidityCode::Unsteady],
            vec![]
        ]
    );
}

#[test]
fn the_first_attempt_decides_whether_there_is_a_measurement() {
    assert!(go(&[Kind::Failing]).0.is_err());
    let interrupted = go(&[Kind::Interrupted]).0.expect("no error");
    assert!(interrupted.is_none());
}
