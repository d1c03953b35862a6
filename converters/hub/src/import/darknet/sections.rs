//! The table of sections: names, what is read of each, what has no effect when a model runs, and
//! what is refused.

use super::{
    activation::Place,
    heads, joining,
    net::{Layer, Net},
    pooling, reshaping, weighted,
};
use dyno_core::ImportError;
use dyno_formats::darknet::Section;

/// A kind of layer.
pub(super) struct Row {
    /// Its names.
    pub(super) names: &'static [&'static str],
    /// Builds it.
    pub(super) build: fn(&mut Net, &Section) -> Result<Layer, ImportError>,
    /// Settings that are read.
    pub(super) read: &'static [&'static str],
    /// Settings that matter in training only, or not to what the layer gives.
    pub(super) without_effect: &'static [&'static str],
    /// Settings that change what the layer gives and cannot be expressed; 0 switches them off.
    pub(super) refused: &'static [&'static str],
    /// Which activations it can have.
    pub(super) activation: Option<Place>,
}

const ROW: Row = Row {
    names: &[],
    build: reshaping::nothing,
    read: &[],
    without_effect: &[],
    refused: &[],
    activation: None,
};

/// Settings of every section that matter in training only.
pub(super) const TRAINING: &[&str] = &[
    "burnin_update",
    "clip",
    "dont_update",
    "learning_rate",
    "onlyforward",
    "stopbackward",
    "train_only_bn",
];

/// Settings of every section that leave weights as they are before training.
pub(super) const REFUSED: &[&str] = &["dontload", "dontloadscales"];

/// Training settings of both kinds of heads.
const YOLO_TRAINING: &[&str] = &[
    "beta1",
    "beta_nms",
    "cls_normalizer",
    "counters_per_class",
    "delta_normalizer",
    "dets_for_show",
    "dets_for_track",
    "embedding_layer",
    "focal_loss",
    "ignore_thresh",
    "iou_loss",
    "iou_normalizer",
    "iou_thresh",
    "iou_thresh_kind",
    "jitter",
    "label_smooth_eps",
    "max",
    "max_delta",
    "obj_normalizer",
    "objectness_smooth",
    "random",
    "resize",
    "show_details",
    "sim_thresh",
    "track_ciou_norm",
    "track_history_size",
    "truth_thresh",
    "uc_normalizer",
];

const REGION_TRAINING: &[&str] = &[
    "absolute",
    "bias_match",
    "class_scale",
    "coord_scale",
    "focal_loss",
    "jitter",
    "log",
    "mask_scale",
    "max",
    "noobject_scale",
    "object_scale",
    "random",
    "rescore",
    "resize",
    "sqrt",
    "thresh",
];

/// Every kind of layer that can be expressed.
pub(super) const SECTIONS: &[Row] = &[
    Row {
        names: &["convolutional", "conv"],
        build: weighted::convolutional,
        read: &[
            "activation",
            "batch_normalize",
            "dilation",
            "filters",
            "groups",
            "pad",
            "padding",
            "size",
            "stride",
            "stride_x",
            "stride_y",
        ],
        without_effect: &[
            "angle",
            "assisted_excitation",
            "cbn",
            "dot",
            "grad_centr",
            "reverse",
            "stream",
            "wait_stream",
        ],
        refused: &[
            "antialiasing",
            "bin_output",
            "binary",
            "coordconv",
            "flipped",
            "rotate",
            "share_index",
            "stretch",
            "stretch_sway",
            "sway",
            "xnor",
        ],
        activation: Some(Place::Convolution),
    },
    Row {
        names: &["connected", "conn"],
        build: weighted::connected,
        read: &["activation", "batch_normalize", "output"],
        activation: Some(Place::Plain),
        ..ROW
    },
    Row {
        names: &["batchnorm"],
        build: weighted::batchnorm,
        ..ROW
    },
    Row {
        names: &["activation"],
        build: reshaping::activation,
        read: &["activation"],
        activation: Some(Place::Plain),
        ..ROW
    },
    Row {
        names: &["maxpool", "max"],
        build: pooling::maxpool,
        read: &["padding", "size", "stride", "stride_x", "stride_y"],
        without_effect: &["maxpool_zero_nonmax"],
        refused: &["antialiasing", "maxpool_depth", "out_channels"],
        ..ROW
    },
    Row {
        names: &["local_avgpool", "local_avg"],
        build: pooling::local_avgpool,
        read: &["padding", "size", "stride", "stride_x", "stride_y"],
        ..ROW
    },
    Row {
        names: &["avgpool", "avg"],
        build: pooling::avgpool,
        ..ROW
    },
    Row {
        names: &["softmax", "soft"],
        build: pooling::softmax,
        read: &["groups", "temperature"],
        without_effect: &["noloss"],
        refused: &["spatial", "tree"],
        ..ROW
    },
    Row {
        names: &["route"],
        build: joining::route,
        read: &["group_id", "groups", "layers"],
        without_effect: &["stream", "wait_stream"],
        ..ROW
    },
    Row {
        names: &["shortcut"],
        build: joining::shortcut,
        read: &[
            "activation",
            "from",
            "weights_normalization",
            "weights_type",
        ],
        activation: Some(Place::Shortcut),
        ..ROW
    },
    Row {
        names: &["scale_channels"],
        build: joining::scale_channels,
        read: &["activation", "from", "scale_wh"],
        activation: Some(Place::Plain),
        ..ROW
    },
    Row {
        names: &["sam"],
        build: joining::sam,
        read: &["activation", "from"],
        activation: Some(Place::Plain),
        ..ROW
    },
    Row {
        names: &["crop"],
        build: reshaping::crop,
        read: &["crop_height", "crop_width", "noadjust"],
        without_effect: &["angle", "exposure", "flip", "saturation"],
        refused: &["shift"],
        ..ROW
    },
    Row {
        names: &["upsample"],
        build: reshaping::upsample,
        read: &["scale", "stride"],
        ..ROW
    },
    Row {
        names: &["reorg"],
        build: reshaping::reorg,
        read: &["reverse", "stride"],
        ..ROW
    },
    Row {
        names: &["reorg3d"],
        build: reshaping::reorg3d,
        read: &["reverse", "stride"],
        ..ROW
    },
    Row {
        names: &["dropout"],
        without_effect: &[
            "dropblock",
            "dropblock_size_abs",
            "dropblock_size_rel",
            "probability",
        ],
        ..ROW
    },
    Row {
        names: &["cost"],
        without_effect: &["ratio", "scale", "type"],
        ..ROW
    },
    Row {
        names: &["empty", "silence"],
        ..ROW
    },
    Row {
        names: &["yolo"],
        build: heads::yolo,
        read: &[
            "anchors",
            "classes",
            "mask",
            "new_coords",
            "nms_kind",
            "num",
            "scale_x_y",
        ],
        without_effect: YOLO_TRAINING,
        refused: &["map"],
        ..ROW
    },
    Row {
        names: &["region"],
        build: heads::region,
        read: &["anchors", "classes", "coords", "num", "softmax"],
        without_effect: REGION_TRAINING,
        refused: &["background", "classfix", "map", "tree"],
        ..ROW
    },
];

/// The row of a section.
pub(super) fn find(name: &str) -> Option<&'static Row> {
    SECTIONS.iter().find(|r| r.names.contains(&name))
}
