//! The structure of an IR: layers with ports, and edges between ports.

use super::element::Element;
use super::tree::malformed;
use crate::FormatError;
use bytes::Bytes;
use std::collections::BTreeMap;

/// A graph as the file has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Net {
    /// Its name; may be empty.
    pub name: String,
    /// Version of the format: 4 to 7, 10, 11.
    pub version: u32,
    /// Layers in the file's order.
    pub layers: Vec<Layer>,
    /// Edges in the file's order.
    pub edges: Vec<Edge>,
}

/// One layer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Layer {
    /// Number, unique in the file.
    pub id: u64,
    /// Name; may be empty, and may be that of another layer.
    pub name: String,
    /// Kind: `Convolution`, …
    pub kind: String,
    /// Operation set (`opset1`, …) from version 10 on; else empty.
    pub opset: String,
    /// Element type that files before version 10 give to a layer, as written.
    pub precision: Option<String>,
    /// Names of its output, of a `Result` in files since 2024, as written.
    pub output_names: Option<String>,
    /// Attributes of `<data>`, as written.
    pub data: BTreeMap<String, String>,
    /// Input ports in the file's order.
    pub inputs: Vec<Port>,
    /// Output ports in the file's order.
    pub outputs: Vec<Port>,
    /// Weights of files before version 10, in the file's order.
    pub blobs: Vec<Blob>,
    /// It holds graphs of its own (a loop, a branch), which are not read.
    pub has_body: bool,
    /// Line at which it begins.
    pub line: usize,
}

/// A port of a layer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Port {
    /// Number, unique in its layer.
    pub id: u64,
    /// Element type, where the file says one that is known here.
    pub element: Option<Element>,
    /// Element type as written, where the file says one.
    pub precision: Option<String>,
    /// Axes; -1 is one that the file leaves open. `None` where the number of axes is open too.
    pub dims: Option<Vec<i64>>,
    /// Names of the tensor.
    pub names: Vec<String>,
}

/// A part of the second file.
#[derive(Debug, Clone, PartialEq)]
pub struct Blob {
    /// `weights`, `biases`, `custom`, …
    pub name: String,
    /// First byte.
    pub offset: u64,
    /// Number of bytes.
    pub size: u64,
    /// Element type as written, where the file says one.
    pub precision: Option<String>,
}

/// A tensor goes from an output port to an input port; layers by their position in
/// [`Net::layers`], ports by their position in the layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// Layer and output port.
    pub from: (usize, usize),
    /// Layer and input port.
    pub to: (usize, usize),
}

impl Layer {
    /// For messages: kind, name and line.
    pub fn place(&self) -> String {
        format!("{} `{}` (line {})", self.kind, self.name, self.line)
    }
}

impl Net {
    /// Positions of the layers in an order in which they can run: the file's own, where it is one.
    ///
    /// # Errors
    /// [`FormatError::Malformed`] for a cycle, with a layer on it.
    pub fn order(&self) -> Result<Vec<usize>, FormatError> {
        let mut waits = vec![0usize; self.layers.len()];
        let mut next: Vec<Vec<usize>> = vec![Vec::new(); self.layers.len()];
        for edge in &self.edges {
            waits[edge.to.0] += 1;
            next[edge.from.0].push(edge.to.0);
        }
        let mut ready: std::collections::BTreeSet<usize> =
            (0..waits.len()).filter(|&l| waits[l] == 0).collect();
        let mut order = Vec::with_capacity(waits.len());
        while let Some(layer) = ready.pop_first() {
            order.push(layer);
            for &after in &next[layer] {
                waits[after] -= 1;
                if waits[after] == 0 {
                    ready.insert(after);
                }
            }
        }
        match waits.iter().position(|&w| w > 0) {
            None => Ok(order),
            Some(at) => {
                let layer = &self.layers[at];
                Err(malformed(
                    layer.line,
                    format!("layer `{}` depends on itself: a cycle", layer.name),
                ))
            }
        }
    }
}

impl Blob {
    /// Its bytes within the second file.
    ///
    /// # Errors
    /// [`FormatError::Malformed`] when the file is shorter, with expected and found bytes.
    pub fn slice(&self, file: &Bytes, layer: &Layer) -> Result<Bytes, FormatError> {
        let range = usize::try_from(self.offset)
            .ok()
            .zip(usize::try_from(self.size).ok())
            .and_then(|(start, size)| Some(start..start.checked_add(size)?));
        match range {
            Some(range) if range.end <= file.len() => Ok(file.slice(range)),
            _ => Err(malformed(
                layer.line,
                format!(
                    "`{}` of layer `{}` is {} bytes at {}, and the weights file has {} bytes",
                    self.name,
                    layer.name,
                    self.size,
                    self.offset,
                    file.len()
                ),
            )),
        }
    }
}
