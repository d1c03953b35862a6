//! The outline of a frozen graph of TensorFlow: its placeholders, and which nodes nobody uses, that
//! is its outputs by the names under which people know them (OpenVINO tells any one of several,
//! OpenCV tells no names of inputs). Libraries get only what was walked here: OpenVINO tries one
//! reader after another on what it does not know, and they write to stderr.
//!
//! The format: `GraphDef` and `NodeDef` of TensorFlow (`graph.proto`, `node_def.proto`), in the
//! encoding of Protocol Buffers.

use std::{collections::BTreeSet, ops::Range};

/// What a graph says of its ends. Names of nodes, in the file's order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outline {
    /// Placeholders.
    pub(crate) inputs: Vec<String>,
    /// Nodes that no other uses.
    pub(crate) outputs: Vec<String>,
}

/// Reads the outline of a `GraphDef`.
///
/// # Errors
/// When the bytes are no graph, with the place.
pub(crate) fn read(bytes: &[u8]) -> Result<Outline, String> {
    let (mut names, mut used) = (Vec::new(), BTreeSet::new());
    let mut inputs = Vec::new();
    let mut fields = Fields { bytes, at: 0 };
    while let Some((field, message)) = fields.next()? {
        match (field, message) {
            (1, Some(node)) => {
                let (mut name, mut placeholder) = (None, false);
                let mut parts = Fields {
                    bytes: &bytes[..node.end],
                    at: node.start,
                };
                while let Some((field, part)) = parts.next()? {
                    let text = part.map(|p| String::from_utf8_lossy(&bytes[p]).into_owned());
                    match (field, text) {
                        (1, text @ Some(_)) => name = text,
                        (2, Some(operator)) => placeholder = operator == "Placeholder",
                        (3, Some(input)) => {
                            // `^a` waits for a node, `a:1` is its second output.
                            let node = input.trim_start_matches('^');
                            let node = node.split(':').next().unwrap_or(node);
                            used.insert(node.to_owned());
                        }
                        _ => {}
                    }
                }
                if placeholder {
                    inputs.extend(name.clone());
                }
                names.extend(name);
            }
            // Node, versions (twice over), library: then what later releases have added.
            (1..=100, Some(_)) | (3, None) => {}
            _ => return Err(fields.wrong("no field of a graph")),
        }
    }
    if names.is_empty() {
        return Err(fields.wrong("no nodes"));
    }
    names.retain(|name| !used.contains(name));
    Ok(Outline {
        inputs,
        outputs: names,
    })
}

/// Number of a field, and where its bytes are if it holds bytes.
type Field = (u64, Option<Range<usize>>);

/// Walks the fields of a message.
struct Fields<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Fields<'_> {
    fn wrong(&self, what: &str) -> String {
        format!(
            "not a frozen graph of TensorFlow, or a damaged one: at byte {}: {what}",
            self.at
        )
    }

    fn varint(&mut self) -> Result<u64, String> {
        let mut value = 0u64;
        for (number, &byte) in self.bytes[self.at..].iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7F) << (7 * number);
            if byte & 0x80 == 0 {
                self.at += number + 1;
                return Ok(value);
            }
        }
        Err(self.wrong("a number that does not end"))
    }

    fn next(&mut self) -> Result<Option<Field>, String> {
        if self.at >= self.bytes.len() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let size = match tag & 7 {
            0 => {
                self.varint()?;
                return Ok(Some((tag >> 3, None)));
            }
            1 => 8,
            2 => self.varint()?,
            5 => 4,
            _ => return Err(self.wrong("no field of a graph")),
        };
        let start = self.at;
        let end = usize::try_from(size)
            .ok()
            .and_then(|n| start.checked_add(n))
            .filter(|&end| end <= self.bytes.len())
            .ok_or_else(|| self.wrong("a part that is longer than what it is in"))?;
        self.at = end;
        Ok(Some((tag >> 3, (tag & 7 == 2).then_some(start..end))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, operator: &str, inputs: &[&str]) -> Vec<u8> {
        let mut node = Vec::new();
        for (tag, text) in [(0x0A, name), (0x12, operator)]
            .into_iter()
            .chain(inputs.iter().map(|i| (0x1A, *i)))
        {
            node.extend([tag, text.len() as u8]);
            node.extend(text.bytes());
        }
        [vec![0x0A, node.len() as u8], node].concat()
    }

    #[test]
    fn the_ends_of_a_graph() {
        let graph = [
            node("data", "Placeholder", &[]),
            node("split", "Split", &["data"]),
            node("left", "Relu", &["split:1", "^data"]),
            node("right", "Relu", &["split"]),
            vec![0x22, 0],
        ]
        .concat();
        let outline = Outline {
            inputs: vec!["data".to_owned()],
            outputs: vec!["left".to_owned(), "right".to_owned()],
        };
        assert_eq!(read(&graph), Ok(outline));
        for cut in 1..graph.len() {
            // Cut between nodes it is another graph; it must not panic.
            let _whole_or_not = read(&graph[..cut]);
        }
    }

    #[test]
    fn what_is_no_frozen_graph_is_told_with_its_place() {
        for (bytes, expected) in [
            (&b""[..], "no nodes"),
            (&[0x0A, 9, 0], "a part that is longer"),
            (&[0x0A, 0xFF], "at byte 1: a number that does not end"),
            (b"<?xml version", "no field of a graph"),
            (&[0xFF; 12], "at byte 0: a number that does not end"),
            (&[0x22, 0], "no nodes"),
        ] {
            let error = read(bytes).expect_err(expected);
            assert!(error.contains(expected), "{error}");
        }
    }
}
