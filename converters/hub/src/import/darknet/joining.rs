//! Layers that read several others: `[route]`, `[shortcut]`, `[scale_channels]`, `[sam]`.

use super::{
    net::{Layer, Net},
    weighted::activate,
};
use crate::graph::Tensor;
use dyno_core::ImportError;
use dyno_formats::darknet::{Part, Section};

/// Added to sums of weights by Darknet.
const SUM_EPSILON: f32 = 0.0001;
/// Least weight of the normalization `relu`, as Darknet has it when it detects and on a GPU; the
/// forward pass of a CPU that trains has 0.
const LEAST_WEIGHT: f32 = 0.001;

/// The layers that a list of numbers names.
fn sources(net: &Net, section: &Section, key: &str) -> Result<Vec<Layer>, ImportError> {
    let numbers: Vec<i64> = net.needed(section, key)?;
    numbers.iter().map(|&n| net.earlier(section, n)).collect()
}

/// Channels `from..to` of a layer.
fn channels(net: &mut Net, name: &str, layer: &Layer, from: usize, to: usize) -> String {
    let starts = net.integers(&format!("{name}.from"), &[from]);
    let ends = net.integers(&format!("{name}.to"), &[to]);
    let axes = net.integers(&format!("{name}.axis"), &[1]);
    net.builder
        .add("Slice", name, &[&layer.value, &starts, &ends, &axes], [])
}

fn same_extent(net: &Net, section: &Section, a: &Layer, b: &Layer) -> Result<(), ImportError> {
    if (a.height, a.width) == (b.height, b.width) {
        return Ok(());
    }
    let problem = format!(
        "layers of {}x{} and {}x{} pixels cannot be joined",
        a.height, a.width, b.height, b.width
    );
    Err(net.malformed(section, problem))
}

/// Every `stride`th pixel of a layer, from the first, as many as `x` has. This is how pjreddie's fork
/// adds a larger layer; AlexeyAB's refuses it.
fn pixels(
    net: &mut Net,
    section: &Section,
    name: &str,
    layer: &Layer,
    x: &Layer,
) -> Result<Layer, ImportError> {
    let stride = layer.width / x.width;
    if stride < 2 || stride != layer.height / x.height {
        same_extent(net, section, x, layer)?;
        return Ok(layer.clone());
    }
    let starts = net.integers(&format!("{name}.from"), &[0, 0]);
    let last = |n: usize| (n - 1) * stride + 1;
    let ends = net.integers(&format!("{name}.to"), &[last(x.height), last(x.width)]);
    let axes = net.integers(&format!("{name}.axes"), &[2, 3]);
    let steps = net.integers(&format!("{name}.steps"), &[stride; 2]);
    let inputs: [&str; 5] = [&layer.value, &starts, &ends, &axes, &steps];
    let value = net.builder.add("Slice", name, &inputs, []);
    net.layer(section, value, [layer.channels, x.height, x.width])
}

/// `[route]`: the channels of several layers, of each only part `group_id` of `groups`.
pub(super) fn route(net: &mut Net, section: &Section) -> Result<Layer, ImportError> {
    let layers = sources(net, section, "layers")?;
    let groups = net.count(section, "groups", 1, 1)?;
    let group = net.count(section, "group_id", 0, 0)?;
    if group >= groups {
        let problem = format!("there is no group {group} of {groups}");
        return Err(net.malformed(section, problem));
    }
    let Some(first) = layers.first().cloned() else {
        return Err(net.malformed(section, "`layers` is empty"));
    };
    let name = net.name("route");
    let mut parts = Vec::with_capacity(layers.len());
    let mut total = 0usize;
    for layer in &layers {
        same_extent(net, section, &first, layer)?;
        if !layer.channels.is_multiple_of(groups) {
            let problem = format!("{} channels do not make {groups} groups", layer.channels);
            return Err(net.malformed(section, problem));
        }
        let each = layer.channels / groups;
        total = total.saturating_add(each);
        parts.push(if groups == 1 {
            layer.value.clone()
        } else {
            channels(net, &name, layer, group * each, (group + 1) * each)
        });
    }
    let layer = net.layer(section, name.clone(), [total, first.height, first.width])?;
    let value = match parts.as_slice() {
        [only] => only.clone(),
        several => {
            let several: Vec<&str> = several.iter().map(String::as_str).collect();
            net.builder
                .add("Concat", &name, &several, [("axis", 1.into())])
        }
    };
    Ok(layer.with(value))
}

/// Weights of a shortcut: per input, one number or one a channel, normalized.
struct JoinWeights {
    /// Numbers of one input: 1, or its channels.
    each: usize,
    values: Vec<f32>,
}

impl JoinWeights {
    fn new(part: &Part, inputs: usize, each: usize, normalization: &str) -> Self {
        let (numbers, _) = part.as_chunks::<4>();
        let mut values: Vec<f32> = numbers.iter().map(|b| f32::from_le_bytes(*b)).collect();
        for at in 0..each {
            let places = || (0..inputs).map(move |i| i * each + at);
            let greatest = places()
                .filter_map(|p| values.get(p))
                .fold(f32::MIN, |m, &v| m.max(v));
            let share = |v: f32| match normalization {
                "softmax" => (v - greatest).exp(),
                _ => v.max(LEAST_WEIGHT),
            };
            let sum = places()
                .filter_map(|p| values.get(p))
                .fold(SUM_EPSILON, |sum, &v| sum + share(v));
            for place in places() {
                if let Some(v) = values.get_mut(place) {
                    *v = share(*v) / sum;
                }
            }
        }
        Self { each, values }
    }

    /// The layer times its weights.
    fn apply(
        &self,
        net: &mut Net,
        section: &Section,
        name: &str,
        value: &str,
        input: usize,
    ) -> Result<String, ImportError> {
        let start = input * self.each;
        let own = self.values.get(start..start + self.each).unwrap_or(&[]);
        let tensor = Tensor::f32(vec![self.each, 1, 1], own);
        let constant = net.constant(section, &format!("{name}.weights"), tensor)?;
        Ok(net.builder.add("Mul", name, &[value, &constant], []))
    }
}

/// `[shortcut]`: the layer before plus others. Of another with more channels the first are added,
/// one with fewer is added to the first; of one that is larger by a whole factor, every so manyth
/// pixel is added. `weights_type` gives every input a factor.
pub(super) fn shortcut(net: &mut Net, section: &Section) -> Result<Layer, ImportError> {
    let x = net.before();
    let layers = sources(net, section, "from")?;
    let kind = net.text(section, "weights_type", "none")?.to_owned();
    let normalization = match net.text(section, "weights_normalization", "none")? {
        "avg_relu" => "relu".to_owned(),
        other => other.to_owned(),
    };
    let each = match kind.as_str() {
        "none" => 0,
        "per_feature" | "per_layer" => 1,
        "per_channel" => x.channels,
        _ => return Err(net.unsupported(section, format!("`weights_type={kind}`"))),
    };
    // Darknet refuses weights without a normalization as well.
    if each > 0 && !matches!(normalization.as_str(), "relu" | "softmax") {
        let what = format!("`weights_normalization={normalization}`");
        return Err(net.unsupported(section, what));
    }
    let inputs = layers.len() + 1;
    let weights = if each == 0 {
        None
    } else {
        match net.take(section, &[inputs, each]) {
            Some(part) => Some(JoinWeights::new(&part, inputs, each, &normalization)),
            None => return Ok(x),
        }
    };
    let name = net.name("shortcut");
    let mut sum = x.value.clone();
    if let Some(weights) = &weights {
        sum = weights.apply(net, section, &name, &sum, 0)?;
    }
    for (number, layer) in layers.iter().enumerate() {
        let layer = &pixels(net, section, &name, layer, &x)?;
        let mut added = layer.value.clone();
        if layer.channels > x.channels {
            added = channels(net, &name, layer, 0, x.channels);
        } else if layer.channels < x.channels {
            let missing = x.channels - layer.channels;
            let pads = net.integers(&format!("{name}.pads"), &[0, 0, 0, 0, 0, missing, 0, 0]);
            added = net.builder.add("Pad", &name, &[&added, &pads], []);
        }
        if let Some(weights) = &weights {
            added = weights.apply(net, section, &name, &added, number + 1)?;
        }
        sum = net.builder.add("Add", &name, &[&sum, &added], []);
    }
    activate(net, section, "linear", &x.with(sum))
}

/// The product of the layer before, `[C, 1, 1]` or `[1, H, W]`, and another.
fn product(net: &mut Net, section: &Section, kind: &str) -> Result<Layer, ImportError> {
    let x = net.before();
    let [other] = sources(net, section, "from")?
        .try_into()
        .map_err(|_| net.malformed(section, "`from` must be one layer"))?;
    let fits = if kind == "sam" {
        (x.channels, x.height, x.width) == (other.channels, other.height, other.width)
    } else if net.flag(section, "scale_wh")? {
        (x.channels, x.height, x.width) == (1, other.height, other.width)
    } else {
        (x.channels, x.height, x.width) == (other.channels, 1, 1)
    };
    if !fits {
        let problem = format!(
            "{}x{}x{} does not scale {}x{}x{}",
            x.channels, x.height, x.width, other.channels, other.height, other.width
        );
        return Err(net.malformed(section, problem));
    }
    let name = net.name(kind);
    let value = net.builder.add("Mul", &name, &[&other.value, &x.value], []);
    activate(net, section, "linear", &other.with(value))
}

/// `[scale_channels]`: another layer times one factor a channel, or with `scale_wh` one a pixel.
pub(super) fn scale_channels(net: &mut Net, section: &Section) -> Result<Layer, ImportError> {
    product(net, section, "scale_channels")
}

/// `[sam]`: another layer times this one.
pub(super) fn sam(net: &mut Net, section: &Section) -> Result<Layer, ImportError> {
    product(net, section, "sam")
}
