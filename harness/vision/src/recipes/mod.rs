//! Recipes: well-known combinations of preprocessing, decoder, thresholds and labels, one JSON file
//! a row.

mod recipe;

use dyno_core::Recipe;
use recipe::FileRecipe;

/// Every recipe.
pub const RECIPES: &[&dyn Recipe] = &[
    // Detection.
    &FileRecipe {
        name: "yolox",
        about: "YOLOX: letterbox at the top-left, pad 114, BGR 0 to 255; COCO",
        text: include_str!("yolox.json"),
    },
    &FileRecipe {
        name: "nanodet",
        about: "NanoDet-m: centred warp with black border, BGR minus mean by std; COCO",
        text: include_str!("nanodet.json"),
    },
    &FileRecipe {
        name: "fastestdet",
        about: "FastestDet: stretched, BGR 0 to 1; COCO",
        text: include_str!("fastestdet.json"),
    },
    &FileRecipe {
        name: "yolov8",
        about: "YOLOv8 and models with its head: centred letterbox, pad 114, RGB 0 to 1; COCO",
        text: include_str!("yolov8.json"),
    },
    &FileRecipe {
        name: "ssd-caffe",
        about: "SSD of Caffe or OpenVINO with DetectionOutput: stretched, (BGR - 127.5) / 127.5",
        text: include_str!("ssd-caffe.json"),
    },
    &FileRecipe {
        name: "ssd-tf",
        about: "SSD of TensorFlow with four outputs: stretched, RGB raw or -1 to 1; COCO's 91 ids",
        text: include_str!("ssd-tf.json"),
    },
    // Classification.
    &FileRecipe {
        name: "caffe-bgr",
        about: "Caffe: warp to 256x256, centre crop, BGR minus 104, 117, 123; ImageNet",
        text: include_str!("caffe-bgr.json"),
    },
    &FileRecipe {
        name: "torchvision",
        about: "torchvision: shorter side 256 (Pillow bilinear), centre crop, RGB by ImageNet's mean and std",
        text: include_str!("torchvision.json"),
    },
    &FileRecipe {
        name: "tf-slim",
        about: "TF-slim: central 87.5 %, RGB raw or -1 to 1; ImageNet with background",
        text: include_str!("tf-slim.json"),
    },
];
