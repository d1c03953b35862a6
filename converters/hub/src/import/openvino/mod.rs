//! OpenVINO IR to ONNX: versions 10 and 11 (operation sets), and 4 to 7 (layers with blobs).
//!
//! Half precision is computed in `f32`: weights are widened exactly, inputs and outputs of type
//! `f16` are `f32`. Inputs and outputs have the names that OpenVINO's own interface gives them:
//! layers' names up to version 10, tensors' names in version 11.
//!
//! [`OPERATORS`] and [`LAYERS`] are the tables: one row an operator, one function a row.

mod attributes;
mod context;
mod ends;
mod fold;
mod graph;
mod heads;
mod legacy;
mod ops;

use context::{Op, Outputs};
use dyno_core::{Framework, ImportError, ImportOptions, Imported, Importer, ModelFile};

/// What is wrong with a layer, in words.
type Problem = String;
/// Translates one layer.
type Translate = fn(&mut Op<'_>) -> Outputs;

use ops::{
    activation as act, arithmetic as math, convolution as conv, detection, normalize, pooling,
    quantize, resize, select, shape,
};

/// Operators of versions 10 and 11.
const OPERATORS: &[(&str, Translate)] = &[
    ("Abs", |o| math::unary(o, "Abs")),
    ("Acos", |o| math::unary(o, "Acos")),
    ("Acosh", |o| math::unary(o, "Acosh")),
    ("Add", |o| math::binary(o, "Add")),
    ("Asin", |o| math::unary(o, "Asin")),
    ("Asinh", |o| math::unary(o, "Asinh")),
    ("Atan", |o| math::unary(o, "Atan")),
    ("Atanh", |o| math::unary(o, "Atanh")),
    ("AvgPool", pooling::average),
    ("BatchNormInference", normalize::batch),
    ("BatchToSpace", shape::batch_to_space),
    ("Broadcast", shape::broadcast),
    ("Ceiling", |o| math::unary(o, "Ceil")),
    ("Clamp", act::clamp),
    ("Concat", shape::concat),
    ("Convert", math::convert),
    ("ConvertLike", math::convert),
    ("Convolution", conv::plain),
    ("ConvolutionBackpropData", conv::transposed),
    ("Cos", |o| math::unary(o, "Cos")),
    ("Cosh", |o| math::unary(o, "Cosh")),
    ("CumSum", math::cumulative_sum),
    ("DepthToSpace", shape::depth_to_space),
    ("Divide", math::divide),
    ("Elu", act::elu),
    ("Equal", |o| math::binary(o, "Equal")),
    ("Erf", |o| math::unary(o, "Erf")),
    ("Exp", |o| math::unary(o, "Exp")),
    ("FakeQuantize", quantize::fake),
    ("Floor", |o| math::unary(o, "Floor")),
    ("FloorMod", math::floor_mod),
    ("GRN", normalize::grn),
    ("Gather", select::gather),
    ("GatherElements", select::gather_elements),
    ("GatherND", select::gather_nd),
    ("Gelu", act::gelu),
    ("Greater", |o| math::binary(o, "Greater")),
    ("GreaterEqual", |o| math::binary(o, "GreaterOrEqual")),
    ("GroupConvolution", conv::grouped),
    ("GroupConvolutionBackpropData", conv::grouped_transposed),
    ("HSigmoid", act::h_sigmoid),
    ("HSwish", act::h_swish),
    ("HardSigmoid", act::hard_sigmoid),
    ("Interpolate", resize::interpolate),
    ("LRN", normalize::lrn),
    ("Less", |o| math::binary(o, "Less")),
    ("LessEqual", |o| math::binary(o, "LessOrEqual")),
    ("Log", |o| math::unary(o, "Log")),
    ("LogSoftmax", |o| act::softmax(o, "LogSoftmax")),
    ("LogicalAnd", |o| math::binary(o, "And")),
    ("LogicalNot", |o| math::unary(o, "Not")),
    ("LogicalOr", |o| math::binary(o, "Or")),
    ("LogicalXor", |o| math::binary(o, "Xor")),
    ("MVN", normalize::mvn),
    ("MatMul", math::mat_mul),
    ("MaxPool", pooling::maximum),
    ("Maximum", |o| math::binary(o, "Max")),
    ("Minimum", |o| math::binary(o, "Min")),
    ("Mish", act::mish),
    ("Multiply", |o| math::binary(o, "Mul")),
    ("Negative", |o| math::unary(o, "Neg")),
    ("NonMaxSuppression", detection::suppression),
    ("NormalizeL2", normalize::l2),
    ("NotEqual", math::not_equal),
    ("PReLU", act::prelu),
    ("Pad", shape::pad),
    ("Power", |o| math::binary(o, "Pow")),
    ("PriorBox", detection::prior_box),
    ("PriorBoxClustered", detection::prior_box_clustered),
    ("ROIPooling", detection::roi_pooling),
    ("ReLU", |o| math::unary(o, "Relu")),
    ("Relu", |o| math::unary(o, "Relu")),
    ("ReduceL1", |o| math::reduce(o, "ReduceL1")),
    ("ReduceL2", |o| math::reduce(o, "ReduceL2")),
    ("ReduceMax", |o| math::reduce(o, "ReduceMax")),
    ("ReduceMean", |o| math::reduce(o, "ReduceMean")),
    ("ReduceMin", |o| math::reduce(o, "ReduceMin")),
    ("ReduceProd", |o| math::reduce(o, "ReduceProd")),
    ("ReduceSum", |o| math::reduce(o, "ReduceSum")),
    ("RegionYolo", detection::region),
    ("ReorgYolo", detection::reorg),
    ("Reshape", shape::reshape),
    ("Round", math::round),
    ("ScatterElementsUpdate", select::scatter_elements),
    ("ScatterNDUpdate", select::scatter_nd),
    ("Select", select::select),
    ("Selu", act::selu),
    ("ShapeOf", shape::shape_of),
    ("ShuffleChannels", shape::shuffle_channels),
    ("Sigmoid", |o| math::unary(o, "Sigmoid")),
    ("Sign", |o| math::unary(o, "Sign")),
    ("Sin", |o| math::unary(o, "Sin")),
    ("Sinh", |o| math::unary(o, "Sinh")),
    ("Slice", select::slice),
    ("SoftMax", |o| act::softmax(o, "Softmax")),
    ("SoftPlus", |o| math::unary(o, "Softplus")),
    ("SoftSign", |o| math::unary(o, "Softsign")),
    ("Softmax", |o| act::softmax(o, "Softmax")),
    ("SpaceToBatch", shape::space_to_batch),
    ("SpaceToDepth", shape::space_to_depth),
    ("Split", select::split),
    ("Sqrt", |o| math::unary(o, "Sqrt")),
    ("SquaredDifference", math::squared_difference),
    ("Squeeze", shape::squeeze),
    ("StridedSlice", select::strided_slice),
    ("Subtract", |o| math::binary(o, "Sub")),
    ("Swish", act::swish),
    ("Tan", |o| math::unary(o, "Tan")),
    ("Tanh", |o| math::unary(o, "Tanh")),
    ("Tile", shape::tile),
    ("TopK", select::top_k),
    ("Transpose", shape::transpose),
    ("Unsqueeze", shape::unsqueeze),
    ("VariadicSplit", select::variadic_split),
];

/// Layers of versions 4 to 7.
const LAYERS: &[(&str, Translate)] = &[
    ("Activation", legacy::activation),
    ("BatchNormalization", legacy::scale::batch_normalization),
    ("Clamp", act::clamp),
    ("Concat", shape::concat),
    ("Convolution", legacy::convolution::plain),
    ("Copy", legacy::identity),
    ("Crop", legacy::array::crop),
    ("Deconvolution", legacy::convolution::transposed),
    ("Dropout", legacy::identity),
    ("ELU", act::elu),
    ("Eltwise", legacy::eltwise),
    ("Elu", act::elu),
    ("Exp", |o| math::unary(o, "Exp")),
    ("Flatten", legacy::array::flatten),
    ("FullyConnected", legacy::convolution::fully_connected),
    ("InnerProduct", legacy::convolution::fully_connected),
    ("Interp", legacy::resize::interp),
    ("LRN", legacy::scale::norm),
    ("MVN", normalize::mvn),
    ("Norm", legacy::scale::norm),
    ("Normalize", legacy::scale::normalize),
    ("PReLU", legacy::scale::prelu),
    ("Permute", legacy::array::permute),
    ("Pooling", legacy::pooling),
    ("Power", legacy::power),
    ("PriorBox", detection::prior_box),
    ("PriorBoxClustered", detection::prior_box_clustered),
    ("ReLU", legacy::relu),
    ("ReLU6", legacy::relu6),
    ("RegionYolo", detection::region),
    ("ReorgYolo", detection::reorg),
    ("Resample", legacy::resize::resample),
    ("Reshape", legacy::array::reshape),
    ("ScaleShift", legacy::scale::scale_shift),
    ("Sigmoid", |o| math::unary(o, "Sigmoid")),
    ("Slice", legacy::array::split),
    ("SoftMax", |o| act::softmax(o, "Softmax")),
    ("Split", legacy::array::split),
    ("Squeeze", shape::squeeze),
    ("TanH", |o| math::unary(o, "Tanh")),
    ("Tanh", |o| math::unary(o, "Tanh")),
    ("Tile", legacy::array::tile),
    ("Unsqueeze", shape::unsqueeze),
];

/// Row of the importer table.
#[derive(Debug, Clone, Copy)]
pub struct OpenVino;

impl Importer for OpenVino {
    fn id(&self) -> &'static str {
        "openvino"
    }

    fn framework(&self) -> Framework {
        Framework::OpenVino
    }

    fn version(&self) -> u32 {
        1
    }

    fn import(
        &self,
        files: &[ModelFile],
        options: &ImportOptions,
    ) -> Result<Imported, ImportError> {
        let xml = super::files::bytes(files, dyno_core::FileRole::Model, Framework::OpenVino)?;
        let weights =
            super::files::optional(files, dyno_core::FileRole::Config, Framework::OpenVino)?;
        let (mut graph, says) = graph::translate(&xml, &weights.unwrap_or_default(), options)?;
        // An IR has no bias: it adds a constant behind the convolution.
        graph.fold_biases();
        let onnx = graph
            .to_onnx()
            .map_err(|e| super::files::malformed(Framework::OpenVino, &e))?;
        Ok(Imported { onnx, says })
    }
}
