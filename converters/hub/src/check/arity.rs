//! How many inputs and outputs the operators have (`docs/Operators.md` of ONNX 1.22; over all
//! operator sets, so an input that came later is not asked for in old files).

use super::ANY;
use crate::{HubError, graph::Graph, infer::place};

/// Inputs, at least and at most, and outputs, at most.
type Arity = (usize, usize, usize);

/// The operators that are known here, each with its arity.
const OPS: &[(&str, Arity)] = &[
    ("Abs", (1, 1, 1)),
    ("Add", (2, 2, 1)),
    ("And", (2, 2, 1)),
    ("ArgMax", (1, 1, 1)),
    ("ArgMin", (1, 1, 1)),
    ("AveragePool", (1, 1, 1)),
    ("BatchNormalization", (5, 5, 5)),
    ("Cast", (1, 1, 1)),
    ("Ceil", (1, 1, 1)),
    ("Clip", (1, 3, 1)),
    ("Concat", (1, ANY, 1)),
    ("Constant", (0, 0, 1)),
    ("ConstantOfShape", (1, 1, 1)),
    ("Conv", (2, 3, 1)),
    ("ConvInteger", (2, 4, 1)),
    ("ConvTranspose", (2, 3, 1)),
    ("CumSum", (2, 2, 1)),
    ("DepthToSpace", (1, 1, 1)),
    ("DequantizeLinear", (2, 3, 1)),
    ("Div", (2, 2, 1)),
    ("Dropout", (1, 3, 2)),
    ("Elu", (1, 1, 1)),
    ("Equal", (2, 2, 1)),
    ("Erf", (1, 1, 1)),
    ("Exp", (1, 1, 1)),
    ("Expand", (2, 2, 1)),
    ("Flatten", (1, 1, 1)),
    ("Floor", (1, 1, 1)),
    ("Gather", (2, 2, 1)),
    ("GatherElements", (2, 2, 1)),
    ("GatherND", (2, 2, 1)),
    ("Gemm", (2, 3, 1)),
    ("GlobalAveragePool", (1, 1, 1)),
    ("GlobalLpPool", (1, 1, 1)),
    ("GlobalMaxPool", (1, 1, 1)),
    ("Greater", (2, 2, 1)),
    ("GreaterOrEqual", (2, 2, 1)),
    ("HardSigmoid", (1, 1, 1)),
    ("HardSwish", (1, 1, 1)),
    ("Identity", (1, 1, 1)),
    ("InstanceNormalization", (3, 3, 1)),
    ("LRN", (1, 1, 1)),
    ("LayerNormalization", (2, 3, 3)),
    ("LeakyRelu", (1, 1, 1)),
    ("Less", (2, 2, 1)),
    ("LessOrEqual", (2, 2, 1)),
    ("Log", (1, 1, 1)),
    ("LogSoftmax", (1, 1, 1)),
    ("LpNormalization", (1, 1, 1)),
    ("MatMul", (2, 2, 1)),
    ("Max", (1, ANY, 1)),
    ("MaxPool", (1, 1, 2)),
    ("MaxRoiPool", (2, 2, 1)),
    ("MaxUnpool", (2, 3, 1)),
    ("Mean", (1, ANY, 1)),
    ("MeanVarianceNormalization", (1, 1, 1)),
    ("Min", (1, ANY, 1)),
    ("Mish", (1, 1, 1)),
    ("Mod", (2, 2, 1)),
    ("Mul", (2, 2, 1)),
    ("Neg", (1, 1, 1)),
    ("NonMaxSuppression", (2, 5, 1)),
    ("NonZero", (1, 1, 1)),
    ("Not", (1, 1, 1)),
    ("OneHot", (3, 3, 1)),
    ("Or", (2, 2, 1)),
    ("PRelu", (2, 2, 1)),
    ("Pad", (1, 4, 1)),
    ("Pow", (2, 2, 1)),
    ("QLinearConv", (8, 9, 1)),
    ("QuantizeLinear", (2, 3, 1)),
    ("Range", (3, 3, 1)),
    ("Reciprocal", (1, 1, 1)),
    ("ReduceL1", (1, 2, 1)),
    ("ReduceL2", (1, 2, 1)),
    ("ReduceLogSum", (1, 2, 1)),
    ("ReduceLogSumExp", (1, 2, 1)),
    ("ReduceMax", (1, 2, 1)),
    ("ReduceMean", (1, 2, 1)),
    ("ReduceMin", (1, 2, 1)),
    ("ReduceProd", (1, 2, 1)),
    ("ReduceSum", (1, 2, 1)),
    ("ReduceSumSquare", (1, 2, 1)),
    ("Relu", (1, 1, 1)),
    ("Reshape", (1, 2, 1)),
    ("Resize", (1, 4, 1)),
    ("RoiAlign", (3, 3, 1)),
    ("Round", (1, 1, 1)),
    ("ScatterElements", (3, 3, 1)),
    ("ScatterND", (3, 3, 1)),
    ("Selu", (1, 1, 1)),
    ("Shape", (1, 1, 1)),
    ("Sigmoid", (1, 1, 1)),
    ("Sign", (1, 1, 1)),
    ("Size", (1, 1, 1)),
    ("Slice", (1, 5, 1)),
    ("Softmax", (1, 1, 1)),
    ("Softplus", (1, 1, 1)),
    ("Softsign", (1, 1, 1)),
    ("SpaceToDepth", (1, 1, 1)),
    ("Split", (1, 2, ANY)),
    ("Sqrt", (1, 1, 1)),
    ("Squeeze", (1, 2, 1)),
    ("Sub", (2, 2, 1)),
    ("Sum", (1, ANY, 1)),
    ("Tanh", (1, 1, 1)),
    ("Tile", (2, 3, 1)),
    ("TopK", (1, 2, 2)),
    ("Transpose", (1, 1, 1)),
    ("Unsqueeze", (1, 2, 1)),
    ("Upsample", (1, 2, 1)),
    ("Where", (3, 3, 1)),
    ("Xor", (2, 2, 1)),
];

/// Nodes with fewer or more inputs or outputs than their operator has.
pub(super) fn problems(graph: &Graph) -> Vec<HubError> {
    let mut problems = Vec::new();
    for node in graph.nodes.iter().filter(|n| n.domain.is_empty()) {
        let Ok(at) = OPS.binary_search_by_key(&node.op.as_str(), |(name, _)| name) else {
            continue;
        };
        let (least, most, outputs) = OPS[at].1;
        let mut refuse = |problem: String| {
            let place = place(node);
            problems.push(HubError::Graph { place, problem });
        };
        let required = node.inputs.iter().take(least).filter(|i| !i.is_empty());
        let given = required.count();
        if given < least {
            refuse(format!("{given} of its {least} required inputs are given"));
        }
        if node.inputs.len() > most {
            let given = node.inputs.len();
            refuse(format!("{given} inputs, and it takes {most} at most"));
        }
        if node.outputs.len() > outputs {
            let given = node.outputs.len();
            refuse(format!("{given} outputs, and it has {outputs} at most"));
        }
        if node.outputs.iter().all(String::is_empty) {
            refuse("it has no outputs".to_owned());
        }
    }
    problems
}

#[test]
fn the_table_is_sorted() {
    assert!(OPS.is_sorted_by(|a, b| a.0 < b.0));
}
