//! Types and shapes of values, from operators and what is known of their inputs.
//!
//! One table, one function an operator. What a function does not know stays unknown; inputs that
//! contradict the operator's rules are an error with the node's name. Small lists of integers are
//! followed through arithmetic (`Shape`, `Gather`, `Concat`, `Reshape`, …), symbols of open
//! dimensions included.
//!
//! The rules are those of the operators' specification (`docs/Operators.md` of ONNX 1.22, all
//! versions of an operator up to set 21 that differ in where axes and sizes stand).

mod boxes;
mod call;
mod dimensions;
mod elementwise;
mod matrix;
mod normalize;
mod number;
mod pieces;
mod pool;
mod reduce;
mod resize;
mod run;
mod shape;
#[cfg(test)]
mod tests;
mod window;

pub(crate) use run::{Inference, place};

use call::{Call, Known};

/// What is known of the outputs of a node, or why its inputs cannot be.
type Rule = fn(&Call<'_>) -> Result<Vec<Known>, String>;

/// The operators of ONNX's own domain whose results can be inferred.
const OPS: &[(&str, Rule)] = &[
    ("Abs", elementwise::unary),
    ("Acos", elementwise::unary),
    ("Acosh", elementwise::unary),
    ("Add", elementwise::binary),
    ("And", elementwise::logical),
    ("ArgMax", reduce::arg),
    ("ArgMin", reduce::arg),
    ("Asin", elementwise::unary),
    ("Asinh", elementwise::unary),
    ("Atan", elementwise::unary),
    ("Atanh", elementwise::unary),
    ("AveragePool", pool::pool),
    ("BatchNormalization", normalize::batch),
    ("Cast", elementwise::cast),
    ("CastLike", elementwise::cast_like),
    ("Ceil", elementwise::unary),
    ("Celu", elementwise::unary),
    ("Clip", elementwise::unary),
    ("Concat", pieces::concat),
    ("Constant", shape::constant),
    ("ConstantOfShape", shape::constant_of_shape),
    ("Conv", window::conv),
    ("ConvInteger", window::conv_integer),
    ("ConvTranspose", window::conv_transpose),
    ("Cos", elementwise::unary),
    ("Cosh", elementwise::unary),
    ("CumSum", elementwise::unary),
    ("DepthToSpace", shape::depth_to_space),
    ("DequantizeLinear", elementwise::dequantize),
    ("Div", elementwise::binary),
    ("Dropout", elementwise::dropout),
    ("DynamicQuantizeLinear", elementwise::dynamic_quantize),
    ("Elu", elementwise::unary),
    ("Equal", elementwise::logical),
    ("Erf", elementwise::unary),
    ("Exp", elementwise::unary),
    ("Expand", shape::expand),
    ("Flatten", shape::flatten),
    ("Floor", elementwise::unary),
    ("Gather", pieces::gather),
    ("GatherElements", pieces::gather_elements),
    ("GatherND", pieces::gather_nd),
    ("Gelu", elementwise::unary),
    ("Gemm", matrix::gemm),
    ("GlobalAveragePool", pool::global),
    ("GlobalLpPool", pool::global),
    ("GlobalMaxPool", pool::global),
    ("Greater", elementwise::logical),
    ("GreaterOrEqual", elementwise::logical),
    ("GridSample", boxes::grid_sample),
    ("GroupNormalization", elementwise::unary),
    ("HardSigmoid", elementwise::unary),
    ("HardSwish", elementwise::unary),
    ("Hardmax", elementwise::unary),
    ("Identity", elementwise::unary),
    ("InstanceNormalization", elementwise::unary),
    ("IsInf", elementwise::test),
    ("IsNaN", elementwise::test),
    ("LRN", elementwise::unary),
    ("LayerNormalization", normalize::layer),
    ("LeakyRelu", elementwise::unary),
    ("Less", elementwise::logical),
    ("LessOrEqual", elementwise::logical),
    ("Log", elementwise::unary),
    ("LogSoftmax", elementwise::unary),
    ("LpNormalization", elementwise::unary),
    ("LpPool", pool::pool),
    ("MatMul", matrix::matmul),
    ("MatMulInteger", matrix::matmul_integer),
    ("Max", elementwise::variadic),
    ("MaxPool", pool::pool),
    ("MaxRoiPool", boxes::max_roi_pool),
    ("MaxUnpool", pool::max_unpool),
    ("Mean", elementwise::variadic),
    ("MeanVarianceNormalization", elementwise::unary),
    ("Min", elementwise::variadic),
    ("Mish", elementwise::unary),
    ("Mod", elementwise::binary),
    ("Mul", elementwise::binary),
    ("Neg", elementwise::unary),
    ("NonMaxSuppression", boxes::non_max_suppression),
    ("NonZero", boxes::non_zero),
    ("Not", elementwise::test),
    ("OneHot", pieces::one_hot),
    ("Or", elementwise::logical),
    ("PRelu", elementwise::unary),
    ("Pad", pieces::pad),
    ("Pow", elementwise::binary),
    ("QLinearConv", window::qlinear_conv),
    ("QLinearMatMul", matrix::qlinear_matmul),
    ("QuantizeLinear", elementwise::quantize),
    ("Range", shape::range),
    ("Reciprocal", elementwise::unary),
    ("ReduceL1", reduce::reduce),
    ("ReduceL2", reduce::reduce),
    ("ReduceLogSum", reduce::reduce),
    ("ReduceLogSumExp", reduce::reduce),
    ("ReduceMax", reduce::reduce),
    ("ReduceMean", reduce::reduce),
    ("ReduceMin", reduce::reduce),
    ("ReduceProd", reduce::reduce),
    ("ReduceSum", reduce::reduce),
    ("ReduceSumSquare", reduce::reduce),
    ("Relu", elementwise::unary),
    ("Reshape", shape::reshape),
    ("Resize", resize::resize),
    ("RoiAlign", boxes::roi_align),
    ("Round", elementwise::unary),
    ("Scatter", elementwise::unary),
    ("ScatterElements", elementwise::unary),
    ("ScatterND", elementwise::unary),
    ("Selu", elementwise::unary),
    ("Shape", shape::shape_of),
    ("Shrink", elementwise::unary),
    ("Sigmoid", elementwise::unary),
    ("Sign", elementwise::unary),
    ("Sin", elementwise::unary),
    ("Sinh", elementwise::unary),
    ("Size", shape::size_of),
    ("Slice", pieces::slice),
    ("Softmax", elementwise::unary),
    ("Softplus", elementwise::unary),
    ("Softsign", elementwise::unary),
    ("SpaceToDepth", shape::space_to_depth),
    ("Split", pieces::split),
    ("Sqrt", elementwise::unary),
    ("Squeeze", shape::squeeze),
    ("Sub", elementwise::binary),
    ("Sum", elementwise::variadic),
    ("Swish", elementwise::unary),
    ("Tan", elementwise::unary),
    ("Tanh", elementwise::unary),
    ("ThresholdedRelu", elementwise::unary),
    ("Tile", shape::tile),
    ("TopK", reduce::top_k),
    ("Transpose", shape::transpose),
    ("Trilu", elementwise::unary),
    ("Unsqueeze", shape::unsqueeze),
    ("Upsample", resize::upsample),
    ("Where", elementwise::choose),
    ("Xor", elementwise::logical),
];

/// The rule of an operator of ONNX's own domain.
fn rule(op: &str) -> Option<Rule> {
    let at = OPS.binary_search_by_key(&op, |(name, _)| name).ok()?;
    OPS.get(at).map(|(_, rule)| *rule)
}
