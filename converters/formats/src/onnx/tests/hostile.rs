//! Small files that hold up or kill readers, and damaged ones: each is an error with its place.

use super::*;

/// `around` of a message, `times` over, innermost first.
fn nested(times: usize, fields: &[u64], last: u64) -> Vec<u8> {
    let cycle = fields.iter().copied().cycle();
    cycle
        .take(times)
        .chain([last])
        .fold(Vec::new(), |inner, field| bytes(field, inner))
}

#[test]
fn a_number_that_does_not_end_is_an_error() {
    assert_eq!(
        damage(&[0xFF; 11]),
        (0, "a tag that does not end".to_owned())
    );
    let eleven = [number(1, 7), varint(9 << 3), vec![0xFF; 11]].concat();
    assert_eq!(
        damage(&eleven),
        (3, "a number that does not end".to_owned())
    );
    // Ten bytes whose last holds more than the 64th bit.
    let wide = [varint(1 << 3), vec![0xFF; 9], vec![2]].concat();
    assert_eq!(
        damage(&wide),
        (1, "a number of more than 64 bits".to_owned())
    );
    // Inside a packed list of a tensor's dimensions.
    let dims = bytes(1, [0xFF; 11]);
    let (offset, problem) = damage(&model(&bytes(5, dims)));
    assert_eq!(
        (offset, problem.as_str()),
        (8, "a number that does not end")
    );
}

#[test]
fn a_length_beyond_the_file_is_an_error() {
    for length in [u64::MAX - 11, 1 << 50, 1 << 31, 8] {
        let file = [number(1, 7), varint(7 << 3 | 2), varint(length), vec![0; 7]].concat();
        let expected = format!("a length of {length} bytes where 7 are left");
        assert_eq!(damage(&file), (3, expected));
    }
    // Beyond the message that it stands in, though not beyond the file.
    let inner = [varint(1 << 3 | 2), varint(5)].concat();
    let file = [bytes(7, inner), vec![0; 64]].concat();
    assert_eq!(
        damage(&file),
        (3, "a length of 5 bytes where 0 are left".to_owned())
    );
}

#[test]
fn every_nesting_has_a_bound() {
    let deep = format!("messages are nested deeper than {MAX_DEPTH}");
    // Types in types: sequences, maps and options, below the type of a value of the graph.
    for fields in [[1, 4], [2, 5], [1, 9]] {
        let types = nested(3_000, &fields, 2);
        let (_, problem) = damage(&model(&bytes(13, types)));
        assert_eq!(problem, deep, "{fields:?}");
    }
    // Graphs in attributes in nodes, and the same by lists of graphs; in a function; in training.
    let graphs = [
        nested(3_000, &[6, 5, 1], 7),
        nested(3_000, &[11, 5, 1], 7),
        bytes(25, nested(3_000, &[1, 6, 5], 7)),
        bytes(20, nested(3_000, &[6, 5, 1], 1)),
    ];
    for file in graphs {
        assert_eq!(damage(&file).1, deep);
    }
    // Types of an attribute.
    let types = nested(3_000, &[1, 4], 14);
    let nodes = bytes(1, bytes(5, types));
    assert_eq!(damage(&model(&nodes)).1, deep);
    // What is not too deep passes.
    let shallow = nested(20, &[1, 4], 2);
    assert!(check(&bytes(7, bytes(13, shallow))).is_ok());
}

#[test]
fn a_file_of_nothing_but_tiny_messages_is_refused() {
    let nodes = [0x0A, 0x00].repeat(MAX_MESSAGES);
    let (_, problem) = damage(&bytes(7, nodes));
    assert_eq!(problem, format!("more than {MAX_MESSAGES} messages"));
}

#[test]
fn a_file_that_was_cut_is_an_error_wherever_the_cut_is() {
    let whole = add(&[1.0, 2.0, 3.0, 4.0]);
    assert!(GraphFacts::read(&whole).is_ok());
    for cut in 0..whole.len() {
        let error = GraphFacts::read(&whole[..cut]).expect_err("cut");
        let FormatError::Onnx { offset, .. } = error else {
            panic!("cut at {cut}: {error}")
        };
        assert!(offset <= cut, "cut at {cut}: {error}");
    }
    // Four bytes are the whole last field here: what is left is well-formed, and no model.
    let (offset, problem) = damage(&whole[..whole.len() - 4]);
    assert_eq!(offset, whole.len() - 4);
    assert_eq!(
        problem,
        "the file ends without the operator set that its nodes are of"
    );
}

#[test]
fn damaged_bytes_never_bring_more_than_an_error() {
    let whole = add(&[1.0, 2.0, 3.0, 4.0]);
    for position in 0..whole.len() {
        for flip in [0x01, 0x15, 0x80, 0xFF] {
            let mut damaged = whole.clone();
            damaged[position] ^= flip;
            // Any result will do, except a panic.
            let _ = GraphFacts::read(&damaged).map_err(|e| e.to_string());
        }
    }
}

#[test]
fn a_tensor_must_hold_what_it_claims() {
    let of = |data: &[u8], count| model(&bytes(5, tensor("c", count, data)));
    let problem = |data: &[u8], count| damage(&of(data, count)).1;
    assert_eq!(
        problem(&bytes(9, [0; 15]), 4),
        "tensor `c` needs 16 bytes for its shape, and holds 15"
    );
    assert_eq!(
        problem(&[], 1 << 50),
        format!(
            "tensor `c` claims {} elements, and holds 0 bytes",
            1u64 << 50
        )
    );
    assert_eq!(
        problem(&[], 1),
        "tensor `c` claims 1 elements, and holds none"
    );
    assert_eq!(
        problem(&bytes(9, []), u64::MAX),
        "a tensor with a negative dimension"
    );
    let huge = [tensor("c", 1 << 40, &[]), number(1, 1 << 40)].concat();
    assert!(
        damage(&model(&bytes(5, huge)))
            .1
            .contains("more than 64 bits")
    );
    assert!(
        damage(&of(&[bytes(9, [0; 16]), bytes(9, [0; 16])].concat(), 4))
            .1
            .contains("twice")
    );
    let sparse = [
        bytes(1, tensor("s", 1, &bytes(9, [0; 4]))),
        number(3, 1 << 40),
    ]
    .concat();
    assert!(
        damage(&model(&bytes(15, sparse)))
            .1
            .contains("a sparse tensor of")
    );
    // Typed values, none at all, and types of half a byte.
    assert!(check(&of(&bytes(4, [0; 16]), 4)).is_ok());
    assert!(check(&of(&[], 0)).is_ok());
    let int4 = [number(1, 5), number(2, 22), bytes(8, "q"), bytes(9, [0; 3])].concat();
    assert!(check(&model(&bytes(5, int4))).is_ok());
}

#[test]
fn what_readers_could_take_differently_is_refused() {
    let twice = [add(&[1.0]), add(&[2.0])].concat();
    assert!(
        damage(&twice).1.contains("stands twice"),
        "{:?}",
        damage(&twice)
    );
    let group = [number(1, 7), varint(3 << 3 | 3)].concat();
    assert_eq!(
        damage(&group).1,
        "field 3 has wire type 3, which ONNX does not use"
    );
    assert_eq!(damage(&[0x02, 0x00]).1, "there is no field 0");
    let no_message = number(7, 1);
    assert!(
        damage(&no_message)
            .1
            .contains("where a message or text must be")
    );
    let odd = bytes(5, tensor("c", 4, &bytes(4, [0; 15])));
    assert!(
        damage(&model(&odd))
            .1
            .contains("a list of 15 bytes of numbers of 4")
    );
}
