//! B1: what is no regular file is opened and written, never replaced.

use crate::{
    cheats::kit::{DETECTOR, shapes},
    support::Place,
};
use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    os::unix::fs::FileTypeExt,
    path::PathBuf,
    process::Command,
    thread::{self, JoinHandle},
};

/// A pipe with a name, and somebody who reads it.
struct Pipe {
    path: PathBuf,
    /// Both ends, so that nobody waits for the other one.
    file: File,
    reader: JoinHandle<Vec<u8>>,
}

impl Pipe {
    fn new(place: &Place) -> Self {
        let path = place.join("pipe");
        let made = Command::new("mkfifo").arg(&path).status().expect("mkfifo");
        assert!(made.success());
        let file = File::options()
            .read(true)
            .write(true)
            .open(&path)
            .expect("a pipe");
        let mut end = BufReader::new(file.try_clone().expect("a pipe"));
        let reader = thread::spawn(move || {
            let mut bytes = Vec::new();
            end.read_until(MARK, &mut bytes).expect("readable");
            bytes
        });
        Self { path, file, reader }
    }

    /// What was written to it. It must still be a pipe.
    #[track_caller]
    fn content(mut self) -> String {
        self.file.write_all(&[MARK]).expect("room in the pipe");
        let mut bytes = self.reader.join().expect("a reader");
        let meta = fs::symlink_metadata(&self.path).expect("a file");
        assert!(
            meta.file_type().is_fifo(),
            "the pipe was replaced by a file"
        );
        bytes.pop();
        String::from_utf8(bytes).expect("text")
    }
}

/// Our own mark at the end of what was written.
const MARK: u8 = 0;

#[test]
fn a_report_goes_into_a_pipe() {
    let place = shapes(4);
    let pipe = Pipe::new(&place);
    place
        .run(&format!("{DETECTOR} --format csv --out pipe"))
        .succeeds();
    let text = pipe.content();
    assert!(text.contains("AP50"), "{text}");
}

#[test]
fn predictions_go_into_a_pipe() {
    let place = shapes(4);
    let pipe = Pipe::new(&place);
    place
        .run(&format!("{DETECTOR} --export-predictions pipe"))
        .succeeds();
    let text = pipe.content();
    assert!(text.contains("category_id"), "{text}");
}

#[test]
fn a_stored_report_goes_into_a_pipe() {
    let place = shapes(4);
    place.run(&format!("{DETECTOR} -q")).succeeds();
    let pipe = Pipe::new(&place);
    place
        .run("report latest --format markdown --out pipe")
        .succeeds();
    let text = pipe.content();
    assert!(text.contains("| AP"), "{text}");
}

#[test]
fn a_report_that_cannot_be_written_says_why() {
    let place = shapes(4);
    let done = place
        .run(&format!("{DETECTOR} --out pictures"))
        .exits_not(0);
    let why = done.stderr.contains("caused by:") || done.stderr.contains("is a folder");
    assert!(why, "no cause:\n{}", done.stderr);
}
