//! From the net to the graph: layers in their order, blobs by name and version, outputs.

use super::{
    blob::{Blob, Source, volume},
    net::{Input, Layer, Net, Role},
    problem::Problem,
    scope::Scope,
};
use crate::graph::{Builder, ElementType, Graph, Tensor, Value};
use dyno_core::{DecoderSpec, ImportOptions};
use dyno_formats::caffe::{self, CaffeModel};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The parameter that says how many images a run has.
const BATCH: &str = "batch";

/// A graph in the making.
pub(super) struct Assembly {
    pub(super) builder: Builder,
    pub(super) in_graph: bool,
    pub(super) notes: Vec<String>,
    pub(super) decoder: Option<DecoderSpec>,
    pub(super) classes: Option<usize>,
    /// Blobs that the decoder reads, in its order; they become the first outputs.
    pub(super) cut: Vec<String>,
    /// Current version of each blob; `None` when the layer that makes it cannot be expressed.
    blobs: BTreeMap<String, Option<Blob>>,
    /// Blobs with which the graph ends, because only a run knows their shape or they were cut off.
    ends: BTreeSet<String>,
    /// Values of such blobs.
    end_values: Vec<Value>,
    /// Blobs that nobody has read since they were made, in the order of making.
    open: Vec<String>,
    /// Position of the layer that makes the last version of a blob.
    last: BTreeMap<String, usize>,
    inputs: BTreeSet<String>,
    weights: Option<BTreeMap<String, Arc<Vec<caffe::Blob>>>>,
}

/// What came out.
pub(super) struct Assembled {
    pub(super) graph: Graph,
    pub(super) notes: Vec<String>,
    pub(super) decoder: Option<DecoderSpec>,
    pub(super) classes: Option<usize>,
    pub(super) outputs: Vec<String>,
}

impl Assembly {
    fn new(net: &Net, model: Option<CaffeModel>, in_graph: bool) -> Self {
        let mut last = BTreeMap::new();
        for (index, (layer, role)) in net.layers.iter().enumerate() {
            // A layer that hands its bottom on makes no value.
            let alias = layer.kind == "Dropout";
            if matches!(role, Role::Compute(_)) && !(alias && layer.bottoms == layer.tops) {
                last.extend(layer.tops.iter().map(|top| (top.clone(), index)));
            }
        }
        let weights = model.map(|model| {
            let mut weights = BTreeMap::new();
            for layer in model.layers {
                // Caffe takes the last of several layers of one name.
                weights.insert(layer.name, Arc::new(layer.blobs));
            }
            weights
        });
        Self {
            builder: Builder::new(net.name.clone()),
            in_graph,
            notes: Vec::new(),
            decoder: None,
            classes: None,
            cut: Vec::new(),
            blobs: BTreeMap::new(),
            ends: BTreeSet::new(),
            end_values: Vec::new(),
            open: Vec::new(),
            last,
            inputs: BTreeSet::new(),
            weights,
        }
    }

    pub(super) fn has_weights(&self) -> bool {
        self.weights.is_some()
    }

    pub(super) fn weights(&self, layer: &str) -> Option<Arc<Vec<caffe::Blob>>> {
        self.weights.as_ref()?.get(layer).cloned()
    }

    /// The name of the value that layer `index` makes for blob `blob`: the blob's own for its last
    /// version, so that outputs are called as in Caffe.
    pub(super) fn value_name(&self, blob: &str, layer: &str, index: usize) -> String {
        if self.last.get(blob) == Some(&index) && !self.inputs.contains(blob) {
            blob.to_owned()
        } else {
            format!("{blob}@{layer}")
        }
    }

    /// A new version of a blob.
    pub(super) fn define(&mut self, name: &str, blob: Option<Blob>) {
        self.open.retain(|n| n != name);
        self.open.push(name.to_owned());
        self.blobs.insert(name.to_owned(), blob);
    }

    /// The graph ends with this blob: no layer can read it.
    pub(super) fn end(&mut self, name: &str, value: Option<Value>) {
        self.ends.insert(name.to_owned());
        self.end_values.extend(value);
    }

    /// Reads a blob's current version.
    fn read(&mut self, name: &str) -> Result<Option<Blob>, Problem> {
        if self.ends.contains(name) {
            return Err(Problem::unsupported(format!(
                "it reads the detections `{name}`, with which the graph ends"
            )));
        }
        let blob = self.blobs.get(name).cloned();
        let blob = blob.ok_or_else(|| {
            Problem::malformed(format!("no layer before it makes the blob `{name}`"))
        })?;
        self.open.retain(|n| n != name);
        Ok(blob)
    }

    fn input(&mut self, input: &Input, options: &ImportOptions) -> Result<(), Problem> {
        if self.blobs.contains_key(&input.name) {
            return Err(Problem::malformed(format!(
                "the blob `{}` is made twice",
                input.name
            )));
        }
        let mut dims = match (options.shapes.get(&input.name), &input.dims) {
            (Some(shape), _) => {
                return self.add_input(&input.name, shape.clone());
            }
            (None, Some(dims)) => dims.clone(),
            (None, None) => {
                self.blobs.insert(input.name.clone(), None);
                return Err(Problem::malformed(format!(
                    "the net does not say the shape of input `{}`: it must be given",
                    input.name
                )));
            }
        };
        let batch = match options.parameters.get(BATCH).map(String::as_str) {
            Some("file") => None,
            Some(number) => Some(number.parse().map_err(|_| {
                Problem::malformed(format!("`{BATCH}` is a number or `file`, not `{number}`"))
            })?),
            None => Some(1),
        };
        if let (Some(batch), [first, _, _, _]) = (batch, dims.as_mut_slice())
            && *first != batch
        {
            self.notes.push(format!(
                "input `{}`: the file's batch of {first} is taken as {batch}",
                input.name
            ));
            *first = batch;
        }
        self.add_input(&input.name, dims)
    }

    fn add_input(&mut self, name: &str, dims: Vec<usize>) -> Result<(), Problem> {
        if volume(&dims)? == 0 {
            return Err(Problem::malformed(format!(
                "input `{name}` of shape {dims:?} is empty"
            )));
        }
        let value = self.builder.input(name, ElementType::F32, &dims);
        self.blobs
            .insert(name.to_owned(), Some(Blob::value(value, dims)));
        Ok(())
    }

    /// Lowers one layer. With a bottom that is not known its tops are not known either.
    fn layer(&mut self, layer: &Layer, index: usize, role: Role) -> Result<(), Problem> {
        let lowering = match role {
            Role::Compute(lowering) => Some(lowering),
            Role::Unknown => None,
            Role::Drop | Role::Give(_) => return Ok(()),
            Role::Silence => {
                for bottom in &layer.bottoms {
                    self.read(bottom)?;
                }
                return Ok(());
            }
        };
        let bottoms = layer
            .bottoms
            .iter()
            .map(|b| self.read(b))
            .collect::<Result<Vec<_>, _>>();
        let result = match bottoms {
            Err(problem) => Err(problem),
            Ok(bottoms) => match (lowering, bottoms.into_iter().collect::<Option<Vec<_>>>()) {
                (Some(lowering), Some(bottoms)) => lowering(&mut Scope {
                    net: self,
                    layer,
                    index,
                    bottoms,
                })
                .map(|()| true),
                _ => Ok(false),
            },
        };
        if !matches!(result, Ok(true)) {
            for top in &layer.tops {
                self.define(top, None);
            }
        }
        result.map(|_| ())
    }

    fn finish(mut self, problems: &mut Vec<Problem>) -> Assembled {
        let open = std::mem::take(&mut self.open);
        let cut = std::mem::take(&mut self.cut);
        let rest = open.iter().filter(|name| !cut.contains(name));
        let names: Vec<String> = cut.iter().chain(rest).cloned().collect();
        let mut outputs = Vec::new();
        for value in std::mem::take(&mut self.end_values) {
            let name = value.name.clone();
            self.builder.state(value);
            self.builder.output(&name);
            outputs.push(name);
        }
        let ended = !outputs.is_empty();
        for name in &names {
            let Some(Some(blob)) = self.blobs.get(name).cloned() else {
                continue;
            };
            match self.output(name, &blob) {
                Ok(output) => outputs.push(output),
                Err(problem) => problems.push(problem.at(&format!("output `{name}`"))),
            }
        }
        if names.is_empty() && !ended {
            problems.push(Problem::malformed("the net has no outputs"));
        }
        let graph = self.builder.finish().unwrap_or_else(|e| {
            problems.push(e.into());
            Graph::default()
        });
        Assembled {
            graph,
            notes: self.notes,
            decoder: self.decoder,
            classes: self.classes,
            outputs,
        }
    }

    /// Declares an output under the blob's name.
    fn output(&mut self, name: &str, blob: &Blob) -> Result<String, Problem> {
        let value = match &blob.source {
            Source::Value(value) if value == name && !self.inputs.contains(name) => value.clone(),
            source => {
                let from = match source {
                    Source::Value(value) => value.clone(),
                    Source::Constant(values) => {
                        let tensor = Tensor::f32(blob.dims.clone(), values)?;
                        self.builder.constant(&format!("{name}.values"), tensor)
                    }
                };
                let value = self.builder.add("Identity", name, &[&from], []);
                self.builder
                    .state(Value::new(&*value, ElementType::F32, &blob.dims));
                value
            }
        };
        self.builder.output(&value);
        Ok(value)
    }
}

/// Makes the graph; what is wrong is added to `problems`.
pub(super) fn assemble(
    mut net: Net,
    model: Option<CaffeModel>,
    options: &ImportOptions,
    problems: &mut Vec<Problem>,
) -> Assembled {
    let mut assembly = Assembly::new(&net, model, options.in_graph);
    let layers = std::mem::take(&mut net.layers);
    let given = layers.iter().filter_map(|(_, role)| match role {
        Role::Give(inputs) => Some(inputs.as_slice()),
        _ => None,
    });
    // A top of a data layer that nobody reads, like the labels of a loss, is no input.
    let read: BTreeSet<&str> = layers
        .iter()
        .filter(|(_, role)| !matches!(role, Role::Drop))
        .flat_map(|(layer, _)| layer.bottoms.iter().map(String::as_str))
        .collect();
    let inputs: Vec<&Input> = net
        .inputs
        .iter()
        .chain(given.flatten().filter(|i| read.contains(i.name.as_str())))
        .collect();
    assembly.inputs = inputs.iter().map(|i| i.name.clone()).collect();
    for input in &inputs {
        if let Err(problem) = assembly.input(input, options) {
            problems.push(problem.at(&format!("line {}", input.line)));
        }
    }
    for name in options.shapes.keys() {
        if !assembly.inputs.contains(name) {
            problems.push(Problem::malformed(format!("the net has no input `{name}`")));
        }
    }
    for (index, (layer, role)) in layers.into_iter().enumerate() {
        if let Err(problem) = assembly.layer(&layer, index, role) {
            problems.push(problem.at(&layer.place()));
        }
    }
    assembly.finish(problems)
}
