//! `dyno backends install`, `runtimes` and `remove`: from a wheel made here, through the machine's
//! own pip without a network, and what becomes of wheels that are not what they say.

use crate::support::{Place, has_library};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use std::{
    fmt::Write as _,
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// Writes a wheel of `onnxruntime` 1.31.1 around `library`.
fn wheel(folder: &Path, library: &[u8]) -> PathBuf {
    let dist = "onnxruntime-1.31.1.dist-info";
    let metadata = b"Metadata-Version: 2.1\nName: onnxruntime\nVersion: 1.31.1\n".as_slice();
    let tags = b"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: py3-none-any\n".as_slice();
    let files = [
        (
            "onnxruntime/capi/libonnxruntime.so.1.31.1".to_owned(),
            library,
        ),
        (
            "onnxruntime/__init__.py".to_owned(),
            b"raise SystemExit('this was run')",
        ),
        ("onnxruntime/LICENSE".to_owned(), b"MIT"),
        (format!("{dist}/METADATA"), metadata),
        (format!("{dist}/WHEEL"), tags),
    ];
    let path = folder.join("onnxruntime-1.31.1-py3-none-any.whl");
    let mut zip = ZipWriter::new(File::create(&path).expect("creates"));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut record = format!("{dist}/RECORD,,\n");
    for (name, bytes) in &files {
        let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(bytes));
        writeln!(record, "{name},sha256={hash},{}", bytes.len()).expect("a String takes it");
        zip.start_file(name.as_str(), options).expect("a name");
        zip.write_all(bytes).expect("writes");
    }
    zip.start_file(format!("{dist}/RECORD"), options)
        .expect("a name");
    zip.write_all(record.as_bytes()).expect("writes");
    zip.finish().expect("finishes");
    path
}

/// What lies in the place of runtimes, the lock left aside.
fn left(place: &Place) -> Vec<String> {
    let Ok(entries) = fs::read_dir(place.join("data/engines")) else {
        return Vec::new();
    };
    let name = |e: std::io::Result<fs::DirEntry>| e.expect("an entry").file_name();
    let names = entries.map(|e| name(e).into_string().expect("a name"));
    names.filter(|n| n != "lock").collect()
}

/// The real library, and whether there is a pip; each as a visible skip.
fn library_and_pip() -> Option<(Vec<u8>, PathBuf)> {
    if !has_library("onnxruntime") {
        return None;
    }
    let facts = dyno_backends::BACKENDS
        .iter()
        .find(|b| b.id() == "onnxruntime")?
        .probe();
    let path = facts.library.as_ref()?.yes()?.path.clone();
    let python = PathBuf::from("python3");
    let pip = Command::new(&python)
        .args(["-m", "pip", "--version"])
        .output();
    if !pip.is_ok_and(|o| o.status.success()) {
        // Not `eprintln`: the test runner would swallow it.
        std::io::Write::write_all(&mut std::io::stderr(), b"skipped: python3 has no pip\n")
            .expect("standard error");
        return None;
    }
    Some((fs::read(path).expect("a library"), python))
}

#[test]
fn what_can_be_installed_is_listed() {
    let place = Place::new();
    place
        .run("backends runtimes --format csv")
        .succeeds()
        .shows("backends-runtimes", &place);
    place
        .run("backends install onnxrutime")
        .exits(2)
        .says(&["unknown runtime `onnxrutime`, did you mean `onnxruntime`?"]);
    place
        .run("backends remove onnxruntime")
        .exits(2)
        .says(&["is not installed"]);
}

#[test]
fn without_python_it_says_what_to_download_and_what_to_do_with_it() {
    let place = Place::new();
    let output = place
        .dyno()
        .args(["backends", "install", "onnxruntime"])
        .env("DYNO_PYTHON", place.join("no-python"))
        .output()
        .expect("the binary starts");
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    for words in [
        "there is no Python to fetch it with",
        "download the wheel `onnxruntime-1.31.1-",
        "dyno backends install onnxruntime --wheel FILE",
    ] {
        assert!(said.contains(words), "{said}");
    }
    assert_eq!(left(&place), [""; 0]);
}

#[test]
fn a_runtime_is_fetched_checked_found_and_removed() {
    let Some((library, _)) = library_and_pip() else {
        return;
    };
    let place = Place::new();
    let index = place.join("index");
    fs::create_dir_all(&index).expect("a folder");
    wheel(&index, &library);
    let dyno = |line: &str| {
        let mut command = place.dyno();
        command
            .args(line.split_whitespace())
            .env("PIP_NO_INDEX", "1")
            .env("PIP_FIND_LINKS", &index)
            .env_remove("DYNO_PYTHON")
            .env_remove("DYNO_ONNXRUNTIME");
        let output = command.output().expect("the binary starts");
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    let (code, _, said) = dyno("backends install onnxruntime");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("installed onnxruntime 1.31.1"), "{said}");
    assert_eq!(left(&place), ["onnxruntime-1.31.1"]);
    let folder = place.join("data/engines/onnxruntime-1.31.1");
    assert!(folder.join("licenses/onnxruntime-LICENSE").is_file());
    assert!(!folder.join("lib/__init__.py").exists());
    // Found from then on, before Python's packages.
    let (_, shown, _) = dyno("doctor --format csv");
    assert!(
        shown.contains("data/engines/onnxruntime-1.31.1/lib"),
        "{shown}"
    );
    let (code, _, said) = dyno("backends install onnxruntime");
    assert_eq!(code, Some(0));
    assert!(said.contains("is installed in"), "{said}");
    let (code, _, said) = dyno("backends install onnxruntime --version 9.9.9");
    assert_eq!(code, Some(5), "{said}");
    assert!(
        said.contains("pip did not fetch `onnxruntime` 9.9.9"),
        "{said}"
    );
    let (code, _, said) = dyno("backends remove onnxruntime");
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(left(&place), [""; 0]);
}

#[test]
fn a_wheel_whose_library_cannot_be_opened_leaves_nothing() {
    let place = Place::new();
    let other = if cfg!(target_arch = "x86_64") {
        183
    } else {
        62
    };
    let mut foreign = b"\x7fELF\x02\x01\x01".to_vec();
    foreign.resize(16, 0);
    foreign.extend(3_u16.to_le_bytes());
    foreign.extend(u16::to_le_bytes(other));
    foreign.resize(64, 0);
    for (library, words) in [
        (b"this is text".to_vec(), "not a library (no ELF file)"),
        (foreign, "a library for another processor"),
    ] {
        let path = wheel(place.path(), &library);
        place
            .run(&format!(
                "backends install onnxruntime --wheel {}",
                path.display()
            ))
            .exits(3)
            .says(&["was not installed: its library cannot be used here", words]);
        assert_eq!(left(&place), [""; 0]);
    }
    let path = wheel(place.path(), b"x");
    let whole = fs::read(&path).expect("a file");
    fs::write(&path, &whole[..whole.len() / 2]).expect("writable");
    place
        .run(&format!(
            "backends install onnxruntime --wheel {}",
            path.display()
        ))
        .exits(5)
        .says(&["was refused: it is no zip file"]);
    assert_eq!(left(&place), [""; 0]);
}
