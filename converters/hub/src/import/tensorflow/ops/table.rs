//! The table of operators.

use super::{
    arrange, compare, convolution, elementwise, join, lstm, normalize, pick, pool, quantized,
    reduce, resize, shape, slice, space,
};
use crate::import::tensorflow::context::Row;

/// Every operator, by name.
pub(in super::super) const OPERATORS: &[Row] = &[
    ("Abs", elementwise::abs),
    ("Add", elementwise::add),
    ("AddN", elementwise::add_n),
    ("AddV2", elementwise::add),
    ("ArgMax", reduce::arg_max),
    ("AvgPool", pool::average),
    ("BatchToSpaceND", space::batch_to_space),
    ("BiasAdd", elementwise::bias_add),
    ("BlockLSTM", lstm::block_lstm),
    ("Cast", elementwise::cast),
    ("Ceil", elementwise::ceil),
    ("CheckNumerics", elementwise::identity),
    ("Concat", join::concat),
    ("ConcatV2", join::concat_v2),
    ("Const", shape::constant),
    ("Conv2D", convolution::conv),
    ("Conv2DBackpropInput", convolution::transposed),
    ("DepthToSpace", space::depth_to_space),
    ("DepthwiseConv2dNative", convolution::depthwise),
    ("Dequantize", quantized::dequantize),
    ("Div", elementwise::div),
    ("Dropout", elementwise::dropout),
    ("Elu", elementwise::elu),
    ("Equal", compare::equal),
    ("Exp", elementwise::exp),
    ("ExpandDims", shape::expand_dims),
    ("Fill", shape::fill),
    ("Floor", elementwise::floor),
    ("FloorDiv", elementwise::floor_div),
    ("FloorMod", elementwise::floor_mod),
    ("FusedBatchNorm", normalize::fused),
    ("FusedBatchNormV2", normalize::fused),
    ("FusedBatchNormV3", normalize::fused),
    ("Gather", pick::gather),
    ("GatherV2", pick::gather),
    ("Greater", compare::greater),
    ("GreaterEqual", compare::greater_equal),
    ("Identity", elementwise::identity),
    ("LRN", normalize::lrn),
    ("LeakyRelu", elementwise::leaky_relu),
    ("Less", compare::less),
    ("LessEqual", compare::less_equal),
    ("Log", elementwise::log),
    ("LogicalAnd", compare::and),
    ("LogicalNot", compare::not),
    ("LogicalOr", compare::or),
    ("MatMul", convolution::matmul),
    ("Max", reduce::max),
    ("MaxPool", pool::max),
    ("MaxPoolWithArgmax", pool::max_with_argmax),
    ("Maximum", elementwise::maximum),
    ("Mean", reduce::mean),
    ("Min", reduce::min),
    ("Minimum", elementwise::minimum),
    ("MirrorPad", arrange::mirror_pad),
    ("Mul", elementwise::mul),
    ("Neg", elementwise::neg),
    ("NotEqual", compare::not_equal),
    ("OnesLike", shape::ones_like),
    ("Pack", join::pack),
    ("Pad", arrange::pad),
    ("PadV2", arrange::pad),
    ("PlaceholderWithDefault", elementwise::identity),
    ("Pow", elementwise::pow),
    ("PreventGradient", elementwise::identity),
    ("Prod", reduce::product),
    ("Range", shape::range),
    ("Rank", shape::rank),
    ("RealDiv", elementwise::div),
    ("Relu", elementwise::relu),
    ("Relu6", elementwise::relu6),
    ("Reshape", shape::reshape),
    ("ResizeBilinear", resize::bilinear),
    ("ResizeNearestNeighbor", resize::nearest),
    ("Round", elementwise::round),
    ("Rsqrt", elementwise::rsqrt),
    ("Select", compare::select),
    ("SelectV2", compare::select),
    ("Selu", elementwise::selu),
    ("Shape", shape::shape),
    ("Sigmoid", elementwise::sigmoid),
    ("Size", shape::size),
    ("Slice", slice::slice),
    ("Snapshot", elementwise::identity),
    ("Softmax", reduce::softmax),
    ("Softplus", elementwise::softplus),
    ("Softsign", elementwise::softsign),
    ("SpaceToBatchND", space::space_to_batch),
    ("SpaceToDepth", space::space_to_depth),
    ("Split", join::split),
    ("SplitV", join::split_v),
    ("Sqrt", elementwise::sqrt),
    ("Square", elementwise::square),
    ("SquaredDifference", elementwise::squared_difference),
    ("Squeeze", shape::squeeze),
    ("StopGradient", elementwise::identity),
    ("StridedSlice", slice::strided_slice),
    ("Sub", elementwise::sub),
    ("Sum", reduce::sum),
    ("Tanh", elementwise::tanh),
    ("Tile", arrange::tile),
    ("TopKV2", pick::top_k),
    ("Transpose", arrange::transpose),
    ("Unpack", join::unpack),
    ("ZerosLike", shape::zeros_like),
];

/// Operators of TensorFlow's loops.
pub(in super::super) fn is_loop(op: &str) -> bool {
    [
        "Enter",
        "Exit",
        "LoopCond",
        "Merge",
        "NextIteration",
        "While",
    ]
    .contains(&op)
        || op.starts_with("TensorArray")
}

#[cfg(test)]
mod tests {
    use super::OPERATORS;

    #[test]
    fn the_table_is_in_order_and_names_an_operator_once() {
        let names: Vec<&str> = OPERATORS.iter().map(|row| row.0).collect();
        assert!(names.windows(2).all(|w| w[0] < w[1]), "{names:?}");
    }
}
