//! What engines must refuse, and how: broken files, configurations that cannot be honoured, inputs
//! that do not fit.

use crate::support::{engines, from_bytes, from_path, here, null};
use dyno_core::{Backend, BackendError, OpenConfig, Tensor, TensorData, TensorSet};
use std::{fs, path::Path};

fn fixture(name: &str) -> Vec<u8> {
    fs::read(here("fixtures").join(name)).expect("fixtures are committed")
}

fn refusal(backend: &dyn Backend, file: &str, config: &OpenConfig) -> String {
    match backend.open(&from_path(&here("fixtures").join(file)), config) {
        Ok(_) => panic!("{} opened {file} with {config:?}", backend.id()),
        Err(e) => e.to_string(),
    }
}

#[test]
fn truncated_and_damaged_files_are_errors() {
    for backend in engines() {
        for file in ["conv_relu.onnx", "qdq.onnx", "gather_i64.onnx"] {
            let whole = fixture(file);
            let id = backend.id();
            for cut in (1..whole.len()).step_by(whole.len() / 24) {
                let opened =
                    backend.open(&from_bytes(whole[..cut].to_vec()), &OpenConfig::default());
                assert!(opened.is_err(), "{id}: {file} cut at {cut} opened");
            }
            for position in (0..whole.len()).step_by(3) {
                let mut damaged = whole.clone();
                damaged[position] ^= 0x15;
                // Any result will do, except the end of the process.
                drop(backend.open(&from_bytes(damaged), &OpenConfig::default()));
            }
        }
        assert!(matches!(
            backend.open(&from_bytes(b"not a model".to_vec()), &OpenConfig::default()),
            Err(BackendError::Load { .. })
        ));
        let missing = backend
            .open(
                &from_path(Path::new("there-is-no-such.onnx")),
                &OpenConfig::default(),
            )
            .err()
            .expect("missing")
            .to_string();
        assert!(missing.contains("there-is-no-such.onnx"), "{missing}");
    }
}

#[test]
fn weights_outside_the_file_must_be_listed() {
    for backend in engines() {
        let path = here("fixtures/external.onnx");
        let bytes = fixture("external.onnx");
        for (source, expected) in [
            (from_path(&path), "not listed among the model's files"),
            (from_bytes(bytes), "a model in memory has no folder"),
        ] {
            match backend.open(&source, &OpenConfig::default()) {
                Err(BackendError::Load { reason, .. }) => {
                    assert!(reason.contains("`external.onnx.data`"), "{reason}");
                    assert!(reason.contains(expected), "{}: {reason}", backend.id());
                }
                Err(e) => panic!("{}: {e}", backend.id()),
                Ok(_) => panic!("{} opened it", backend.id()),
            }
        }
    }
}

/// What would hold up or kill a library's reader never reaches it. The files themselves are tried
/// in `dyno-formats`.
#[test]
fn hostile_files_are_errors_with_their_place() {
    for backend in engines() {
        let whole = fixture("conv_relu.onnx");
        let cut = whole[..whole.len() - 6].to_vec();
        for (file, expected) in [
            (vec![0xFF; 11], "at byte 0: a tag that does not end"),
            (
                [vec![0x3A], vec![0xF4; 9], vec![1]].concat(),
                "at byte 1: a length of",
            ),
            (cut, "the file ends without the operator set"),
        ] {
            let opened = backend.open(&from_bytes(file), &OpenConfig::default());
            let error = opened.err().expect("refused").to_string();
            assert!(error.contains(expected), "{}: {error}", backend.id());
        }
        // Graph in attribute in node in graph, over and over.
        let mut file: Vec<u8> = Vec::new();
        for field in [6u8, 5, 1].into_iter().cycle().take(3_000).chain([7]) {
            let mut around = vec![(field << 3) | 2];
            let mut length = file.len();
            while length > 127 {
                around.push((length & 127) as u8 | 128);
                length >>= 7;
            }
            around.push(length as u8);
            around.append(&mut file);
            file = around;
        }
        let error = backend
            .open(&from_bytes(file), &OpenConfig::default())
            .err()
            .expect("too deep")
            .to_string();
        assert!(
            error.contains("nested deeper than 100"),
            "{}: {error}",
            backend.id()
        );
    }
}

#[test]
fn a_configuration_that_cannot_be_honoured_is_refused() {
    let base = OpenConfig::default;
    let setting = |k: &str, v: &str| OpenConfig {
        settings: [(k.to_owned(), v.to_owned())].into(),
        ..base()
    };
    let shape = |name: &str, s: &[usize]| OpenConfig {
        shapes: [(name.to_owned(), s.to_vec())].into(),
        ..base()
    };
    for backend in engines() {
        let cases = [
            (
                "conv_relu.onnx",
                OpenConfig {
                    device: "gpu:0".to_owned(),
                    ..base()
                },
                "device `gpu:0` (there is: cpu)",
            ),
            (
                "conv_relu.onnx",
                OpenConfig {
                    threads: 0,
                    ..base()
                },
                "threads = 0",
            ),
            (
                "conv_relu.onnx",
                setting("spining", "on"),
                "setting `spining`",
            ),
            (
                "conv_relu.onnx",
                OpenConfig { batch: 4, ..base() },
                "batch 4: the first dimension of input `x` is 1",
            ),
            (
                "conv_relu.onnx",
                OpenConfig {
                    outputs: vec!["z".to_owned()],
                    ..base()
                },
                "output `z`: the model has none of that name (there are: y)",
            ),
            (
                "two_inputs.onnx",
                OpenConfig {
                    outputs: vec!["sum".to_owned(), "sum".to_owned()],
                    ..base()
                },
                "output `sum` twice",
            ),
            (
                "conv_relu.onnx",
                shape("x", &[1, 3, 8, 8]),
                "the model fixes dimension 2 at 6",
            ),
            (
                "conv_relu.onnx",
                shape("image", &[1, 3, 8, 8]),
                "the model has no such input (there are: x)",
            ),
            (
                "conv_open.onnx",
                base(),
                "settle it with `--shape x=1x3xHxW`",
            ),
            (
                "conv_open.onnx",
                shape("x", &[1, 3, 1 << 20, 1 << 20]),
                "larger than",
            ),
        ];
        for (file, config, expected) in cases {
            let text = refusal(backend, file, &config);
            assert!(
                text.contains(expected),
                "{} {file}: `{text}` lacks `{expected}`",
                backend.id()
            );
        }
    }
}

#[test]
fn inputs_that_do_not_fit_are_errors_of_run() {
    let tensor = |shape: &[usize]| {
        Tensor::new(
            shape.to_vec(),
            TensorData::F32(vec![0.0; shape.iter().product()]),
        )
        .expect("whole")
    };
    for backend in engines().chain([null()]) {
        let mut config = OpenConfig::default();
        if backend.id() == "null" {
            config.settings = [("inputs".to_owned(), "x:f32:1x3x6x6".to_owned())].into();
        }
        let model = backend
            .open(&from_path(&here("fixtures/conv_relu.onnx")), &config)
            .expect("a good model");
        let mut slot = model.slot().expect("memory suffices");
        let mut refusal = |set: TensorSet| slot.run(&set).expect_err("it does not fit").to_string();
        assert_eq!(
            refusal(TensorSet::single("x", tensor(&[1, 3, 6, 5]))),
            "input `x` expects f32 [1, 3, 6, 6], got f32 [1, 3, 6, 5]"
        );
        let bytes = Tensor::new(vec![1, 3, 6, 6], TensorData::U8(vec![0; 108])).expect("whole");
        assert_eq!(
            refusal(TensorSet::single("x", bytes)),
            "input `x` expects f32 [1, 3, 6, 6], got u8 [1, 3, 6, 6]"
        );
        assert_eq!(
            refusal(TensorSet::single("y", tensor(&[1, 3, 6, 6]))),
            "input 0 must be `x`, got `y`"
        );
        assert_eq!(refusal(TensorSet::default()), "input `x` is missing");
        // The slot is as good as before.
        slot.run(&TensorSet::single("x", tensor(&[1, 3, 6, 6])))
            .expect("it fits");
    }
}
