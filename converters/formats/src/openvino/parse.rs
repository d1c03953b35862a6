//! From XML to [`Net`].

use super::element::Element;
use super::net::{Blob, Edge, Layer, Net, Port};
use super::tree::{Token, Tokens, malformed};
use crate::FormatError;
use std::collections::{BTreeMap, BTreeSet};

/// Versions of the format that are read. 8 and 9 never were released, 2 and 3 write attributes
/// under other names.
const VERSIONS: [u32; 6] = [4, 5, 6, 7, 10, 11];
/// Most axes of a tensor.
const MAX_AXES: usize = 64;

/// An edge as written: layer and port numbers, and the line.
struct RawEdge {
    from: (u64, u64),
    to: (u64, u64),
    line: usize,
}

/// Reads the graph of an IR.
///
/// Layer and port numbers are unique, edges lead from output ports to input ports that exist, and
/// no input port has two. Whether there are cycles is asked by [`Net::order`].
///
/// # Errors
/// [`FormatError::Malformed`] with the line.
pub fn read(xml: &[u8]) -> Result<Net, FormatError> {
    let mut tokens = Tokens::new(xml)?;
    let (mut net, line) = match tokens.next()? {
        Token::Open {
            name,
            attributes,
            line,
        } if name == "net" => {
            let version: u32 = number(&attributes, "version", line)?;
            if !VERSIONS.contains(&version) {
                return Err(malformed(
                    line,
                    format!("version {version}, and only {VERSIONS:?} are read"),
                ));
            }
            let name = attributes.get("name").cloned().unwrap_or_default();
            let net = Net {
                name,
                version,
                layers: Vec::new(),
                edges: Vec::new(),
            };
            (net, line)
        }
        Token::Open { name, line, .. } => {
            return Err(malformed(line, format!("the root is `{name}`, not `net`")));
        }
        Token::Text(_) | Token::Close | Token::End => {
            let line = tokens.line();
            return Err(malformed(line, "no element `net`"));
        }
    };
    let mut edges = Vec::new();
    loop {
        match tokens.next()? {
            Token::Open { name, .. } if name == "layers" => layers(&mut tokens, &mut net.layers)?,
            Token::Open { name, .. } if name == "edges" => raw_edges(&mut tokens, &mut edges)?,
            Token::Open { .. } => tokens.skip()?,
            Token::Text(_) => {}
            Token::Close | Token::End => break,
        }
    }
    if net.layers.is_empty() {
        return Err(malformed(line, "a net without layers"));
    }
    connect(&mut net, &edges)?;
    Ok(net)
}

fn number<T: std::str::FromStr>(
    attributes: &BTreeMap<String, String>,
    key: &str,
    line: usize,
) -> Result<T, FormatError> {
    let text = attributes
        .get(key)
        .ok_or_else(|| malformed(line, format!("an attribute `{key}` is missing")))?;
    text.trim()
        .parse()
        .map_err(|_| malformed(line, format!("`{key}` is no number of its kind: `{text}`")))
}

fn layers(tokens: &mut Tokens<'_>, layers: &mut Vec<Layer>) -> Result<(), FormatError> {
    loop {
        match tokens.next()? {
            Token::Open {
                name,
                attributes,
                line,
            } if name == "layer" => layers.push(layer(tokens, attributes, line)?),
            Token::Open { .. } => tokens.skip()?,
            Token::Text(_) => {}
            Token::Close | Token::End => return Ok(()),
        }
    }
}

fn layer(
    tokens: &mut Tokens<'_>,
    mut attributes: BTreeMap<String, String>,
    line: usize,
) -> Result<Layer, FormatError> {
    let mut layer = Layer {
        id: number(&attributes, "id", line)?,
        name: attributes.remove("name").unwrap_or_default(),
        kind: attributes
            .remove("type")
            .ok_or_else(|| malformed(line, "a layer without `type`"))?,
        opset: attributes.remove("version").unwrap_or_default(),
        precision: attributes.remove("precision"),
        output_names: attributes.remove("output_names"),
        line,
        ..Layer::default()
    };
    loop {
        match tokens.next()? {
            Token::Open {
                name,
                attributes,
                line,
            } => match name.as_str() {
                "input" => ports(tokens, &mut layer.inputs)?,
                "output" => ports(tokens, &mut layer.outputs)?,
                "blobs" => blobs(tokens, &mut layer.blobs)?,
                // Layers before version 7 have them beside `<blobs>` too.
                "weights" | "biases" => {
                    layer.blobs.push(blob(name, &attributes, line)?);
                    tokens.skip()?;
                }
                "body" | "then_body" | "else_body" | "port_map" | "back_edges" => {
                    layer.has_body = true;
                    tokens.skip()?;
                }
                "rt_info" => tokens.skip()?,
                // `<data>`; files of 2018 name it after the layer: `<convolution_data …/>`.
                _ => {
                    layer.data.extend(attributes);
                    tokens.skip()?;
                }
            },
            Token::Text(_) => {}
            Token::Close | Token::End => return Ok(layer),
        }
    }
}

fn blob(
    name: String,
    attributes: &BTreeMap<String, String>,
    line: usize,
) -> Result<Blob, FormatError> {
    Ok(Blob {
        name,
        offset: number(attributes, "offset", line)?,
        size: number(attributes, "size", line)?,
        precision: attributes.get("precision").cloned(),
    })
}

fn blobs(tokens: &mut Tokens<'_>, blobs: &mut Vec<Blob>) -> Result<(), FormatError> {
    loop {
        match tokens.next()? {
            Token::Open {
                name,
                attributes,
                line,
            } => {
                blobs.push(blob(name, &attributes, line)?);
                tokens.skip()?;
            }
            Token::Text(_) => {}
            Token::Close | Token::End => return Ok(()),
        }
    }
}

fn ports(tokens: &mut Tokens<'_>, ports: &mut Vec<Port>) -> Result<(), FormatError> {
    loop {
        match tokens.next()? {
            Token::Open {
                name,
                attributes,
                line,
            } if name == "port" => {
                let mut port = Port {
                    id: number(&attributes, "id", line)?,
                    element: attributes
                        .get("precision")
                        .and_then(|p| Element::from_name(p)),
                    precision: attributes.get("precision").cloned(),
                    dims: Some(Vec::new()),
                    names: attributes.get("names").map_or(Vec::new(), |n| names(n)),
                };
                dims(tokens, &mut port)?;
                ports.push(port);
            }
            Token::Open { .. } => tokens.skip()?,
            Token::Text(_) => {}
            Token::Close | Token::End => return Ok(()),
        }
    }
}

fn dims(tokens: &mut Tokens<'_>, port: &mut Port) -> Result<(), FormatError> {
    let mut text = None;
    loop {
        let line = tokens.line();
        match tokens.next()? {
            Token::Open { name, .. } if name == "dim" => text = Some(String::new()),
            Token::Open { .. } => tokens.skip()?,
            Token::Text(t) => {
                if let Some(text) = &mut text {
                    text.push_str(&t);
                }
            }
            Token::Close | Token::End => {
                let Some(text) = text.take() else {
                    return Ok(());
                };
                let dim = text
                    .parse::<i64>()
                    .ok()
                    .filter(|d| *d >= -1)
                    .ok_or_else(|| malformed(line, format!("`{text}` is no length of an axis")))?;
                let dims = port.dims.get_or_insert_default();
                if dims.len() >= MAX_AXES {
                    return Err(malformed(line, format!("more than {MAX_AXES} axes")));
                }
                dims.push(dim);
            }
        }
    }
}

/// Names of a tensor: separated by commas, a comma within a name behind a backslash.
fn names(text: &str) -> Vec<String> {
    let mut names = vec![String::new()];
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let last = names.len() - 1;
        match c {
            '\\' if characters.peek() == Some(&',') => {
                names[last].push(',');
                characters.next();
            }
            ',' => names.push(String::new()),
            c => names[last].push(c),
        }
    }
    names.retain(|n| !n.is_empty());
    names
}

impl Layer {
    /// Names of the output that a `Result` gives, in files since 2024.
    pub fn result_names(&self) -> Vec<String> {
        self.output_names.as_deref().map_or(Vec::new(), names)
    }
}

fn raw_edges(tokens: &mut Tokens<'_>, edges: &mut Vec<RawEdge>) -> Result<(), FormatError> {
    loop {
        match tokens.next()? {
            Token::Open {
                name,
                attributes,
                line,
            } => {
                if name == "edge" {
                    let end = |layer, port| {
                        Ok::<_, FormatError>((
                            number(&attributes, layer, line)?,
                            number(&attributes, port, line)?,
                        ))
                    };
                    edges.push(RawEdge {
                        from: end("from-layer", "from-port")?,
                        to: end("to-layer", "to-port")?,
                        line,
                    });
                }
                tokens.skip()?;
            }
            Token::Text(_) => {}
            Token::Close | Token::End => return Ok(()),
        }
    }
}

/// Numbers of layers and ports become positions.
fn connect(net: &mut Net, edges: &[RawEdge]) -> Result<(), FormatError> {
    let mut layers = BTreeMap::new();
    let (mut outputs, mut inputs) = (BTreeMap::new(), BTreeMap::new());
    for (at, layer) in net.layers.iter().enumerate() {
        if layers.insert(layer.id, at).is_some() {
            return Err(malformed(
                layer.line,
                format!("two layers have the number {}", layer.id),
            ));
        }
        for (ports, list) in [(&mut outputs, &layer.outputs), (&mut inputs, &layer.inputs)] {
            for (position, port) in list.iter().enumerate() {
                if ports.insert((at, port.id), position).is_some() {
                    return Err(malformed(
                        layer.line,
                        format!("two ports of `{}` have the number {}", layer.name, port.id),
                    ));
                }
            }
        }
    }
    let mut taken = BTreeSet::new();
    for edge in edges {
        let find = |end: (u64, u64), ports: &BTreeMap<(usize, u64), usize>| {
            let layer = layers.get(&end.0).ok_or_else(|| {
                malformed(edge.line, format!("no layer has the number {}", end.0))
            })?;
            let port = ports.get(&(*layer, end.1)).ok_or_else(|| {
                malformed(
                    edge.line,
                    format!("layer {} has no port {} on this side", end.0, end.1),
                )
            })?;
            Ok::<_, FormatError>((*layer, *port))
        };
        let edge = Edge {
            from: find(edge.from, &outputs)?,
            to: find(edge.to, &inputs)?,
        };
        if !taken.insert(edge.to) {
            let layer = &net.layers[edge.to.0];
            return Err(malformed(
                layer.line,
                format!("an input of `{}` has two edges", layer.name),
            ));
        }
        net.edges.push(edge);
    }
    Ok(())
}
