//! Writes that fail at every step, and what they leave.

use super::{replace_all, stage_all, sweep};
use crate::{EvidenceError, EvidenceStore, atomic_write, hash_file, write_together};
use std::{fs, io, path::Path};

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("list")
        .map(|e| {
            e.expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}

#[test]
fn a_write_replaces_the_whole_file_and_leaves_nothing_behind() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("a.json");
    atomic_write(&path, b"one").expect("written");
    atomic_write(&path, b"two").expect("written");
    assert_eq!(fs::read(&path).expect("read"), b"two");
    assert_eq!(names(dir.path()), ["a.json"], "a temporary file stayed");
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

#[cfg(unix)]
#[test]
fn the_owner_survives_where_the_process_may_give_files_away() {
    use std::os::unix::fs::{MetadataExt, chown};
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("a");
    fs::write(&path, "old").expect("written");
    if chown(&path, Some(1234), Some(4321)).is_err() {
        // Not root, so nobody else's file can be made to try it on.
        io::Write::write_all(&mut io::stderr(), b"skipped: not root\n").expect("standard error");
        return;
    }
    atomic_write(&path, b"new").expect("written");
    let meta = fs::metadata(&path).expect("there");
    assert_eq!((meta.uid(), meta.gid()), (1234, 4321));
}

#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_neither_replaced_nor_read() {
    let dir = tempfile::tempdir().expect("a folder");
    let pipe = dir.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo").success());
    assert!(matches!(
        atomic_write(&pipe, b"x"),
        Err(EvidenceError::Io { .. })
    ));
    // Reading would wait for ever.
    assert!(matches!(hash_file(&pipe), Err(EvidenceError::Io { .. })));
    assert!(crate::lock(&pipe).is_err());
    assert!(atomic_write(Path::new("/dev/null"), b"x").is_err());
}

#[test]
fn several_files_are_replaced_or_none() {
    let dir = tempfile::tempdir().expect("a folder");
    let (old, new, blocked) = (
        dir.path().join("old"),
        dir.path().join("new"),
        dir.path().join("blocked"),
    );
    fs::write(&old, "old").expect("written");
    let nowhere = dir.path().join("no/where");
    let staged = write_together(&[(&old, b"1"), (&new, b"2"), (&nowhere, b"3")]);
    assert!(matches!(staged, Err(EvidenceError::Io { .. })));
    assert_eq!(names(dir.path()), ["old"]);
    // A folder of that name appears between the staging and the rename: only the rename fails.
    let files: [(&Path, &[u8]); 3] = [(&old, b"1"), (&new, b"2"), (&blocked, b"3")];
    let staged = stage_all(&files).expect("staged");
    fs::create_dir(&blocked).expect("made");
    fs::write(blocked.join("inside"), "x").expect("written");
    let renamed = replace_all(staged, &|_| Ok(()));
    assert!(
        matches!(renamed, Err(EvidenceError::Io { .. })),
        "{renamed:?}"
    );
    assert_eq!(names(dir.path()), ["blocked", "old"]);
    assert_eq!(fs::read(&old).expect("read"), b"old");
    fs::remove_dir_all(&blocked).expect("removed");
    write_together(&files).expect("written");
    assert_eq!(names(dir.path()), ["blocked", "new", "old"]);
    assert_eq!(fs::read(&old).expect("read"), b"1");
}

#[test]
fn after_the_rename_a_failing_sync_is_reported_and_nothing_taken_back() {
    let dir = tempfile::tempdir().expect("a folder");
    let (a, b) = (dir.path().join("a"), dir.path().join("b"));
    fs::write(&a, "old").expect("written");
    let failing = |_: &Path| Err(io::Error::other("planted"));
    let files: [(&Path, &[u8]); 2] = [(&a, b"1"), (&b, b"2")];
    match replace_all(stage_all(&files).expect("staged"), &failing) {
        Err(EvidenceError::Unsynced { folder, .. }) => assert_eq!(folder, dir.path()),
        other => panic!("{other:?}"),
    }
    assert_eq!(fs::read(&a).expect("read"), b"1");
    assert_eq!(fs::read(&b).expect("read"), b"2");
}

#[test]
fn what_cannot_be_set_back_is_named_and_the_first_error_stays_the_cause() {
    let dir = tempfile::tempdir().expect("a folder");
    let gone = dir.path().join("gone");
    let first = EvidenceError::io("replace", Path::new("b"))(io::Error::other("first"));
    let error = super::set_back(vec![(gone.clone(), super::Undo::Remove)], first);
    match &error {
        EvidenceError::HalfWritten { path, source, .. } => {
            assert_eq!(path, &gone);
            assert!(source.to_string().contains("cannot replace `b`"));
        }
        other => panic!("{other:?}"),
    }
}

#[cfg(unix)]
#[test]
fn the_next_holder_of_the_lock_sweeps_what_dead_writers_left() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = EvidenceStore::for_folder(dir.path());
    store.put_data("raw", "bin", b"x").expect("kept");
    let left = [
        dir.path().join(".dyno-aaaaaa.tmp"),
        dir.path().join("evidence/.dyno-bbbbbb.tmp"),
        dir.path().join("evidence/data/.dyno-cccccc.tmp"),
    ];
    let mine = [dir.path().join(".dyno-notes"), dir.path().join("x.tmp")];
    for path in left.iter().chain(&mine) {
        fs::write(path, "half").expect("written");
    }
    // One that a living writer holds, as its lock tells.
    let alive = fs::File::open(&left[0]).expect("there");
    alive.try_lock().expect("free");
    drop(store.lock().expect("free"));
    assert!(left[0].exists() && !left[1].exists() && !left[2].exists());
    drop(alive);
    drop(store.lock().expect("free"));
    assert!(!left[0].exists());
    assert!(mine.iter().all(|p| p.exists()));
    sweep(&dir.path().join("nowhere"));
}
