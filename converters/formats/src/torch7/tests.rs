//! The reader of Torch7 files: both forms, shared objects, damaged and hostile files.

use super::{Element, File, Object, Tensor, Value, read};
use bytes::Bytes;

/// Writes binary files.
#[derive(Default)]
struct Writer {
    out: Vec<u8>,
    four: bool,
}

impl Writer {
    fn int(mut self, v: i32) -> Self {
        self.out.extend(v.to_le_bytes());
        self
    }
    fn long(mut self, v: i64) -> Self {
        if self.four {
            return self.int(i32::try_from(v).expect("a small number"));
        }
        self.out.extend(v.to_le_bytes());
        self
    }
    fn text(mut self, v: &str) -> Self {
        self = self.int(i32::try_from(v.len()).expect("a short text"));
        self.out.extend(v.as_bytes());
        self
    }
    /// A tensor of two numbers over storage `number + 1`.
    fn tensor(self, number: i32) -> Self {
        let w = self
            .int(4)
            .int(number)
            .text("V 1")
            .text("torch.FloatTensor");
        let w = w.int(1).long(2).long(1).long(1);
        let mut w = w
            .int(4)
            .int(number + 1)
            .text("V 1")
            .text("torch.FloatStorage")
            .long(2);
        w.out
            .extend([1.5f32, -2.0].iter().flat_map(|v| v.to_le_bytes()));
        w
    }
    fn read(self) -> Result<File, crate::FormatError> {
        read(&Bytes::from(self.out))
    }
}

/// A module whose fields `a` and `b` are one tensor.
fn shared(four: bool) -> Writer {
    let w = Writer {
        four,
        ..Writer::default()
    };
    let w = w
        .int(4)
        .int(1)
        .text("V 1")
        .text("nn.Thing")
        .int(3)
        .int(2)
        .int(2);
    w.int(2).text("a").tensor(3).int(2).text("b").int(4).int(3)
}

fn tensor<'a>(file: &'a File, key: &str) -> (&'a Value, &'a Tensor) {
    let table = file.table(&file.root).expect("a module has a table");
    let value = table.get(key).expect("the key was written");
    match file.object(value) {
        Some(Object::Tensor(tensor)) => (value, tensor),
        other => unreachable!("a tensor was written, found {other:?}"),
    }
}

#[test]
fn objects_keep_their_identity_whatever_the_size_of_a_long() {
    for four in [false, true] {
        let file = shared(four).read().expect("a file");
        let ((a, view), (b, _)) = (tensor(&file, "a"), tensor(&file, "b"));
        assert_eq!(a, b, "one object");
        let (element, sizes, bytes) = file.dense(view).expect("within its storage");
        assert_eq!((element, sizes), (Element::F32, vec![2]));
        assert_eq!(&bytes[..4], 1.5f32.to_le_bytes());
    }
}

#[test]
fn ascii_is_read() {
    let text = "4\n1\n3\nV 1\n17\ntorch.FloatTensor\n2\n2 1\n1 1\n1\n4\n2\n3\nV 1\n18\ntorch.FloatStorage\n\
                2\n0.5 nan\n";
    let file = read(&Bytes::from(text)).expect("a file");
    let Some(Object::Tensor(view)) = file.object(&file.root) else {
        unreachable!("a tensor was written")
    };
    let (_, sizes, bytes) = file.dense(view).expect("within its storage");
    assert_eq!(sizes, [2, 1]);
    assert_eq!(&bytes[..4], 0.5f32.to_le_bytes());
    let second = f32::from_le_bytes(bytes[4..].try_into().expect("four bytes"));
    assert!(second.is_nan());
}

#[test]
fn views_are_gathered_and_may_not_leave_their_storage() {
    let file = shared(false).read().expect("a file");
    let (_, view) = tensor(&file, "a");
    let turned = |sizes: &[i64], strides: &[i64], offset: i64| {
        let tensor = Tensor {
            sizes: sizes.to_vec(),
            strides: strides.to_vec(),
            offset,
            storage: view.storage,
        };
        file.dense(&tensor).map(|(_, _, bytes)| bytes)
    };
    let reversed = turned(&[2, 1], &[-1, 1], 1).expect("within");
    assert_eq!(&reversed[..4], (-2.0f32).to_le_bytes());
    let repeated = turned(&[3], &[0], 1).expect("within");
    assert_eq!(repeated.len(), 12);
    for (sizes, strides, offset) in [
        (vec![3], vec![1], 0),
        (vec![2], vec![1], 1),
        (vec![2], vec![1], -1),
        (vec![2], vec![i64::MAX], 0),
        (vec![i64::MAX, 8], vec![0, 0], 0),
        (vec![1 << 40], vec![0], 0),
    ] {
        assert_eq!(turned(&sizes, &strides, offset), None, "{sizes:?}");
    }
}

#[test]
fn every_truncation_is_an_error() {
    let whole = shared(false).out;
    for percent in 0..100 {
        let end = whole.len() * percent / 100;
        let part = Bytes::copy_from_slice(&whole[..end]);
        assert!(read(&part).is_err(), "{percent} %");
    }
}

#[test]
fn claims_allocate_nothing() {
    struct Case {
        what: &'static str,
        file: Writer,
        says: &'static str,
    }
    let storage = |count: i64| {
        let w = Writer::default().int(4).int(1).text("V 1");
        w.text("torch.DoubleStorage").long(count)
    };
    let cases = [
        Case {
            what: "a storage of 2 GB",
            file: storage(1 << 28),
            says: "bytes are due",
        },
        Case {
            what: "a storage without end",
            file: storage(i64::MAX),
            says: "bytes are due",
        },
        Case {
            what: "a storage of less than nothing",
            file: storage(-1),
            says: "a storage of -1 elements",
        },
        Case {
            what: "a table of a thousand million entries",
            file: Writer::default().int(3).int(1).int(1 << 30),
            says: "a table of 1073741824 entries",
        },
        Case {
            what: "a text of 2 GB",
            file: Writer::default().int(2).int(i32::MAX),
            says: "2147483647 bytes are due",
        },
        Case {
            what: "an unknown kind",
            file: Writer::default().int(77),
            says: "a value of kind 77",
        },
        Case {
            what: "something behind the value",
            file: Writer::default().int(0).int(0),
            says: "4 bytes behind the value",
        },
    ];
    for case in cases {
        let text = case.file.read().expect_err(case.what).to_string();
        assert!(text.contains(case.says), "{}: {text}", case.what);
    }
}

#[test]
fn deep_nesting_is_refused_and_loops_are_read() {
    let mut deep = Writer::default();
    for number in 0..100_000 {
        deep = deep.int(3).int(number).int(1).int(5).int(1);
    }
    let text = deep.read().expect_err("too deep").to_string();
    assert!(text.contains("nested more than 512 deep"), "{text}");
    // A table that holds itself.
    let own = Writer::default()
        .int(3)
        .int(1)
        .int(1)
        .int(2)
        .text("me")
        .int(3)
        .int(1);
    let file = own.read().expect("a loop is a file");
    let table = file.table(&file.root).expect("a table");
    assert_eq!(table.get("me"), Some(&file.root));
}

#[test]
fn functions_are_passed_over() {
    let w = Writer::default().int(3).int(1).int(1).int(2).text("f");
    let w = w.int(8).int(2).text("code").int(3).int(3).int(0);
    let file = w.read().expect("a file");
    let table = file.table(&file.root).expect("a table");
    let function = table.get("f").and_then(|f| file.object(f));
    assert_eq!(function, Some(&Object::Function));
}
