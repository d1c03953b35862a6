//! Attributes that ONNX lets a file leave out and rten 0.27 cannot do without, written out.
//!
//! rten takes the number of spatial axes from `kernel_shape`, which a convolution may leave to its
//! weights, and has no default for the `strides` of a pool. Both follow from the standard (`Conv`,
//! `MaxPool`, `AveragePool`: strides are 1 along each axis). rten reads files with the very types
//! that are used here, so that writing the file again loses nothing that it would see.

use rten_onnx::onnx::{AttributeProto, AttributeType, GraphProto, ModelProto, NodeProto};
use std::collections::BTreeMap;

/// The file with these attributes; unchanged when it has them all.
///
/// # Errors
/// When the file cannot be read or written again.
pub(super) fn written_out(bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    let mut model = ModelProto::parse_buf(&bytes).map_err(|e| e.to_string())?;
    let added = model.graph.as_mut().map_or(0, complete);
    if added == 0 {
        Ok(bytes)
    } else {
        model
            .write_buf()
            .map_err(|e| format!("the file cannot be written with explicit strides: {e}"))
    }
}

/// Adds what is missing in a graph and in those inside it; returns how many attributes.
fn complete(graph: &mut GraphProto) -> usize {
    // Axes of weights: their dimensions behind the two of channels.
    let axes: BTreeMap<&str, &[i64]> = graph
        .initializer
        .iter()
        .filter_map(|t| Some((t.name.as_deref()?, t.dims.get(2..)?)))
        .collect();
    let mut added = 0;
    for node in &mut graph.node {
        added += match node.op_type.as_deref() {
            Some("MaxPool" | "AveragePool") => strides(node),
            Some("Conv" | "ConvTranspose" | "ConvInteger") => {
                let kernel = node
                    .input
                    .get(1)
                    .and_then(|w| axes.get(w.as_str()))
                    .map(|k| k.to_vec());
                kernel.map_or(0, |k| add(node, "kernel_shape", k))
            }
            _ => 0,
        };
        added += node
            .attribute
            .iter_mut()
            .filter_map(|a| a.g.as_mut())
            .map(complete)
            .sum::<usize>();
    }
    added
}

fn strides(node: &mut NodeProto) -> usize {
    let axes = node
        .attribute
        .iter()
        .find(|a| a.name.as_deref() == Some("kernel_shape"))
        .map_or(0, |a| a.ints.len());
    if axes == 0 {
        0
    } else {
        add(node, "strides", vec![1; axes])
    }
}

/// Adds a list of integers that the node does not have.
fn add(node: &mut NodeProto, name: &str, ints: Vec<i64>) -> usize {
    if ints.is_empty()
        || node
            .attribute
            .iter()
            .any(|a| a.name.as_deref() == Some(name))
    {
        return 0;
    }
    node.attribute.push(AttributeProto {
        name: Some(name.to_owned()),
        ints,
        r#type: Some(AttributeType::INTS),
        ..AttributeProto::default()
    });
    1
}
