//! The loop that resizes pictures: found from its results, which are gathered.

use crate::import::tensorflow::net::Net;
use dyno_formats::tensorflow::{Attribute, Node};

/// Where resized pictures enter the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Entry {
    /// The node that gathers them.
    pub(in super::super) gather: usize,
    /// The input of the model, by its node.
    pub(in super::super) placeholder: usize,
    /// Height and width.
    pub(in super::super) size: [usize; 2],
    /// How the file resizes, for people.
    pub(in super::super) convention: &'static str,
}

impl Entry {
    /// The entry of a graph that resizes to one size; `None` when there is none, or several.
    pub(in super::super) fn find(net: &Net) -> Option<Self> {
        let mut found = (0..net.nodes.len()).filter_map(|i| Self::at(net, i));
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }

    fn at(net: &Net, gather: usize) -> Option<Self> {
        let node = net.node(gather).filter(|n| n.op == "TensorArrayGatherV3")?;
        // Results leave the loop: Exit ← Switch ← Merge ← NextIteration ← what was written.
        let exit = net.made_by(node, 2, "Exit")?;
        let switch = net.made_by(exit, 0, "Switch")?;
        let merge = net.made_by(switch, 0, "Merge")?;
        let next = net
            .made_by(merge, 1, "NextIteration")
            .or_else(|| net.made_by(merge, 0, "NextIteration"))?;
        let write = net.made_by(next, 0, "TensorArrayWriteV3")?;
        // The picture of a step: Squeeze ← ResizeBilinear ← ExpandDims ← what was read.
        let resize = through(net, write, 2, &["Squeeze"])?;
        let resize = Some(resize).filter(|n| n.op == "ResizeBilinear")?;
        let size = match *net.ints(resize, 1)?.as_slice() {
            [height, width] => [usize::try_from(height).ok()?, usize::try_from(width).ok()?],
            _ => return None,
        };
        let read = through(net, resize, 0, &["ExpandDims"])?;
        let read = Some(read).filter(|n| n.op == "TensorArrayReadV3")?;
        let scatter = net.made_by(read, 2, "TensorArrayScatterV3")?;
        let mut source = net.source(scatter, 2)?.node;
        while net.node(source)?.op == "Cast" {
            source = net.source(net.node(source)?, 0)?.node;
        }
        let flag = |name: &str| resize.attribute(name) == Some(Attribute::Bool(true));
        let convention = if flag("align_corners") {
            "corners on corners"
        } else if flag("half_pixel_centers") {
            "half-pixel centres"
        } else {
            "TensorFlow's first convention, in which pixels have no centres"
        };
        (net.node(source)?.op == "Placeholder").then_some(Self {
            gather,
            placeholder: source,
            size,
            convention,
        })
    }
}

/// The node behind input `at`, past operators of `passed` too.
pub(super) fn through<'a>(
    net: &'a Net,
    node: &'a Node,
    at: usize,
    passed: &[&str],
) -> Option<&'a Node> {
    let mut node = net.node(net.source(node, at)?.node)?;
    for _ in 0..8 {
        if !passed.contains(&node.op.as_str()) {
            return Some(node);
        }
        node = net.node(net.source(node, 0)?.node)?;
    }
    None
}
