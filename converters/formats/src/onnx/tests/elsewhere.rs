//! Weights in other files: what may be named, and that the file with them put in is the file that
//! would have held them.

use super::*;
use dyno_core::{FileRole, Framework, ModelContent, ModelFile, ModelSource};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

/// A `TensorProto` of `count` f32 values in another file.
fn outside(name: &str, count: u64, entries: &[(&str, &str)]) -> Vec<u8> {
    let entries: Vec<u8> = entries
        .iter()
        .flat_map(|(k, v)| bytes(13, [bytes(1, k), bytes(2, v)].concat()))
        .collect();
    tensor(name, count, &[entries, number(14, 1)].concat())
}

/// A file whose only weights are `tensor`.
fn of(tensor: &[u8]) -> Vec<u8> {
    let graph = [
        bytes(1, node("Add", &["x", "c"], "y", &[])),
        bytes(5, tensor),
    ];
    model(&graph.concat())
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().expect("a temporary folder"));
        fs::create_dir(folder.path("model")).expect("a folder");
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).expect("a file");
        path
    }

    /// What opening `file` says, with `listed` among the model's files.
    fn refusal(&self, file: &[u8], listed: &[&str]) -> String {
        let path = self.write("model/m.onnx", file);
        let listed: Vec<PathBuf> = listed.iter().map(|n| self.path(n)).collect();
        OnnxFile::read(&source(&path, &listed))
            .expect_err("refused")
            .to_string()
    }
}

fn source(model: &Path, weights: &[PathBuf]) -> ModelSource {
    let file = |role, path: &Path| ModelFile {
        role,
        content: ModelContent::Path(path.to_owned()),
    };
    let weights = weights.iter().map(|w| file(FileRole::Weights, w));
    ModelSource {
        framework: Framework::Onnx,
        files: [file(FileRole::Model, model)]
            .into_iter()
            .chain(weights)
            .collect(),
    }
}

#[test]
fn weights_are_put_where_they_belong() {
    let folder = Folder::new();
    fs::create_dir(folder.path("model/more")).expect("a folder");
    let values: Vec<u8> = (0..12u8).flat_map(|n| f32::from(n).to_le_bytes()).collect();
    let first = folder.write("model/w.bin", &values);
    let second = folder.write("model/more/branch.bin", &values);
    // An initializer, and a constant inside a branch, which is a graph in an attribute of a node.
    let constant = |k: &[u8]| {
        let attribute = [bytes(1, "value"), bytes(5, k), number(20, 4)].concat();
        bytes(1, node("Constant", &[], "k", &bytes(5, attribute)))
    };
    let branch = |k: &[u8]| {
        let graph = [constant(k), bytes(2, "b")].concat();
        let attribute = [bytes(1, "then_branch"), bytes(6, graph), number(20, 5)].concat();
        bytes(1, node("If", &["flag"], "k", &bytes(5, attribute)))
    };
    let whole = |c: &[u8], k: &[u8]| {
        let graph = [
            branch(k),
            bytes(1, node("Add", &["x", "c"], "y", &[])),
            bytes(5, c),
        ];
        model(&graph.concat())
    };
    let given = whole(
        &outside(
            "c",
            4,
            &[("location", "w.bin"), ("offset", "16"), ("length", "16")],
        ),
        // Without a length: all the rest.
        &outside("k", 2, &[("location", "more/branch.bin"), ("offset", "40")]),
    );
    let inside = whole(
        &tensor("c", 4, &bytes(9, &values[16..32])),
        &tensor("k", 2, &bytes(9, &values[40..])),
    );
    let path = folder.write("model/m.onnx", &given);
    assert_eq!(
        external_files(&path).expect("listed"),
        [second.clone(), first.clone()]
    );
    let source = source(&path, &[first, second]);
    let read = OnnxFile::read(&source).expect("all is there");
    assert_eq!(read.bytes.as_ref(), inside);
    assert_eq!(read.facts.external.len(), 2);

    let complete = folder.write("model/complete.onnx", &inside);
    assert_eq!(
        external_files(&complete).expect("none"),
        Vec::<PathBuf>::new()
    );
}

#[test]
fn only_listed_files_inside_the_folder_may_be_named() {
    let folder = Folder::new();
    folder.write("outside.bin", &[0; 16]);
    folder.write("model/w.bin", &[0; 16]);
    let to = |location: &str| of(&outside("c", 4, &[("location", location)]));
    let inside = "not a path inside the model's folder";
    let absolute = folder.path("outside.bin").display().to_string();
    for location in ["../outside.bin", "a/../../outside.bin", absolute.as_str()] {
        let expected = format!("weights of tensor `c` in `{location}`: {inside}");
        assert_eq!(folder.refusal(&to(location), &["outside.bin"]), expected);
        let path = folder.path("model/m.onnx");
        assert_eq!(
            external_files(&path).expect_err("refused").to_string(),
            expected
        );
    }
    assert_eq!(
        folder.refusal(&to("w.bin"), &["outside.bin"]),
        "weights of tensor `c` in `w.bin`: not listed among the model's files"
    );
    assert!(
        folder
            .refusal(&to("none.bin"), &[])
            .contains("No such file")
    );
    fs::create_dir(folder.path("model/d")).expect("a folder");
    assert!(
        folder
            .refusal(&to("d"), &["model/d"])
            .ends_with("not a regular file")
    );
    let bytes = ModelSource {
        framework: Framework::Onnx,
        files: vec![ModelFile {
            role: FileRole::Model,
            content: ModelContent::Bytes(Arc::new(to("w.bin"))),
        }],
    };
    let error = OnnxFile::read(&bytes).expect_err("no folder").to_string();
    assert!(
        error.ends_with("a model in memory has no folder to look in"),
        "{error}"
    );
}

#[cfg(unix)]
#[test]
fn links_that_lead_out_are_refused_and_others_followed() {
    use std::os::unix::fs::symlink;
    let folder = Folder::new();
    folder.write("outside.bin", &[0; 16]);
    folder.write("model/w.bin", &[0; 16]);
    symlink("../outside.bin", folder.path("model/out.bin")).expect("a link");
    symlink(folder.path("."), folder.path("model/up")).expect("a link");
    symlink("w.bin", folder.path("model/in.bin")).expect("a link");
    let to = |location: &str| of(&outside("c", 4, &[("location", location)]));
    for (location, listed) in [
        ("out.bin", "model/out.bin"),
        ("up/outside.bin", "outside.bin"),
    ] {
        let error = folder.refusal(&to(location), &[listed]);
        assert!(
            error.ends_with("a link that leads out of the model's folder"),
            "{error}"
        );
    }
    let path = folder.write("model/m.onnx", &to("in.bin"));
    let listed = external_files(&path).expect("inside");
    assert_eq!(listed, [folder.path("model/in.bin")]);
    assert!(OnnxFile::read(&source(&path, &listed)).is_ok());
}

#[test]
fn what_is_named_must_be_as_long_as_the_shape() {
    let folder = Folder::new();
    folder.write("model/w.bin", &[0; 16]);
    let refusal = |entries: &[(&str, &str)]| {
        let entries = [&[("location", "w.bin")], entries].concat();
        folder.refusal(&of(&outside("c", 4, &entries)), &["model/w.bin"])
    };
    let cases: [(&[(&str, &str)], &str); 6] = [
        (
            &[("length", "20")],
            "bytes of 20 from 0 on, and the file has 16",
        ),
        (&[("offset", "17")], "bytes from 17 on, and the file has 16"),
        (
            &[("offset", "18446744073709551615"), ("length", "16")],
            "bytes of 16 from 18446744073709551615 on, and the file has 16",
        ),
        (
            &[("length", "12")],
            "the shape needs 16 bytes, and there are 12",
        ),
        (&[("length", "x")], "length `x` of data outside the file"),
        (
            &[("location", "v.bin")],
            "two entries `location` of data outside the file",
        ),
    ];
    for (entries, expected) in cases {
        let error = refusal(entries);
        assert!(error.ends_with(expected), "{error}");
    }
    let error = folder.refusal(&of(&outside("c", 4, &[("offset", "0")])), &[]);
    assert!(
        error.ends_with("tensor `c` does not say in which file it is"),
        "{error}"
    );
    let both = [outside("c", 4, &[("location", "w.bin")]), bytes(9, [0; 16])].concat();
    let error = folder.refusal(&of(&both), &[]);
    assert!(error.contains("both inside and outside"), "{error}");
}

#[test]
fn what_is_no_file_is_not_opened() {
    let folder = Folder::new();
    let missing = external_files(&folder.path("none.onnx")).expect_err("missing");
    assert!(missing.to_string().contains("none.onnx"), "{missing}");
    let error = external_files(&folder.path("model")).expect_err("a folder");
    assert!(matches!(error, FormatError::NotAFile { .. }), "{error}");
    let large = folder.write("model/large.onnx", &[]);
    let sparse = fs::OpenOptions::new()
        .write(true)
        .open(&large)
        .expect("a file");
    sparse.set_len(1 << 40).expect("a file with a hole");
    let error = external_files(&large).expect_err("too large");
    assert!(matches!(error, FormatError::TooLarge { .. }), "{error}");
}
