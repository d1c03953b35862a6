//! The accuracy half: failed samples, numbers that are none, changed data, resuming.

use crate::plans::{
    Machine, SAMPLES, SHARD, collect, outcome, run, run_as, run_until, shards_done, timed, with,
};
use dyno_core::{
    Division, Event, InputSpec, Layout, PreprocessStep, SampleSet, ValidityCode, WarningCode,
    sha256_hex,
};
use dyno_runner::{RunError, RunOutcome};
use std::fs;

fn codes(outcome: &RunOutcome) -> &[ValidityCode] {
    &outcome.record.measurements[0].validity.codes
}

fn failed(outcome: &RunOutcome) -> Vec<(&str, &str)> {
    let failures = outcome.failures.iter();
    failures
        .map(|f| (f.id.as_str(), f.error.as_str()))
        .collect()
}

#[test]
fn a_run_gives_scores_details_and_who_ran_it() {
    let machine = Machine::new();
    let plan = machine.plan();
    let outcome = outcome(&plan);
    let measurement = &outcome.record.measurements[0];
    let accuracy = measurement.accuracy().expect("accuracy");
    assert_eq!(accuracy.scores.len(), 1);
    assert_eq!(accuracy.scores[0].value, Some(1.0));
    assert_eq!((accuracy.n, accuracy.failed), (u64::from(SAMPLES), 0));
    assert!(
        measurement.validity.is_valid(),
        "{:?}",
        measurement.validity
    );
    assert_eq!(measurement.machines, [0]);
    assert_eq!(measurement.series.0["kind"], "accuracy");
    assert_eq!(outcome.record.machines.len(), 1);
    assert_eq!(outcome.record.tool.commit, "c0ffee");
    let names: Vec<&str> = accuracy.details.iter().map(|d| d.name.as_str()).collect();
    assert_eq!(names, ["per-image", "per-class"]);
    for detail in &accuracy.details {
        let has = |a: &dyno_core::Artifact| a.sha256 == detail.sha256 && a.role == detail.name;
        assert!(outcome.record.artifacts.iter().any(has), "{}", detail.name);
    }
    // The share of hits is no mean over classes.
    let code = WarningCode::ClassesWithoutTruth;
    assert!(!outcome.record.warnings.iter().any(|w| w.code == code));
}

#[test]
fn scores_have_the_same_bits_however_the_machine_is_divided() {
    let divisions = [
        Division::Fused {
            workers: 1,
            threads: 1,
        },
        Division::Fused {
            workers: 4,
            threads: 1,
        },
        Division::Staged {
            preparing: 2,
            slots: 3,
            threads: 1,
        },
    ];
    let hashes = divisions.map(|division| {
        let machine = Machine::new();
        let mut plan = machine.plan();
        plan.bindings.division = division;
        let outcome = outcome(&plan);
        let accuracy = outcome.record.measurements[0].accuracy().expect("accuracy");
        accuracy.predictions_sha256.clone()
    });
    assert!(hashes.iter().all(|h| *h == hashes[0]), "{hashes:?}");
}

#[test]
fn outputs_that_are_no_numbers_fail_their_sample_and_are_no_score_of_zero() {
    let machine = Machine::new();
    let outcome = outcome(&with(machine.plan(), &[("nan", "7")]));
    let failures = failed(&outcome);
    assert_eq!(failures.len(), 1);
    assert!(failures[0].0 == "0007" && failures[0].1.contains("`y` holds values"));
    let accuracy = outcome.record.measurements[0].accuracy().expect("accuracy");
    assert_eq!(accuracy.scores[0].value, Some(1.0), "of the others");
    assert_eq!((accuracy.n, accuracy.failed), (u64::from(SAMPLES) - 1, 1));
    assert_eq!(codes(&outcome), [ValidityCode::TooManyErrors]);
    assert!(outcome.too_many_failures);
}

#[test]
fn a_decode_that_panics_or_fails_is_a_failed_sample_and_the_run_goes_on() {
    let machine = Machine::new();
    let mut plan = machine.plan();
    let options = &mut plan.bindings.dataset.options;
    options.insert("panics".into(), "3".into());
    options.insert("fails".into(), "40".into());
    if let Some(accuracy) = &mut plan.spec.accuracy {
        accuracy.max_errors = 2;
    }
    let outcome = outcome(&plan);
    let failures = failed(&outcome);
    assert_eq!(failures.len(), 2);
    assert!(failures[0].0 == "0003" && failures[0].1.starts_with("panic: a codec's"));
    assert!(failures[1].0 == "0040" && failures[1].1.contains("cannot be read"));
    assert_eq!(codes(&outcome), []);
    let warned = |code| outcome.record.warnings.iter().any(|w| w.code == code);
    assert!(warned(WarningCode::SamplesFailed));
}

#[test]
fn a_model_that_guesses_is_at_chance() {
    let machine = Machine::new();
    let mut plan = machine.plan();
    let options = &mut plan.bindings.dataset.options;
    // 16 of 50 are of this class.
    options.insert("classes".into(), "2".into());
    let outcome = outcome(&plan);
    assert_eq!(codes(&outcome), [ValidityCode::AccuracyChance]);
}

/// A machine with four pictures of one colour each; the second two are the same.
fn pictures(machine: &Machine) -> dyno_core::Plan {
    let folder = machine.0.path().join("pictures");
    fs::create_dir_all(&folder).expect("made");
    let mut hashes = Vec::new();
    for (number, value) in [0u8, 1, 2, 2].into_iter().enumerate() {
        let image = dyno_image::Image::from_raw(4, 4, vec![value; 48]).expect("48 values");
        let bytes = dyno_image::encode_png(&image).expect("a picture");
        fs::write(folder.join(format!("{number}.png")), &bytes).expect("written");
        hashes.push(sha256_hex(&bytes));
    }
    fs::write(machine.model(), crate::toy::model_text("image")).expect("written");
    let mut plan = machine.plan();
    plan.spec.model.inputs = vec![InputSpec {
        name: None,
        dtype: None,
        layout: Layout::Nchw,
        shape: None,
        preprocess: vec![PreprocessStep::Normalize(dyno_core::Normalize::default())],
    }];
    plan.bindings.dataset.options.clear();
    plan.bindings.sample_set = SampleSet {
        count: 4,
        of: 4,
        distinct: 3,
        samples: (0..4).map(dyno_core::SampleIndex).collect(),
        file_sha256: hashes,
        ..plan.bindings.sample_set
    };
    plan
}

#[test]
fn bytes_that_are_decoded_are_those_of_the_plan() {
    let machine = Machine::new();
    let mut plan = pictures(&machine);
    plan.spec.performance = vec![timed()];
    let whole = outcome(&plan);
    assert_eq!(whole.record.sample_sets[0].tensors_count, 4);
    // The same size, the same place, another picture.
    let path = machine.0.path().join("pictures/1.png");
    fs::copy(machine.0.path().join("pictures/0.png"), &path).expect("copied");
    for half in ["accuracy", "performance"] {
        let machine_run = machine.0.path().join(half);
        let mut plan = plan.clone();
        plan.bindings.run_folder = machine_run;
        match half {
            "accuracy" => plan.spec.performance.clear(),
            _ => plan.spec.accuracy = None,
        }
        match run(&plan).result {
            Err(RunError::SampleChanged { id, .. }) => assert_eq!(id, "1.png"),
            other => panic!("{half}: {other:?}"),
        }
    }
}

#[test]
fn repeated_pictures_count_once() {
    let machine = Machine::new();
    let outcome = outcome(&pictures(&machine));
    let accuracy = outcome.record.measurements[0].accuracy().expect("accuracy");
    assert_eq!(accuracy.n, 3);
    let code = WarningCode::SamplesRepeated;
    assert!(outcome.record.warnings.iter().any(|w| w.code == code));
    assert!(!outcome.partial, "every sample was measured");
}

#[test]
fn a_run_that_was_interrupted_goes_on_where_it_was() {
    let machine = Machine::new();
    let mut plan = machine.plan();
    plan.bindings.division = Division::Fused {
        workers: 1,
        threads: 1,
    };
    // In the third shard.
    let first = run_until(
        &plan,
        |e| matches!(e, Event::Working { ids, .. } if ids.iter().any(|id| id == "0020")),
    );
    first.result.as_ref().expect("interrupted, not failed");
    let part = collect(&plan, &[&first]).expect("a record of a part");
    assert!(part.partial && codes(&part).contains(&ValidityCode::Partial));
    let kept: usize = fs::read_dir(&plan.bindings.run_folder)
        .expect("a folder")
        .filter_map(Result::ok)
        .filter(|e| e.file_name().to_string_lossy().starts_with("partial-"))
        .count();
    assert!(kept > 0, "the shard in hand is kept");

    let again = run(&plan);
    again.result.as_ref().expect("goes on");
    let measured = |events: &[Event]| {
        let ids = events.iter().filter_map(|e| match e {
            Event::Working { ids, .. } => Some(ids.len()),
            _ => None,
        });
        ids.sum::<usize>()
    };
    let both = measured(&first.events) + measured(&again.events);
    assert_eq!(both, SAMPLES as usize, "no sample twice");
    let whole = collect(&plan, &[&again]).expect("a record");
    let other = Machine::new();
    let fresh = outcome(&other.plan());
    let sha256 = |o: &RunOutcome| {
        let accuracy = o.record.measurements[0].accuracy().expect("accuracy");
        (accuracy.predictions_sha256.clone(), accuracy.scores.clone())
    };
    assert_eq!(sha256(&whole), sha256(&fresh));
    let warned = |code| whole.record.warnings.iter().any(|w| w.code == code);
    assert!(warned(WarningCode::Resumed));
    let left = fs::read_dir(&plan.bindings.run_folder).expect("a folder");
    let parts = left.filter_map(Result::ok);
    assert!(
        !parts
            .into_iter()
            .any(|e| e.file_name().to_string_lossy().starts_with("partial-")),
        "finished shards have no parts"
    );
}

#[test]
fn shards_of_another_build_are_measured_anew_and_those_of_another_division_are_kept() {
    let machine = Machine::new();
    let mut plan = machine.plan();
    run(&plan).result.expect("measured");
    let working = |events: &[Event]| {
        let busy = |e: &&Event| matches!(e, Event::Working { ids, .. } if !ids.is_empty());
        events.iter().filter(busy).count()
    };
    plan.bindings.division = Division::Fused {
        workers: 1,
        threads: 2,
    };
    let kept = run(&plan);
    kept.result.as_ref().expect("nothing to do");
    assert_eq!(working(&kept.events), 0);
    assert_eq!(
        shards_done(&kept.events).len() as u32,
        SAMPLES.div_ceil(SHARD)
    );
    let anew = run_as(&plan, "another", &|_| false, &|_| ());
    anew.result.as_ref().expect("measured anew");
    assert_eq!(working(&anew.events) as u32, SAMPLES / 2, "in twos");
    collect(&plan, &[&anew]).expect("a record");
}

#[test]
fn more_slots_than_the_engine_has_are_refused() {
    let machine = Machine::new();
    let error = run(&with(machine.plan(), &[("slots", "2")]))
        .result
        .expect_err("three are asked for");
    assert!(matches!(error, RunError::Slots { asked: 3, most: 2 }));
    assert_eq!(error.exit_code(), 3);
}
