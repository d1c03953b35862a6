//! B3 and B7: files of a few bytes that announce what they do not hold, and those that are deep.
//! Every engine is refused them, with `--dry-run` too.

use crate::{
    cheats::kit::{Limits, Message, chain, detector, limited, shapes},
    support::Place,
};
use std::fs;

const LIMITS: Limits = Limits {
    cpu_s: Some(20),
    memory_kib: None,
    threads: None,
    unprivileged: false,
};

/// Refused in words by every engine, and by the planner.
fn refused(place: &Place, what: &str, bytes: &[u8]) {
    fs::write(place.join("hostile.onnx"), bytes).expect("writable");
    let line = "run ./hostile.onnx --recipe yolox --labels models/dyno/shapes-detector/labels.txt --dataset coco:pictures --only accuracy";
    for more in [
        "--backend tract",
        "--backend rten",
        "--backend tract --dry-run",
        "--backend null",
    ] {
        let done = limited(place, LIMITS, &format!("{line} {more}"));
        let code = done.code;
        assert!(
            code.is_some_and(|c| (2..=5).contains(&c)) && !done.stderr.contains("panicked"),
            "{what} {more}: {code:?}\n{}",
            done.stderr
        );
        done.says(&["error:"]);
    }
    let inspected = limited(place, LIMITS, "models show ./hostile.onnx");
    assert!(
        inspected.code.is_some_and(|c| c < 6),
        "{what}: {}",
        inspected.stderr
    );
}

#[test]
fn a_number_without_an_end() {
    refused(&shapes(2), "an endless varint", &[0xff; 11]);
}

#[test]
fn lengths_that_are_not_there() {
    let place = shapes(2);
    // A text (2), the graph (7), and a field that ONNX does not know (15): each is read in its own
    // way, or skipped. A length of 2^64 - 12 would be a step backwards.
    for (field, length) in [
        (2, u64::MAX - 11),
        (2, 1 << 50),
        (7, 1 << 31),
        (15, u64::MAX - 11),
        (15, 1 << 50),
    ] {
        let mut bytes = Message::new().number(1, 8).0;
        let honest = Message::new().number(field, length).0;
        bytes.push(honest[0] | 2);
        bytes.extend(&honest[1..]);
        refused(&place, &format!("field {field} of {length} bytes"), &bytes);
    }
}

/// So many that a call for each would not fit on a stack of 8 MB.
const DEPTH: u32 = 30_000;

#[test]
fn types_in_types() {
    // TypeProto.sequence_type is 4, its elem_type 1; tensor_type is 1.
    let mut kind = Message::new().message(1, &Message::new().number(1, 1));
    for _ in 0..DEPTH {
        kind = Message::new().message(4, &Message::new().message(1, &kind));
    }
    let input = Message::new().bytes(1, b"images").message(2, &kind);
    let graph = Message::new().bytes(2, b"deep").message(11, &input);
    let model = Message::new().number(1, 8).message(7, &graph);
    refused(&shapes(2), "types in types", &model.0);
}

#[test]
fn graphs_in_graphs() {
    // NodeProto.attribute is 5, AttributeProto.g is 6, GraphProto.node is 1.
    let mut graph = Message::new().bytes(2, b"leaf");
    for _ in 0..2000 {
        let attribute = Message::new().bytes(1, b"body").message(6, &graph);
        let node = Message::new().bytes(4, b"Loop").message(5, &attribute);
        graph = Message::new().message(1, &node);
    }
    let model = Message::new().number(1, 8).message(7, &graph);
    refused(&shapes(2), "2,000 graphs in graphs", &model.0);
}

#[test]
fn a_model_cut_anywhere_is_refused() {
    let place = shapes(2);
    let whole = fs::read(detector(&place).join("shapes-detector.onnx")).expect("a model");
    for cut in [1, 6, 40, 300, 5000] {
        refused(
            &place,
            &format!("cut by {cut}"),
            &whole[..whole.len() - cut],
        );
    }
}

#[test]
fn a_chain_of_five_thousand_nodes_runs_or_is_refused() {
    let place = shapes(4);
    fs::write(place.join("chain.onnx"), chain(5000)).expect("writable");
    let limits = Limits {
        cpu_s: Some(60),
        ..LIMITS
    };
    // Its outputs are no ranking; whoever finds that has opened it.
    for more in [
        "--only latency --profile quick",
        "--only accuracy --recipe torchvision --labels imagenet1000 --dataset imagenet:classes",
    ] {
        let done = limited(
            &place,
            limits,
            &format!("run ./chain.onnx {more} --backend rten"),
        );
        assert!(
            done.code.is_some_and(|c| c < 6) && !done.stderr.contains("overflow"),
            "{:?}\n{}",
            done.code,
            done.stderr
        );
    }
}
