//! Costs of known models against published numbers.

use crate::support::assets::assets;
use dyno_hub::graph::Graph;
use std::fs;

struct Case {
    file: &'static str,
    /// Published, and how far ours may be from it.
    parameters: (u64, f64),
    /// Multiply-accumulates, likewise.
    macs: (f64, f64),
}

/// squeezenet1.1: torchvision's table of weights (1,235,496 parameters) and the thesis on ZynqNet
/// (Gschwend, 2016: 388 million MACs at 227 pixels). mobilenet_v2: torchvision (3,504,872 parameters and 0.30 GMACs; this file has folded
/// normalizations, 1,001 classes and quantization). yolox_nano: YOLOX's README (0.91 M parameters,
/// 1.08 GFLOPs at 416, two a MAC, with activations and normalizations counted).
const CASES: &[Case] = &[
    Case {
        file: "squeezenet1.1-imagenet/squeezenet1.1.onnx",
        parameters: (1_235_496, 0.0001),
        macs: (0.388e9, 0.002),
    },
    Case {
        file: "mobilenet_v2_1.0_224-imagenet/mobilenet_v2_1.0_224_qdq.onnx",
        parameters: (3_504_872, 0.01),
        macs: (0.30e9, 0.01),
    },
    Case {
        file: "yolox_nano-coco-416/yolox_nano.onnx",
        parameters: (910_000, 0.01),
        macs: (0.54e9, 0.05),
    },
];

#[test]
fn costs_are_those_published() {
    let Some(folder) = assets("models/onnx") else {
        return;
    };
    for case in CASES {
        let bytes = fs::read(folder.join(case.file)).expect("a file");
        let graph = Graph::from_onnx(bytes).expect("a model");
        let summary = graph.summary().expect("no contradiction");
        let off = |found: f64, published: f64| (found / published - 1.0).abs();
        let (published, tolerance) = case.parameters;
        let parameters = summary.parameters;
        assert!(
            off(parameters as f64, published as f64) <= tolerance,
            "{}: {parameters} parameters",
            case.file
        );
        let macs = summary.macs_per_sample.expect("all shapes are known") as f64;
        let (published, tolerance) = case.macs;
        assert!(
            off(macs, published) <= tolerance,
            "{}: {macs} MACs",
            case.file
        );
        assert!(summary.activations_peak_bytes.is_some_and(|b| b > 100_000));
        assert_eq!(summary.operators.values().sum::<usize>(), summary.nodes);
    }
}
