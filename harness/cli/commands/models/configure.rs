//! `dyno models configure`: alwaysAI's flags in both spellings, and dyno's own.

use super::output::{purpose, written};
use crate::{context::Context, exit, tables::TABLES};
use dyno_core::{Framework, Purpose, ThresholdOverlay};
use dyno_registry::{ConfigureOptions, configure};
use std::path::PathBuf;

/// `true` and `false` in the spellings that people use (alwaysAI's tool takes Python's).
fn boolean(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" => Ok(true),
        "false" | "0" | "no" => Ok(false),
        _ => Err(format!("neither true nor false: `{text}`")),
    }
}

/// Arguments of `models configure`.
#[derive(Debug, clap::Args)]
pub(crate) struct ConfigureArgs {
    /// Folder of the package
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// `publisher/name`
    #[arg(long, alias = "name")]
    id: Option<String>,
    /// Framework of the files
    #[arg(long, visible_alias = "framework-type", alias = "framework_type")]
    framework: Option<Framework>,
    /// What the model is for: Classification, ObjectDetection, …
    #[arg(long, value_parser = purpose)]
    purpose: Option<Purpose>,
    /// File of graph or weights
    #[arg(long, alias = "model_file", value_name = "FILE")]
    model_file: Option<String>,
    /// Mean of the tensor's channels, in pixel values
    #[arg(long, num_args = 3, value_name = "M", allow_negative_numbers = true)]
    mean: Option<Vec<f64>>,
    /// Factor after the mean
    #[arg(long, value_name = "F", allow_negative_numbers = true)]
    scalefactor: Option<f64>,
    /// Width and height in pixels
    #[arg(long, num_args = 2, value_name = "PX")]
    size: Option<Vec<u32>>,
    /// Keep the aspect ratio and cut the middle out
    #[arg(long, value_parser = boolean)]
    crop: Option<bool>,
    /// Second file of Caffe, Darknet and TensorFlow
    #[arg(long, alias = "config_file", value_name = "FILE")]
    config_file: Option<String>,
    /// Class names, one a line
    #[arg(long, alias = "label_file", value_name = "FILE")]
    label_file: Option<String>,
    /// Colours of classes, one a line
    #[arg(long, alias = "colors_file", value_name = "FILE")]
    colors_file: Option<String>,
    /// The tensor's first channel is red
    #[arg(long, value_parser = boolean)]
    swaprb: Option<bool>,
    /// Take the softmax of the outputs
    #[arg(long, value_parser = boolean)]
    softmax: Option<bool>,
    /// Samples of one run of the engine
    #[arg(long, alias = "batch_size", value_name = "N")]
    batch_size: Option<u32>,
    /// Outputs to fetch, in order
    #[arg(long, alias = "output_layer_names", num_args = 1.., value_name = "NAME")]
    output_layer_names: Option<Vec<String>>,
    /// The board that a TensorRT engine was built on
    #[arg(long, value_name = "BOARD")]
    device: Option<String>,
    /// Kind of detector
    #[arg(long)]
    architecture: Option<String>,
    /// Hailo: the input is quantized
    #[arg(long, alias = "quantize_input", value_parser = boolean)]
    quantize_input: Option<bool>,
    /// Hailo: the output is quantized
    #[arg(long, alias = "quantize_output", value_parser = boolean)]
    quantize_output: Option<bool>,
    /// Hailo: format of input streams
    #[arg(long, alias = "input_format", value_name = "FORMAT")]
    input_format: Option<String>,
    /// Hailo: format of output streams
    #[arg(long, alias = "output_format", value_name = "FORMAT")]
    output_format: Option<String>,
    /// dyno.json: recipe that fills in what the package does not say
    #[arg(long, value_name = "NAME")]
    recipe: Option<String>,
    /// dyno.json: row of the decoder table
    #[arg(long, value_name = "NAME")]
    decoder: Option<String>,
    /// dyno.json: least score in accuracy runs
    #[arg(long, value_name = "SHARE")]
    evaluate_score: Option<f64>,
    /// dyno.json: greatest overlap in accuracy runs
    #[arg(long, value_name = "SHARE")]
    evaluate_iou: Option<f64>,
    /// dyno.json: most detections an image in accuracy runs
    #[arg(long, value_name = "N")]
    evaluate_max: Option<u32>,
    /// dyno.json: least score in timed runs
    #[arg(long, value_name = "SHARE")]
    deploy_score: Option<f64>,
    /// dyno.json: greatest overlap in timed runs
    #[arg(long, value_name = "SHARE")]
    deploy_iou: Option<f64>,
    /// dyno.json: most detections an image in timed runs
    #[arg(long, value_name = "N")]
    deploy_max: Option<u32>,
    /// dyno.json: file, or sha256 of the file, that the model was made from
    #[arg(long, value_name = "FILE|SHA256")]
    derived_from: Option<String>,
    /// dyno.json: how it was made (int8, fp16, engine, …)
    #[arg(long, value_name = "WORD", requires = "derived_from")]
    relation: Option<String>,
    /// dyno.json: label file of the package, or coco80, coco91, voc20, imagenet1000, imagenet1001
    #[arg(long, value_name = "FILE|LIST")]
    labels: Option<String>,
}

/// Makes or changes the package; prints the files that were written.
pub(super) fn run(args: ConfigureArgs, context: &Context) -> anyhow::Result<u8> {
    // A name that no run could use is refused here, while it can be mended in place.
    args.recipe
        .as_deref()
        .map(|r| TABLES.recipe(r))
        .transpose()?;
    args.decoder
        .as_deref()
        .map(|d| TABLES.decoder(d))
        .transpose()?;
    let options = ConfigureOptions {
        id: args.id,
        framework: args.framework,
        purpose: args.purpose,
        model_file: args.model_file,
        mean: args.mean,
        scalefactor: args.scalefactor,
        size: args.size,
        crop: args.crop,
        config_file: args.config_file,
        label_file: args.label_file,
        colors_file: args.colors_file,
        swaprb: args.swaprb,
        softmax: args.softmax,
        batch_size: args.batch_size,
        output_layer_names: args.output_layer_names,
        device: args.device,
        architecture: args.architecture,
        quantize_input: args.quantize_input,
        quantize_output: args.quantize_output,
        input_format: args.input_format,
        output_format: args.output_format,
        recipe: args.recipe,
        decoder: args.decoder,
        evaluate: ThresholdOverlay {
            score: args.evaluate_score,
            iou: args.evaluate_iou,
            max: args.evaluate_max,
        },
        deploy: ThresholdOverlay {
            score: args.deploy_score,
            iou: args.deploy_iou,
            max: args.deploy_max,
        },
        derived_from: args.derived_from,
        relation: args.relation,
        labels: args.labels,
    };
    written(context, &configure(&args.folder, &options)?)?;
    Ok(exit::OK)
}
