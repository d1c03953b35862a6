//! Wheels made here, honest and hostile, and what becomes of them.

use super::*;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use std::{
    fmt::Write as _,
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
};
use zip::{ZipWriter, write::SimpleFileOptions};

const LIBRARY: &str = "onnxruntime/capi/libonnxruntime.so.1.31.1";
const DIST: &str = "onnxruntime-1.31.1.dist-info";
const METADATA: &str = "Metadata-Version: 2.1\nName: onnxruntime\nVersion: 1.31.1\n\nName: other\n";

fn runtime() -> &'static Runtime {
    RUNTIMES
        .iter()
        .find(|r| r.name == "onnxruntime")
        .expect("it is in the table")
}

/// A wheel in the making.
struct Wheel {
    dir: tempfile::TempDir,
    files: Vec<(String, Vec<u8>)>,
    record: Option<String>,
}

impl Wheel {
    fn honest() -> Self {
        let files = [
            (LIBRARY, &b"a library"[..]),
            (
                "onnxruntime/capi/libonnxruntime_providers_shared.so",
                b"bridge",
            ),
            ("onnxruntime/capi/state.cpython-311.so", b"extension"),
            (
                "onnxruntime/__init__.py",
                b"raise SystemExit('this was run')",
            ),
            ("onnxruntime/LICENSE", b"MIT"),
        ];
        let mut wheel = Self {
            dir: tempfile::tempdir().expect("a temporary folder"),
            files: Vec::new(),
            record: None,
        };
        for (name, bytes) in files {
            wheel = wheel.with(name, bytes);
        }
        wheel
            .with(&format!("{DIST}/METADATA"), METADATA.as_bytes())
            .with(&format!("{DIST}/licenses/a/NOTICE.txt"), b"notice")
    }

    fn with(mut self, name: &str, bytes: &[u8]) -> Self {
        self.files.retain(|(n, _)| n != name);
        self.files.push((name.to_owned(), bytes.to_owned()));
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.files.retain(|(n, _)| n != name);
        self
    }

    fn record(&self) -> String {
        let mut text = String::new();
        for (name, bytes) in &self.files {
            let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(bytes));
            writeln!(text, "{name},sha256={hash},{}", bytes.len()).expect("a String takes it");
        }
        text + &format!("{DIST}/RECORD,,\n")
    }

    fn write(&self) -> PathBuf {
        let path = self.dir.path().join("w.whl");
        let mut zip = ZipWriter::new(File::create(&path).expect("creates"));
        let options = SimpleFileOptions::default();
        let record = self.record.clone().unwrap_or_else(|| self.record());
        let list = (format!("{DIST}/RECORD"), record.into_bytes());
        for (name, bytes) in self.files.iter().chain([&list]) {
            zip.start_file(name.as_str(), options).expect("a name");
            zip.write_all(bytes).expect("writes");
        }
        zip.finish().expect("finishes");
        path
    }

    fn out(&self) -> PathBuf {
        self.dir.path().join("out")
    }

    fn unpack(&self) -> Result<Unpacked, RuntimeError> {
        unpack(runtime(), &self.write(), &self.out())
    }

    #[track_caller]
    fn refusal(&self) -> String {
        self.unpack().expect_err("refused").to_string()
    }
}

/// `bytes` with every `old` made `new`, which is as long.
fn replaced(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut changed = bytes.to_owned();
    let places: Vec<usize> = (0..bytes.len())
        .filter(|&at| bytes[at..].starts_with(old))
        .collect();
    assert!(
        places.len() >= 2,
        "the name stands in both headers of its entry"
    );
    for at in places {
        changed[at..at + new.len()].copy_from_slice(new);
    }
    changed
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("a folder")
        .map(|e| {
            e.expect("an entry")
                .file_name()
                .into_string()
                .expect("a name")
        })
        .collect();
    names.sort();
    names
}

#[test]
fn libraries_and_licences_are_unpacked_and_nothing_else() {
    let wheel = Wheel::honest();
    let unpacked = wheel.unpack().expect("an honest wheel");
    assert_eq!(unpacked.version, "1.31.1");
    assert_eq!(unpacked.library, "libonnxruntime.so.1.31.1");
    assert_eq!((unpacked.files, unpacked.wheel_sha256.len()), (2, 64));
    assert_eq!(names(&wheel.out()), ["lib", "licenses"]);
    assert_eq!(
        names(&wheel.out().join("lib")),
        [
            "libonnxruntime.so.1.31.1",
            "libonnxruntime_providers_shared.so"
        ]
    );
    assert_eq!(
        names(&wheel.out().join("licenses")),
        [
            "onnxruntime-1.31.1.dist-info-licenses-a-NOTICE.txt",
            "onnxruntime-LICENSE"
        ]
    );
}

#[test]
fn hostile_wheels_are_refused_with_the_entry() {
    let record = Wheel::honest().record();
    let changed = |old: &str, new: &str| {
        let mut wheel = Wheel::honest();
        let text = record.replace(old, new);
        assert_ne!(text, record);
        wheel.record = Some(text);
        wheel
    };
    let escapes = [
        "../libonnxruntime.so",
        "onnxruntime/capi/../../../x.so",
        "/etc/x.so",
        "onnxruntime\\capi\\x.so",
    ];
    for name in escapes {
        // A writer of zip files makes such names harmless: they are put in afterwards.
        let harmless = "#".repeat(name.len());
        let wheel = Wheel::honest().with(&harmless, b"x");
        let path = wheel.write();
        let bytes = fs::read(&path).expect("a wheel");
        fs::write(
            &path,
            replaced(&bytes, harmless.as_bytes(), name.as_bytes()),
        )
        .expect("writes");
        let said = unpack(runtime(), &path, &wheel.out())
            .expect_err("refused")
            .to_string();
        assert!(said.contains("leads out of its folder"), "{name}: {said}");
    }
    let said = changed(
        "libonnxruntime.so.1.31.1,sha256=",
        "libonnxruntime.so.1.31.1,sha256=AAAA",
    )
    .refusal();
    assert!(
        said.contains("has another hash than its list") || said.contains("not in its list"),
        "{said}"
    );
    let wrong = URL_SAFE_NO_PAD.encode([7_u8; 32]);
    let right = URL_SAFE_NO_PAD.encode(Sha256::digest(b"a library"));
    let said = changed(&right, &wrong).refusal();
    assert!(said.contains("has another hash than its list"), "{said}");
    // A bomb: more bytes than the list says, and a list that says too many.
    let said = changed(&format!("{right},9"), &format!("{right},4")).refusal();
    assert!(said.contains("has not the 4 bytes of its list"), "{said}");
    let said = changed(&format!("{right},9"), &format!("{right},99999999999")).refusal();
    assert!(said.contains("would make it larger than"), "{said}");
    let said = changed(LIBRARY, "other").refusal();
    assert!(said.contains("is not in its list of hashes"), "{said}");
    let said = Wheel::honest().without(LIBRARY).refusal();
    assert!(
        said.contains("it has no `libonnxruntime.…` in `onnxruntime/capi/`"),
        "{said}"
    );
    let said = Wheel::honest()
        .without(&format!("{DIST}/METADATA"))
        .refusal();
    assert!(said.contains("no single `.dist-info/METADATA`"), "{said}");
    let other = METADATA.replace("Name: onnxruntime", "Name: evil");
    let said = Wheel::honest()
        .with(&format!("{DIST}/METADATA"), other.as_bytes())
        .refusal();
    assert!(said.contains("it is `evil`, not `onnxruntime`"), "{said}");
    let other = METADATA.replace("1.31.1", "../../x");
    let said = Wheel::honest()
        .with(&format!("{DIST}/METADATA"), other.as_bytes())
        .refusal();
    assert!(said.contains("its version is `../../x`"), "{said}");
}

#[test]
fn a_link_and_a_file_that_is_no_zip_are_refused() {
    let wheel = Wheel::honest();
    let path = wheel.dir.path().join("link.whl");
    let mut zip = ZipWriter::new(File::create(&path).expect("creates"));
    zip.add_symlink(
        "onnxruntime/capi/liblink.so",
        "/etc/passwd",
        SimpleFileOptions::default(),
    )
    .expect("a link");
    zip.finish().expect("finishes");
    let said = unpack(runtime(), &path, &wheel.out())
        .expect_err("refused")
        .to_string();
    assert!(
        said.contains("`onnxruntime/capi/liblink.so` is a link"),
        "{said}"
    );
    fs::write(&path, "text").expect("writes");
    let said = unpack(runtime(), &path, &wheel.out())
        .expect_err("refused")
        .to_string();
    assert!(said.contains("it is no zip file"), "{said}");
}

#[test]
fn what_is_kept_is_found_in_order_and_removed_whole() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let engines = Engines::at(dir.path().join("engines"));
    assert!(engines.installed().is_empty());
    let install = |name: &str, version: &str| {
        let folder = engines.root().join(".incoming");
        fs::create_dir_all(folder.join("lib")).expect("a folder");
        let unpacked = Unpacked {
            version: version.to_owned(),
            library: "libonnxruntime.so".to_owned(),
            wheel_sha256: "0".repeat(64),
            files: 1,
            bytes: 9,
        };
        engines.keep(name, &unpacked, &folder)
    };
    for (name, version) in [
        ("onnxruntime-openvino", "1.24.1"),
        ("onnxruntime", "1.9.0"),
        ("onnxruntime", "1.31.1"),
    ] {
        install(name, version).expect("kept");
    }
    install("onnxruntime", "1.9.0").expect_err("it is there");
    // A folder that nobody of ours made is passed over.
    fs::create_dir_all(engines.root().join("onnxruntime-9.9")).expect("a folder");
    let shown: Vec<String> = engines
        .installed()
        .iter()
        .map(|i| format!("{}-{}", i.runtime, i.version))
        .collect();
    let order = [
        "onnxruntime-1.31.1",
        "onnxruntime-1.9.0",
        "onnxruntime-openvino-1.24.1",
    ];
    assert_eq!(shown, order);
    let first = |wanted: Option<&str>| engines.libraries("onnxruntime", wanted)[0].clone();
    let library = |folder: &str| engines.root().join(folder).join("lib/libonnxruntime.so");
    assert_eq!(first(None), library(order[0]));
    assert_eq!(first(Some("onnxruntime-openvino")), library(order[2]));
    assert!(engines.libraries("openvino", None).is_empty());
    engines.remove(&engines.installed()[0]).expect("removed");
    assert_eq!(engines.installed().len(), 2);
    assert!(!engines.root().join(order[0]).exists());
    // A card that names a file elsewhere is none.
    let card = engines.root().join(order[1]).join("runtime.json");
    let text = fs::read_to_string(&card).expect("a card");
    fs::write(&card, text.replace("libonnxruntime.so", "../../x.so")).expect("writes");
    assert_eq!(engines.installed().len(), 1);
}
