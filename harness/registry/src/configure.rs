//! Making and changing a model package: `alwaysai.model.json` in its nested form and `dyno.json`
//! beside it.
//!
//! A new manifest gets the keys that alwaysAI's tools write, with their defaults. With a `recipe`
//! the preprocessing keys that nobody named stay out: a default there would contradict the recipe.

use crate::{
    ALWAYSAI_MANIFEST, DYNO_JSON, RegistryError,
    alwaysai::AlwaysAiManifest,
    files::{inside, read_document, save, written},
    json_edit::{Document, Json, Path as JsonPath},
    spec::{check_spec, merge, open_spec},
};
use dyno_core::{Framework, LabelMap, Purpose, ThresholdOverlay};
use dyno_evidence::{EvidenceStore, hash_file};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// What is set; an absent key stays as it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ConfigureOptions {
    /// `publisher/name`.
    pub id: Option<String>,
    /// Framework of the files.
    pub framework: Option<Framework>,
    /// What the model is for.
    pub purpose: Option<Purpose>,
    /// File of graph or weights, relative to the folder, as are all files here.
    pub model_file: Option<String>,
    /// Three numbers.
    pub mean: Option<Vec<f64>>,
    /// Factor after the mean.
    pub scalefactor: Option<f64>,
    /// Width and height.
    pub size: Option<Vec<u32>>,
    /// Keep the aspect ratio and cut the middle out.
    pub crop: Option<bool>,
    /// Second file.
    pub config_file: Option<String>,
    /// Class names.
    pub label_file: Option<String>,
    /// Colours of classes.
    pub colors_file: Option<String>,
    /// Red first.
    pub swaprb: Option<bool>,
    /// Softmax of the outputs.
    pub softmax: Option<bool>,
    /// Samples of a run of the engine.
    pub batch_size: Option<u32>,
    /// Outputs to fetch.
    pub output_layer_names: Option<Vec<String>>,
    /// The board that a TensorRT engine was built on.
    pub device: Option<String>,
    /// Kind of detector.
    pub architecture: Option<String>,
    /// Hailo: input is quantized.
    pub quantize_input: Option<bool>,
    /// Hailo: output is quantized.
    pub quantize_output: Option<bool>,
    /// Hailo: format of input streams.
    pub input_format: Option<String>,
    /// Hailo: format of output streams.
    pub output_format: Option<String>,
    /// `dyno.json`: recipe.
    pub recipe: Option<String>,
    /// `dyno.json`: row of the decoder table.
    pub decoder: Option<String>,
    /// `dyno.json`: thresholds of accuracy runs; those that are absent stay.
    pub evaluate: ThresholdOverlay,
    /// `dyno.json`: thresholds of timed runs; those that are absent stay.
    pub deploy: ThresholdOverlay,
    /// `dyno.json`: file, or sha256 of the file, that the model was made from.
    pub derived_from: Option<String>,
    /// `dyno.json`: how it was made (`int8`, `engine`, …).
    pub relation: Option<String>,
    /// `dyno.json`: label file of the package or well-known list.
    pub labels: Option<String>,
}

/// The framework as alwaysAI spells it.
fn alwaysai_name(framework: Framework) -> &'static str {
    match framework {
        Framework::Torch7 => "enet",
        Framework::OpenVino => "dldt",
        Framework::TensorRt => "tensor-rt",
        other => other.name(),
    }
}

impl ConfigureOptions {
    /// Keys of `model_parameters` that are set, in the order in which alwaysAI's tools write them.
    fn parameters(&self) -> Vec<(&'static str, Value)> {
        let all = [
            (
                "framework_type",
                self.framework.map(|f| Value::from(alwaysai_name(f))),
            ),
            ("config_file", self.config_file.clone().map(Value::from)),
            ("size", self.size.clone().map(Value::from)),
            ("model_file", self.model_file.clone().map(Value::from)),
            ("label_file", self.label_file.clone().map(Value::from)),
            ("colors_file", self.colors_file.clone().map(Value::from)),
            ("scalefactor", self.scalefactor.map(number)),
            (
                "mean",
                self.mean
                    .as_ref()
                    .map(|m| m.iter().copied().map(number).collect()),
            ),
            ("crop", self.crop.map(Value::from)),
            ("swaprb", self.swaprb.map(Value::from)),
            ("softmax", self.softmax.map(Value::from)),
            (
                "purpose",
                self.purpose.and_then(|p| serde_json::to_value(p).ok()),
            ),
            ("batch_size", self.batch_size.map(Value::from)),
            (
                "output_layer_names",
                self.output_layer_names.clone().map(Value::from),
            ),
            ("device", self.device.clone().map(Value::from)),
            ("architecture", self.architecture.clone().map(Value::from)),
            ("quantize_input", self.quantize_input.map(Value::from)),
            ("quantize_output", self.quantize_output.map(Value::from)),
            ("input_format", self.input_format.clone().map(Value::from)),
            ("output_format", self.output_format.clone().map(Value::from)),
        ];
        all.into_iter()
            .filter_map(|(k, v)| v.map(|v| (k, v)))
            .collect()
    }

    /// Everything that is wrong in itself, whatever the folder holds.
    fn problems(&self, framework: Option<Framework>) -> Vec<String> {
        let mut out = Vec::new();
        let mut need = |ok: bool, text: String| {
            if !ok {
                out.push(text);
            }
        };
        need(
            self.mean
                .as_ref()
                .is_none_or(|m| m.len() == 3 && m.iter().all(|v| v.is_finite())),
            "`mean` takes three numbers".to_owned(),
        );
        need(
            self.size
                .as_ref()
                .is_none_or(|s| s.len() == 2 && !s.contains(&0)),
            "`size` takes two numbers, width and height".to_owned(),
        );
        need(
            self.scalefactor.is_none_or(f64::is_finite),
            "`scalefactor` is not finite".to_owned(),
        );
        if let Some(id) = &self.id {
            let parts: Vec<&str> = id.split('/').collect();
            need(
                parts.len() == 2 && parts.iter().all(|p| !p.is_empty()),
                format!("`id` is not of the form `publisher/name`: `{id}`"),
            );
        }
        if let Some(f) = framework {
            let with_config = matches!(
                f,
                Framework::Caffe | Framework::Darknet | Framework::TensorFlow | Framework::OpenVino
            );
            need(
                self.config_file.is_none() || with_config,
                format!("`config_file` belongs to caffe, darknet, tensorflow and dldt, not to {f}"),
            );
            need(
                self.device.is_none() || f == Framework::TensorRt,
                format!("`device` belongs to tensor-rt, not to {f}"),
            );
            let hailo = self.quantize_input.is_some()
                || self.quantize_output.is_some()
                || self.input_format.is_some()
                || self.output_format.is_some();
            need(
                !hailo || f == Framework::Hailo,
                format!("quantization and formats of streams belong to hailo, not to {f}"),
            );
        }
        let boards = ["nano", "xavier-nx", "agx-xavier", "agx-orin", "orin-nx"];
        need(
            self.device
                .as_ref()
                .is_none_or(|d| boards.contains(&d.as_str())),
            format!("`device` is one of {}", boards.join(", ")),
        );
        let formats = ["auto", "float32", "none", "uint16", "uint8"];
        for (key, format) in [
            ("input_format", &self.input_format),
            ("output_format", &self.output_format),
        ] {
            need(
                format
                    .as_ref()
                    .is_none_or(|f| formats.contains(&f.as_str())),
                format!("`{key}` is one of {}", formats.join(", ")),
            );
        }
        out
    }
}

/// A whole number without `.0`, as people write it.
fn number(v: f64) -> Value {
    if v.fract() == 0.0 && v.abs() < 1e15 {
        Value::from(v as i64)
    } else {
        Value::from(v)
    }
}

fn object(members: Vec<(&str, Value)>) -> Json {
    Json::Object(
        members
            .into_iter()
            .map(|(k, v)| (k.to_owned(), Json::from_value(v)))
            .collect(),
    )
}

/// A new manifest; `described` when `dyno.json` says how pixels become inputs.
fn fresh(
    path: &Path,
    o: &ConfigureOptions,
    described: bool,
    problems: &mut Vec<String>,
) -> Result<Document, RegistryError> {
    let mut o = o.clone();
    let extension = o
        .model_file
        .as_deref()
        .and_then(|m| Path::new(m).extension())
        .and_then(|e| e.to_str())
        .unwrap_or("");
    o.framework = o.framework.or_else(|| Framework::from_extension(extension));
    for (key, missing) in [
        ("framework", o.framework.is_none()),
        ("purpose", o.purpose.is_none()),
        ("model_file", o.model_file.is_none()),
    ] {
        if missing {
            problems.push(format!("a new package needs `{key}`"));
        }
    }
    // A Darknet net says its size and steps itself.
    if o.recipe.is_none() && !described && o.framework != Some(Framework::Darknet) {
        if o.size.is_none() && o.framework == Some(Framework::TensorFlow) {
            o.size = Some(vec![300, 300]);
        }
        if o.size.is_none() {
            problems.push("a new package needs `size` (width and height) or a `recipe`".to_owned());
        }
        o.mean.get_or_insert_with(|| vec![0.0; 3]);
        o.scalefactor.get_or_insert(1.0);
        o.crop.get_or_insert(false);
        o.swaprb.get_or_insert(false);
    }
    let parameters = Value::Null;
    let top = vec![
        ("id", Value::from(o.id.clone().unwrap_or_default())),
        ("accuracy", Value::from("")),
        ("description", Value::from("")),
        ("inference_time", Value::Null),
        ("license", Value::from("")),
        ("mean_average_precision_top_1", Value::Null),
        ("mean_average_precision_top_5", Value::Null),
        ("public", Value::from(false)),
        ("dataset", Value::from("")),
        ("website_url", Value::from("")),
        ("model_parameters", parameters),
    ];
    let mut document = Document::new(&object(top)).map_err(RegistryError::json(path))?;
    document
        .replace(
            &[JsonPath::Key("model_parameters")],
            &object(o.parameters()),
        )
        .map_err(RegistryError::json(path))?;
    Ok(document)
}

/// Changes an existing manifest where its keys stand: below `model_parameters`, or at the top of
/// the flat form.
fn update(path: &Path, o: &ConfigureOptions) -> Result<Document, RegistryError> {
    let mut document = read_document(path)?;
    let nested = [JsonPath::Key("model_parameters")];
    let is_flat = document.get(&nested).is_none();
    for (key, value) in o.parameters() {
        let at: &[JsonPath<'_>] = if is_flat { &[] } else { &nested };
        let same = document
            .get(&[at, &[JsonPath::Key(key)]].concat())
            .and_then(|n| document.value(n).ok())
            .is_some_and(|v| crate::fields::same_value(&v, &value));
        if !same {
            document
                .set(at, key, &Json::from_value(value))
                .map_err(RegistryError::json(path))?;
        }
    }
    if let Some(id) = &o.id {
        document
            .set(&[], "id", &Json::of(id.as_str()))
            .map_err(RegistryError::json(path))?;
    }
    Ok(document)
}

/// The edited `dyno.json`, if anything of it is set.
fn own(
    folder: &Path,
    file: &Path,
    o: &ConfigureOptions,
    problems: &mut Vec<String>,
) -> Result<Option<Document>, RegistryError> {
    let thresholds = [("evaluate", o.evaluate), ("deploy", o.deploy)];
    let any = o.recipe.is_some()
        || o.decoder.is_some()
        || o.derived_from.is_some()
        || o.labels.is_some()
        || thresholds.iter().any(|(_, t)| !t.is_silent());
    if !any {
        return Ok(None);
    }
    let (mut document, _) = open_spec(file, None)?;
    let json = || RegistryError::json(file);
    for (key, value) in [("recipe", &o.recipe), ("labels", &o.labels)] {
        if let Some(value) = value {
            document
                .set(&[], key, &Json::of(value.as_str()))
                .map_err(json())?;
        }
    }
    if let Some(derived) = &o.derived_from {
        let is_hash = derived.len() == 64 && derived.bytes().all(|b| b.is_ascii_hexdigit());
        let sha256 = if is_hash {
            derived.to_lowercase()
        } else {
            hash_file(Path::new(derived))?.0
        };
        let mut origin = vec![("derived_from", Value::from(sha256))];
        origin.extend(o.relation.clone().map(|r| ("relation", Value::from(r))));
        document
            .set(&[], "origin", &object(origin))
            .map_err(json())?;
    }
    let decoder = [JsonPath::Key("decoder")];
    if let Some(kind) = &o.decoder {
        match document.get(&decoder) {
            None => document.set(
                &[],
                "decoder",
                &object(vec![("kind", Value::from(kind.as_str()))]),
            ),
            Some(_) => document.set(&decoder, "kind", &Json::of(kind.as_str())),
        }
        .map_err(json())?;
    }
    // Without a kind they lie over those of the recipe.
    for (name, t) in thresholds.iter().filter(|(_, t)| !t.is_silent()) {
        if document.get(&decoder).is_none() {
            document
                .set(&[], "decoder", &Json::Object(vec![]))
                .map_err(json())?;
        }
        let at = [JsonPath::Key("decoder"), JsonPath::Key(name)];
        if document.get(&at).is_none() {
            document
                .set(&decoder, name, &Json::Object(vec![]))
                .map_err(json())?;
        }
        for (key, value) in [
            ("score", t.score.map(number)),
            ("iou", t.iou.map(number)),
            ("max", t.max.map(Value::from)),
        ] {
            if let Some(value) = value {
                document
                    .set(&at, key, &Json::from_value(value))
                    .map_err(json())?;
            }
        }
    }
    if let Some(labels) = o.labels.as_ref().filter(|l| LabelMap::builtin(l).is_none()) {
        match inside(folder, labels) {
            Err(p) => problems.push(format!("`labels`: {p}")),
            Ok(p) if !p.is_file() => {
                problems.push(format!(
                    "`labels`: `{labels}` is neither a file of the package nor one of {}",
                    LabelMap::BUILTIN.join(", ")
                ));
            }
            Ok(_) => {}
        }
    }
    Ok(Some(document))
}

/// Makes or changes the package in `folder`, which must hold the files that are named. Returns the
/// files that were written. Nothing is written when anything is wrong.
///
/// # Errors
/// [`RegistryError::Invalid`] with all problems: values, missing files, contradictions between
/// manifest and `dyno.json`; [`RegistryError::NotWritable`] when one of the two is a link that
/// leads out of the folder.
pub fn configure(folder: &Path, options: &ConfigureOptions) -> Result<Vec<PathBuf>, RegistryError> {
    if !folder.is_dir() {
        return Err(RegistryError::FileMissing {
            path: folder.to_owned(),
            hint: "make the folder and put the model's files there".to_owned(),
        });
    }
    let store = EvidenceStore::for_folder(folder);
    if !store.folder().exists() {
        // The lock would make the folder, and a refusal leaves nothing behind.
        edited(folder, options)?;
    }
    let _guard = store.lock()?;
    save(edited(folder, options)?)
}

/// Manifest and `dyno.json` as they would be written.
fn edited(
    folder: &Path,
    options: &ConfigureOptions,
) -> Result<Vec<(PathBuf, Document)>, RegistryError> {
    let path = written(folder, ALWAYSAI_MANIFEST)?;
    let own_path = written(folder, DYNO_JSON)?;
    let mut problems = Vec::new();
    let document = if path.exists() {
        update(&path, options)?
    } else {
        let described = crate::spec::read_package_spec(folder)?
            .is_some_and(|spec| spec.inputs.iter().any(|i| !i.preprocess.is_empty()));
        fresh(&path, options, described, &mut problems)?
    };
    let own = own(folder, &own_path, options, &mut problems)?;
    if !problems.is_empty() {
        problems.extend(options.problems(options.framework));
        return Err(RegistryError::Invalid { path, problems });
    }
    let manifest = match AlwaysAiManifest::from_document(&path, document.clone()) {
        Err(RegistryError::Invalid { path, problems }) => {
            let all = problems
                .into_iter()
                .chain(options.problems(options.framework))
                .collect();
            return Err(RegistryError::Invalid {
                path,
                problems: all,
            });
        }
        other => other?,
    };
    problems.extend(options.problems(Some(manifest.framework)));
    let files = [
        ("model_file", Some(&manifest.model_file)),
        ("config_file", manifest.config_file.as_ref()),
        ("label_file", manifest.label_file.as_ref()),
        ("colors_file", manifest.colors_file.as_ref()),
    ];
    for (key, name) in files.into_iter().filter_map(|(k, n)| n.map(|n| (k, n))) {
        match inside(folder, name) {
            Err(p) => problems.push(format!("`{key}`: {p}")),
            Ok(p) if !p.is_file() => {
                problems.push(format!("`{key}`: the file `{name}` is missing"));
            }
            Ok(_) => {}
        }
    }
    let spec = match &own {
        Some(document) => Some(check_spec(&own_path, document, &[])?),
        None => crate::spec::read_package_spec(folder)?,
    };
    problems.extend(merge(&manifest, spec).err().unwrap_or_default());
    if !problems.is_empty() {
        return Err(RegistryError::Invalid { path, problems });
    }
    let own = own.map(|document| (own_path, document));
    Ok([(path, document)].into_iter().chain(own).collect())
}
