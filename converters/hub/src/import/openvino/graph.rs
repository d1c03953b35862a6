//! From the layers of a file to a graph: inputs, constants, outputs and their names; the layers
//! between by the tables.

use super::attributes::Attributes;
use super::context::{Op, Val, widened};
use super::ends::{close, dimension, element_type, of_constant, open_shape, widen};
use super::heads::{Head, describe};
use super::{LAYERS, OPERATORS, Problem, Translate, fold};
use crate::graph::{Builder, ElementType, Graph, Tensor, Value};
use crate::import::{files::malformed, rename::rename};
use bytes::Bytes;
use dyno_core::{Framework, ImportError, ImportOptions, ImportSays};
use dyno_formats::openvino::{Element, Layer, Net};
use std::collections::{BTreeMap, BTreeSet};

/// Layer and output port.
type Place = (usize, usize);

struct Translator<'a> {
    net: &'a Net,
    weights: &'a Bytes,
    options: &'a ImportOptions,
    builder: Builder,
    values: BTreeMap<Place, Val>,
    inputs: Vec<Value>,
    /// Results in the file's order: where they come from, and their names.
    results: Vec<(Place, String)>,
    says: ImportSays,
    unsupported: Vec<String>,
    used: BTreeSet<String>,
    /// Output ports that a layer reads.
    consumed: BTreeSet<Place>,
    /// Heads that were cut, in the order of computation, and whose output each stands for.
    heads: Vec<Head>,
    cuts: BTreeMap<Place, usize>,
}

/// The graph of a file and what it says beside it.
pub(super) fn translate(
    xml: &[u8],
    weights: &Bytes,
    options: &ImportOptions,
) -> Result<(Graph, ImportSays), ImportError> {
    let wrong = |e: dyno_formats::FormatError| malformed(Framework::OpenVino, &e);
    let net = dyno_formats::openvino::read(xml).map_err(wrong)?;
    let order = net.order().map_err(wrong)?;
    let mut translator = Translator {
        net: &net,
        weights,
        options,
        builder: Builder::new(net.name.clone()),
        values: BTreeMap::new(),
        inputs: Vec::new(),
        results: Vec::new(),
        says: ImportSays::default(),
        unsupported: Vec::new(),
        used: BTreeSet::new(),
        consumed: net.edges.iter().map(|e| e.from).collect(),
        heads: Vec::new(),
        cuts: BTreeMap::new(),
    };
    translator.all(&order)?;
    if !translator.unsupported.is_empty() {
        return Err(ImportError::Unsupported {
            operators: translator.unsupported,
        });
    }
    translator.finish()
}

/// Name of an output port in OpenVINO's own interface: the least of the tensor's names, else (and
/// always up to version 10) the layer's, with the port's position if it has several.
fn public_name(net: &Net, (layer, port): Place) -> String {
    let layer = &net.layers[layer];
    let names = layer.outputs.get(port).map_or(&[][..], |p| &p.names);
    match names.iter().min().filter(|_| net.version > 10) {
        Some(name) => name.clone(),
        None if layer.outputs.len() > 1 => format!("{}.{port}", layer.name),
        None => layer.name.clone(),
    }
}

impl Translator<'_> {
    fn is_old(&self) -> bool {
        self.net.version < 10
    }

    fn all(&mut self, order: &[usize]) -> Result<(), ImportError> {
        let mut sources = BTreeMap::new();
        for edge in &self.net.edges {
            sources.insert(edge.to, edge.from);
        }
        // Inputs in the file's order, whatever the order of computation.
        for (at, layer) in self.net.layers.iter().enumerate() {
            if !matches!(layer.kind.as_str(), "Parameter" | "Input") {
                continue;
            }
            if let Err(problem) = self.parameter(at, layer) {
                let problem = format!("{}: {problem}", layer.place());
                self.unsupported.push(problem);
            }
        }
        for &at in order {
            let layer = &self.net.layers[at];
            match layer.kind.as_str() {
                "Parameter" | "Input" | "Result" => {}
                "Const" => {
                    if let Err(problem) = self.constant(at, layer)? {
                        self.unsupported
                            .push(format!("{}: {problem}", layer.place()));
                    }
                }
                _ => self.layer(at, layer, &sources),
            }
        }
        for (at, layer) in self.net.layers.iter().enumerate() {
            if layer.kind == "Result" {
                let source = sources
                    .get(&(at, 0))
                    .ok_or_else(|| Self::place(layer, "an output that nothing is connected to"))?;
                let name = layer.result_names().into_iter().min();
                let name = name.filter(|_| self.net.version > 10);
                let name = name.unwrap_or_else(|| public_name(self.net, *source));
                self.results.push((*source, name));
            } else if self.is_old() && layer.kind != "Const" {
                // Old files have no results: what nobody reads is an output.
                for port in 0..layer.outputs.len() {
                    if !self.consumed.contains(&(at, port)) {
                        self.results
                            .push(((at, port), public_name(self.net, (at, port))));
                    }
                }
            }
        }
        Ok(())
    }

    fn place(layer: &Layer, problem: &str) -> ImportError {
        malformed(
            Framework::OpenVino,
            &format!("{}: {problem}", layer.place()),
        )
    }

    fn parameter(&mut self, at: usize, layer: &Layer) -> Result<(), Problem> {
        let name = public_name(self.net, (at, 0));
        let port = layer.outputs.first().ok_or("an input without a port")?;
        let (element, said) = if self.is_old() {
            let precision = port.precision.as_deref().or(layer.precision.as_deref());
            (precision.unwrap_or("FP32"), None)
        } else {
            let element = layer.data.get("element_type").map(String::as_str);
            (
                element.ok_or("attribute `element_type` is missing")?,
                layer.data.get("shape"),
            )
        };
        let dtype = element_type(element)?;
        let dims = match said {
            Some(text) => open_shape(text)?,
            None => port.dims.clone().ok_or("the number of axes is open")?,
        };
        let dims = match self.options.shapes.get(&name) {
            Some(asked) => {
                self.used.insert(name.clone());
                close(&dims, asked)?
            }
            None => dims,
        };
        if matches!(element, "f16" | "FP16" | "bf16" | "BF16") {
            self.says.notes.push(format!(
                "input `{name}` is {element} in the file and f32 in the graph"
            ));
        }
        let unique = self.builder.unique(&name);
        if unique != name {
            return Err(format!("two inputs are called `{name}`"));
        }
        let value = Value {
            name: name.clone(),
            dtype: Some(dtype),
            shape: Some(dims.iter().map(|&d| dimension(d)).collect()),
        };
        self.builder.state(value.clone());
        self.inputs.push(value);
        let val = Val {
            wanted: name.clone(),
            name: Some(name),
            dtype,
            dims: Some(dims),
            tensor: None,
        };
        self.values.insert((at, 0), val);
        Ok(())
    }

    /// The outer error is of the file, the inner one of what cannot be expressed.
    fn constant(&mut self, at: usize, layer: &Layer) -> Result<Result<(), Problem>, ImportError> {
        let (element, dims, blob) = if self.is_old() {
            let port = layer.outputs.first();
            let blob = layer.blobs.first().cloned();
            let dims = port.and_then(|p| p.dims.clone()).unwrap_or_default();
            let precision = port.and_then(|p| p.precision.clone());
            let precision = blob
                .as_ref()
                .and_then(|b| b.precision.clone())
                .or(precision);
            (precision.or_else(|| layer.precision.clone()), dims, blob)
        } else {
            let number = |key: &str| layer.data.get(key).and_then(|v| v.parse::<u64>().ok());
            let blob = number("offset").zip(number("size")).map(|(offset, size)| {
                dyno_formats::openvino::Blob {
                    name: "constant".to_owned(),
                    offset,
                    size,
                    precision: None,
                }
            });
            let shape = layer.data.get("shape").map_or("", String::as_str);
            let dims = open_shape(shape).map_err(|e| Self::place(layer, &e))?;
            (layer.data.get("element_type").cloned(), dims, blob)
        };
        let element = element.unwrap_or_else(|| "no type".to_owned());
        let blob =
            blob.ok_or_else(|| Self::place(layer, "a constant without `offset` and `size`"))?;
        let bytes = blob
            .slice(self.weights, layer)
            .map_err(|e| malformed(Framework::OpenVino, &e))?;
        let Some(element) = Element::from_name(&element) else {
            return Ok(Err(format!("elements of type `{element}`")));
        };
        let dims: Option<Vec<usize>> = dims.iter().map(|&d| usize::try_from(d).ok()).collect();
        let dims = dims.ok_or_else(|| Self::place(layer, "a constant of open shape"))?;
        let expected = dims
            .iter()
            .try_fold(1usize, |n, &d| n.checked_mul(d))
            .and_then(|n| element.bytes(n));
        // A tensor without elements is written as one byte.
        let bytes = if expected == Some(0) {
            Bytes::new()
        } else {
            bytes
        };
        if expected != Some(bytes.len()) {
            let expected = expected.map_or("too many".to_owned(), |n| n.to_string());
            let text = format!(
                "a constant {element}{dims:?} has {expected} bytes, and the file gives it {}",
                bytes.len()
            );
            return Err(Self::place(layer, &text));
        }
        let dtype = match widened(element) {
            Ok(dtype) => dtype,
            Err(problem) => return Ok(Err(problem)),
        };
        let tensor = Tensor::new(dtype, dims, widen(element, bytes))
            .map_err(|e| Self::place(layer, &e.to_string()))?;
        let wanted = public_name(self.net, (at, 0));
        self.values.insert((at, 0), of_constant(tensor, wanted));
        Ok(Ok(()))
    }

    fn layer(&mut self, at: usize, layer: &Layer, sources: &BTreeMap<Place, Place>) {
        let table = if self.is_old() { LAYERS } else { OPERATORS };
        let row = table.iter().find(|(kind, _)| *kind == layer.kind);
        let known = self.is_old() || layer.opset.starts_with("opset");
        let Some((_, function)) = row.filter(|_| known && !layer.has_body) else {
            let set = if known { "" } else { layer.opset.as_str() };
            self.unsupported.push(format!(
                "{set}{}{}",
                if set.is_empty() { "" } else { "::" },
                layer.place()
            ));
            return;
        };
        let mut inputs = Vec::with_capacity(layer.inputs.len());
        for port in 0..layer.inputs.len() {
            match sources.get(&(at, port)) {
                None => inputs.push(None),
                Some(source) if self.cuts.contains_key(source) => {
                    self.unsupported.push(format!(
                        "{}: it reads a decoding head; ask for heads in the graph",
                        layer.place()
                    ));
                    return;
                }
                Some(source) => match self.values.get(source) {
                    Some(val) => inputs.push(Some(val.clone())),
                    // It comes from a layer that is unsupported, and said to be.
                    None => return,
                },
            }
        }
        if let Err(problem) = self.one(at, layer, *function, &mut inputs) {
            self.unsupported
                .push(format!("{}: {problem}", layer.place()));
        }
        // Constants that became initializers keep their names for the next layer.
        for (port, value) in inputs.into_iter().enumerate() {
            let source = sources.get(&(at, port)).copied();
            if let Some((source, value)) = source.zip(value) {
                self.values.insert(source, value);
            }
        }
    }

    fn one(
        &mut self,
        at: usize,
        layer: &Layer,
        function: Translate,
        inputs: &mut [Option<Val>],
    ) -> Result<(), Problem> {
        let known = |port: usize| -> Result<Option<ElementType>, Problem> {
            let element = layer.outputs.get(port).and_then(|p| p.element);
            element.map(widened).transpose()
        };
        let mut notes = Vec::new();
        let used = self.used_ports(at);
        let mut op = Op {
            builder: &mut self.builder,
            layer,
            attributes: Attributes::new(layer),
            inputs,
            weights: self.weights,
            in_graph: self.options.in_graph,
            notes: &mut notes,
            used,
            head: None,
        };
        if let Some(tensor) = fold::fold(&op, known(0)?) {
            let wanted = public_name(self.net, (at, 0));
            self.values.insert((at, 0), of_constant(tensor, wanted));
            return Ok(());
        }
        let names = function(&mut op)?;
        let unread = op.attributes.unread();
        if !unread.is_empty() {
            return Err(format!("attributes {unread:?}"));
        }
        let head = op.head.take();
        if let Some(head) = head {
            self.cuts.insert((at, 0), self.heads.len());
            self.heads.push(head);
            self.says.notes.append(&mut notes);
            return Ok(());
        }
        self.says.notes.append(&mut notes);
        for (port, name) in names.into_iter().enumerate() {
            let Some(said) = layer.outputs.get(port) else {
                break;
            };
            // Its type may be another than the file's, and nobody asks.
            if !self.consumed.contains(&(at, port)) && !self.is_old() {
                continue;
            }
            let inferred = self.builder.value(&name);
            let dtype = known(port)?.or(inferred.as_ref().and_then(|v| v.dtype));
            let dtype = dtype.unwrap_or(ElementType::F32);
            let tensor = self.builder.tensor(&name).cloned();
            if inferred.as_ref().is_none_or(|v| v.shape.is_none()) {
                self.builder.state(Value {
                    name: name.clone(),
                    dtype: Some(dtype),
                    shape: said
                        .dims
                        .as_ref()
                        .map(|dims| dims.iter().map(|&d| dimension(d)).collect()),
                });
            }
            let val = Val {
                wanted: name.clone(),
                name: Some(name),
                dtype,
                dims: said.dims.clone(),
                tensor,
            };
            self.values.insert((at, port), val);
        }
        Ok(())
    }

    fn used_ports(&self, at: usize) -> Vec<bool> {
        let ports = self.net.layers[at].outputs.len();
        (0..ports)
            .map(|port| self.consumed.contains(&(at, port)))
            .collect()
    }

    /// An output is the output of a node, and of one node only: `name`, or a node that repeats it.
    fn as_output(&mut self, name: &str, wanted: &str, outputs: &[(String, String)]) -> String {
        let taken = self.builder.tensor(name).is_some()
            || self.inputs.iter().any(|v| v.name == name)
            || outputs.iter().any(|o| o.0 == name);
        if taken {
            let output = self.builder.add("Identity", wanted, &[name], []);
            if let Some(known) = self.builder.value(name) {
                self.builder.state(Value {
                    name: output.clone(),
                    ..known
                });
            }
            return output;
        }
        name.to_owned()
    }

    fn finish(mut self) -> Result<(Graph, ImportSays), ImportError> {
        if let Some(name) = self.options.shapes.keys().find(|n| !self.used.contains(*n)) {
            return Err(ImportError::Option(format!(
                "a shape was given for `{name}`, and there is no such input"
            )));
        }
        if self.results.is_empty() {
            return Err(malformed(Framework::OpenVino, &"a net without outputs"));
        }
        let mut outputs: Vec<(String, String)> = Vec::new();
        // Positions among the outputs of what heads read, with the head.
        let mut cut = Vec::new();
        for (place, wanted) in std::mem::take(&mut self.results) {
            if let Some(&head) = self.cuts.get(&place) {
                let Head::Region(region) = &self.heads[head];
                let name = region.output.clone();
                let node = self.as_output(&name, &name, &outputs);
                cut.push((outputs.len(), head));
                outputs.push((node, name));
                continue;
            }
            let Some(mut val) = self.values.get(&place).cloned() else {
                let layer = &self.net.layers[place.0];
                return Err(Self::place(layer, "an output that no layer gives"));
            };
            let name = match (&val.name, val.tensor.take()) {
                (Some(name), None) => name.clone(),
                (_, Some(tensor)) => self.builder.constant(&val.wanted, tensor),
                (None, None) => wanted.clone(),
            };
            let node = self.as_output(&name, &wanted, &outputs);
            outputs.push((node, wanted));
        }
        let finished = self.builder.finish();
        let mut graph = finished.map_err(|e| malformed(Framework::OpenVino, &e))?;
        graph.inputs = self.inputs;
        let mut names = BTreeMap::new();
        let mut wanted_by: BTreeSet<String> = graph.inputs.iter().map(|v| v.name.clone()).collect();
        for (name, wanted) in &outputs {
            let mut public = wanted.clone();
            while !wanted_by.insert(public.clone()) {
                public.push('_');
            }
            names.insert(name.clone(), public);
        }
        rename(&mut graph, &names);
        let mut heads = Vec::new();
        for (position, head) in cut {
            let Head::Region(mut region) = self.heads[head].clone();
            region.output = outputs
                .get(position)
                .and_then(|(name, _)| names.get(name).cloned())
                .unwrap_or_default();
            heads.push(region);
        }
        describe(&heads, &mut self.says);
        for (name, _) in &outputs {
            let public = names.get(name).cloned().unwrap_or_default();
            let value = graph.value(&public);
            graph
                .outputs
                .push(value.unwrap_or_else(|| Value::unknown(public)));
        }
        for value in graph.inputs.iter().chain(&graph.outputs) {
            graph.values.remove(&value.name);
        }
        graph.metadata.insert(
            "format".to_owned(),
            format!("OpenVINO IR v{}", self.net.version),
        );
        Ok((graph, self.says))
    }
}
