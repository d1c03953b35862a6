//! Listings, reports of stored records, help, completions.

use super::DETECTOR;
use crate::support::Place;
use dyno_core::Record;

#[test]
fn help_and_version_are_answers_and_mistakes_are_code_2() {
    let place = Place::new();
    place.run("--help").succeeds().shows("help", &place);
    assert!(place.run("--version").succeeds().stdout.contains("dyno 0."));
    place.run("rnu").exits(2).shows("unknown-verb", &place);
    place
        .run("run x")
        .exits(2)
        .shows("run-without-a-data-set", &place);
}

#[test]
fn listings_have_four_forms() {
    let place = Place::new();
    for form in ["human", "json", "csv", "markdown"] {
        place
            .run(&format!("datasets list --format {form}"))
            .succeeds()
            .shows(&format!("datasets-list-{form}"), &place);
    }
    for (name, line) in [
        ("decoders", "decoders"),
        ("recipes", "recipes"),
        ("recipe", "recipes yolox"),
        ("config-show", "config show --format csv"),
        ("cache-list", "cache list"),
        ("format-of-a-listing", "decoders --format junit"),
        ("format-of-a-report", "report latest --format junit"),
    ] {
        place.run(line).shows(name, &place);
    }
    place.run("cache clear").succeeds();
    assert!(
        place
            .run("completions bash")
            .succeeds()
            .stdout
            .contains("_dyno")
    );
    assert!(
        place
            .run("completions man")
            .succeeds()
            .stdout
            .contains(".TH dyno")
    );
}

#[test]
fn engines_are_looked_for_in_a_child() {
    let place = Place::new();
    let doctor = place.run("doctor").succeeds();
    assert!(doctor.stdout.contains("tract") && doctor.stdout.contains("cores"));
    assert!(
        place
            .run("backends list")
            .succeeds()
            .stdout
            .contains("null")
    );
    // What a probe says goes through a pipe as JSON, and nothing else does.
    let probe = place.run("worker --probe tract").succeeds();
    let availability: dyno_core::Availability =
        serde_json::from_str(&probe.stdout).expect("an availability");
    assert!(availability.usable());
}

#[test]
fn reports_come_from_stored_records_in_every_form() {
    let place = Place::new();
    place.with_shapes(10);
    place
        .run(&format!("{DETECTOR} --only accuracy -q"))
        .succeeds();
    let report = |form: &str| {
        let done = place.run(&format!("report latest --format {form}"));
        done.succeeds().stdout
    };
    assert!(report("human").contains("AP50"));
    assert!(report("csv").lines().count() > 3);
    assert!(report("markdown").contains("| AP"));
    let record = place.run("report latest --format json").succeeds().record();
    assert!(
        place
            .run("records list")
            .succeeds()
            .stdout
            .contains(record.short_id())
    );
    assert_eq!(
        place
            .run(&format!("records show {} --format json", record.short_id()))
            .succeeds()
            .record(),
        record
    );
    place
        .run("report 0123456789")
        .exits(2)
        .shows("report-of-nothing", &place);
}

#[test]
fn data_that_no_record_names_is_removed_and_nothing_else() {
    let place = Place::new();
    place.with_shapes(6);
    place
        .run(&format!("{DETECTOR} --only accuracy -q"))
        .succeeds();
    let run = std::fs::read_dir(place.join("runs"))
        .expect("there")
        .next()
        .expect("one run")
        .expect("readable")
        .path();
    let count = || std::fs::read_dir(run.join("data")).expect("there").count();
    let kept = count();
    let orphan = run.join(format!("data/{}.bin", "a".repeat(64)));
    std::fs::write(&orphan, "x").expect("written");
    let listed = place.run("records gc --dry-run --format json").succeeds();
    assert!(listed.stdout.contains(&"a".repeat(64)), "{}", listed.stdout);
    assert!(orphan.exists());
    place.run("records gc").succeeds();
    assert!(!orphan.exists());
    assert_eq!(count(), kept);
    place.run("report latest").succeeds();
}

#[test]
fn standard_output_is_data_only() {
    let place = Place::new();
    place.with_shapes(6);
    let done = place
        .run(&format!("{DETECTOR} --only accuracy --format json"))
        .succeeds();
    assert!(Record::parse(&done.stdout).is_ok());
    let quiet = place
        .run(&format!("{DETECTOR} --only accuracy --format json -q"))
        .succeeds();
    assert_eq!(quiet.stderr, "");
}
