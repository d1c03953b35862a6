//! Torch7 networks to ONNX: modules of the package `nn`, under any of its names (`cunn.`,
//! `cudnn.`, `fbcunn.`).
//!
//! A file holds modules and weights, not the shape of the input: it is given as the option `shapes`
//! for `input`, or left open but for the channels of the first convolution. Every module computes
//! as after `evaluate()`: batch normalization by running statistics, dropout not at all.
//!
//! Unpooling reads the indices of the pool that shares its tensor of indices. Pools of 2x2 with
//! stride 2 are lowered to slices and comparisons, which every engine runs, with the bits of
//! `MaxUnpool`; others become that operator.
//!
//! [`MODULES`] is the table: one row a module, one function a row.

mod context;
mod graph;
mod ops;

use context::{Flow, Module};
use dyno_core::{FileRole, Framework, ImportError, ImportOptions, Imported, Importer, ModelFile};
use ops::{activation as act, array, container, convolution as conv, normalize, pooling};

/// What is wrong with a module, in words.
type Problem = String;
/// Translates one module: from what flows in to what flows out.
type Translate = fn(&mut Module<'_, '_>, Flow) -> Result<Flow, Problem>;

/// Modules by class, without the package.
const MODULES: &[(&str, Translate)] = &[
    ("Abs", |m, x| act::unary(m, x, "Abs")),
    ("AddConstant", |m, x| act::constant(m, x, "Add")),
    ("BatchNormalization", normalize::batch),
    ("CAddTable", |m, x| container::fold(m, x, "Add")),
    ("CDivTable", |m, x| container::fold(m, x, "Div")),
    ("CMulTable", |m, x| container::fold(m, x, "Mul")),
    ("CSubTable", |m, x| container::fold(m, x, "Sub")),
    ("Concat", container::concat),
    ("ConcatTable", container::concat_table),
    ("Contiguous", container::identity),
    ("Copy", container::identity),
    ("DepthConcat", container::depth_concat),
    ("Dropout", container::dropout),
    ("ELU", act::elu),
    ("Exp", |m, x| act::unary(m, x, "Exp")),
    ("HardTanh", act::hard_tanh),
    ("Identity", container::identity),
    ("Inception", container::decorated),
    ("InstanceNormalization", normalize::instance),
    ("JoinTable", container::join),
    ("LeakyReLU", act::leaky_relu),
    ("Linear", conv::linear),
    ("LogSoftMax", |m, x| act::softmax(m, x, "LogSoftmax")),
    ("MulConstant", |m, x| act::constant(m, x, "Mul")),
    ("Normalize", normalize::lp),
    ("PReLU", act::prelu),
    ("Padding", array::padding),
    ("Parallel", container::parallel),
    ("ParallelTable", container::parallel_table),
    ("Power", act::power),
    ("ReLU", |m, x| act::unary(m, x, "Relu")),
    ("ReLU6", act::relu6),
    ("Reshape", array::reshape),
    ("Sequential", container::sequential),
    ("ShaveImage", array::shave),
    ("Sigmoid", |m, x| act::unary(m, x, "Sigmoid")),
    ("SoftMax", |m, x| act::softmax(m, x, "Softmax")),
    ("SpatialAveragePooling", pooling::average),
    ("SpatialBatchNormalization", normalize::batch),
    ("SpatialConvolution", conv::plain),
    ("SpatialConvolutionMM", conv::plain),
    ("SpatialCrossMapLRN", normalize::lrn),
    ("SpatialDilatedConvolution", conv::plain),
    ("SpatialDropout", container::dropout),
    ("SpatialFullConvolution", conv::transposed),
    ("SpatialLPPooling", container::sequential),
    ("SpatialLogSoftMax", |m, x| act::softmax(m, x, "LogSoftmax")),
    ("SpatialMaxPooling", pooling::maximum),
    ("SpatialMaxUnpooling", pooling::unpool),
    ("SpatialReflectionPadding", |m, x| {
        array::spatial(m, x, "reflect")
    }),
    ("SpatialReplicationPadding", |m, x| {
        array::spatial(m, x, "edge")
    }),
    ("SpatialSoftMax", |m, x| act::softmax(m, x, "Softmax")),
    ("SpatialUpSamplingNearest", array::upsample),
    ("SpatialZeroPadding", |m, x| {
        array::spatial(m, x, "constant")
    }),
    ("Sqrt", act::sqrt),
    ("Square", act::square),
    ("Tanh", |m, x| act::unary(m, x, "Tanh")),
    ("Threshold", act::threshold),
    ("TotalVariation", container::identity),
    ("View", array::view),
];

/// Row of the importer table.
#[derive(Debug, Clone, Copy)]
pub struct Torch7;

impl Importer for Torch7 {
    fn id(&self) -> &'static str {
        "torch7"
    }

    fn framework(&self) -> Framework {
        Framework::Torch7
    }

    fn version(&self) -> u32 {
        1
    }

    fn import(
        &self,
        files: &[ModelFile],
        options: &ImportOptions,
    ) -> Result<Imported, ImportError> {
        let bytes = super::files::bytes(files, FileRole::Model, Framework::Torch7)?;
        let (graph, says) = graph::translate(&bytes, options)?;
        let onnx = graph
            .to_onnx()
            .map_err(|e| super::files::malformed(Framework::Torch7, &e))?;
        Ok(Imported { onnx, says })
    }
}
