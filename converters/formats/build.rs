//! Turns `proto/*.proto`, our own minimal descriptions of other projects' formats, into types.

use std::{error::Error, fs, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let mut files = Vec::<PathBuf>::new();
    for entry in fs::read_dir("proto")? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "proto") {
            files.push(path);
        }
    }
    files.sort();
    let descriptors = protox::compile(files, ["proto"])?;
    // Weights stay slices of the file's bytes.
    prost_build::Config::new()
        .bytes(["."])
        // Small nodes have many attributes, and few of them are tensors or graphs.
        .boxed(".onnx.AttributeProto.t")
        .boxed(".onnx.AttributeProto.g")
        .compile_fds(descriptors)?;
    Ok(())
}
