//! The net as its text has it: inputs and the layers that the TEST phase keeps, in their order.

use super::{OPERATORS, params::Params, problem::Problem, scope::Lowering};
use dyno_formats::caffe::{TextMessage, TextValue};

/// A blob that the net gets from outside.
#[derive(Debug, Clone)]
pub(super) struct Input {
    pub(super) name: String,
    /// Its shape, where the text says it.
    pub(super) dims: Option<Vec<usize>>,
    pub(super) line: u32,
}

/// What a layer does.
pub(super) enum Role {
    /// It computes.
    Compute(Lowering),
    /// It only takes its bottoms away from the outputs.
    Silence,
    /// It is there in training, or to judge; without influence on the rest.
    Drop,
    /// It gives blobs from outside.
    Give(Vec<Input>),
    /// It cannot be expressed; its problems are already told.
    Unknown,
}

/// A layer without what it does.
pub(super) struct Layer {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) line: u32,
    pub(super) bottoms: Vec<String>,
    pub(super) tops: Vec<String>,
}

impl Layer {
    /// For messages.
    pub(super) fn place(&self) -> String {
        place(self.line, &self.name, &self.kind)
    }
}

fn place(line: u32, name: &str, kind: &str) -> String {
    format!("line {line}: layer `{name}` ({kind})")
}

/// A net.
pub(super) struct Net {
    pub(super) name: String,
    pub(super) inputs: Vec<Input>,
    pub(super) layers: Vec<(Layer, Role)>,
}

/// Names of the first version's kinds (`V1LayerParameter.LayerType`) and their numbers.
const OLD_KINDS: &[(&str, i64, &str)] = &[
    ("ABSVAL", 35, "AbsVal"),
    ("ACCURACY", 1, "Accuracy"),
    ("ARGMAX", 30, "ArgMax"),
    ("BNLL", 2, "BNLL"),
    ("CONCAT", 3, "Concat"),
    ("CONTRASTIVE_LOSS", 37, "ContrastiveLoss"),
    ("CONVOLUTION", 4, "Convolution"),
    ("DATA", 5, "Data"),
    ("DECONVOLUTION", 39, "Deconvolution"),
    ("DROPOUT", 6, "Dropout"),
    ("DUMMY_DATA", 32, "DummyData"),
    ("ELTWISE", 25, "Eltwise"),
    ("EUCLIDEAN_LOSS", 7, "EuclideanLoss"),
    ("EXP", 38, "Exp"),
    ("FLATTEN", 8, "Flatten"),
    ("HDF5_DATA", 9, "HDF5Data"),
    ("HDF5_OUTPUT", 10, "HDF5Output"),
    ("HINGE_LOSS", 28, "HingeLoss"),
    ("IM2COL", 11, "Im2col"),
    ("IMAGE_DATA", 12, "ImageData"),
    ("INFOGAIN_LOSS", 13, "InfogainLoss"),
    ("INNER_PRODUCT", 14, "InnerProduct"),
    ("LRN", 15, "LRN"),
    ("MEMORY_DATA", 29, "MemoryData"),
    ("MULTINOMIAL_LOGISTIC_LOSS", 16, "MultinomialLogisticLoss"),
    ("MVN", 34, "MVN"),
    ("POOLING", 17, "Pooling"),
    ("POWER", 26, "Power"),
    ("RELU", 18, "ReLU"),
    ("SIGMOID", 19, "Sigmoid"),
    ("SIGMOID_CROSS_ENTROPY_LOSS", 27, "SigmoidCrossEntropyLoss"),
    ("SILENCE", 36, "Silence"),
    ("SLICE", 33, "Slice"),
    ("SOFTMAX", 20, "Softmax"),
    ("SOFTMAX_LOSS", 21, "SoftmaxWithLoss"),
    ("SPLIT", 22, "Split"),
    ("TANH", 23, "TanH"),
    ("THRESHOLD", 31, "Threshold"),
    ("WINDOW_DATA", 24, "WindowData"),
];

/// Layers that give blobs from outside without saying their shapes.
const DATA: &[&str] = &[
    "AnnotatedData",
    "Data",
    "HDF5Data",
    "ImageData",
    "VideoData",
    "WindowData",
];

/// Layers that judge or write and give nothing that inference needs, beside all kinds whose name
/// ends with `Loss`.
const JUDGES: &[&str] = &["Accuracy", "DetectionEvaluate", "HDF5Output"];

/// Reads a net.
///
/// The problems are all that can be known before any shape is: unknown kinds, unknown fields,
/// values that cannot be expressed.
pub(super) fn read(text: &TextMessage) -> (Net, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut params = Params::new(Some(text), 1);
    let mut net = Net {
        name: params.text("name").unwrap_or_default(),
        inputs: Vec::new(),
        layers: Vec::new(),
    };
    params.ignore(&["layer", "layers", "state", "debug_info", "force_backward"]);
    net.inputs = inputs(text, &mut params);
    let found = params.finish();
    problems.extend(
        found
            .into_iter()
            .map(|(line, p)| p.at(&format!("line {line}"))),
    );
    for field in &text.fields {
        let old = match field.name.as_str() {
            "layer" => false,
            "layers" => true,
            _ => continue,
        };
        let TextValue::Message(message) = &field.value else {
            let text = format!("line {}: `{}` is no message", field.line, field.name);
            problems.push(Problem::Malformed(text));
            continue;
        };
        net.layers
            .extend(layer(message, field.line, old, &mut problems));
    }
    (net, problems)
}

/// `input` with `input_shape` or four `input_dim` each.
fn inputs(text: &TextMessage, params: &mut Params<'_>) -> Vec<Input> {
    let names = params.texts("input");
    let lines: Vec<u32> = text.all("input").map(|f| f.line).collect();
    let old = params.counts("input_dim");
    let mut shapes = Vec::new();
    for mut shape in params.messages("input_shape") {
        shapes.push(shape.counts("dim"));
        params.close(shape);
    }
    if !old.is_empty() {
        if !shapes.is_empty() {
            params.malformed("input_dim", "shapes stand there as `input_shape` too");
        }
        if old.len() != names.len().saturating_mul(4) {
            params.malformed("input_dim", "there must be four for each `input`");
        }
        shapes = old.chunks_exact(4).map(<[usize]>::to_vec).collect();
    } else if shapes.len() > names.len() || (shapes.len() > 1 && shapes.len() < names.len()) {
        params.malformed("input_shape", "there must be one for each `input`");
    }
    let one = (shapes.len() == 1)
        .then(|| shapes.first().cloned())
        .flatten();
    let each = names.into_iter().zip(lines).enumerate();
    each.map(|(at, (name, line))| Input {
        name,
        dims: shapes.get(at).cloned().or_else(|| one.clone()),
        line,
    })
    .collect()
}

fn layer(
    message: &TextMessage,
    line: u32,
    old: bool,
    problems: &mut Vec<Problem>,
) -> Option<(Layer, Role)> {
    let mut params = Params::new(Some(message), line);
    let kind = if old {
        let choices: Vec<(&str, i64, &str)> = OLD_KINDS.to_vec();
        params.choice("type", &choices).unwrap_or("").to_owned()
    } else {
        params.text("type").unwrap_or_default()
    };
    let layer = Layer {
        name: params.text("name").unwrap_or_default(),
        bottoms: params.texts("bottom"),
        tops: params.texts("top"),
        kind,
        line,
    };
    params.ignore(&[
        "blob_share_mode",
        "blobs_lr",
        "loss_weight",
        "param",
        "propagate_down",
        "weight_decay",
    ]);
    let kept = kept(&mut params);
    if !kept {
        // What training alone has may be anything.
        return None;
    }
    let mut role = if old && layer.kind.is_empty() {
        if !params.has("type") {
            params.unsupported("layer", "a layer of version 0 of the format");
        }
        ignore_all(message, &mut params);
        Role::Unknown
    } else {
        role(message, &layer, &mut params)
    };
    let place = layer.place();
    let found = params.finish();
    if !found.is_empty() && matches!(role, Role::Compute(_)) {
        // Its parameters cannot be relied on.
        role = Role::Unknown;
    }
    for (line, problem) in found {
        // The layer's own line stands in its place.
        let inside = if line == layer.line {
            String::new()
        } else {
            format!(", line {line}")
        };
        problems.push(problem.at(&format!("{place}{inside}")));
    }
    Some((layer, role))
}

fn role(message: &TextMessage, layer: &Layer, params: &mut Params<'_>) -> Role {
    let kind = layer.kind.as_str();
    if kind.ends_with("Loss") || JUDGES.contains(&kind) {
        ignore_all(message, params);
        return Role::Drop;
    }
    if DATA.contains(&kind) {
        ignore_all(message, params);
        return Role::Give(given(layer, &[]));
    }
    match kind {
        "Silence" => return Role::Silence,
        "Input" => {
            let shapes = params.message("input_param").map(|mut inner| {
                let shapes = shapes(&mut inner);
                params.close(inner);
                shapes
            });
            params.ignore(&["transform_param"]);
            return Role::Give(given(layer, &shapes.unwrap_or_default()));
        }
        "DummyData" => {
            let shapes = params.message("dummy_data_param").map(|mut inner| {
                let mut found = shapes(&mut inner);
                let axes = ["num", "channels", "height", "width"].map(|n| inner.counts(n));
                if found.is_empty() {
                    let [num, channels, height, width] = &axes;
                    let each = num.iter().zip(channels).zip(height.iter().zip(width));
                    found.extend(each.map(|((&n, &c), (&h, &w))| vec![n, c, h, w]));
                }
                inner.ignore(&["data_filler"]);
                params.close(inner);
                found
            });
            return Role::Give(given(layer, &shapes.unwrap_or_default()));
        }
        "MemoryData" => {
            let shape = params.message("memory_data_param").map(|mut inner| {
                let axes = ["batch_size", "channels", "height", "width"].map(|n| inner.count(n));
                params.close(inner);
                axes.into_iter().collect::<Option<Vec<usize>>>()
            });
            params.ignore(&["transform_param"]);
            let shapes: Vec<Vec<usize>> = shape.flatten().into_iter().collect();
            return Role::Give(given(layer, &shapes));
        }
        _ => {}
    }
    let Some(operator) = OPERATORS.iter().find(|o| o.kind == kind) else {
        ignore_all(message, params);
        params.problem("type", Problem::unsupported("this kind of layer"));
        return Role::Unknown;
    };
    let own = params.message(operator.block);
    let mut own = own.unwrap_or_else(|| Params::new(None, layer.line));
    let lowering = (operator.read)(&mut own);
    params.close(own);
    Role::Compute(lowering)
}

fn ignore_all(message: &TextMessage, params: &mut Params<'_>) {
    let names: Vec<&str> = message.fields.iter().map(|f| f.name.as_str()).collect();
    params.ignore(&names);
}

fn shapes(inner: &mut Params<'_>) -> Vec<Vec<usize>> {
    let mut found = Vec::new();
    for mut shape in inner.messages("shape") {
        found.push(shape.counts("dim"));
        inner.close(shape);
    }
    found
}

/// The tops with their shapes; one shape is that of all.
fn given(layer: &Layer, shapes: &[Vec<usize>]) -> Vec<Input> {
    let each = layer.tops.iter().enumerate();
    each.map(|(at, name)| Input {
        name: name.clone(),
        dims: match shapes {
            [one] => Some(one.clone()),
            many => many.get(at).cloned(),
        },
        line: layer.line,
    })
    .collect()
}

/// The TEST phase at level 0 without stages has the layer (`Net::FilterNet`).
fn kept(params: &mut Params<'_>) -> bool {
    let phases = [("TRAIN", 0, false), ("TEST", 1, true)];
    let mut met = |name: &str| {
        let rules = params.messages(name);
        let any = !rules.is_empty();
        let mut some = false;
        for mut rule in rules {
            let phase = rule.choice("phase", &phases).unwrap_or(true);
            let least = rule.int("min_level").unwrap_or(0) <= 0;
            let most = rule.int("max_level").unwrap_or(0) >= 0;
            let stages = rule.texts("stage").is_empty();
            rule.texts("not_stage");
            some |= phase && least && most && stages;
            params.close(rule);
        }
        (any, some)
    };
    let (includes, included) = met("include");
    let (excludes, excluded) = met("exclude");
    if includes && excludes {
        params.malformed("include", "a layer has `include` or `exclude`, not both");
    }
    let kept = if includes { included } else { !excluded };
    if kept && params.choice("phase", &phases) == Some(false) {
        params.unsupported("phase", "a layer that works as in training");
    }
    params.ignore(&["phase"]);
    kept
}
