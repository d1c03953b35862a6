//! Files as OpenVINO reads them: ONNX, IR and frozen graphs of TensorFlow, each checked first.

use super::{
    backend::ID,
    ffi::{Core, Graph, Place, Port},
    ir,
};
use crate::{files, graph_def};
use dyno_core::{BackendError, FileRole, Framework, ModelContent, ModelSource, TensorInfo};
use dyno_formats::onnx::{GraphFacts, OnnxFile};
use std::{ffi::CString, fs};

/// A model that was read, and what its file declares.
pub(super) struct Source {
    pub(super) graph: Graph,
    /// `int8` for quantized arithmetic, else the type of the floating-point weights.
    pub(super) precision: &'static str,
    pub(super) inputs: Vec<TensorInfo>,
    pub(super) input_places: Vec<Place>,
    pub(super) output_names: Vec<String>,
    pub(super) output_places: Vec<Place>,
    /// What an ONNX file says of its outputs.
    pub(super) onnx: Option<GraphFacts>,
}

/// Reads a model.
///
/// # Errors
/// [`BackendError::Load`] with the place or the library's words.
pub(super) fn read(core: &Core, model: &ModelSource) -> Result<Source, BackendError> {
    let source = match model.framework {
        Framework::Onnx => read_onnx(core, model),
        Framework::OpenVino => read_ir(core, model),
        Framework::TensorFlow => read_tensorflow(core, model),
        other => Err(format!("it reads no files of {other}")),
    };
    source.map_err(load)
}

/// An error of loading.
pub(super) fn load(reason: String) -> BackendError {
    BackendError::Load {
        backend: ID,
        reason,
    }
}

fn read_onnx(core: &Core, model: &ModelSource) -> Result<Source, String> {
    let OnnxFile { bytes, facts } = OnnxFile::read(model).map_err(|e| e.to_string())?;
    let graph = core.read_bytes(&bytes, &[]).map_err(|e| plain(&e))?;
    let place = |name: &str| {
        CString::new(name)
            .map(Place::Name)
            .map_err(|e| format!("name `{name}`: {e}"))
    };
    let output_names = facts.output_names();
    Ok(Source {
        graph,
        precision: facts.precision,
        inputs: facts.inputs.clone(),
        input_places: facts
            .inputs
            .iter()
            .map(|i| place(&i.name))
            .collect::<Result<_, _>>()?,
        output_places: output_names
            .iter()
            .map(|n| place(n))
            .collect::<Result<_, _>>()?,
        output_names,
        onnx: Some(facts),
    })
}

fn read_ir(core: &Core, model: &ModelSource) -> Result<Source, String> {
    let file = files::model(model)?;
    let text = files::bytes(file)?;
    let facts = ir::read(&text)?;
    let weights = model
        .file(FileRole::Config)
        .or_else(|| model.file(FileRole::Weights))
        .ok_or("the weights of the IR (its `.bin`) were not given")?;
    let weights = files::bytes(weights)?;
    let graph = core.read_bytes(&text, &weights).map_err(|e| plain(&e))?;
    let precision = if facts.quantized { "int8" } else { "f32" };
    by_number(graph, precision, |name| name)
}

fn read_tensorflow(core: &Core, model: &ModelSource) -> Result<Source, String> {
    let file = files::model(model)?;
    let ModelContent::Path(path) = &file.content else {
        return Err("a frozen graph in memory: OpenVINO reads those from files only".to_owned());
    };
    let graph_def::Outline { outputs, .. } = graph_def::read(&files::bytes(file)?)?;
    let path = fs::canonicalize(path).map_err(|e| e.to_string())?;
    let text = path.to_str().ok_or("the path is not UTF-8")?;
    let graph = core
        .read_file(&CString::new(text).map_err(|e| e.to_string())?)
        .map_err(|e| plain(&e))?;
    // TensorFlow's `data:0` is the first output of the node `data`, and files are known by nodes.
    let mut source = by_number(graph, "f32", |name| {
        name.strip_suffix(":0").map_or(name.clone(), str::to_owned)
    })?;
    let places: Option<Vec<(String, Place)>> = outputs
        .into_iter()
        .map(|name| {
            let place = Place::Name(CString::new(format!("{name}:0")).ok()?);
            source.graph.has_output(&place).then_some((name, place))
        })
        .collect();
    // Where the library sees other outputs than the nodes that nobody uses, its names stand.
    if let Some(places) = places
        && places.len() == source.output_names.len()
    {
        (source.output_names, source.output_places) = places.into_iter().unzip();
    }
    Ok(source)
}

/// A model whose file was not read here: what the library says of it.
fn by_number(
    graph: Graph,
    precision: &'static str,
    name: impl Fn(String) -> String,
) -> Result<Source, String> {
    let named = |port: &Port, kind: &str, index: usize| {
        port.name().map_or_else(|| format!("{kind}_{index}"), &name)
    };
    let mut inputs = Vec::new();
    for (index, port) in graph.inputs()?.iter().enumerate() {
        let name = named(port, "input", index);
        let dtype = port
            .dtype()?
            .map_err(|t| format!("input `{name}` has element type {t}"))?;
        let shape = port
            .shape()?
            .ok_or_else(|| format!("input `{name}` declares no rank"))?;
        inputs.push(TensorInfo::new(name, dtype, shape));
    }
    let output_names: Vec<String> = graph
        .outputs()?
        .iter()
        .enumerate()
        .map(|(index, port)| named(port, "output", index))
        .collect();
    if inputs.is_empty() || output_names.is_empty() {
        return Err(format!(
            "the graph has {} inputs and {} outputs",
            inputs.len(),
            output_names.len()
        ));
    }
    Ok(Source {
        graph,
        precision,
        input_places: (0..inputs.len()).map(Place::Index).collect(),
        inputs,
        output_places: (0..output_names.len()).map(Place::Index).collect(),
        output_names,
        onnx: None,
    })
}

/// The library's words without the places in its own source, and operators that it lacks by name.
pub(super) fn plain(text: &str) -> String {
    const LACKS: &str = "No conversion rule found for operations:";
    let lacking: Vec<&str> = text
        .lines()
        .filter_map(|l| l.split_once(LACKS))
        .map(|(_, names)| names.trim())
        .collect();
    if !lacking.is_empty() {
        return format!("operators that OpenVINO lacks: {}", lacking.join(", "));
    }
    let kept: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty())
        .filter(|l| !l.starts_with("Exception from ") && !l.starts_with("Check '"))
        .collect();
    if kept.is_empty() {
        text.trim().to_owned()
    } else {
        kept.join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_the_library_without_its_source() {
        let text = "Exception from src/inference/src/cpp/core.cpp:84:\nCheck 'false' failed at src/x.cpp:151:\nFrontEnd API failed with OpConversionFailure:\nModel wasn't fully converted.\nSummary:\n-- No conversion rule found for operations: Wobble-17, acme.Frobnicate\n\n\n";
        assert_eq!(
            plain(text),
            "operators that OpenVINO lacks: Wobble-17, acme.Frobnicate"
        );
        assert_eq!(
            plain("Exception from src/a.cpp:1:\nDevice `X` is not registered\n\n"),
            "Device `X` is not registered"
        );
        assert_eq!(
            plain("Exception from src/a.cpp:1:"),
            "Exception from src/a.cpp:1:"
        );
    }
}
