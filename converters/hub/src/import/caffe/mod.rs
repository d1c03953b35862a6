//! Caffe: nets in text (`.prototxt`) with weights in a `.caffemodel`, of any fork.
//!
//! Structure comes from the text, by names of fields; weights are matched by names of layers. What
//! a net computes is what Caffe computes in its TEST phase: layers that only training has are left
//! out, blobs that are written in place are versions of one name, the geometry of windows is
//! Caffe's own. A field that no function here reads is an error, not a default.
//!
//! Sources: the layers of BVLC Caffe 1.0 (`src/caffe/layers`), of weiliu89's SSD branch (`Permute`,
//! `Normalize`, `PriorBox`, `DetectionOutput`), of DeepLab (`Interp`) and ShuffleNet
//! (`ShuffleChannel`), as their documentation and `caffe.proto` describe them; checked against
//! OpenCV 4.14.

mod assemble;
mod blob;
mod importer;
mod net;
mod ops;
mod params;
mod problem;
mod scope;
#[cfg(test)]
mod tests;

pub use importer::Caffe;

use ops::{
    activation, argmax, arithmetic, convolution, detection, normalization, pooling, region, shape,
};
use params::Params;
use scope::Lowering;

/// A kind of layer: its name, the message with its parameters, and the function that reads those
/// and says how the layer is lowered.
struct Operator {
    kind: &'static str,
    block: &'static str,
    read: fn(&mut Params<'_>) -> Lowering,
}

const fn row(
    kind: &'static str,
    block: &'static str,
    read: fn(&mut Params<'_>) -> Lowering,
) -> Operator {
    Operator { kind, block, read }
}

/// Every kind of layer that computes something; inputs, and layers that only training has, are
/// known to [`net`].
const OPERATORS: &[Operator] = &[
    // Windows.
    row("Convolution", "convolution_param", convolution::convolution),
    row(
        "Deconvolution",
        "convolution_param",
        convolution::deconvolution,
    ),
    row(
        "InnerProduct",
        "inner_product_param",
        convolution::inner_product,
    ),
    row("Pooling", "pooling_param", pooling::pooling),
    // Element by element.
    row("AbsVal", "", activation::abs),
    row("BNLL", "", activation::bnll),
    row("ELU", "elu_param", activation::elu),
    row("Exp", "exp_param", activation::exp),
    row("Log", "log_param", activation::log),
    row("PReLU", "prelu_param", activation::prelu),
    row("Power", "power_param", activation::power),
    row("ReLU", "relu_param", activation::relu),
    row("ReLU6", "relu6_param", activation::relu6),
    row("Sigmoid", "sigmoid_param", activation::sigmoid),
    row("TanH", "tanh_param", activation::tanh),
    // Several inputs.
    row("ArgMax", "argmax_param", argmax::argmax),
    row("Axpy", "", arithmetic::axpy),
    row("Bias", "bias_param", arithmetic::bias),
    row("Eltwise", "eltwise_param", arithmetic::eltwise),
    row("Reduction", "reduction_param", arithmetic::reduction),
    row("Scale", "scale_param", arithmetic::scale),
    row("Softmax", "softmax_param", arithmetic::softmax),
    // Normalization.
    row("BatchNorm", "batch_norm_param", normalization::batch_norm),
    row("LRN", "lrn_param", normalization::lrn),
    row("MVN", "mvn_param", normalization::mvn),
    row("Normalize", "norm_param", normalization::normalize),
    // Shapes.
    row("Concat", "concat_param", shape::concat),
    row("Crop", "crop_param", shape::crop),
    row("Dropout", "dropout_param", shape::dropout),
    row("Flatten", "flatten_param", shape::flatten),
    row("Permute", "permute_param", shape::permute),
    row("Reshape", "reshape_param", shape::reshape),
    row(
        "ShuffleChannel",
        "shuffle_channel_param",
        shape::shuffle_channel,
    ),
    row("Slice", "slice_param", shape::slice),
    row("Split", "", shape::split),
    row("Tile", "tile_param", shape::tile),
    // Sizes and regions.
    row("Interp", "interp_param", region::interp),
    row("ROIPooling", "roi_pooling_param", region::roi_pooling),
    row("Upsample", "upsample_param", region::upsample),
    // Detection.
    row(
        "DetectionOutput",
        "detection_output_param",
        detection::detection_output,
    ),
    row("PriorBox", "prior_box_param", detection::prior_box),
];
