//! Graphs made here, field by field: whole ones and hostile ones.

use super::*;
use bytes::Bytes;

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

/// A `TensorProto` of a type and shape with further fields.
fn tensor(data_type: u64, dims: &[u64], data: &[u8]) -> Vec<u8> {
    let dims: Vec<u8> = dims.iter().flat_map(|d| bytes(2, number(1, *d))).collect();
    let head = [number(1, data_type), bytes(2, dims)].concat();
    bytes(8, [head, data.to_vec()].concat())
}

fn constant(data_type: u64, dims: &[u64], data: &[u8]) -> Vec<u8> {
    let value = attribute("value", &tensor(data_type, dims, data));
    node("c", "Const", &[], &[value])
}

fn read(file: Vec<u8>) -> Result<GraphDef, String> {
    GraphDef::read(Bytes::from(file)).map_err(|e| e.to_string())
}

fn value(file: Vec<u8>) -> Result<Constant, String> {
    let graph = read(file)?;
    graph.nodes[0].tensor("value").map_err(|e| e.to_string())
}

#[test]
fn a_graph_is_read_whole() {
    let strides: Vec<u8> = [1u64, 2].iter().flat_map(|v| varint(*v)).collect();
    let shape = [bytes(2, number(1, u64::MAX)), bytes(2, number(1, 5))].concat();
    let attributes = [
        attribute("strides", &bytes(1, bytes(3, strides))),
        attribute("padding", &bytes(2, "SAME")),
        attribute(
            "epsilon",
            &[varint(4 << 3 | 5), 0.5f32.to_le_bytes().to_vec()].concat(),
        ),
        attribute("flag", &number(5, 1)),
        attribute("T", &number(6, 1)),
        attribute("axis", &number(3, u64::MAX)),
        attribute("shape", &bytes(7, shape)),
        attribute("odd", &bytes(10, "a function")),
    ];
    let file = [
        node("b", "Conv2D", &["a:1", "a", "^c"], &attributes),
        node("a", "Split", &[], &[]),
        node("c", "NoOp", &[], &[]),
    ];
    let graph = read(file.concat()).expect("sound");
    let conv = &graph.nodes[0];
    let input = |output| Input { node: 1, output };
    assert_eq!(
        conv.inputs,
        [input(1), input(0)],
        "control inputs are no values"
    );
    assert_eq!(conv.attribute("strides"), Some(Attribute::Ints(&[1, 2])));
    assert_eq!(conv.attribute("padding"), Some(Attribute::Text(b"SAME")));
    assert_eq!(conv.attribute("epsilon"), Some(Attribute::Float(0.5)));
    assert_eq!(conv.attribute("flag"), Some(Attribute::Bool(true)));
    assert_eq!(conv.attribute("axis"), Some(Attribute::Int(-1)));
    assert_eq!(conv.attribute("odd"), Some(Attribute::Other));
    assert_eq!(conv.data_type("T"), Some(DataType::F32));
    let dims = conv.shape("shape").expect("a shape").dims;
    assert_eq!(dims, [None, Some(5)]);
    assert!(!graph.functions && conv.attribute("none").is_none());
    let with_functions = [node("a", "X", &[], &[]), bytes(2, "f")].concat();
    assert!(read(with_functions).expect("sound").functions);
}

#[test]
fn constants_stand_as_bytes_or_as_lists_that_the_last_value_fills() {
    let floats: Vec<u8> = [1.5f32, -2.0]
        .iter()
        .flat_map(|v| v.to_le_bytes())
        .collect();
    let dense = value(constant(1, &[2], &bytes(4, &floats))).expect("sound");
    assert_eq!(
        (dense.dims.as_slice(), &dense.bytes[..]),
        ([2].as_slice(), &floats[..])
    );
    let filled = value(constant(1, &[3], &bytes(5, &floats))).expect("sound");
    assert_eq!(filled.bytes[8..], (-2.0f32).to_le_bytes());
    let zeros = value(constant(3, &[2], &[])).expect("sound");
    assert_eq!(zeros.bytes[..], [0; 8]);
    let halves = value(constant(19, &[2], &number(13, 0x3C00))).expect("sound");
    assert_eq!(halves.bytes[..], [0, 0x3C, 0, 0x3C]);
    let small = value(constant(12, &[1], &number(7, 200))).expect("sound");
    assert_eq!(
        (small.data_type, &small.bytes[..]),
        (DataType::QU8, [200].as_slice())
    );
    let scalar = value(constant(9, &[], &number(10, u64::MAX))).expect("sound");
    assert_eq!(scalar.bytes[..], (-1i64).to_le_bytes());
}

#[test]
fn constants_that_contradict_themselves_are_refused() {
    let cases = [
        (
            constant(1, &[3], &bytes(4, [0; 8])),
            "needs 12 bytes, found 8",
        ),
        (constant(1, &[1], &bytes(5, [0; 8])), "has 2 values"),
        (constant(7, &[1], &[]), "of type 7"),
        (constant(1, &[u64::MAX], &[]), "not known"),
        (constant(1, &[1 << 40, 1 << 40], &[]), "no machine"),
        (constant(1, &[1 << 29], &number(7, 1)), "not in the file"),
        (node("c", "Const", &[], &[]), "no tensor"),
    ];
    for (file, expected) in cases {
        let found = value(file).expect_err(expected);
        assert!(found.contains(expected), "{found}: {expected}");
        assert!(found.contains("node `c`"), "{found}");
    }
}

#[test]
fn broken_files_say_where() {
    let cut = node("a", "X", &[], &[]);
    let cases = [
        (Vec::new(), "no nodes"),
        (vec![0x0A, 0x05, 0x0A], "5 bytes where 1 are left"),
        (vec![0x0A, 0xFF], "does not end"),
        ([vec![0x08], vec![0xFF; 10]].concat(), "64 bits"),
        (vec![0x00, 0x00], "no field 0"),
        (vec![0x0B], "wire type 3"),
        (vec![0x0D, 1, 2], "is cut"),
        ([cut.clone(), cut].concat(), "another node"),
        (node("a", "X", &["b"], &[]), "no node `b`"),
        (node("a", "X", &["a:b"], &[]), "no node `a:b`"),
        (bytes(1, bytes(1, [0xFF, 0xFE])), "UTF-8"),
        (constant(1, &[1], &bytes(5, [0; 3])), "numbers of 4"),
        (constant(3, &[1], &bytes(7, [0x80])), "does not end"),
    ];
    for (file, expected) in cases {
        let found = read(file).expect_err(expected);
        assert!(found.contains(expected), "{found}: {expected}");
    }
}

#[test]
fn a_claim_of_two_gigabytes_allocates_nothing() {
    let claim = [vec![0x0A], varint(2 << 30), vec![0; 1000]].concat();
    assert!(read(claim).expect_err("a claim").contains("bytes where"));
    // Two bytes each would become structures of some hundred.
    let empty = [0x0A, 0x00].repeat(MAX_MESSAGES + 1);
    assert!(
        check(&empty)
            .expect_err("too many")
            .to_string()
            .contains("more than")
    );
}

#[test]
fn every_cut_of_a_file_is_an_error_or_a_smaller_graph() {
    let part = |i: u64| {
        node(
            &format!("n{i}"),
            "Const",
            &[],
            &[attribute("value", &tensor(3, &[2], &number(7, i)))],
        )
    };
    let file: Vec<u8> = (0..20).flat_map(part).collect();
    let whole = read(file.clone()).expect("sound").nodes.len();
    let mut errors = 0;
    for end in 0..file.len() {
        match read(file[..end].to_vec()) {
            Ok(graph) => assert!(graph.nodes.len() < whole),
            Err(_) => errors += 1,
        }
    }
    assert!(errors > file.len() * 9 / 10, "{errors} of {}", file.len());
}
