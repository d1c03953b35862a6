//! The row of the importer table: files and options in, ONNX and what the cfg says out.

use super::{
    heads,
    net::{Epsilon, Layer, Net, from_format},
    sections::find,
    survey,
};
use crate::graph::{Builder, ElementType, Graph};
use bytes::{BufMut as _, BytesMut};
use dyno_core::{
    ChannelOrder, DType, DecoderSpec, Framework, ImportError, ImportOptions, ImportSays, Imported,
    Importer, InputSpec, Kernel, Layout, ModelContent, ModelFile, Normalize, PreprocessStep,
    Purpose, ResizeMode, Rounding,
};
use dyno_formats::{
    FormatError,
    darknet::{Cfg, MAX_CFG_BYTES, MAX_WEIGHTS_BYTES, Weights},
};
use serde_json::Value;
use std::{fs, io, io::Read as _, path::Path};

/// Name of the input; a cfg has none, and OpenCV says the same.
const INPUT: &str = "data";
/// Greatest width and height of the input.
const MAX_SIDE: usize = 1 << 16;

/// Row of the importer table.
#[derive(Debug, Clone, Copy)]
pub struct Darknet;

impl Importer for Darknet {
    fn id(&self) -> &'static str {
        "darknet"
    }

    fn framework(&self) -> Framework {
        Framework::Darknet
    }

    fn version(&self) -> u32 {
        1
    }

    fn import(
        &self,
        files: &[ModelFile],
        options: &ImportOptions,
    ) -> Result<Imported, ImportError> {
        let (graph, says) = graph(files, options)?;
        let onnx = graph
            .to_onnx()
            .map_err(|e| heads::malformed("the graph", &e.to_string()))?;
        Ok(Imported { onnx, says })
    }
}

/// The graph of a cfg with its weights, and what the cfg says beside it.
pub(super) fn graph(
    files: &[ModelFile],
    options: &ImportOptions,
) -> Result<(Graph, ImportSays), ImportError> {
    let epsilon = epsilon(options)?;
    let (file, cfg, weights) = read(files)?;
    let unsupported = survey::unsupported(&cfg, &file);
    if !unsupported.is_empty() {
        return Err(ImportError::Unsupported {
            operators: unsupported,
        });
    }
    let mut net = start(file, &cfg, weights, epsilon, options)?;
    for section in &cfg.layers {
        let Some(row) = find(&section.name) else {
            return Err(net.unsupported(section, "unknown section"));
        };
        let layer = (row.build)(&mut net, section)?;
        net.state(&layer);
        net.layers.push(layer);
    }
    if cfg.layers.is_empty() {
        return Err(heads::malformed(&net.file, "there is no layer"));
    }
    finish(net, &cfg, options)
}

fn epsilon(options: &ImportOptions) -> Result<Epsilon, ImportError> {
    let mut epsilon = Epsilon::Alexeyab;
    for (key, value) in &options.parameters {
        epsilon = match (key.as_str(), value.as_str()) {
            ("epsilon", "1e-5") => Epsilon::Alexeyab,
            ("epsilon", "1e-6") => Epsilon::Opencv,
            ("epsilon", "pjreddie") => Epsilon::Pjreddie,
            ("epsilon", other) => {
                return Err(ImportError::Option(format!(
                    "`epsilon` of Darknet is `1e-5` (AlexeyAB, the default), `1e-6` (OpenCV) or \
                     `pjreddie` (added to the root), not `{other}`"
                )));
            }
            (other, _) => {
                return Err(ImportError::Option(format!(
                    "the importer `darknet` has no parameter `{other}` (there is: epsilon)"
                )));
            }
        };
    }
    Ok(epsilon)
}

/// The bytes of a regular file of at most `limit` bytes.
fn read_file(path: &Path, limit: u64) -> Result<BytesMut, FormatError> {
    let error = |source| FormatError::Read {
        path: path.to_owned(),
        source,
    };
    // Before opening: a pipe would wait for its other end.
    let metadata = fs::metadata(path).map_err(error)?;
    if !metadata.is_file() {
        return Err(FormatError::NotAFile {
            path: path.to_owned(),
        });
    }
    if metadata.len() > limit {
        return Err(FormatError::TooLarge {
            what: format!("`{}`", path.display()),
            bytes: metadata.len(),
            limit,
        });
    }
    let file = fs::File::open(path).map_err(error)?;
    let capacity = usize::try_from(metadata.len()).unwrap_or(0);
    let mut writer = BytesMut::with_capacity(capacity).writer();
    // A file that grows meanwhile is read up to the size that was checked.
    io::copy(&mut file.take(metadata.len()), &mut writer).map_err(error)?;
    Ok(writer.into_inner())
}

/// The cfg with its name, and the weights: whichever file is which, by content.
fn read(files: &[ModelFile]) -> Result<(String, Cfg, Weights), ImportError> {
    let (mut cfg, mut weights) = (None, None);
    for file in files.iter().filter(|f| f.role.is_weights()) {
        let (name, bytes) = match &file.content {
            ModelContent::Bytes(bytes) => ("cfg".to_owned(), BytesMut::from(bytes.as_slice())),
            ModelContent::Path(path) => {
                let name = path.file_name().map(|n| n.to_string_lossy().into_owned());
                let name = name.unwrap_or_else(|| "cfg".to_owned());
                let bytes =
                    read_file(path, MAX_WEIGHTS_BYTES).map_err(|e| from_format(&name, &e))?;
                (name, bytes)
            }
        };
        let slot = if Cfg::looks_like(bytes.get(..MAX_CFG_BYTES).unwrap_or(&bytes)) {
            &mut cfg
        } else {
            &mut weights
        };
        if slot.replace((name, bytes)).is_some() {
            let problem = "a Darknet model is one cfg and one file of weights";
            return Err(heads::malformed("the model", problem));
        }
    }
    let Some((name, text)) = cfg else {
        let problem = "there is no cfg: a text that begins with [net]";
        return Err(heads::malformed("the model", problem));
    };
    let Some((weights_name, weights)) = weights else {
        return Err(heads::malformed(&name, "there is no file of weights"));
    };
    let cfg = Cfg::read(&text).map_err(|e| from_format(&name, &e))?;
    let weights = Weights::read(weights).map_err(|e| from_format(&weights_name, &e))?;
    Ok((name, cfg, weights))
}

/// A net with its input.
fn start(
    file: String,
    cfg: &Cfg,
    weights: Weights,
    epsilon: Epsilon,
    options: &ImportOptions,
) -> Result<Net, ImportError> {
    let nothing = Layer {
        value: String::new(),
        channels: 0,
        height: 0,
        width: 0,
    };
    let mut net = Net {
        builder: Builder::new("darknet"),
        weights,
        epsilon,
        batch: 1,
        input: nothing,
        layers: Vec::with_capacity(cfg.layers.len()),
        heads: Vec::new(),
        notes: Vec::new(),
        file,
    };
    let side = |key: &str| -> Result<usize, ImportError> {
        let n = net.count(&cfg.net, key, 0, 1)?;
        if n > MAX_SIDE {
            let problem = format!("`{key}={n}` is more than {MAX_SIDE}");
            return Err(net.malformed(&cfg.net, problem));
        }
        Ok(n)
    };
    let mut shape = [side("channels")?, side("height")?, side("width")?];
    for (name, wanted) in &options.shapes {
        let refused = |reason: &str| {
            Err(ImportError::Option(format!(
                "shape {wanted:?} of input `{name}`: {reason}"
            )))
        };
        if name != INPUT {
            return refused("the only input of a Darknet model is `data`");
        }
        let &[batch, channels, height, width] = wanted.as_slice() else {
            return refused("four axes are needed: batch, channels, height, width");
        };
        if channels != shape[0] {
            return refused("the number of channels is the cfg's");
        }
        if !(1..=MAX_SIDE).contains(&batch)
            || !(1..=MAX_SIDE).contains(&height)
            || !(1..=MAX_SIDE).contains(&width)
        {
            return refused("an axis is 0 or too large");
        }
        if [channels, height, width] != shape {
            let note = format!(
                "the input is {width}x{height} as asked for, not {}x{} as in the cfg",
                shape[2], shape[1]
            );
            net.notes.push(note);
        }
        net.batch = batch;
        shape = [channels, height, width];
    }
    let [channels, height, width] = shape;
    let name = net.builder.input(
        INPUT,
        ElementType::F32,
        &[net.batch, channels, height, width],
    );
    net.input = net.layer(&cfg.net, name, shape)?;
    Ok(net)
}

/// Outputs, and what the cfg says.
fn finish(
    mut net: Net,
    cfg: &Cfg,
    options: &ImportOptions,
) -> Result<(Graph, ImportSays), ImportError> {
    let mut says = ImportSays::default();
    if let Some(heads) = heads::finish(&mut net, options.in_graph)? {
        says.purpose = Some(Purpose::ObjectDetection);
        says.classes = Some(heads.classes);
        says.outputs = heads.outputs;
        says.decoder = Some(heads.decoder);
        says.inputs = detector_input(&net).map(|input| vec![input]);
    } else {
        let last = net.before();
        let mut output = last.value.clone();
        if output == net.input.value {
            output = net.builder.add("Identity", "output", &[&output], []);
            net.state(&last.with(output.clone()));
        }
        net.builder.output(&output);
        says.outputs = vec![output];
        if is_classifier(cfg) && (last.height, last.width) == (1, 1) {
            says.purpose = Some(Purpose::Classification);
            says.classes = Some(last.channels);
            says.decoder = Some(DecoderSpec {
                kind: "classification".to_owned(),
                parameters: Value::Null,
                evaluate: None,
                deploy: None,
            });
        }
    }
    let Net {
        builder,
        weights,
        mut notes,
        file,
        epsilon,
        ..
    } = net;
    weights.finish().map_err(|e| from_format(&file, &e))?;
    if says.inputs.is_none() {
        notes.push("the cfg does not say how a picture becomes the input".to_owned());
    }
    let word = match epsilon {
        Epsilon::Alexeyab => "sqrt(variance + 1e-5)",
        Epsilon::Opencv => "sqrt(variance + 1e-6)",
        Epsilon::Pjreddie => "sqrt(variance) + 1e-6",
    };
    notes.push(format!(
        "batch normalization divides by {word} and is folded into the weights"
    ));
    says.notes = notes;
    let graph = builder.finish().map_err(|e| ImportError::Malformed {
        framework: Framework::Darknet,
        reason: e.to_string(),
    })?;
    Ok((graph, says))
}

/// The last layer that gives something is a `[softmax]`.
fn is_classifier(cfg: &Cfg) -> bool {
    let silent = ["cost", "dropout", "empty", "silence"];
    let mut names = cfg.layers.iter().rev().map(|s| s.name.as_str());
    let last = names.find(|name| !silent.contains(name));
    matches!(last, Some("softmax" | "soft"))
}

/// How Darknet's detectors see a picture: stretched, RGB, from 0 to 1.
fn detector_input(net: &Net) -> Option<InputSpec> {
    let order = match net.input.channels {
        1 => ChannelOrder::Gray,
        3 => ChannelOrder::Rgb,
        _ => return None,
    };
    let Layer {
        channels,
        height,
        width,
        ..
    } = net.input;
    let side = |n: usize| u32::try_from(n).ok();
    Some(InputSpec {
        name: Some(INPUT.to_owned()),
        dtype: Some(DType::F32),
        layout: Layout::default(),
        shape: Some(vec![1, channels, height, width]),
        preprocess: vec![
            PreprocessStep::Resize {
                size: [side(width)?, side(height)?],
                mode: ResizeMode::Stretch,
                kernel: Kernel::OpencvLinear,
                rounding: Rounding::Nearest,
            },
            PreprocessStep::Channels(order),
            PreprocessStep::Normalize(Normalize {
                divisor: Some(255.0),
                ..Normalize::default()
            }),
        ],
    })
}
