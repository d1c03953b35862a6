//! Trials that end early, and slots that hang.

use super::*;
use dyno_load::{Stages, TargetError};
use std::{cell::RefCell, sync::atomic::Ordering};

/// A target that slows down in the middle of each trial, so that no trial is steady.
struct Fake {
    clock: dyno_load::ManualClock,
    number: u64,
    trial_of: u64,
    fails_from: u64,
    done: Vec<dyno_load::Done>,
}

impl Target for Fake {
    fn slots(&self) -> usize {
        1
    }
    fn blocking(&self) -> bool {
        true
    }
    fn submit(&mut self, slot: usize, _sample: u32, token: u64) -> Result<(), TargetError> {
        if self.number >= self.fails_from {
            return Err(TargetError::new("gone"));
        }
        // The later half of each trial is five times as slow.
        let slow = self.number % self.trial_of >= self.trial_of / 2;
        self.number += 1;
        self.clock.advance(if slow { 5_000_000 } else { 1_000_000 });
        self.done.push(dyno_load::Done {
            slot,
            token,
            at: dyno_load::Clock::now(&self.clock),
            result: Ok(Stages::NONE),
        });
        Ok(())
    }
    fn wait(
        &mut self,
        _timeout: Duration,
        done: &mut Vec<dyno_load::Done>,
    ) -> Result<(), TargetError> {
        done.append(&mut self.done);
        Ok(())
    }
}

const QUERIES: u64 = 300;

fn settings() -> Settings {
    Settings {
        scenario: dyno_load::Scenario::SingleStream,
        warmup_queries: 0,
        min_queries: QUERIES,
        min_duration: Duration::ZERO,
        max_duration: Duration::from_hours(1),
        library_size: 4,
        batch: 1,
        seed: 1,
        windows: WINDOWS,
        max_window_spread: UNSTEADY_SPREAD,
        query_timeout: QUERY_TIMEOUT,
    }
}

type Measured = Result<Option<(Outcome, u32, u64)>, RunError>;

fn go(fails_from: u64, stop_after: u64) -> (Measured, Vec<String>) {
    let clock = dyno_load::ManualClock::new();
    let mut fake = Fake {
        clock: clock.clone(),
        number: 0,
        trial_of: QUERIES,
        fails_from,
        done: Vec::new(),
    };
    let stop = AtomicBool::new(false);
    let warnings = RefCell::new(Vec::new());
    let mut calls = 0;
    let attempt = || {
        stop.store(calls >= stop_after, Ordering::Relaxed);
        calls += 1;
        dyno_load::run(&settings(), &mut fake, &clock, &stop, &mut |_| ())
    };
    let result = steady(attempt, &|text| warnings.borrow_mut().push(text));
    (result, warnings.into_inner())
}

#[test]
fn an_earlier_trial_outlives_a_later_one_that_fails_or_is_interrupted() {
    let (all, warnings) = go(u64::MAX, u64::MAX);
    let (outcome, trials, _) = all.expect("runs").expect("measured");
    assert_eq!(
        (outcome.codes.as_slice(), trials, warnings.len()),
        ([Code::Unsteady].as_slice(), TRIALS, 0)
    );

    let (failed, warnings) = go(QUERIES + 7, u64::MAX);
    let (outcome, trials, _) = failed.expect("the first trial stands").expect("measured");
    assert_eq!((outcome.completed, trials), (QUERIES, 1));
    assert!(
        warnings.len() == 1 && warnings[0].contains("gone"),
        "{warnings:?}"
    );

    let (interrupted, _) = go(u64::MAX, 1);
    assert_eq!(
        interrupted
            .expect("no error")
            .expect("the first trial stands")
            .1,
        1
    );

    assert!(
        go(u64::MAX, 0).0.expect("no error").is_none(),
        "nothing was measured"
    );
    assert!(go(0, u64::MAX).0.is_err());
}

#[test]
fn a_slot_that_hangs_does_not_hold_up_the_end() {
    let hang: target::Run = Box::new(|_, _| {
        std::thread::sleep(Duration::from_mins(5));
        (Instant::now(), Ok(Stages::NONE))
    });
    let quick: target::Run = Box::new(|_, _| (Instant::now(), Ok(Stages::NONE)));
    let mut pool = Pool::of(vec![hang, quick]).expect("threads");
    pool.submit(0, 0, 0).expect("taken");
    pool.submit(1, 0, 1).expect("taken");
    let mut done = Vec::new();
    pool.wait(Duration::from_secs(30), &mut done)
        .expect("the quick one");
    assert_eq!(done.iter().map(|d| d.token).collect::<Vec<_>>(), [1]);
    let start = Instant::now();
    drop(pool);
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "{:?}",
        start.elapsed()
    );
}
