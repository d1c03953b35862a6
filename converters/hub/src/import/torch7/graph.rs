//! From a file to a graph: the input, the modules, the outputs.

use super::context::{Context, Flow, Val};
use crate::graph::{ElementType, Graph, Value as Declared};
use crate::import::{files::malformed, rename::rename};
use bytes::Bytes;
use dyno_core::{Dimension, Framework, ImportError, ImportOptions, ImportSays};
use dyno_formats::torch7::{File, Object, Table, Value};
use std::collections::BTreeMap;

/// Name of the only input.
const INPUT: &str = "input";
/// Most modules that are looked at for the number of input channels.
const MOST: usize = 10_000;

/// The graph of a file and what it says beside it.
pub(super) fn translate(
    bytes: &Bytes,
    options: &ImportOptions,
) -> Result<(Graph, ImportSays), ImportError> {
    let wrong = |e: &dyn std::fmt::Display| malformed(Framework::Torch7, e);
    let file = dyno_formats::torch7::read(bytes).map_err(|e| wrong(&e))?;
    if let Some(name) = options.shapes.keys().find(|n| *n != INPUT) {
        return Err(ImportError::Option(format!(
            "a shape was given for `{name}`, and the only input is `{INPUT}`"
        )));
    }
    let mut context = Context::new(&file);
    let dims: Vec<i64> = if let Some(shape) = options.shapes.get(INPUT) {
        shape.iter().map(|&d| d as i64).collect()
    } else {
        context.notes.push(format!(
            "the file does not say the shape of `{INPUT}`: height and width are open"
        ));
        vec![1, channels(&file).unwrap_or(-1), -1, -1]
    };
    let name = context.builder.unique(INPUT);
    let shape = dims
        .iter()
        .map(|d| usize::try_from(*d).map_or(Dimension::Unknown, Dimension::Fixed));
    let input = Declared {
        name: name.clone(),
        dtype: Some(ElementType::F32),
        shape: Some(shape.collect()),
    };
    context.builder.state(input.clone());
    let x = Flow::One(Val { name, dims });
    let result = context.enter(&file.root, x, "", 0);
    let result = result.map_err(|e| wrong(&e))?;
    if !context.unsupported.is_empty() {
        return Err(ImportError::Unsupported {
            operators: context.unsupported,
        });
    }
    let mut outputs = Vec::new();
    flatten(result, &mut outputs);
    let mut names = BTreeMap::new();
    let mut order = Vec::new();
    for (at, val) in outputs.into_iter().enumerate() {
        let wanted = if at == 0 {
            "output".to_owned()
        } else {
            format!("output_{at}")
        };
        let own = val.name != INPUT && !names.contains_key(&val.name);
        let name = if own {
            val.name
        } else {
            context.builder.add("Identity", "output", &[&val.name], [])
        };
        names.insert(name, wanted.clone());
        order.push((wanted, val.dims));
    }
    let mut graph = context.builder.finish().map_err(|e| wrong(&e))?;
    graph.inputs = vec![input];
    rename(&mut graph, &names);
    for (name, dims) in order {
        let known = graph.value(&name).filter(|v| v.shape.is_some());
        let shape = dims
            .iter()
            .map(|d| usize::try_from(*d).map_or(Dimension::Unknown, Dimension::Fixed));
        let said = Declared {
            name,
            dtype: Some(ElementType::F32),
            shape: Some(shape.collect()),
        };
        graph.outputs.push(known.unwrap_or(said));
    }
    for value in graph.inputs.iter().chain(&graph.outputs) {
        graph.values.remove(&value.name);
    }
    graph
        .metadata
        .insert("format".to_owned(), "Torch7".to_owned());
    let says = ImportSays {
        notes: context.notes,
        ..ImportSays::default()
    };
    Ok((graph, says))
}

fn flatten(flow: Flow, outputs: &mut Vec<Val>) {
    match flow {
        Flow::One(val) => outputs.push(val),
        Flow::Many(list) => list.into_iter().for_each(|f| flatten(f, outputs)),
    }
}

/// Channels of the input: those of the first convolution, in the order of the file.
fn channels(file: &File) -> Option<i64> {
    let planes = |table: &Table| match table.get("nInputPlane") {
        Some(Value::Number(n)) if n.fract() == 0.0 && *n > 0.0 && *n < 1e6 => Some(*n as i64),
        _ => None,
    };
    let mut stack = vec![&file.root];
    for _ in 0..MOST {
        let value = stack.pop()?;
        let Some(Object::Class { .. }) = file.object(value) else {
            continue;
        };
        let Some(table) = file.table(value) else {
            continue;
        };
        if let Some(n) = planes(table) {
            return Some(n);
        }
        if let Some(list) = table.get("modules").and_then(|m| file.table(m)) {
            stack.extend(list.list().into_iter().rev());
        }
    }
    None
}
