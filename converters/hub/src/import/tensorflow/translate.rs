//! The way from nodes to nodes: what is needed, in which order, each by its row of the table.

use super::{
    context::{Context, Op, Out},
    detection::{CUT, Entry, Head, OUTPUTS},
    finish::finish,
    net::Net,
    ops::{self, OPERATORS},
    rewrite::{self, Instead},
    unpool,
    value::{Live, Val, element},
};
use crate::graph::{ElementType, Graph, Tensor};
use dyno_core::{Framework, ImportError, ImportSays};
use dyno_formats::tensorflow::{Input, Node};
use std::collections::{BTreeMap, HashMap};

/// What is asked for.
#[derive(Debug)]
pub(super) struct Request<'a> {
    /// Shapes of inputs, by name.
    pub(super) shapes: &'a BTreeMap<String, Vec<usize>>,
    /// Names of outputs, with commas between; absent for every node that nobody reads.
    pub(super) outputs: Option<&'a str>,
    /// Size of the file.
    pub(super) bytes: usize,
    /// The whole decoding head becomes part of the graph.
    pub(super) in_graph: bool,
}

/// Most elements of a value: more than any machine that runs such models has.
const MAX_VALUE: usize = 1 << 36;

pub(super) fn malformed(reason: String) -> ImportError {
    ImportError::Malformed {
        framework: Framework::TensorFlow,
        reason,
    }
}

/// The translation of a graph.
pub(super) struct Translation<'a> {
    pub(super) cx: Context<'a>,
    pub(super) request: &'a Request<'a>,
    pub(super) instead: HashMap<usize, Instead>,
    pub(super) values: HashMap<usize, Vec<Val>>,
    pub(super) unsupported: Vec<String>,
    /// Names of inputs and their problems.
    open: Vec<String>,
}

/// The ONNX graph of a TensorFlow graph.
pub(super) fn translate(
    net: &Net,
    request: &Request<'_>,
) -> Result<(Graph, ImportSays), ImportError> {
    let mut work = Translation {
        cx: Context::new(net, "tensorflow"),
        request,
        instead: rewrite::find(net),
        values: HashMap::new(),
        unsupported: Vec::new(),
        open: Vec::new(),
    };
    work.cx.room = work.cx.room.saturating_add(request.bytes.saturating_mul(2));
    let head = Head::find(net).filter(|_| request.outputs.is_none());
    let ends = match &head {
        Some(_) => Vec::new(),
        None => work.ends()?,
    };
    let mut says = ImportSays::default();
    let names = match &head {
        Some(_) if request.in_graph => OUTPUTS.map(str::to_owned).to_vec(),
        Some(_) => CUT.map(str::to_owned).to_vec(),
        None => ends.iter().map(|e| work.end_name(e)).collect(),
    };
    // The names of outputs belong to them, whatever else is called so.
    for name in &names {
        work.cx.builder.unique(name);
    }
    if let Some(entry) = Entry::find(net) {
        says.inputs = Some(vec![work.enter(&entry)?]);
    }
    let values = if let Some(head) = &head {
        work.detection(head, &mut says)?
    } else {
        work.run(&ends.iter().map(|e| e.node).collect::<Vec<_>>())?;
        ends.iter().map(|e| work.value(e)).collect()
    };
    work.outcome(names.into_iter().zip(values).collect(), says)
}

impl Translation<'_> {
    /// The values that are outputs.
    fn ends(&self) -> Result<Vec<Input>, ImportError> {
        let net = self.cx.net;
        let Some(names) = self.request.outputs else {
            let whole = |node| Input { node, output: 0 };
            return Ok(net.ends().into_iter().map(whole).collect());
        };
        names
            .split(',')
            .map(|text| {
                let text = text.trim();
                let (name, output) = match text.rsplit_once(':') {
                    Some((name, number)) => (name, number.parse().ok()),
                    None => (text, Some(0)),
                };
                match (net.find(name), output) {
                    (Some(node), Some(output)) => Ok(Input { node, output }),
                    _ => Err(ImportError::Option(format!(
                        "there is no output `{text}` in the graph"
                    ))),
                }
            })
            .collect()
    }

    fn end_name(&self, end: &Input) -> String {
        let name = self.cx.net.node(end.node).map_or("", |n| &n.name);
        match end.output {
            0 => name.to_owned(),
            output => format!("{name}:{output}"),
        }
    }

    fn reads(&self, index: usize, node: &Node) -> Vec<usize> {
        if let Some(instead) = self.instead.get(&index) {
            return instead.reads();
        }
        let closes = |i: &Input| {
            node.op == "Merge"
                && self
                    .cx
                    .net
                    .node(i.node)
                    .is_some_and(|n| n.op == "NextIteration")
        };
        let inputs = node.inputs.iter().filter(|i| !closes(i));
        inputs.map(|i| i.node).collect()
    }

    /// Translates every node that `ends` need.
    pub(super) fn run(&mut self, ends: &[usize]) -> Result<(), ImportError> {
        let net = self.cx.net;
        let order = net
            .order(ends, |index, node| self.reads(index, node))
            .map_err(|name| malformed(format!("node `{name}` needs its own result")))?;
        for index in order {
            let Some(node) = net.node(index) else {
                continue;
            };
            if self.values.contains_key(&index) {
                continue;
            }
            let values = match self.one(index, node) {
                Ok(values) => values,
                Err(reason) => {
                    self.unsupported
                        .push(format!("{} (node `{}`: {reason})", node.op, node.name));
                    vec![Val::Lost]
                }
            };
            self.values.insert(index, values);
        }
        Ok(())
    }

    /// A value that has been translated.
    pub(super) fn value(&self, input: &Input) -> Val {
        let values = self.values.get(&input.node);
        values
            .and_then(|v| v.get(input.output))
            .cloned()
            .unwrap_or(Val::Lost)
    }

    fn one(&mut self, index: usize, node: &Node) -> Out {
        if let Some(instead) = self.instead.get(&index).cloned() {
            return self.instead_of(index, node, instead);
        }
        if node.op == "Placeholder" {
            return self.placeholder(node);
        }
        let inputs: Vec<Val> = node.inputs.iter().map(|i| self.value(i)).collect();
        if node.op == "Merge" {
            return merge(&inputs);
        }
        if inputs.iter().any(|v| matches!(v, Val::Lost)) {
            // Why has been said where it was lost.
            return Ok(vec![Val::Lost]);
        }
        if inputs.iter().any(|v| matches!(v, Val::Dead)) {
            return Ok(vec![Val::Dead; 8]);
        }
        let op = Op {
            index,
            node,
            inputs,
        };
        if node.op == "Switch" {
            return switch(&op);
        }
        apply(&mut self.cx, &op)
    }

    fn instead_of(&mut self, index: usize, node: &Node, instead: Instead) -> Out {
        match instead {
            Instead::Alias { value, note } => {
                self.cx.notes.insert(note.to_owned());
                Ok(vec![self.value(&value)])
            }
            Instead::Dilated {
                convolution,
                image,
                filter,
                holes,
            } => {
                let inputs = vec![self.value(&image), self.value(&filter)];
                if inputs.iter().any(|v| matches!(v, Val::Lost)) {
                    return Ok(vec![Val::Lost]);
                }
                let node = self.cx.net.node(convolution).unwrap_or(node);
                self.cx.holes.insert(index, holes);
                let op = Op {
                    index,
                    node,
                    inputs,
                };
                apply(&mut self.cx, &op)
            }
            Instead::Unpool {
                pool,
                source,
                values,
                places,
                size,
            } => {
                let parts = unpool::Parts {
                    pool,
                    pooled: self.value(&Input {
                        node: pool,
                        output: 0,
                    }),
                    source: self.value(&source),
                    values: self.value(&values),
                    places,
                    size,
                };
                if matches!(parts.values, Val::Lost) || matches!(parts.source, Val::Lost) {
                    return Ok(vec![Val::Lost]);
                }
                let out = unpool::unpooled(&mut self.cx, &parts, &node.name)?;
                Ok(vec![Val::Live(out)])
            }
            Instead::Given => Err("no value was put in".to_owned()),
        }
    }

    /// An input of the model. What only tells training from use is false.
    fn placeholder(&mut self, node: &Node) -> Out {
        let dtype = node.data_type("dtype").map(element);
        let dtype = dtype.ok_or("an input of a type without size")?;
        let given = self.request.shapes.get(&node.name);
        let declared = node.shape("shape").map(|s| s.dims);
        let small = |d: &Vec<Option<usize>>| d.iter().all(|d| *d == Some(1));
        if dtype == ElementType::Bool && given.is_none() && declared.as_ref().is_none_or(small) {
            self.cx.notes.insert(format!(
                "the flag `{}` is taken as false: the model is used, not trained",
                node.name
            ));
            let no = Tensor::new(ElementType::Bool, Vec::new(), vec![0].into());
            return Ok(vec![Val::Const(no.map_err(|e| e.to_string())?)]);
        }
        let dims = match (given, declared) {
            (Some(given), declared) => {
                let fits = declared.is_none_or(|d| {
                    d.len() == given.len()
                        && d.iter().zip(given).all(|(d, g)| d.is_none_or(|d| d == *g))
                });
                if !fits {
                    self.open.push(format!(
                        "the shape {given:?} of input `{}` contradicts the file",
                        node.name
                    ));
                    return Ok(vec![Val::Lost]);
                }
                given.clone()
            }
            (None, declared) => match self.declared(node, declared) {
                Some(dims) => dims,
                None => return Ok(vec![Val::Lost]),
            },
        };
        let size = dims.iter().try_fold(1usize, |n, d| n.checked_mul(*d));
        if size.is_none_or(|n| n == 0 || n > MAX_VALUE) {
            return Err(format!("an input of shape {dims:?}"));
        }
        let name = self.cx.builder.input(&node.name, dtype, &dims);
        Ok(vec![Val::Live(Live {
            name,
            dtype,
            dims,
            nchw: false,
        })])
    }

    /// The declared shape with a batch of 1 where the batch is open.
    fn declared(&mut self, node: &Node, dims: Option<Vec<Option<usize>>>) -> Option<Vec<usize>> {
        let Some(mut dims) = dims else {
            self.open.push(format!(
                "the file does not say the shape of input `{}`: give it",
                node.name
            ));
            return None;
        };
        if let [batch @ None, ..] = dims.as_mut_slice() {
            *batch = Some(1);
            self.cx.notes.insert(format!(
                "the batch of input `{}`, which the file leaves open, is taken as 1",
                node.name
            ));
        }
        let fixed: Option<Vec<usize>> = dims.iter().copied().collect();
        if fixed.is_none() {
            let dims: Vec<String> = dims
                .iter()
                .map(|d| d.map_or_else(|| "?".to_owned(), |d| d.to_string()))
                .collect();
            self.open.push(format!(
                "the file leaves the shape [{}] of input `{}` open: give it",
                dims.join(", "),
                node.name
            ));
        }
        fixed
    }

    /// What stands against the model as far as it has been translated.
    pub(super) fn judged(&mut self) -> Result<(), ImportError> {
        if !self.open.is_empty() {
            return Err(ImportError::Option(self.open.join("; ")));
        }
        if !self.unsupported.is_empty() {
            return Err(ImportError::Unsupported {
                operators: std::mem::take(&mut self.unsupported),
            });
        }
        Ok(())
    }

    /// The finished graph, or everything that stands against it.
    fn outcome(
        mut self,
        ends: Vec<(String, Val)>,
        mut says: ImportSays,
    ) -> Result<(Graph, ImportSays), ImportError> {
        self.judged()?;
        let mut outputs = Vec::new();
        for (name, value) in ends {
            match value {
                Val::Live(live) => outputs.push((name, live)),
                Val::Const(_) => {
                    let note = format!("output `{name}` is a constant, and is left out");
                    self.cx.notes.insert(note);
                }
                Val::Dead | Val::Lost => {
                    let note = format!("output `{name}` is never computed, and is left out");
                    self.cx.notes.insert(note);
                }
            }
        }
        if outputs.is_empty() {
            return Err(malformed(
                "the graph computes nothing from its inputs".to_owned(),
            ));
        }
        says.notes = self.cx.notes.iter().cloned().collect();
        let graph = finish(self.cx, &outputs).map_err(|e| malformed(e.to_string()))?;
        Ok((graph, says))
    }
}

/// Translates a node by its row of the table.
pub(super) fn apply(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    let row = OPERATORS.binary_search_by(|(name, _)| (*name).cmp(op.node.op.as_str()));
    let Some((_, row)) = row.ok().and_then(|at| OPERATORS.get(at)) else {
        return Err(if ops::is_loop(&op.node.op) {
            "a loop".to_owned()
        } else {
            "no translation".to_owned()
        });
    };
    let values = row(cx, op)?;
    let bytes = |v: &Val| v.tensor().map_or(0, |t| t.bytes().len());
    let read: usize = op.inputs.iter().map(bytes).sum();
    let made: usize = values.iter().map(bytes).sum();
    cx.room = cx
        .room
        .checked_sub(made.saturating_sub(read))
        .ok_or("constants that take more memory than the file could need")?;
    for value in &values {
        let size = value
            .dims()
            .iter()
            .try_fold(1usize, |n, d| n.checked_mul(*d));
        if size.is_none_or(|n| n > MAX_VALUE) {
            return Err(format!("a result of shape {:?}", value.dims()));
        }
    }
    Ok(values)
}

/// Two branches by a condition that must be known: the value goes out of one, and the other is dead.
fn switch(op: &Op<'_>) -> Out {
    let taken = op.one(1).map_err(|_| "on a condition that is computed")? != 0;
    let value = op.input(0)?.clone();
    Ok(if taken {
        vec![Val::Dead, value]
    } else {
        vec![value, Val::Dead]
    })
}

/// The branch that is taken.
fn merge(inputs: &[Val]) -> Out {
    let mut alive = inputs.iter().filter(|v| !matches!(v, Val::Dead));
    match (alive.next(), alive.next()) {
        (Some(value), None) => Ok(vec![value.clone()]),
        (None, _) => Ok(vec![Val::Dead]),
        (Some(_), Some(_)) => Err("a loop".to_owned()),
    }
}
