//! Random inputs and arrays of NumPy.

use super::{dataset::Random, request};
use dyno_core::{
    DType, Dataset, DatasetError, DatasetKind, Dimension, InputData, SampleIndex, TensorData,
    TensorInfo,
};
use std::{collections::BTreeMap, fs, path::PathBuf};

fn info(name: &str, dtype: DType, shape: &[usize]) -> TensorInfo {
    let shape = shape.iter().map(|n| Dimension::Fixed(*n)).collect();
    TensorInfo::new(name, dtype, shape)
}

fn open(
    inputs: &[TensorInfo],
    files: &BTreeMap<String, PathBuf>,
    seed: u64,
) -> Result<Box<dyn Dataset>, DatasetError> {
    Random.open(&request(inputs, files, 4, seed)?)
}

fn data(dataset: &dyn Dataset, sample: u32, input: usize) -> TensorData {
    let sample = dataset.load(SampleIndex(sample)).expect("a sample");
    let InputData::Tensor(tensor) = &sample.inputs[input].data else {
        panic!("a tensor")
    };
    tensor.data().clone()
}

#[test]
fn numbers_are_seeded_and_differ_by_sample_and_input() {
    let inputs = [
        info("a", DType::F32, &[8, 3, 2]),
        info("b", DType::F32, &[8, 3, 2]),
        info("c", DType::I64, &[8, 40]),
        info("d", DType::U8, &[8, 1000]),
    ];
    let none = BTreeMap::new();
    let (one, same, other) = (
        open(&inputs, &none, 1).expect("opens"),
        open(&inputs, &none, 1).expect("opens"),
        open(&inputs, &none, 2).expect("opens"),
    );
    assert_eq!(one.entries().len(), 4);
    let first = data(one.as_ref(), 0, 0);
    assert_eq!(first, data(same.as_ref(), 0, 0));
    for different in [
        data(one.as_ref(), 1, 0),
        data(one.as_ref(), 0, 1),
        data(other.as_ref(), 0, 0),
    ] {
        assert_ne!(first, different);
    }
    let TensorData::F32(values) = &first else {
        panic!("f32")
    };
    assert!(values.len() == 6 && values.iter().all(|v| (0.0..1.0).contains(v)));
    let TensorData::I64(indices) = data(one.as_ref(), 0, 2) else {
        panic!("i64")
    };
    assert!(indices.contains(&0) && indices.contains(&1) && indices.iter().all(|v| *v < 2));
    let TensorData::U8(bytes) = data(one.as_ref(), 0, 3) else {
        panic!("u8")
    };
    assert!(bytes.contains(&255) && bytes.contains(&0));
    assert!(one.load(SampleIndex(4)).is_err() && one.truth(SampleIndex(4)).is_err());
}

/// As `numpy.save` writes it: the header padded to 64 bytes and ended by a line feed.
fn npy(descr: &str, order: &str, shape: &str, body: &[u8]) -> Vec<u8> {
    let mut header =
        format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}");
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(body);
    bytes
}

#[test]
fn a_file_gives_its_samples_in_turn() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("a.npy");
    let values: Vec<u8> = (0..6u8).flat_map(|n| f32::from(n).to_le_bytes()).collect();
    fs::write(&path, npy("<f4", "False", "(2, 3)", &values)).expect("writable");
    let files = [("a".to_owned(), path)].into();
    let dataset = open(&[info("a", DType::F32, &[1, 3])], &files, 0).expect("opens");
    assert_eq!(
        data(dataset.as_ref(), 1, 0),
        TensorData::F32(vec![3.0, 4.0, 5.0])
    );
    assert_eq!(
        data(dataset.as_ref(), 2, 0),
        TensorData::F32(vec![0.0, 1.0, 2.0])
    );
    assert_eq!(dataset.facts().name.name, "custom-inputs");
}

#[test]
fn what_is_no_array_of_the_input_is_refused_with_the_reason() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("a.npy");
    let input = [info("a", DType::U8, &[1, 3])];
    let good = npy("|u1", "False", "(3,)", b"abc");
    let cut = good.len() - 1;
    for (bytes, part) in [
        (b"\x89PNG".to_vec(), "no .npy file"),
        (good[..9].to_vec(), "it is cut"),
        (
            good[..cut].to_vec(),
            "holds 2 elements, its shape [3] says 3",
        ),
        (npy("|u1", "True", "(3,)", b"abc"), "Fortran order"),
        (npy("<f8", "False", "(3,)", &[0; 24]), "its type is `<f8`"),
        (
            npy("<i4", "False", "(3,)", &[0; 12]),
            "takes u8 [3], the file holds i32 [3]",
        ),
        (
            npy("|u1", "False", "(4,)", b"abcd"),
            "takes u8 [3], the file holds u8 [4]",
        ),
        (npy("|u1", "False", "(-1,)", b""), "no tuple of numbers"),
        (
            npy("|u1", "False", "(9999999999, 9999999999)", b""),
            "more than",
        ),
        (
            b"\x93NUMPY\x02\x00\xff\xff\xff\xff".to_vec(),
            "its header has 4294967295 bytes",
        ),
        (b"\x93NUMPY\x07\x00\x00\x00".to_vec(), "its version"),
    ] {
        fs::write(&path, bytes).expect("writable");
        let files = [("a".to_owned(), path.clone())].into();
        let error = open(&input, &files, 0)
            .err()
            .map(|e| e.to_string())
            .unwrap_or_default();
        assert!(error.contains(part), "{part}: {error}");
    }
    let files = [("b".to_owned(), path)].into();
    let error = request(&input, &files, 1, 0)
        .expect_err("no such input")
        .to_string();
    assert!(error.contains("no input `b` (there are: a)"), "{error}");
    let open_shape = [TensorInfo::new(
        "a",
        DType::U8,
        vec![Dimension::Fixed(1), Dimension::Unknown],
    )];
    let error = request(&open_shape, &BTreeMap::new(), 1, 0)
        .expect_err("open")
        .to_string();
    assert!(error.contains("--shape a="), "{error}");
}
