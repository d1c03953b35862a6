//! Row of the importer table: from the two files to ONNX.

use super::{assemble::assemble, net, problem::Problem};
use bytes::Bytes;
use dyno_core::{
    FileRole, Framework, ImportError, ImportOptions, ImportSays, Imported, Importer, ModelContent,
    ModelFile, Purpose,
};
use dyno_formats::caffe::{CaffeModel, TextMessage};
use std::{fs, path::Path};

/// Row of the importer table.
///
/// Options: [`ImportOptions::shapes`] by names of inputs; `parameters` has `batch`, a number or
/// `file` for what the text says: as Caffe's users do, images are taken one at a time without it.
#[derive(Debug, Clone, Copy)]
pub struct Caffe;

/// Parameters that [`Caffe`] knows.
const PARAMETERS: &[&str] = &["batch"];

fn malformed(reason: impl Into<String>) -> ImportError {
    ImportError::Malformed {
        framework: Framework::Caffe,
        reason: reason.into(),
    }
}

fn read(file: &ModelFile) -> Result<Bytes, ImportError> {
    match &file.content {
        ModelContent::Bytes(bytes) => Ok(Bytes::copy_from_slice(bytes)),
        ModelContent::Path(path) => read_path(path)
            .map(Bytes::from)
            .map_err(|e| malformed(format!("`{}` cannot be read: {e}", path.display()))),
    }
}

fn read_path(path: &Path) -> std::io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(std::io::Error::other("it is no regular file"));
    }
    fs::read(path)
}

/// The bytes are text: no control characters but blanks, which lengths and tags of the binary form
/// soon are.
fn is_text(bytes: &[u8]) -> bool {
    let head = bytes.get(..bytes.len().min(4096)).unwrap_or_default();
    head.iter().all(|b| *b >= b' ' || b.is_ascii_whitespace())
}

/// The text of the net and its weights.
fn files(files: &[ModelFile]) -> Result<(Bytes, Option<Bytes>), ImportError> {
    let of = |role| files.iter().find(|f| f.role == role).map(read).transpose();
    let (model, config) = (of(FileRole::Model)?, of(FileRole::Config)?);
    match (model, config) {
        (Some(model), Some(config)) => match (is_text(&model), is_text(&config)) {
            (_, true) => Ok((config, Some(model))),
            (true, false) => Ok((model, Some(config))),
            (false, false) => Err(malformed("neither of the two files is the text of a net")),
        },
        (Some(one), None) | (None, Some(one)) if is_text(&one) => Ok((one, None)),
        (Some(_), None) | (None, Some(_)) => Err(malformed(
            "weights alone do not say the net: its `.prototxt` is missing (role `config`)",
        )),
        (None, None) => Err(malformed("no file of role `model` was given")),
    }
}

impl Importer for Caffe {
    fn id(&self) -> &'static str {
        "caffe"
    }

    fn framework(&self) -> Framework {
        Framework::Caffe
    }

    fn version(&self) -> u32 {
        1
    }

    fn import(
        &self,
        model: &[ModelFile],
        options: &ImportOptions,
    ) -> Result<Imported, ImportError> {
        if let Some(unknown) = options
            .parameters
            .keys()
            .find(|k| !PARAMETERS.contains(&k.as_str()))
        {
            return Err(ImportError::Option(format!(
                "the importer `caffe` has no parameter `{unknown}` (there are: {})",
                PARAMETERS.join(", ")
            )));
        }
        let (text, weights) = files(model)?;
        let text = TextMessage::read(&text).map_err(|e| malformed(e.to_string()))?;
        let weights = weights
            .map(CaffeModel::read)
            .transpose()
            .map_err(|e| malformed(e.to_string()))?;
        let (net, mut problems) = net::read(&text);
        let made = assemble(net, weights, options, &mut problems);
        refuse(problems)?;
        let says = ImportSays {
            purpose: made.decoder.is_some().then_some(Purpose::ObjectDetection),
            inputs: None,
            decoder: made.decoder,
            classes: made.classes,
            outputs: made.outputs,
            notes: made.notes,
        };
        let onnx = made.graph.to_onnx().map_err(|e| malformed(e.to_string()))?;
        Ok(Imported { onnx, says })
    }
}

/// All problems at once; contradictions alone are a malformed model.
fn refuse(problems: Vec<Problem>) -> Result<(), ImportError> {
    let mut operators = Vec::new();
    let mut reasons = Vec::new();
    for problem in problems {
        match problem {
            Problem::Unsupported(text) => operators.push(text),
            Problem::Malformed(text) => reasons.push(text),
        }
    }
    if !operators.is_empty() {
        operators.extend(reasons);
        return Err(ImportError::Unsupported { operators });
    }
    if reasons.is_empty() {
        return Ok(());
    }
    Err(malformed(reasons.join("; ")))
}
