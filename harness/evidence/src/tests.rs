//! Locks, the journal after a kill, the index, and records of other versions.

use crate::{
    DataState, EvidenceError, EvidenceStore, GcMode, RecordRef, RunFolder, find_record, latest,
    lock, lock_within,
};
use dyno_core::{Artifact, Record, RecordError, Warning, WarningCode};
use std::{fs, time::Duration};

const NOW: &str = "2026-11-22T16:00:00.125Z";

fn now() -> jiff::Timestamp {
    NOW.parse().expect("a time")
}

const COMPLETE: &str = include_str!("../../core/src/record/fixtures/complete.json");
const OLDER: &str = include_str!("../../core/src/record/fixtures/older.json");
const NEWER: &str = include_str!("../../core/src/record/fixtures/newer.json");

/// A record that differs by `detail`.
fn record(detail: &str) -> Record {
    let mut parts = Record::parse(COMPLETE)
        .expect("the fixture is a record")
        .into_parts();
    parts.warnings.push(Warning {
        code: WarningCode::Engine,
        detail: detail.to_owned(),
    });
    Record::seal(parts).expect("finite")
}

/// A record with these files behind it.
pub(crate) fn record_with(artifacts: Vec<Artifact>) -> Record {
    let mut parts = record("files").into_parts();
    parts.artifacts = artifacts;
    Record::seal(parts).expect("finite")
}

#[test]
fn a_held_lock_is_waited_for_and_then_reported() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join(".lock");
    let held = lock(&path).expect("free");
    assert!(matches!(
        lock_within(&path, Duration::from_millis(50)),
        Err(EvidenceError::Locked { .. })
    ));
    drop(held);
    lock(&path).expect("free again");
}

#[test]
fn the_journal_survives_a_kill_at_any_byte() {
    let dir = tempfile::tempdir().expect("a folder");
    let folder = RunFolder::create(dir.path(), "pub/mödel", &"ab".repeat(32), now()).expect("made");
    assert_eq!(
        folder.path().file_name().expect("a name"),
        "20261122T160000.125Z-pub-m-del-abababab"
    );
    fs::write(folder.path().join("plan.json"), "{}").expect("written");
    let artifacts: Vec<_> = (0..3u8)
        .map(|i| folder.put("shard", "jsonl", &[i; 9]).expect("kept"))
        .collect();
    for (i, a) in (0u32..).zip(&artifacts) {
        folder.add_shard(i, a).expect("entered");
        folder.add_shard(i, a).expect("the same again is harmless");
    }
    let journal = folder.path().join("shards.jsonl");
    let whole = fs::read(&journal).expect("read");
    let line_ends: Vec<usize> = whole
        .iter()
        .enumerate()
        .filter(|(_, b)| **b == b'\n')
        .map(|(i, _)| i)
        .collect();
    assert_eq!(line_ends.len(), 3);
    for cut in 0..=whole.len() {
        fs::write(&journal, &whole[..cut]).expect("written");
        let done = folder.shards().expect("readable").len();
        // A line counts from its closing brace on; the newline after it adds nothing.
        assert_eq!(
            done,
            line_ends.iter().filter(|e| cut >= **e).count(),
            "cut at {cut}"
        );
        folder
            .add_shard(7, &artifacts[0])
            .expect("entered after the kill");
        assert_eq!(
            folder.shards().expect("readable").len(),
            done + 1,
            "cut at {cut}"
        );
        assert_eq!(
            RunFolder::open(folder.path())
                .expect("open")
                .shards()
                .expect("readable")
                .last()
                .map(|s| s.0),
            Some(7)
        );
    }
}

#[test]
fn a_damaged_shard_is_not_done_and_a_conflicting_one_an_error() {
    let dir = tempfile::tempdir().expect("a folder");
    let folder = RunFolder::create(dir.path(), "m", "0", now()).expect("made");
    let a = folder.put("shard", "jsonl", b"a").expect("kept");
    let b = folder.put("shard", "jsonl", b"b").expect("kept");
    folder.add_shard(0, &a).expect("entered");
    assert!(matches!(
        folder.add_shard(0, &b),
        Err(EvidenceError::Conflict { number: 0, .. })
    ));
    folder.replace_shard(0, &b).expect("measured anew");
    assert_eq!(folder.shards().expect("readable"), vec![(0, b.clone())]);
    folder.replace_shard(0, &a).expect("and back");
    assert_eq!(folder.shards().expect("readable"), vec![(0, a.clone())]);
    fs::write(folder.artifact_path(&a.sha256).expect("there"), b"x").expect("damaged");
    assert!(folder.shards().expect("readable").is_empty());
    assert!(matches!(folder.get(&a), Err(EvidenceError::Changed { .. })));
    folder
        .add_shard(0, &b)
        .expect("the damaged one is superseded");
    assert_eq!(folder.shards().expect("readable"), vec![(0, b)]);
    folder.put("shard", "jsonl", b"a").expect("mends the file");
    assert_eq!(folder.get(&a).expect("intact"), b"a");
    assert!(folder.put("shard", "../x", b"a").is_err());
    assert!(folder.get_sha256("../../etc/passwd").is_err());
}

#[test]
fn runs_of_one_millisecond_get_their_own_folders_and_the_last_record_is_found() {
    let dir = tempfile::tempdir().expect("a folder");
    assert!(latest(dir.path()).expect("readable").is_none());
    let first = RunFolder::create(dir.path(), "m", "0", now()).expect("made");
    let second = RunFolder::create(dir.path(), "m", "0", now()).expect("made");
    assert_ne!(first.path(), second.path());
    let (a, b) = (record("a"), record("b"));
    first.write_record(&a).expect("written");
    assert_eq!(
        latest(dir.path())
            .expect("readable")
            .expect("one")
            .record()
            .expect("a record"),
        a
    );
    second.write_record(&b).expect("written");
    assert_eq!(find_record("latest", dir.path(), &[]).expect("found").0, b);
    assert_eq!(
        find_record(&a.id[..6], dir.path(), &[]).expect("found").0,
        a
    );
    assert_eq!(
        find_record(&first.path().to_string_lossy(), dir.path(), &[])
            .expect("found")
            .0,
        a
    );
    assert_eq!(
        find_record(
            &first.path().join("record.json").to_string_lossy(),
            dir.path(),
            &[]
        )
        .expect("found")
        .1
        .expect("its folder")
        .path(),
        first.path()
    );
    assert!(find_record("zzzz", dir.path(), &[]).is_err());
    let store = EvidenceStore::for_folder(dir.path());
    let c = record("c");
    store.put(&c).expect("kept");
    assert_eq!(
        find_record(&c.id[..8], dir.path(), &[store])
            .expect("found")
            .0,
        c
    );
}

#[test]
fn evidence_is_immutable_bounded_and_indexed() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = EvidenceStore::for_folder(dir.path());
    let a = record("a");
    let path = store.put(&a).expect("kept");
    assert_eq!(store.put(&a).expect("the same again"), path);
    assert_eq!(store.get(&a.id[..5]).expect("by prefix"), a);
    let mut forged = a.clone();
    forged.id = "0".repeat(64);
    assert!(
        matches!(store.put(&forged), Err(EvidenceError::Changed { .. })),
        "id and text disagree"
    );
    let reference = RecordRef {
        record: a.id.clone(),
        measurement: 1,
    };
    store
        .set_shown("inference_time", Some(&reference))
        .expect("written");
    assert_eq!(
        store.shown().expect("readable").get("inference_time"),
        Some(&reference)
    );
    let index = fs::read_to_string(store.folder().join("index.json")).expect("there");
    assert_eq!(
        index,
        format!(
            "{{\n  \"shown\": {{\n    \"inference_time\": \"{}#1\"\n  }}\n}}\n",
            a.id
        )
    );
    store.set_shown("inference_time", None).expect("written");
    assert!(store.shown().expect("readable").is_empty());
    let text = fs::read_to_string(&path).expect("there");
    fs::write(&path, text.replace("2026-01-01", "2026-01-02")).expect("damaged");
    assert!(matches!(
        store.get(&a.id[..5]),
        Err(EvidenceError::Record { .. })
    ));
    assert!(
        store
            .list()
            .expect("readable")
            .iter()
            .all(|r| r.record.is_err())
    );
}

#[test]
fn entries_of_one_registry_folder_do_not_see_each_other() {
    let dir = tempfile::tempdir().expect("a folder");
    let (a, b) = (
        EvidenceStore::for_entry(dir.path(), "a@1.0"),
        EvidenceStore::for_entry(dir.path(), "b"),
    );
    let reference = RecordRef {
        record: "f".repeat(64),
        measurement: 0,
    };
    a.set_shown("accuracy", Some(&reference)).expect("written");
    assert!(b.shown().expect("readable").is_empty());
    b.set_shown("accuracy", Some(&reference)).expect("written");
    a.set_shown("accuracy", None).expect("written");
    let index = fs::read_to_string(b.folder().join("index.json")).expect("there");
    assert!(
        index.starts_with("{\n  \"entries\": {\n    \"b\": {\n      \"shown\": {"),
        "{index}"
    );
}

#[test]
fn a_record_that_was_set_aside_is_found_by_its_id() {
    let dir = tempfile::tempdir().expect("a folder");
    let run = RunFolder::create(dir.path(), "m", &"0".repeat(64), now()).expect("made");
    run.set_record_aside().expect("there is nothing yet");
    let parts = ["a", "b", "c"].map(record);
    for record in &parts {
        run.set_record_aside().expect("moved");
        run.write_record(record).expect("written");
    }
    assert_eq!(run.earlier_records("").expect("listed").len(), 2);
    for record in &parts {
        for len in [8, 12, 64] {
            let (found, folder) = find_record(&record.id[..len], dir.path(), &[]).expect("found");
            assert_eq!(&found, record);
            assert_eq!(folder.expect("of a run").path(), run.path());
        }
    }
    // Planted faults: a record under another's name, and one that was changed.
    let aside = run
        .path()
        .join(format!("record-{}.json", &parts[0].id[..8]));
    fs::copy(run.path().join("record.json"), &aside).expect("copied");
    assert!(find_record(&parts[0].id, dir.path(), &[]).is_err());
    let changed = parts[0]
        .text()
        .replace("\"detail\": \"a\"", "\"detail\": \"z\"");
    assert_ne!(changed, parts[0].text());
    fs::write(&aside, changed).expect("written");
    assert!(find_record(&parts[0].id, dir.path(), &[]).is_err());
    let path = aside.to_string_lossy();
    assert!(matches!(
        find_record(&path, dir.path(), &[]),
        Err(EvidenceError::Record { .. })
    ));
}

#[test]
fn records_of_other_versions_pass_through_byte_for_byte() {
    for text in [COMPLETE, OLDER, NEWER] {
        let dir = tempfile::tempdir().expect("a folder");
        let record = Record::parse(text).expect("readable");
        let run = RunFolder::create(dir.path(), "m", "0", now()).expect("made");
        run.write_record(&record).expect("written");
        let from_run = run.record().expect("read");
        let store = EvidenceStore::for_folder(dir.path());
        let path = store.put(&from_run).expect("kept");
        assert_eq!(fs::read_to_string(&path).expect("read"), text);
        let back = store.get(&record.id).expect("by its id");
        assert_eq!((back.text(), &back.id), (text, &record.id));
        let (found, _) = find_record(&path.to_string_lossy(), dir.path(), &[]).expect("found");
        assert_eq!(found.text(), text);
    }
}

#[test]
fn a_record_with_integers_that_its_hash_would_merge_is_not_read() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = EvidenceStore::for_folder(dir.path());
    let record = record("a");
    let path = store.put(&record).expect("kept");
    let large = record.text().replace(
        "\"memory_bytes\": 1073741824",
        "\"memory_bytes\": 9007199254740993",
    );
    assert_ne!(large, record.text());
    fs::write(&path, large).expect("written");
    match store.get(&record.id) {
        Err(EvidenceError::Record {
            source: RecordError::Integer { key, .. },
            ..
        }) => assert_eq!(key, "machines.0.memory_bytes"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn missing_and_changed_data_are_told_from_data_that_was_never_kept() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = EvidenceStore::for_folder(dir.path());
    let artifact = dyno_core::Artifact {
        role: "latencies".into(),
        format: "bin".into(),
        sha256: dyno_core::sha256_hex(b"x"),
        bytes: 1,
        lists: None,
    };
    assert_eq!(store.data_state(&artifact), DataState::NotKept);
    assert_eq!(
        store.put_data("latencies", "bin", b"x").expect("kept"),
        artifact
    );
    assert_eq!(store.data_state(&artifact), DataState::Intact);
    let path = store.folder().join(format!("data/{}.bin", artifact.sha256));
    fs::write(&path, "y").expect("written");
    assert_eq!(store.data_state(&artifact), DataState::Changed);
    fs::remove_file(&path).expect("removed");
    assert_eq!(store.data_state(&artifact), DataState::Missing);
}

#[cfg(unix)]
#[test]
fn links_that_lead_out_of_the_folder_are_not_written_through() {
    use std::os::unix::fs::symlink;
    let away = tempfile::tempdir().expect("a folder");
    let record = record("a");
    let outside = |store: &EvidenceStore| {
        let all = [
            store.lock().map(drop),
            store.put(&record).map(drop),
            store.put_data("raw", "bin", b"x").map(drop),
            store.set_shown("accuracy", None),
        ];
        all.iter()
            .filter(|r| matches!(r, Err(EvidenceError::LeadsOut { .. })))
            .count()
    };
    for name in ["", "data", "index.json", ".lock"] {
        let dir = tempfile::tempdir().expect("a folder");
        let store = EvidenceStore::for_folder(dir.path());
        if name.is_empty() {
            symlink(away.path(), store.folder()).expect("a link");
        } else {
            fs::create_dir(store.folder()).expect("made");
            symlink(away.path().join("target"), store.folder().join(name)).expect("a link");
        }
        assert_eq!(outside(&store), 4, "evidence/{name}");
    }
    let dir = tempfile::tempdir().expect("a folder");
    let store = EvidenceStore::for_folder(dir.path());
    fs::create_dir(store.folder()).expect("made");
    let name = format!("{}.json", record.id);
    symlink(away.path().join(&name), store.folder().join(&name)).expect("a link");
    assert!(matches!(
        store.put(&record),
        Err(EvidenceError::LeadsOut { .. })
    ));
    assert_eq!(fs::read_dir(away.path()).expect("list").count(), 0);
    // One that stays is a matter of taste.
    let dir = tempfile::tempdir().expect("a folder");
    fs::create_dir(dir.path().join("kept")).expect("made");
    let store = EvidenceStore::for_folder(dir.path());
    symlink(dir.path().join("kept"), store.folder()).expect("a link");
    store.put(&record).expect("kept");
    assert!(dir.path().join("kept").join(&name).is_file());
}

#[test]
fn a_plan_of_another_schema_or_with_unknown_keys_is_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    let run = RunFolder::create(dir.path(), "m", "0", now()).expect("made");
    let spec = Record::parse(COMPLETE)
        .expect("a record")
        .into_parts()
        .plan
        .spec;
    let bindings = serde_json::json!({
        "files": [], "labels": {"scheme": null, "labels": []}, "dataset": {"kind": "k", "path": "", "split": null, "options": {}},
        "sample_set": {"id": "i", "name": "n", "name_source": "custom", "count": 0, "of": 0, "distinct": 0, "sha256": "", "samples": [], "file_sha256": []},
        "division": {"fused": {"workers": 1, "threads": 1}}, "run_folder": "r", "cache_dir": null, "engine_timeout_ns": 1,
    });
    let plan = dyno_core::Plan::new(spec, serde_json::from_value(bindings).expect("bindings"));
    run.write_plan(&plan).expect("written");
    assert_eq!(run.read_plan().expect("the same"), plan);
    let text = fs::read_to_string(run.path().join("plan.json")).expect("read");
    for (from, to, word) in [
        ("dyno.plan/1", "dyno.plan/2", "dyno.plan/2"),
        ("\"recipe_assumed\"", "\"recipe_asumed\"", "recipe_asumed"),
        ("\"division\"", "\"divison\"", "divison"),
    ] {
        let edited = text.replace(from, to);
        assert_ne!(edited, text, "{from}");
        fs::write(run.path().join("plan.json"), edited).expect("written");
        match run.read_plan() {
            Err(EvidenceError::Plan { source, .. }) => {
                assert!(source.to_string().contains(word), "{source}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn gc_drops_what_nothing_names_and_nothing_else() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = EvidenceStore::for_folder(dir.path());
    assert_eq!(store.gc(GcMode::Remove).expect("nothing there"), []);
    let kept = store.put_data("per-class", "csv", b"kept").expect("kept");
    let mut parts = record("a").into_parts();
    parts.artifacts = vec![kept.clone()];
    let named = Record::seal(parts).expect("finite");
    store.put(&named).expect("kept");
    // Of a record that does not read, the data stays too.
    let later = store.put_data("x", "bin", b"later").expect("kept");
    let unreadable = format!(
        "{{\"schema\": \"dyno.record/9\", \"blob\": \"{}\"}}",
        later.sha256
    );
    let path = store.folder().join(format!("{}.json", "f".repeat(64)));
    fs::write(path, unreadable).expect("written");
    let orphan = store.put_data("raw", "bin", b"orphan").expect("kept");
    fs::write(store.folder().join("data/notes.txt"), "mine").expect("written");
    for mode in [GcMode::Find, GcMode::Remove] {
        let found = store.gc(mode).expect("readable");
        let [only] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert!(only.path.ends_with(format!("{}.bin", orphan.sha256)));
        assert_eq!(only.bytes, 6);
        assert_eq!(only.path.exists(), mode == GcMode::Find);
    }
    assert_eq!(store.get_data(&kept.sha256).expect("there"), b"kept");
    assert_eq!(store.get_data(&later.sha256).expect("there"), b"later");
    assert!(store.folder().join("data/notes.txt").exists());

    let run = RunFolder::create(dir.path(), "m", "0", now()).expect("made");
    let a = run.put("shard", "jsonl", b"a").expect("kept");
    let b = run.put("shard", "jsonl", b"b").expect("kept");
    run.add_shard(0, &a).expect("entered");
    run.replace_shard(0, &b).expect("measured anew");
    assert_eq!(run.gc(GcMode::Remove).expect("under way"), []);
    run.write_record(&record("b")).expect("written");
    assert_eq!(run.gc(GcMode::Remove).expect("done").len(), 1);
    assert!(run.get(&a).is_err() && run.get(&b).is_ok());
}
