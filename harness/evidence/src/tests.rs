//! Atomicity, locks, the journal after a kill, and the index.

use crate::{
    EvidenceError, EvidenceStore, MAX_RECORD_BYTES, RecordRef, RunFolder, atomic_write,
    find_record, hash_file, latest, lock, lock_within,
};
use dyno_core::{Record, Warning, WarningCode};
use std::{fs, time::Duration};

const NOW: &str = "2026-11-22T16:00:00.125Z";

fn now() -> jiff::Timestamp {
    NOW.parse().expect("a time")
}

/// A sealed record that differs by `detail`.
fn record(detail: &str) -> Record {
    let mut record: Record = serde_json::from_str(include_str!("../fixtures/record.json"))
        .expect("the fixture is a record");
    record.warnings.push(Warning {
        code: WarningCode::Engine,
        detail: detail.to_owned(),
    });
    record.seal().expect("finite")
}

#[test]
fn a_write_replaces_the_whole_file_and_leaves_nothing_behind() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("a.json");
    atomic_write(&path, b"one").expect("written");
    atomic_write(&path, b"two").expect("written");
    assert_eq!(fs::read(&path).expect("read"), b"two");
    assert_eq!(
        fs::read_dir(dir.path()).expect("list").count(),
        1,
        "a temporary file stayed"
    );
    assert_eq!(
        hash_file(&path).expect("hash"),
        (dyno_core::sha256_hex(b"two"), 3)
    );
    assert!(matches!(
        atomic_write(&dir.path().join("none/a"), b"x"),
        Err(EvidenceError::Io { .. })
    ));
}

#[cfg(unix)]
#[test]
fn permissions_and_links_survive_and_a_read_only_file_is_not_replaced() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("a");
    fs::write(&path, "old").expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("chmod");
    let link = dir.path().join("link");
    std::os::unix::fs::symlink(&path, &link).expect("a link");
    atomic_write(&link, b"new").expect("written");
    assert!(link.is_symlink());
    assert_eq!(fs::read(&path).expect("read"), b"new");
    assert_eq!(
        fs::metadata(&path).expect("there").permissions().mode() & 0o777,
        0o640
    );
    fs::set_permissions(&path, fs::Permissions::from_mode(0o440)).expect("chmod");
    assert!(matches!(
        atomic_write(&path, b"no"),
        Err(EvidenceError::Io { .. })
    ));
    assert_eq!(fs::read(&path).expect("read"), b"new");
}

#[test]
fn a_write_that_cannot_finish_leaves_the_old_file() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("a");
    // A folder of that name makes the last step, the rename, fail.
    fs::create_dir(&path).expect("made");
    fs::write(path.join("inside"), "old").expect("written");
    assert!(matches!(
        atomic_write(&path, b"new"),
        Err(EvidenceError::Io { .. })
    ));
    assert_eq!(fs::read(path.join("inside")).expect("read"), b"old");
    assert_eq!(
        fs::read_dir(dir.path()).expect("list").count(),
        1,
        "a temporary file stayed"
    );
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
    let mut changed = a.clone();
    changed.created_utc = "1999-01-01T00:00:00Z".into();
    assert!(
        matches!(store.put(&changed), Err(EvidenceError::Record { .. })),
        "id and content disagree"
    );
    assert!(matches!(
        store.put(&record(&"x".repeat(MAX_RECORD_BYTES))),
        Err(EvidenceError::TooLarge { .. })
    ));
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
