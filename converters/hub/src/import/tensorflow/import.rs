//! The importer: from the file's bytes to those of an ONNX file.

use super::{
    net::Net,
    translate::{Request, translate},
};
use crate::import::files;
use bytes::Bytes;
use dyno_core::{FileRole, Framework, ImportError, ImportOptions, Imported, Importer, ModelFile};
use dyno_formats::tensorflow::GraphDef;

/// Row of the importer table.
#[derive(Debug, Clone, Copy)]
pub struct Tensorflow;

const FRAMEWORK: Framework = Framework::TensorFlow;

impl Importer for Tensorflow {
    fn id(&self) -> &'static str {
        "tensorflow"
    }

    fn framework(&self) -> Framework {
        FRAMEWORK
    }

    fn version(&self) -> u32 {
        1
    }

    fn import(
        &self,
        files: &[ModelFile],
        options: &ImportOptions,
    ) -> Result<Imported, ImportError> {
        let bytes = files::bytes(files, FileRole::Model, FRAMEWORK)?;
        let mut imported = Self::import_bytes(bytes, options)?;
        if files.iter().any(|f| f.role == FileRole::Config) {
            let note = "the second file, a graph in text for another program, is not read: the \
                        frozen graph says all";
            imported.says.notes.push(note.to_owned());
        }
        Ok(imported)
    }
}

impl Tensorflow {
    /// A frozen graph's bytes as a complete ONNX file.
    ///
    /// # Errors
    /// As [`Importer::import`].
    pub fn import_bytes(bytes: Bytes, options: &ImportOptions) -> Result<Imported, ImportError> {
        for name in options.parameters.keys() {
            if name != "outputs" {
                return Err(ImportError::Option(format!(
                    "the importer of TensorFlow graphs has no parameter `{name}`; it has: outputs"
                )));
            }
        }
        let size = bytes.len();
        let graph = GraphDef::read(bytes).map_err(|e| files::malformed(FRAMEWORK, &e))?;
        let request = Request {
            shapes: &options.shapes,
            outputs: options.parameters.get("outputs").map(String::as_str),
            bytes: size,
            in_graph: options.in_graph,
        };
        // The file's graph goes before the ONNX file is made: two copies of the weights, not three.
        let (graph, says) = {
            let net = Net::new(graph);
            translate(&net, &request)?
        };
        let onnx = graph
            .to_onnx()
            .map_err(|e| files::malformed(FRAMEWORK, &e))?;
        Ok(Imported { onnx, says })
    }
}
