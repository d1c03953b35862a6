//! Toy rows, a toy machine, and models that consist of a name.

use crate::{Answer, EngineError, Engines, Environment, PlanError, Planned, RunRequest, Samples};
use dyno_core::{
    Annotation, AnnotationKind, Availability, Backend, BackendError, DType, Dataset, DatasetError,
    DatasetFacts, DatasetKind, DatasetName, DatasetRequest, DecodeError, Decoder, DecoderContext,
    DecoderKind, Dimension, ExecutionFacts, ExifOrientation, Framework, ImportError, ImportFacts,
    ImportOptions, ImportSays, Imported, Importer, InputSpec, IoSpec, LabelMap, Metric,
    MetricContext, MetricError, MetricKind, Model, ModelFile, ModelSource, NameSource, OpenConfig,
    PredictionKind, PreprocessStep, Purpose, Question, Recipe, RecipeError, RecipeFit,
    ResolvedRecipe, Sample, SampleEntry, SampleIndex, SampleSet, Score, Tables, TensorInfo,
};
use dyno_registry::SearchPath;
use std::{cell::RefCell, collections::BTreeMap, path::PathBuf, sync::Arc};

pub(super) struct Engine(
    pub(super) &'static str,
    pub(super) &'static [Framework],
    pub(super) bool,
);

impl Backend for Engine {
    fn id(&self) -> &'static str {
        self.0
    }
    fn about(&self) -> &'static str {
        "a toy"
    }
    fn reads(&self) -> &'static [Framework] {
        self.1
    }
    fn computes(&self) -> bool {
        self.2
    }
    fn probe(&self) -> Availability {
        panic!("the planner probes no engine")
    }
    fn open(&self, _: &ModelSource, _: &OpenConfig) -> Result<Arc<dyn Model>, BackendError> {
        panic!("the planner opens no engine")
    }
}

struct Caffe;

impl Importer for Caffe {
    fn id(&self) -> &'static str {
        "from-caffe"
    }
    fn framework(&self) -> Framework {
        Framework::Caffe
    }
    fn version(&self) -> u32 {
        7
    }
    fn import(&self, _: &[ModelFile], _: &ImportOptions) -> Result<Imported, ImportError> {
        panic!("the planner imports nothing")
    }
}

/// `boxes` has objects of the classes `ring` and `bar`, `classes` a class a picture, `plain`
/// nothing.
struct Shapes;

struct Open(DatasetFacts, Vec<SampleEntry>);

impl Dataset for Open {
    fn facts(&self) -> &DatasetFacts {
        &self.0
    }
    fn entries(&self) -> &[SampleEntry] {
        &self.1
    }
    fn load(&self, _: SampleIndex) -> Result<Sample, DatasetError> {
        panic!("the planner loads no sample")
    }
    fn truth(&self, _: SampleIndex) -> Result<Annotation, DatasetError> {
        panic!("the planner reads no truth")
    }
}

impl DatasetKind for Shapes {
    fn id(&self) -> &'static str {
        "shapes"
    }
    fn about(&self) -> &'static str {
        "a toy"
    }
    fn open(&self, request: &DatasetRequest) -> Result<Box<dyn Dataset>, DatasetError> {
        let annotation = match request.split.as_deref() {
            Some("boxes") => AnnotationKind::Objects,
            Some("classes") => AnnotationKind::Class,
            _ => AnnotationKind::None,
        };
        let facts = DatasetFacts {
            kind: "shapes".to_owned(),
            name: DatasetName {
                name: "custom-shapes".to_owned(),
                source: NameSource::Custom,
                of: None,
            },
            exif: ExifOrientation::Ignore,
            annotation,
            labels: LabelMap::from_names(["ring", "bar"].map(str::to_owned)),
            metrics: vec!["boxes-right".to_owned(), "class-right".to_owned()],
        };
        Ok(Box::new(Open(facts, Vec::new())))
    }
}

struct Reads(&'static str, PredictionKind, bool);

impl DecoderKind for Reads {
    fn id(&self) -> &'static str {
        self.0
    }
    fn about(&self) -> &'static str {
        "a toy"
    }
    fn suppresses(&self) -> bool {
        self.2
    }
    fn predicts(&self) -> PredictionKind {
        self.1
    }
    fn build(&self, context: &DecoderContext<'_>) -> Result<Box<dyn Decoder>, DecodeError> {
        struct Nothing;
        impl Decoder for Nothing {
            fn decode(
                &mut self,
                _: &[dyno_core::TensorView<'_>],
                _: &[dyno_core::Geometry],
                _: &mut Vec<dyno_core::Prediction>,
            ) -> Result<(), DecodeError> {
                Ok(())
            }
        }
        let classes = match context.io.outputs.first().and_then(|o| o.shape.last()) {
            Some(Dimension::Fixed(n)) => *n,
            _ => 0,
        };
        if context.labels.is_empty() || context.labels.len() == classes {
            return Ok(Box::new(Nothing));
        }
        Err(DecodeError::Outputs {
            decoder: self.0,
            expected: format!("{} classes", context.labels.len()),
            found: format!("{classes}"),
        })
    }
}

struct Judges(&'static str, PredictionKind, AnnotationKind);

impl MetricKind for Judges {
    fn id(&self) -> &'static str {
        self.0
    }
    fn about(&self) -> &'static str {
        "a toy"
    }
    fn accepts(&self, prediction: PredictionKind, annotation: AnnotationKind) -> bool {
        (prediction, annotation) == (self.1, self.2)
    }
    fn chance(&self, _: &Score, _: usize) -> Option<f64> {
        None
    }
    fn build(&self, _: &MetricContext<'_>) -> Result<Box<dyn Metric>, MetricError> {
        panic!("the planner judges nothing")
    }
}

/// Fits outputs with a name like its own: `ring-like` is recognised by `ring`.
struct Known(&'static str, &'static str, RecipeFit);

impl Recipe for Known {
    fn name(&self) -> &'static str {
        self.0
    }
    fn about(&self) -> &'static str {
        "a toy"
    }
    fn text(&self) -> &'static str {
        "{}"
    }
    fn resolve(&self, io: &IoSpec) -> Result<ResolvedRecipe, RecipeError> {
        if self.fit(io) == RecipeFit::No {
            return Err(RecipeError {
                recipe: self.0,
                reason: "other outputs".to_owned(),
            });
        }
        Ok(ResolvedRecipe {
            purpose: Purpose::ObjectDetection,
            inputs: vec![InputSpec {
                name: None,
                dtype: None,
                layout: dyno_core::Layout::Nchw,
                shape: None,
                preprocess: vec![PreprocessStep::Channels(dyno_core::ChannelOrder::Bgr)],
            }],
            decoder: serde_json::from_value(serde_json::json!({
                "kind": self.1,
                "evaluate": {"score": 0.001, "iou": 0.65, "max": 300},
                "deploy": {"score": 0.25, "iou": 0.45},
            }))
            .expect("a decoder"),
            labels: None,
        })
    }
    fn fit(&self, io: &IoSpec) -> RecipeFit {
        match io.outputs.first() {
            Some(o) if o.name == self.0 => self.2,
            Some(o) if o.name == "either" && self.2 == RecipeFit::Recognised => self.2,
            _ => RecipeFit::No,
        }
    }
}

pub(super) const TABLES: Tables = Tables {
    backends: &[
        &Engine("idle", &[Framework::Onnx], false),
        &Engine("fast", &[Framework::Onnx], true),
        &Engine("chip", &[Framework::Hailo], true),
    ],
    importers: &[&Caffe],
    datasets: &[&Shapes],
    decoders: &[
        &Reads("grid", PredictionKind::Detections, true),
        &Reads("finished", PredictionKind::Detections, false),
        &Reads("ranks", PredictionKind::Ranking, false),
    ],
    metrics: &[
        &Judges(
            "boxes-right",
            PredictionKind::Detections,
            AnnotationKind::Objects,
        ),
        &Judges(
            "class-right",
            PredictionKind::Ranking,
            AnnotationKind::Class,
        ),
    ],
    recipes: &[
        &Known("ring-like", "grid", RecipeFit::Recognised),
        &Known("bar-like", "grid", RecipeFit::Recognised),
        &Known("list-like", "ranks", RecipeFit::Possible),
    ],
};

/// An engine room that answers with one output of this name, and keeps the questions.
pub(super) struct Room {
    pub(super) output: &'static str,
    pub(super) fails: Option<EngineError>,
    /// What the files of a Caffe model say.
    pub(super) says: Option<ImportSays>,
    pub(super) questions: RefCell<Vec<Question>>,
}

impl Engines for Room {
    fn ask(&self, question: &Question) -> Result<Answer, EngineError> {
        self.questions.borrow_mut().push(question.clone());
        if let Some(error) = &self.fails {
            return Err(error.clone());
        }
        let tensor = |name: &str, shape: &[usize]| {
            let shape = shape.iter().map(|n| Dimension::Fixed(*n)).collect();
            TensorInfo::new(name, DType::F32, shape)
        };
        Ok(Answer {
            io: IoSpec {
                inputs: vec![tensor("images", &[1, 3, 64, 96])],
                outputs: vec![tensor(self.output, &[1, 10, 2])],
            },
            facts: ExecutionFacts::default(),
            import: (question.source.framework == Framework::Caffe).then(|| ImportFacts {
                id: "from-caffe".to_owned(),
                version: 7,
                options: question.config.import.clone(),
                sha256: "5".repeat(64),
            }),
            says: (question.source.framework == Framework::Caffe)
                .then(|| self.says.clone())
                .flatten(),
        })
    }
}

/// Whoever takes samples: `shapes:#SPLIT`.
struct Taker;

impl Samples for Taker {
    fn parse(&self, text: &str) -> Result<DatasetRequest, DatasetError> {
        let split = text.split_once('#').map(|(_, split)| split.to_owned());
        Ok(DatasetRequest {
            kind: "shapes".to_owned(),
            path: PathBuf::from("somewhere"),
            split,
            options: BTreeMap::new(),
        })
    }
    fn select(
        &self,
        _: &DatasetRequest,
        _: &dyn Dataset,
        samples: Option<u32>,
    ) -> Result<SampleSet, DatasetError> {
        let count = samples.unwrap_or(20);
        Ok(SampleSet {
            id: format!("custom-shapes-{count}-0123456789abcdef"),
            name: "custom-shapes".to_owned(),
            name_source: NameSource::Custom,
            count,
            of: 20,
            distinct: count,
            sha256: "0".repeat(64),
            samples: (0..count).map(SampleIndex).collect(),
            file_sha256: vec![String::new(); count as usize],
        })
    }
    fn stand_in(
        &self,
        inputs: &[TensorInfo],
        _: &BTreeMap<String, PathBuf>,
        count: u32,
        seed: u64,
    ) -> Result<DatasetRequest, DatasetError> {
        let options = [
            ("inputs", inputs.len().to_string()),
            ("count", count.to_string()),
            ("seed", seed.to_string()),
        ];
        Ok(DatasetRequest {
            kind: "shapes".to_owned(),
            path: PathBuf::new(),
            split: None,
            options: options.map(|(k, v)| (k.to_owned(), v)).into(),
        })
    }
}

/// A folder with models, and the machine of the tests: 8 cores.
pub(super) struct Place {
    pub(super) dir: tempfile::TempDir,
    pub(super) room: Room,
    pub(super) backend: Option<&'static str>,
    pub(super) cores: u32,
}

impl Place {
    /// Models whose output is called `output`.
    pub(super) fn new(output: &'static str) -> Self {
        Self {
            dir: tempfile::tempdir().expect("a temporary folder"),
            room: Room {
                output,
                fails: None,
                says: None,
                questions: RefCell::default(),
            },
            backend: None,
            cores: 8,
        }
    }

    /// Writes a bare model with its labels and returns a request for it.
    pub(super) fn bare(&self, name: &str) -> RunRequest {
        let labels = self.write("labels.txt", "ring\nbar\n");
        RunRequest {
            dataset: Some("shapes:#boxes".to_owned()),
            labels: Some(labels),
            ..RunRequest::new(self.write(name, "weights"))
        }
    }

    /// Writes a package with this `dyno.json` and returns a request for it.
    pub(super) fn package(&self, dyno_json: &serde_json::Value) -> RunRequest {
        self.write("models/me/mine/labels.txt", "ring\nbar\n");
        self.write("models/me/mine/mine.onnx", "weights");
        self.write(
            "models/me/mine/alwaysai.model.json",
            r#"{"id": "me/mine", "version": 1, "model_parameters": {"framework_type": "onnx", "purpose": "ObjectDetection", "model_file": "mine.onnx", "label_file": "labels.txt"}}"#,
        );
        self.write("models/me/mine/dyno.json", &dyno_json.to_string());
        RunRequest {
            dataset: Some("shapes:#boxes".to_owned()),
            ..RunRequest::new("me/mine")
        }
    }

    pub(super) fn write(&self, name: &str, text: &str) -> String {
        let path = self.dir.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
        std::fs::write(&path, text).expect("writable");
        path.display().to_string()
    }

    pub(super) fn plan(&self, request: &RunRequest) -> Result<Planned, PlanError> {
        let search_path = SearchPath::new(vec![self.dir.path().join("models")]);
        crate::plan(
            request,
            &Environment {
                tables: &TABLES,
                search_path: &search_path,
                home: None,
                cores: self.cores,
                cache_dir: None,
                backend: self.backend,
                engines: &self.room,
                samples: &Taker,
            },
        )
    }

    /// The error's words, hint and exit code.
    pub(super) fn refused(&self, request: &RunRequest) -> (String, String, u8) {
        let error = self.plan(request).expect_err("it must be refused");
        let mut words = vec![error.to_string()];
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            words.push(cause.to_string());
            source = cause.source();
        }
        (
            words.join(": "),
            error.hint().unwrap_or_default(),
            error.exit_code(),
        )
    }

    pub(super) fn asked(&self) -> usize {
        self.room.questions.borrow().len()
    }
}
