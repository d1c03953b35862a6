//! alwaysAI's `alwaysai.model.json`: one model in one folder.
//!
//! Technical keys stand in `model_parameters`; the flat form of alwaysAI's guide is read too. Older
//! published files lack keys that the present schema requires (`swaprb`, `dataset`) or have ones
//! that it forbids (an empty `config_file`): all of them read.

use crate::{
    RegistryError,
    files::read_document,
    json_edit::{Document, Path as JsonPath},
    translate::BlobFacts,
};
use dyno_core::{Framework, Purpose};
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

/// Name of the file in a package.
pub const ALWAYSAI_MANIFEST: &str = "alwaysai.model.json";

/// What the manifest of a package says.
#[derive(Debug, Clone)]
pub struct AlwaysAiManifest {
    /// The file.
    pub path: PathBuf,
    /// Its text.
    pub document: Document,
    /// The whole of it.
    pub value: serde_json::Value,
    /// `publisher/name`; absent where empty.
    pub id: Option<String>,
    /// Version that the installation wrote.
    pub version: Option<String>,
    /// Framework of the files.
    pub framework: Framework,
    /// What it is for.
    pub purpose: Option<Purpose>,
    /// File of graph or weights, relative to the folder.
    pub model_file: String,
    /// Second file.
    pub config_file: Option<String>,
    /// Class names.
    pub label_file: Option<String>,
    /// Colours of classes.
    pub colors_file: Option<String>,
    /// Preprocessing.
    pub blob: BlobFacts,
    /// Softmax is taken of the outputs.
    pub softmax: Option<bool>,
    /// Outputs to fetch.
    pub output_layer_names: Vec<String>,
    /// Kind of detector.
    pub architecture: Option<String>,
}

struct Reader<'d> {
    document: &'d Document,
    problems: Vec<String>,
}

impl Reader<'_> {
    /// A key of `model_parameters`, else of the top.
    fn get<T: DeserializeOwned>(&mut self, key: &str, what: &str) -> Option<T> {
        let nested = self
            .document
            .get(&[JsonPath::Key("model_parameters"), JsonPath::Key(key)]);
        let node = nested.or_else(|| self.document.get(&[JsonPath::Key(key)]))?;
        let value = self.document.value(node).ok()?;
        if value.is_null() {
            return None;
        }
        if let (Some(_), Some(top)) = (nested, self.document.get(&[JsonPath::Key(key)]))
            && self.document.value(top).is_ok_and(|v| v != value)
        {
            self.problems.push(format!(
                "`{key}` says {} at the top and {value} in `model_parameters`",
                self.document.raw(top)
            ));
        }
        let parsed = serde_json::from_value(value.clone()).ok();
        if parsed.is_none() {
            let (line, column) = self.document.position(node.start);
            self.problems.push(format!(
                "line {line}, column {column}: `{key}` is not {what}: {value}"
            ));
        }
        parsed
    }

    fn text(&mut self, key: &str) -> Option<String> {
        self.get::<String>(key, "a text").filter(|s| !s.is_empty())
    }
}

impl AlwaysAiManifest {
    /// Reads `<folder>/alwaysai.model.json`.
    ///
    /// # Errors
    /// As [`AlwaysAiManifest::read_file`].
    pub fn read(folder: &Path) -> Result<Self, RegistryError> {
        Self::read_file(&folder.join(ALWAYSAI_MANIFEST))
    }

    /// Reads a manifest whatever its name.
    ///
    /// # Errors
    /// When it cannot be read, is no JSON, or keys are missing or of another type: all of them at
    /// once, by line and column.
    pub fn read_file(path: &Path) -> Result<Self, RegistryError> {
        Self::from_document(path, read_document(path)?)
    }

    /// Reads a manifest from its text; `path` is only for messages.
    ///
    /// # Errors
    /// As [`AlwaysAiManifest::read_file`].
    pub fn from_document(path: &Path, document: Document) -> Result<Self, RegistryError> {
        let value = document
            .value(document.root())
            .map_err(RegistryError::json(path))?;
        let mut r = Reader {
            document: &document,
            problems: Vec::new(),
        };
        if !value.is_object() {
            r.problems.push("the manifest is not an object".to_owned());
        }
        let framework: Option<Framework> = match r.text("framework_type") {
            None => {
                r.problems.push("`framework_type` is missing".to_owned());
                None
            }
            Some(name) => match name.parse() {
                Ok(f) => Some(f),
                Err(e) => {
                    r.problems.push(format!("`framework_type`: {e}"));
                    None
                }
            },
        };
        let purpose = r.get("purpose", "one of Classification, ObjectDetection, PoseEstimation, SemanticSegmentation, InstanceSegmentation, ReIdentification");
        let model_file = r.text("model_file");
        if model_file.is_none() {
            r.problems.push("`model_file` is missing".to_owned());
        }
        let size: Option<[u32; 2]> = r.get("size", "two whole numbers, width and height");
        if size.is_some_and(|s| s.contains(&0)) {
            r.problems.push("`size` holds a 0".to_owned());
        }
        let blob = BlobFacts {
            size,
            mean: r.get("mean", "three numbers"),
            scalefactor: r.get("scalefactor", "a number"),
            swaprb: r.get("swaprb", "true or false"),
            crop: r.get("crop", "true or false"),
        };
        let manifest = (
            r.text("config_file"),
            r.text("label_file"),
            r.text("colors_file"),
            r.get("softmax", "true or false"),
            r.get("output_layer_names", "a list of texts")
                .unwrap_or_default(),
            r.text("architecture"),
            r.text("id").map(|id| id.trim_start_matches('@').to_owned()),
        );
        // A number since 2020, a text of the semver form in 2019.
        let version = match value.get("version") {
            Some(serde_json::Value::Number(n)) => Some(n.to_string()),
            Some(serde_json::Value::String(s)) if !s.is_empty() => Some(s.clone()),
            _ => None,
        };
        let problems = r.problems;
        let (Some(framework), Some(model_file), true) =
            (framework, model_file, problems.is_empty())
        else {
            return Err(RegistryError::Invalid {
                path: path.to_owned(),
                problems,
            });
        };
        let (config_file, label_file, colors_file, softmax, output_layer_names, architecture, id) =
            manifest;
        Ok(Self {
            path: path.to_owned(),
            document,
            value,
            id,
            version,
            framework,
            purpose,
            model_file,
            config_file,
            label_file,
            colors_file,
            blob,
            softmax,
            output_layer_names,
            architecture,
        })
    }
}
