//! Graphs that cannot be imported say why, all at once; hostile ones end soon.

use super::Tensorflow;
use bytes::Bytes;
use dyno_core::{ImportError, ImportOptions, Imported};

fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value > 0x7F {
        out.push((value & 0x7F) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
    out
}

fn bytes(number: u64, content: impl AsRef<[u8]>) -> Vec<u8> {
    let content = content.as_ref();
    let length = varint(content.len() as u64);
    [varint(number << 3 | 2), length, content.to_vec()].concat()
}

fn number(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3), varint(value)].concat()
}

fn attribute(name: &str, value: &[u8]) -> Vec<u8> {
    bytes(5, [bytes(1, name), bytes(2, value)].concat())
}

fn node(name: &str, op: &str, inputs: &[&str], attributes: &[Vec<u8>]) -> Vec<u8> {
    let inputs: Vec<u8> = inputs.iter().flat_map(|i| bytes(3, i)).collect();
    let head = [bytes(1, name), bytes(2, op), inputs].concat();
    bytes(1, [head, attributes.concat()].concat())
}

fn shape(dims: &[i64]) -> Vec<u8> {
    let one = |d: &i64| bytes(2, number(1, u64::from_ne_bytes(d.to_ne_bytes())));
    dims.iter().flat_map(one).collect()
}

/// An input of `f32`.
fn input(dims: &[i64]) -> Vec<u8> {
    let dtype = attribute("dtype", &number(6, 1));
    node(
        "x",
        "Placeholder",
        &[],
        &[dtype, attribute("shape", &bytes(7, shape(dims)))],
    )
}

fn integers(name: &str, values: &[i64]) -> Vec<u8> {
    let content: Vec<u8> = values
        .iter()
        .flat_map(|v| number(10, u64::from_ne_bytes(v.to_ne_bytes())))
        .collect();
    let count = i64::try_from(values.len()).expect("few");
    let tensor = [number(1, 9), bytes(2, shape(&[count])), content].concat();
    node(name, "Const", &[], &[attribute("value", &bytes(8, tensor))])
}

fn import(file: &[Vec<u8>]) -> Result<Imported, ImportError> {
    Tensorflow::import_bytes(Bytes::from(file.concat()), &ImportOptions::default())
}

fn refusal(file: &[Vec<u8>]) -> String {
    import(file).expect_err("a refusal").to_string()
}

#[test]
fn everything_unsupported_is_said_at_once() {
    let found = import(&[
        input(&[1, 4]),
        node("a", "Bessel", &["x"], &[]),
        node("b", "Relu", &["a"], &[]),
        node("c", "Fft", &["x"], &[]),
        node("d", "Selu", &["x", "b", "c"], &[]),
        node("e", "AddN", &["b", "c", "d"], &[]),
    ]);
    let Err(ImportError::Unsupported { operators }) = found else {
        panic!("unsupported operators");
    };
    assert_eq!(operators.len(), 2, "{operators:?}");
    for (found, (op, name)) in operators.iter().zip([("Bessel", "`a`"), ("Fft", "`c`")]) {
        assert!(found.starts_with(op) && found.contains(name), "{found}");
    }
}

#[test]
fn open_shapes_are_asked_for_and_given() {
    let graph = [input(&[-1, -1, 4]), node("y", "Relu", &["x"], &[])];
    assert!(refusal(&graph).contains("[1, ?, 4] of input `x`"));
    let given = |dims: &[usize]| {
        let mut options = ImportOptions::default();
        options.shapes.insert("x".to_owned(), dims.to_vec());
        Tensorflow::import_bytes(Bytes::from(graph.concat()), &options)
    };
    assert!(given(&[3, 2, 4]).is_ok());
    assert!(given(&[3, 2, 5]).is_err(), "the file says 4");
    assert!(given(&[3, 2]).is_err(), "the file has three axes");
    assert!(
        given(&[usize::MAX, usize::MAX, 4]).is_err(),
        "more than a machine"
    );
}

#[test]
fn options_and_outputs_are_checked() {
    let graph = [
        input(&[2, 4]),
        node("y", "Relu", &["x"], &[]),
        node("z", "Tanh", &["y"], &[]),
    ];
    let with = |key: &str, value: &str| {
        let mut options = ImportOptions::default();
        options.parameters.insert(key.to_owned(), value.to_owned());
        Tensorflow::import_bytes(Bytes::from(graph.concat()), &options)
    };
    assert!(with("epsilon", "1").is_err());
    assert!(with("outputs", "w").is_err());
    let both = with("outputs", "y, z:0").expect("imports");
    let graph = crate::graph::Graph::from_onnx(both.onnx).expect("our own file");
    let names: Vec<&str> = graph.outputs.iter().map(|o| o.name.as_str()).collect();
    assert_eq!(names, ["y", "z"]);
}

#[test]
fn the_same_file_gives_the_same_bytes() {
    let graph = [
        input(&[1, 6, 6, 3]),
        integers("axes", &[1, 2]),
        node("y", "Mean", &["x", "axes"], &[]),
        node("z", "Square", &["x"], &[]),
    ];
    assert_eq!(
        import(&graph).expect("imports"),
        import(&graph).expect("imports")
    );
}

#[test]
fn rings_and_loops_end() {
    let ring = [
        input(&[1]),
        node("a", "Add", &["b", "x"], &[]),
        node("b", "Relu", &["a"], &[]),
        node("c", "Relu", &["b"], &[]),
    ];
    assert!(refusal(&ring).contains("needs its own result"));
    let aliases = [
        node("a", "Identity", &["b"], &[]),
        node("b", "Identity", &["a"], &[]),
        node("c", "Mul", &["a", "b"], &[]),
    ];
    assert!(refusal(&aliases).contains("needs its own result"));
    let while_loop = [
        input(&[1]),
        node("enter", "Enter", &["x"], &[]),
        node("merge", "Merge", &["enter", "next"], &[]),
        node("cond", "LoopCond", &["merge"], &[]),
        node("switch", "Switch", &["merge", "cond"], &[]),
        node("next", "NextIteration", &["switch:1"], &[]),
        node("exit", "Exit", &["switch"], &[]),
    ];
    assert!(refusal(&while_loop).contains("Enter (node `enter`: a loop)"));
}

#[test]
fn a_long_chain_needs_no_deep_stack() {
    let mut graph = vec![input(&[1])];
    let mut before = "x".to_owned();
    for at in 0..100_000 {
        let name = format!("n{at}");
        graph.push(node(&name, "Identity", &[&before], &[]));
        before = name;
    }
    graph.push(node("y", "Relu", &[&before], &[]));
    assert!(import(&graph).is_ok());
}

#[test]
fn small_files_cannot_ask_for_large_constants() {
    let graph = |last: Vec<u8>| {
        [
            input(&[1, 2]),
            integers("large", &[1 << 20, 1 << 20]),
            integers("none", &[-5, 3]),
            integers("one", &[1]),
            last,
            node("y", "Mul", &["x", "made"], &[]),
        ]
    };
    for (op, inputs, expected) in [
        ("Fill", ["large", "one"], "of more than"),
        ("Fill", ["none", "one"], "shape [-5, 3]"),
        ("Tile", ["x", "large"], "of shape"),
        ("Reshape", ["x", "large"], "does not become"),
    ] {
        let found = refusal(&graph(node("made", op, &inputs, &[])));
        assert!(found.contains(expected), "{op}: {found}");
    }
    // Each alone is small enough; together they are not.
    let mut many = vec![
        input(&[1, 2]),
        integers("one", &[1]),
        integers("size", &[1 << 24]),
    ];
    let names: Vec<String> = (0..40).map(|i| format!("f{i}")).collect();
    many.extend(names.iter().map(|n| node(n, "Fill", &["size", "one"], &[])));
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    many.push(node("y", "AddN", &names, &[]));
    assert!(refusal(&many).contains("more memory"));
    let limits = [
        integers("zero", &[0]),
        integers("far", &[i64::MAX]),
        node("made", "Range", &["zero", "far", "one"], &[]),
    ];
    let mut ranged = vec![input(&[1, 2]), integers("one", &[1])];
    ranged.extend(limits);
    ranged.push(node("y", "Mul", &["x", "made"], &[]));
    assert!(refusal(&ranged).contains("of more than"));
}

#[test]
fn truncated_and_damaged_files_are_refused_or_whole() {
    let file = include_bytes!("../../../tests/reference/tensorflow_graphs/strided_slice.pb");
    let options = ImportOptions::default();
    let mut refused = 0;
    for percent in 0..100 {
        let part = Bytes::copy_from_slice(&file[..file.len() * percent / 100]);
        refused += usize::from(Tensorflow::import_bytes(part, &options).is_err());
    }
    assert!(refused > 90, "{refused} of 100");
    // No byte may bring it down, whatever it becomes.
    for at in 0..file.len() {
        let mut damaged = file.to_vec();
        damaged[at] ^= [0x01, 0x80, 0xFF][at % 3];
        let _ = Tensorflow::import_bytes(damaged.into(), &options);
    }
}
