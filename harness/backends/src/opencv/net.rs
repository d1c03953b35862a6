//! Nets: their files, their inputs, and what OpenCV says of them.
//!
//! OpenCV keeps no names of inputs that a program can ask for, so they are read in the files:
//! Caffe's text, the placeholders of a frozen graph; Darknet has no name (`data` here, as OpenCV
//! calls it), nor has Torch7 (`input`).

use crate::{files, graph_def};
use dyno_core::{DType, Dimension, FileRole, Framework, ModelContent, ModelSource, TensorInfo};
use dyno_formats::{
    darknet::Cfg,
    onnx::{GraphFacts, OnnxFile},
};
use opencv::{
    core::Vector,
    dnn::{self, MatShape, Net},
    prelude::*,
};
use std::fs;

/// Dimensions of an image.
const RANK: usize = 4;

/// What a net is made of. A net is not safe for two threads, so each slot makes its own.
pub(super) enum Files {
    Onnx(Vec<u8>),
    Caffe {
        weights: Vec<u8>,
        text: Vec<u8>,
    },
    Darknet {
        weights: Vec<u8>,
        text: Vec<u8>,
    },
    TensorFlow {
        graph: Vec<u8>,
        text: Vec<u8>,
    },
    /// A path: OpenCV reads these from files only.
    Torch7(String),
}

/// A model's files and what they declare.
pub(super) struct Declared {
    pub(super) files: Files,
    pub(super) inputs: Vec<TensorInfo>,
    /// Of an ONNX file.
    pub(super) onnx: Option<GraphFacts>,
    pub(super) precision: &'static str,
}

impl Declared {
    /// Reads the files.
    ///
    /// # Errors
    /// A text with the place.
    pub(super) fn read(model: &ModelSource) -> Result<Self, String> {
        let file = files::model(model)?;
        let second = |what: &str| {
            let file = model
                .file(FileRole::Config)
                .ok_or_else(|| format!("{what} was not given"))?;
            files::bytes(file).map(std::borrow::Cow::into_owned)
        };
        let whole = || files::bytes(file).map(std::borrow::Cow::into_owned);
        let (files, inputs) = match model.framework {
            Framework::Onnx => {
                let OnnxFile { bytes, facts } = OnnxFile::read(model).map_err(|e| e.to_string())?;
                return Ok(Self {
                    files: Files::Onnx(bytes.into_owned()),
                    inputs: facts.inputs.clone(),
                    precision: facts.precision,
                    onnx: Some(facts),
                });
            }
            Framework::Caffe => {
                let (weights, text) = (whole()?, second("the text of the net (`.prototxt`)")?);
                let name = caffe_input(&String::from_utf8_lossy(&text));
                let files = Files::Caffe { weights, text };
                let shape = input_shape(&files.net()?)?;
                (files, image(name, shape))
            }
            Framework::Darknet => {
                let (weights, text) = (whole()?, second("the text of the net (`.cfg`)")?);
                let shape = darknet_shape(&text)?;
                (
                    Files::Darknet { weights, text },
                    image("data".to_owned(), Some(shape)),
                )
            }
            Framework::TensorFlow => {
                let graph = whole()?;
                let text = match model.file(FileRole::Config) {
                    Some(file) => files::bytes(file)?.into_owned(),
                    None => Vec::new(),
                };
                let outline = graph_def::read(&graph)?;
                let [name] = outline.inputs.as_slice() else {
                    return Err(format!(
                        "the graph has the placeholders {:?}, and OpenCV can be given one",
                        outline.inputs
                    ));
                };
                let input = image(name.clone(), None);
                (Files::TensorFlow { graph, text }, input)
            }
            Framework::Torch7 => {
                let ModelContent::Path(path) = &file.content else {
                    return Err("a net of Torch7 in memory: OpenCV reads files only".to_owned());
                };
                if !fs::metadata(path).map_err(|e| e.to_string())?.is_file() {
                    return Err(format!("`{}` is not a regular file", path.display()));
                }
                let path = path.to_str().ok_or("the path is not UTF-8")?;
                (
                    Files::Torch7(path.to_owned()),
                    image("input".to_owned(), None),
                )
            }
            other => return Err(format!("it reads no files of {other}")),
        };
        Ok(Self {
            files,
            inputs,
            onnx: None,
            precision: "f32",
        })
    }
}

impl Files {
    /// Makes a net on OpenCV's own backend, on the processor.
    ///
    /// # Errors
    /// OpenCV's words.
    pub(super) fn net(&self) -> Result<Net, String> {
        let vector = |bytes: &[u8]| Vector::<u8>::from_slice(bytes);
        let net = match self {
            Self::Onnx(bytes) => dnn::read_net_from_onnx_buffer(&vector(bytes)),
            Self::TensorFlow { graph, text } if text.is_empty() => {
                dnn::read_net_from_tensorflow_buffer_def(&vector(graph))
            }
            Self::TensorFlow { graph, text } => {
                dnn::read_net_from_tensorflow_buffer(&vector(graph), &vector(text))
            }
            Self::Caffe { weights, text } => caffe(&vector(text), &vector(weights)),
            Self::Darknet { weights, text } => darknet(&vector(text), &vector(weights)),
            Self::Torch7(path) => torch7(path),
        };
        let mut net = net.map_err(|e| plain(&e))?;
        if net.empty().map_err(|e| plain(&e))? {
            return Err("the net is empty".to_owned());
        }
        net.set_preferable_backend(dnn::DNN_BACKEND_OPENCV)
            .and_then(|()| net.set_preferable_target(dnn::DNN_TARGET_CPU))
            .map_err(|e| plain(&e))?;
        Ok(net)
    }
}

opencv::not_opencv_branch_5! {
    /// Frameworks whose files it opens.
    pub(super) const READS: &[Framework] = &[
        Framework::Caffe,
        Framework::Darknet,
        Framework::Torch7,
        Framework::TensorFlow,
        Framework::Onnx,
    ];

    /// What is missing from this build, and why.
    pub(super) const LACKS: Option<&str> = None;

    fn caffe(text: &Vector<u8>, weights: &Vector<u8>) -> opencv::Result<Net> {
        dnn::read_net_from_caffe_buffer(text, weights)
    }

    fn darknet(text: &Vector<u8>, weights: &Vector<u8>) -> opencv::Result<Net> {
        dnn::read_net_from_darknet_buffer(text, weights)
    }

    fn torch7(path: &str) -> opencv::Result<Net> {
        dnn::read_net_from_torch_def(path)
    }
}

// OpenCV 5 has no importers of Caffe, Darknet and Torch7. Never built by the authors.
opencv::opencv_branch_5! {
    /// Frameworks whose files it opens.
    pub(super) const READS: &[Framework] = &[Framework::TensorFlow, Framework::Onnx];

    /// What is missing from this build, and why.
    pub(super) const LACKS: Option<&str> = Some(
        "OpenCV 5 has no importers of Caffe, Darknet and Torch7: build with OpenCV 4, or convert the model"
    );

    fn caffe(_: &Vector<u8>, _: &Vector<u8>) -> opencv::Result<Net> {
        Err(opencv::Error::new(opencv::core::StsNotImplemented, LACKS.unwrap_or("")))
    }

    fn darknet(_: &Vector<u8>, _: &Vector<u8>) -> opencv::Result<Net> {
        caffe(&Vector::new(), &Vector::new())
    }

    fn torch7(_: &str) -> opencv::Result<Net> {
        caffe(&Vector::new(), &Vector::new())
    }
}

/// An input of images. Caffe and Darknet write a batch into their files that means nothing.
fn image(name: String, shape: Option<Vec<usize>>) -> Vec<TensorInfo> {
    let shape = match shape {
        Some(shape) => shape
            .into_iter()
            .enumerate()
            .map(|(axis, n)| match axis {
                0 => Dimension::Unknown,
                _ => Dimension::Fixed(n),
            })
            .collect(),
        None => vec![Dimension::Unknown; RANK],
    };
    vec![TensorInfo::new(name, DType::F32, shape)]
}

/// The shape of the only input, as OpenCV knows it.
fn input_shape(net: &Net) -> Result<Option<Vec<usize>>, String> {
    // One input of which nothing is said. OpenCV 4.6 dies of a list without any.
    match layer_shape(net, &[MatShape::new()], 0) {
        Ok(shape) if shape.len() == RANK => Ok(Some(shape)),
        Ok(shape) => Err(format!(
            "its input has shape {shape:?}, and images have {RANK} dimensions"
        )),
        Err(_) => Ok(None),
    }
}

/// The shape of the first output of a layer, for inputs of these shapes.
///
/// # Errors
/// OpenCV's words, or that it does not know.
pub(super) fn layer_shape(
    net: &Net,
    inputs: &[MatShape],
    layer: i32,
) -> Result<Vec<usize>, String> {
    let inputs: Vector<MatShape> = inputs.iter().cloned().collect();
    let (mut ins, mut outs) = (Vector::new(), Vector::new());
    net.get_layer_shapes_1(&inputs, layer, &mut ins, &mut outs)
        .map_err(|e| plain(&e))?;
    let shape = outs.get(0).map_err(|e| plain(&e))?;
    shape
        .iter()
        .map(|d| usize::try_from(d).map_err(|e| e.to_string()))
        .collect()
}

/// Channels, height and width of a `.cfg`, with a batch of 1.
fn darknet_shape(text: &[u8]) -> Result<Vec<usize>, String> {
    let cfg = Cfg::read(text).map_err(|e| e.to_string())?;
    let mut shape = vec![1];
    for key in ["channels", "height", "width"] {
        let number: Option<usize> = cfg.net.number(key).map_err(|e| e.to_string())?;
        match number {
            Some(n) if n > 0 => shape.push(n),
            None if key == "channels" => shape.push(3),
            _ => return Err(format!("the cfg does not say its {key}")),
        }
    }
    Ok(shape)
}

/// The name of the first input in Caffe's text: `input: "data"`, or the output of a layer of type
/// `Input`. `data`, the habit of all examples, where there is neither.
fn caffe_input(text: &str) -> String {
    let mut words = Vec::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or("");
        let line = line.replace(['{', '}', ':'], " ");
        words.extend(line.split_whitespace().map(str::to_owned));
    }
    let quoted = |word: &String| word.trim_matches(['"', '\'']).to_owned();
    let after = |key: &str, from: usize| {
        words
            .iter()
            .skip(from)
            .zip(words.iter().skip(from + 1))
            .find(|(k, _)| *k == key)
            .map(|(_, v)| quoted(v))
    };
    let typed = words
        .windows(2)
        .position(|pair| matches!(pair, [key, value] if key == "type" && quoted(value) == "Input"));
    after("input", 0)
        .or_else(|| after("top", typed?))
        .unwrap_or_else(|| "data".to_owned())
}

/// OpenCV's words without the places in its own source.
pub(super) fn plain(error: &opencv::Error) -> String {
    let mut text = error.message.replace('\n', " ");
    while let Some(begin) = text.find("OpenCV(") {
        let Some(end) = text[begin..].find("error: ") else {
            break;
        };
        text.replace_range(begin..begin + end + "error: ".len(), "");
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_caffes_inputs() {
        for (text, name) in [
            ("name: \"n\"\ninput: \"image\"\ninput_dim: 1", "image"),
            (
                "layer {\n name: \"x\" type: \"Input\" top: \"pixels\" }",
                "pixels",
            ),
            (
                "layer { name: \"x\"\n type: \"Convolution\" top: \"conv\" }",
                "data",
            ),
            ("# input: \"not\"\ninput: 'yes'", "yes"),
            ("", "data"),
        ] {
            assert_eq!(caffe_input(text), name, "{text}");
        }
    }

    #[test]
    fn the_words_of_opencv_without_its_source() {
        let text = "OpenCV(4.6.0) ./modules/dnn/src/onnx/onnx_importer.cpp:1040: error: (-2:Unspecified error) in function 'handleNode'\n> Node [Clip]: OpenCV(4.6.0) ./a.cpp:1: error: (-215) x";
        let error = opencv::Error::new(-2, text);
        assert_eq!(
            plain(&error),
            "(-2:Unspecified error) in function 'handleNode' > Node [Clip]: (-215) x"
        );
    }
}
