//! What the tests share: the binary, a folder of its own for each test, the assets.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// A folder for one test with models, pictures and runs, deleted at its end.
pub(crate) struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self {
            dir: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The binary, in this place and with nothing of the user's configuration.
    pub(crate) fn dyno(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dyno"));
        command.current_dir(self.path());
        command
            .env("XDG_CONFIG_HOME", self.join("config"))
            .env("DYNO_CACHE_DIR", self.join("cache"))
            .env("DYNO_DATA_DIR", self.join("data"))
            .env("DYNO_RUNS_DIR", self.join("runs"));
        command
            .env_remove("DYNO_BACKEND")
            .env_remove("DYNO_MODELS_DIRS");
        command
    }

    /// Runs the binary with blank-separated arguments.
    pub(crate) fn run(&self, line: &str) -> Done {
        self.run_args(&line.split_whitespace().collect::<Vec<_>>())
    }

    pub(crate) fn run_args(&self, args: &[&str]) -> Done {
        Done::from(self.dyno().args(args).output().expect("the binary starts"))
    }

    /// Writes the quickstart's models to `models` and generated pictures to `pictures` (COCO) and
    /// `classes` (ImageNet).
    pub(crate) fn with_shapes(&self, count: u32) -> &Self {
        for model in ["shapes-detector", "shapes-classifier"] {
            let from = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("harness/cli/quickstart")
                .join(model);
            let to = self.join("models").join("dyno").join(model);
            copy(&from, &to);
        }
        for (folder, layout) in [("pictures", "coco"), ("classes", "imagenet")] {
            self.run(&format!(
                "datasets synthesize {folder} --layout {layout} --count {count} --seed 7 -q"
            ))
            .succeeds();
        }
        self
    }
}

/// Copies the files of a folder (not its subfolders), writable.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from)
        .unwrap_or_else(|e| panic!("{}: {e}", from.display()))
        .map(|e| e.expect("an entry").path())
    {
        if entry.is_file() {
            let target = to.join(entry.file_name().expect("a name"));
            fs::write(&target, fs::read(&entry).expect("a file")).expect("writable");
        }
    }
}

/// What a run of the binary gave.
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Done {
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "stdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    #[track_caller]
    pub(crate) fn exits_not(self, code: i32) -> Self {
        assert_ne!(
            self.code,
            Some(code),
            "stdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        assert!(
            self.code.is_some_and(|c| c < 6),
            "no panic and no signal:\n{}",
            self.stderr
        );
        self
    }

    #[track_caller]
    pub(crate) fn succeeds(self) -> Self {
        self.exits(0)
    }

    /// Standard error holds every one of `words`.
    #[track_caller]
    pub(crate) fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(
                self.stderr.contains(word),
                "`{word}` is not in standard error:\n{}",
                self.stderr
            );
        }
        self
    }

    /// Exit code and both streams, compared with a snapshot; what differs from run to run and from
    /// machine to machine is put aside.
    #[track_caller]
    pub(crate) fn shows(&self, name: &str, place: &Place) {
        let code = self
            .code
            .map_or_else(|| "signal".to_owned(), |c| c.to_string());
        let mut text = format!("exit code {code}\n");
        for (stream, content) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !content.is_empty() {
                write!(text, "--- {stream}\n{content}").expect("a String takes every text");
            }
        }
        let mut settings = insta::Settings::clone_current();
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.set_snapshot_path("snapshots");
        let real = place.path().canonicalize().expect("the folder exists");
        for path in [place.path(), real.as_path()] {
            settings.add_filter(&escaped(&path.display().to_string()), "[place]");
        }
        for (pattern, put) in [
            (r"\b[0-9a-f]{64}\b", "[sha256]"),
            (r"-[0-9a-f]{16}\b", "-[hash16]"),
            (r"\d{8}T\d+Z-[\w.-]+-[0-9a-f]{8}(-\d+)?", "[run]"),
            (r"(record|prefix|Record) [0-9a-f]{8}\b", "$1 [id]"),
            (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "[utc]"),
            (r"\b\d+(\.\d+)? (ns|µs|ms|s)\b", "[time]"),
            (r"\b\d+(\.\d+)?/s\b", "[rate]"),
            (r"dyno \d+\.\d+\.\d+ \([^)]*\)", "dyno [version]"),
            (r"(tract|rten) \d+\.\d+\.\d+", "$1 [version]"),
            // An engine of the feature `full` alone.
            (r", opencv\b", ""),
        ] {
            settings.add_filter(pattern, put);
        }
        settings.bind(|| insta::assert_snapshot!(name, text));
    }

    /// The record on standard output.
    #[track_caller]
    pub(crate) fn record(&self) -> dyno_core::Record {
        dyno_core::Record::parse(&self.stdout)
            .unwrap_or_else(|e| panic!("no record: {e}\n{}", self.stdout))
    }
}

/// Text as a pattern that matches nothing else.
fn escaped(text: &str) -> String {
    let special = |c: char| {
        if c.is_alphanumeric() || c == '/' {
            None
        } else {
            Some('\\')
        }
    };
    text.chars()
        .flat_map(|c| special(c).into_iter().chain([c]))
        .collect()
}

/// The folder of test assets. Without it the test says so and returns; `DYNO_REQUIRE_ASSETS=1`
/// makes that a failure.
pub(crate) fn assets() -> Option<PathBuf> {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/assets");
    let folder = std::env::var_os("DYNO_ASSETS").map_or(default, PathBuf::from);
    if folder.join("README.md").is_file() {
        return Some(folder.canonicalize().expect("the folder exists"));
    }
    assert!(
        std::env::var_os("DYNO_REQUIRE_ASSETS").is_none_or(|v| v != "1"),
        "DYNO_REQUIRE_ASSETS=1, and there are no assets in `{}`",
        folder.display()
    );
    // Not `eprintln`: the test runner would swallow it.
    std::io::Write::write_all(&mut std::io::stderr(), b"skipped: no assets\n")
        .expect("standard error");
    None
}

/// Whether the library of an engine can be found; as for the assets.
pub(crate) fn has_library(id: &str) -> bool {
    let usable = dyno_backends::BACKENDS
        .iter()
        .any(|b| b.id() == id && b.probe().usable());
    let required = format!("DYNO_REQUIRE_{}", id.to_ascii_uppercase());
    assert!(
        usable || std::env::var_os(&required).is_none_or(|v| v != "1"),
        "{required}=1, and the library was not found"
    );
    if !usable {
        // Not `eprintln`: the test runner would swallow it.
        let line = format!("skipped: no {id} library\n");
        std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes()).expect("standard error");
    }
    usable
}

/// A Python with the reference implementations.
pub(crate) fn python() -> Option<PathBuf> {
    let python = std::env::var_os("DYNO_PYTHON").map(PathBuf::from);
    if python.is_none() {
        // Not `eprintln`: the test runner would swallow it.
        std::io::Write::write_all(
            &mut std::io::stderr(),
            b"skipped: DYNO_PYTHON names no Python with pycocotools\n",
        )
        .expect("standard error");
    }
    python
}

/// The score of a metric in the record's first measurement.
#[track_caller]
pub(crate) fn score(record: &dyno_core::Record, metric: &str) -> f64 {
    record.measurements[0]
        .score(metric)
        .and_then(|s| s.value)
        .unwrap_or_else(|| panic!("no {metric} in the record"))
}
