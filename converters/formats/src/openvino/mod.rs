//! OpenVINO IR: a graph in XML and its constants in a second file of raw bytes.
//!
//! Versions 4 to 7 (2018 and 2019: layers with their weights in `<blobs>`), 10 and 11 (operation
//! sets, constants as layers). Source: the documents of the format in `openvinotoolkit/dldt`
//! (release 2021.4) and files written by OpenVINO 2019 to 2026.
//!
//! The file's own structure, nothing of ONNX. Document types, and with them entities, are refused;
//! bodies of loops are passed over and their layers marked.

mod element;
mod net;
mod parse;
mod tree;

pub use element::Element;
pub use net::{Blob, Edge, Layer, Net, Port};
pub use parse::read;

#[cfg(test)]
mod tests;
