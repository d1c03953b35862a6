//! A toy of everything that a run looks up: two engines, an importer, a dataset, a decoder and a
//! metric. Small enough to know every number by heart.
//!
//! A model is a text: `toy onnx`, then `classes=3`, then `input=vector` (`[batch, 4]`) or
//! `input=image` (`[batch, 3, 4, 4]`). Output `y[c]` is the mean of the sample's values plus 1 for
//! the class that this mean says. Settings plant faults.

use dyno_core::{
    Annotation, AnnotationKind, Availability, Backend, BackendError, DType, Dataset, DatasetError,
    DatasetFacts, DatasetKind, DatasetName, DatasetRequest, DecodeError, Decoder, DecoderContext,
    DecoderKind, Detail, Dimension, EngineStages, ExecutionFacts, ExifOrientation, FileRole,
    Framework, Geometry, ImportError, ImportOptions, ImportSays, Imported, Importer, InputData,
    IoSpec, LabelId, LabelMap, Metric, MetricContext, MetricError, MetricKind, Model, ModelContent,
    ModelFile, ModelSource, NameSource, OpenConfig, Prediction, PredictionKind, Ranking, Sample,
    SampleEntry, SampleIndex, SampleInput, Score, Slot, Tables, Tensor, TensorData, TensorInfo,
    TensorSet, TensorSlice, TensorView,
};
use std::{
    any::Any,
    collections::BTreeMap,
    fs,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

static RELEASED: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());

/// Lets a run that waits return. One run of the process waits at a time.
pub(crate) fn release() {
    *RELEASED.0.lock().expect("no panic") = true;
    RELEASED.1.notify_all();
}

/// Classes of model and dataset.
pub(crate) const CLASSES: [&str; 3] = ["a", "b", "c"];

pub(crate) const TABLES: Tables = Tables {
    backends: &[&Toy, &ToyHailo],
    importers: &[&ToyDarknet],
    datasets: &[&ToySet],
    decoders: &[&ToyRanking],
    metrics: &[&ToyHits],
    recipes: &[],
};

/// The model's text.
pub(crate) fn model_text(input: &str) -> String {
    format!("toy onnx\nclasses={}\ninput={input}\n", CLASSES.len())
}

fn content(source: &ModelSource) -> String {
    let file = source.file(FileRole::Model);
    let bytes = match file.map(|f| &f.content) {
        Some(ModelContent::Path(path)) => fs::read(path).unwrap_or_default(),
        Some(ModelContent::Bytes(bytes)) => bytes.to_vec(),
        None => Vec::new(),
    };
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads toy ONNX. Settings: `nan=N` (the output of a sample whose mean is N is NaN), `differs=N`
/// (from run N on all outputs are others), `nudge=N` (from run N on they differ in the last digits),
/// `hang=N` (run N never returns), `wait=N` (run N returns after [`release`]), `noise=1` (prints on standard output), `slots=N` (so many at
/// most).
pub(crate) struct Toy;

impl Backend for Toy {
    fn id(&self) -> &'static str {
        "toy"
    }
    fn about(&self) -> &'static str {
        "toy"
    }
    fn reads(&self) -> &'static [Framework] {
        &[Framework::Onnx]
    }
    fn probe(&self) -> Availability {
        Availability::built_in("")
    }
    fn open(
        &self,
        source: &ModelSource,
        config: &OpenConfig,
    ) -> Result<Arc<dyn Model>, BackendError> {
        let text = content(source);
        let mut lines = text.lines();
        if lines.next() != Some("toy onnx") {
            return Err(BackendError::Load {
                backend: "toy",
                reason: "this is no toy".into(),
            });
        }
        let batch = config.batch as usize;
        let shape = if text.contains("input=image") {
            vec![batch, 3, 4, 4]
        } else {
            vec![batch, 4]
        };
        let fixed = |shape: &[usize]| shape.iter().map(|n| Dimension::Fixed(*n)).collect();
        Ok(Arc::new(ToyModel {
            io: IoSpec {
                inputs: vec![TensorInfo::new("x", DType::F32, fixed(&shape))],
                outputs: vec![TensorInfo::new(
                    "y",
                    DType::F32,
                    fixed(&[batch, CLASSES.len()]),
                )],
            },
            config: config.clone(),
            shape,
            runs: Arc::default(),
        }))
    }
}

struct ToyModel {
    io: IoSpec,
    config: OpenConfig,
    shape: Vec<usize>,
    runs: Arc<AtomicU64>,
}

impl Model for ToyModel {
    fn io(&self) -> &IoSpec {
        &self.io
    }
    fn facts(&self) -> ExecutionFacts {
        ExecutionFacts {
            backend: "toy".into(),
            library: "toy 1".into(),
            device: "cpu".into(),
            providers: Vec::new(),
            precision: "f32".into(),
            threads: self.config.threads,
            batch: self.config.batch,
            shapes: BTreeMap::from([("x".to_owned(), self.shape.clone())]),
            settings: BTreeMap::new(),
        }
    }
    fn max_slots(&self) -> Option<usize> {
        number(&self.config, "slots").map(|n| n as usize)
    }
    fn slot(&self) -> Result<Box<dyn Slot>, BackendError> {
        let batch = self.config.batch as usize;
        Ok(Box::new(ToySlot {
            config: self.config.clone(),
            runs: Arc::clone(&self.runs),
            output: vec![0.0; batch * CLASSES.len()],
            shape: [batch, CLASSES.len()],
        }))
    }
}

fn number(config: &OpenConfig, key: &str) -> Option<u64> {
    config.settings.get(key).and_then(|n| n.parse().ok())
}

struct ToySlot {
    config: OpenConfig,
    runs: Arc<AtomicU64>,
    output: Vec<f32>,
    shape: [usize; 2],
}

impl Slot for ToySlot {
    fn run(&mut self, inputs: &TensorSet) -> Result<EngineStages, BackendError> {
        let run = self.runs.fetch_add(1, Ordering::Relaxed);
        let from = |key| number(&self.config, key).is_some_and(|n| run >= n);
        if number(&self.config, "hang") == Some(run) {
            use std::io::Write as _;
            // Past the capture of the test harness: whoever started this waits for it.
            writeln!(std::io::stderr(), "hanging").expect("written");
            loop {
                std::thread::park();
            }
        }
        if number(&self.config, "wait") == Some(run) {
            let released = RELEASED.0.lock().expect("no panic");
            let wait = RELEASED.1.wait_while(released, |released| !*released);
            *wait.expect("no panic") = false;
        }
        if number(&self.config, "noise").is_some() {
            use std::io::Write as _;
            // Past the capture of the test harness, as a native library does.
            writeln!(std::io::stdout(), "a library prints what it likes").expect("written");
        }
        let TensorSlice::F32(values) = inputs.tensors[0].tensor.data().as_slice() else {
            return Err(BackendError::Usage("f32 only".into()));
        };
        let each = values.len() / self.shape[0];
        for (item, sample) in values.chunks(each).enumerate() {
            let mean = sample.iter().sum::<f32>() / each as f32;
            let class = (mean as usize) % CLASSES.len();
            let y = &mut self.output[item * CLASSES.len()..][..CLASSES.len()];
            for (c, y) in y.iter_mut().enumerate() {
                *y = mean + f32::from(u8::from(c == class));
            }
            if number(&self.config, "nan").is_some_and(|n| (n as f32 - mean).abs() < 0.1) {
                y[1] = f32::NAN;
            }
            if from("differs") {
                y.rotate_left(1);
            }
            if from("nudge") {
                y[0] += y[0].abs() * 1e-5;
            }
        }
        Ok(EngineStages {
            engine_ns: Some(1),
            ..EngineStages::default()
        })
    }
    fn output(&self, _index: usize) -> TensorView<'_> {
        TensorView::new(&self.shape, TensorSlice::F32(&self.output)).expect("its own shape")
    }
}

/// Reads what no importer translates.
pub(crate) struct ToyHailo;

impl Backend for ToyHailo {
    fn id(&self) -> &'static str {
        "toy-hailo"
    }
    fn about(&self) -> &'static str {
        "toy"
    }
    fn reads(&self) -> &'static [Framework] {
        &[Framework::Hailo]
    }
    fn probe(&self) -> Availability {
        Availability::built_in("")
    }
    fn open(&self, _: &ModelSource, _: &OpenConfig) -> Result<Arc<dyn Model>, BackendError> {
        Err(BackendError::Usage("never opened".into()))
    }
}

/// Translates `[net] input=vector` into toy ONNX.
pub(crate) struct ToyDarknet;

impl Importer for ToyDarknet {
    fn id(&self) -> &'static str {
        "toy-darknet"
    }
    fn framework(&self) -> Framework {
        Framework::Darknet
    }
    fn version(&self) -> u32 {
        7
    }
    fn import(&self, files: &[ModelFile], _: &ImportOptions) -> Result<Imported, ImportError> {
        let source = ModelSource {
            framework: Framework::Darknet,
            files: files.to_vec(),
        };
        let text = content(&source);
        match text.trim().strip_prefix("[net] input=") {
            Some(input) => Ok(Imported {
                onnx: model_text(input).into_bytes(),
                says: ImportSays {
                    notes: vec!["a toy".to_owned()],
                    ..ImportSays::default()
                },
            }),
            None => Err(ImportError::Malformed {
                framework: Framework::Darknet,
                reason: "line 1 does not begin with `[net] input=`".into(),
            }),
        }
    }
}

/// Options: `count=N` samples whose values are their number, each of class `number % 3`, or the
/// files of `path`; `panics=N`, `fails=N`: loading that sample does; `classes=M`: the class of every
/// sample is M.
pub(crate) struct ToySet;

struct ToySamples {
    facts: DatasetFacts,
    entries: Vec<SampleEntry>,
    request: DatasetRequest,
}

impl ToySamples {
    fn option(&self, key: &str) -> Option<u32> {
        self.request.options.get(key).and_then(|n| n.parse().ok())
    }
}

impl DatasetKind for ToySet {
    fn id(&self) -> &'static str {
        "toy"
    }
    fn about(&self) -> &'static str {
        "toy"
    }
    fn open(&self, request: &DatasetRequest) -> Result<Box<dyn Dataset>, DatasetError> {
        let entry = |id: String, path| SampleEntry {
            id,
            path,
            truth: None,
        };
        let entries = if let Some(count) = request.options.get("count") {
            (0..count.parse::<u32>().expect("a number"))
                .map(|n| entry(format!("{n:04}"), None))
                .collect()
        } else {
            let files = fs::read_dir(&request.path).expect("a folder");
            let mut files: Vec<_> = files.filter_map(Result::ok).map(|e| e.path()).collect();
            files.sort();
            let id = |p: &std::path::Path| p.file_name().map(|n| n.to_string_lossy().into_owned());
            let entries = files
                .into_iter()
                .filter_map(|p| Some(entry(id(&p)?, Some(p))));
            entries.collect()
        };
        Ok(Box::new(ToySamples {
            facts: DatasetFacts {
                kind: "toy".into(),
                name: DatasetName {
                    name: "custom-toy".into(),
                    source: NameSource::Custom,
                    of: None,
                },
                exif: ExifOrientation::Ignore,
                annotation: AnnotationKind::Class,
                labels: LabelMap::from_names(CLASSES),
                metrics: vec!["toy-hits".into()],
            },
            entries,
            request: request.clone(),
        }))
    }
}

impl Dataset for ToySamples {
    fn facts(&self) -> &DatasetFacts {
        &self.facts
    }
    fn entries(&self) -> &[SampleEntry] {
        &self.entries
    }
    fn load(&self, index: SampleIndex) -> Result<Sample, DatasetError> {
        assert!(self.option("panics") != Some(index.0), "a codec's");
        if self.option("fails") == Some(index.0) {
            return Err(DatasetError::Usage("cannot be read".into()));
        }
        let data = if let Some(path) = &self.entries[index.index()].path {
            InputData::EncodedImage(fs::read(path).expect("a file"))
        } else {
            let values = TensorData::F32(vec![index.0 as f32; 4]);
            InputData::Tensor(Tensor::new(vec![1, 4], values).expect("four values"))
        };
        Ok(Sample {
            inputs: vec![SampleInput { name: None, data }],
        })
    }
    fn truth(&self, index: SampleIndex) -> Result<Annotation, DatasetError> {
        let class = self.option("classes").unwrap_or(index.0 % 3);
        Ok(Annotation::Class(LabelId(class)))
    }
}

/// Reads `[batch, classes]`.
pub(crate) struct ToyRanking;

impl DecoderKind for ToyRanking {
    fn id(&self) -> &'static str {
        "toy-ranking"
    }
    fn about(&self) -> &'static str {
        "toy"
    }
    fn predicts(&self) -> PredictionKind {
        PredictionKind::Ranking
    }
    fn build(&self, _: &DecoderContext<'_>) -> Result<Box<dyn Decoder>, DecodeError> {
        Ok(Box::new(ToyRanking))
    }
}

impl Decoder for ToyRanking {
    fn decode(
        &mut self,
        outputs: &[TensorView<'_>],
        geometries: &[Geometry],
        predictions: &mut Vec<Prediction>,
    ) -> Result<(), DecodeError> {
        let scores = outputs[0].as_f32()?;
        let rows = scores.chunks(CLASSES.len()).take(geometries.len());
        predictions.extend(rows.map(|row| Prediction::Ranking(Ranking::from_scores(row, 2))));
        Ok(())
    }
}

/// The share of samples whose first class is right, as `hits`; a third is chance.
pub(crate) struct ToyHits;

#[derive(Default)]
struct ToyCount(BTreeMap<SampleIndex, bool>);

impl MetricKind for ToyHits {
    fn id(&self) -> &'static str {
        "toy-hits"
    }
    fn about(&self) -> &'static str {
        "toy"
    }
    fn accepts(&self, prediction: PredictionKind, annotation: AnnotationKind) -> bool {
        (prediction, annotation) == (PredictionKind::Ranking, AnnotationKind::Class)
    }
    fn chance(&self, _: &Score, classes: usize) -> Option<f64> {
        Some(1.0 / classes as f64)
    }
    fn build(&self, _: &MetricContext<'_>) -> Result<Box<dyn Metric>, MetricError> {
        Ok(Box::new(ToyCount::default()))
    }
}

impl Metric for ToyCount {
    fn update(
        &mut self,
        sample: SampleIndex,
        prediction: &Prediction,
        annotation: &Annotation,
    ) -> Result<(), MetricError> {
        let (Prediction::Ranking(ranking), Annotation::Class(class)) = (prediction, annotation)
        else {
            return Err(MetricError::Kind {
                metric: "toy-hits",
                needs: "rankings and classes",
            });
        };
        let first = ranking.classes.first().map(|c| c.label);
        self.0.insert(sample, first == Some(*class));
        Ok(())
    }
    fn merge(&mut self, other: Box<dyn Metric>) -> Result<(), MetricError> {
        let other: Box<dyn Any> = other;
        let other = other.downcast::<Self>();
        self.0.extend(
            other
                .map_err(|_| MetricError::Merge { metric: "toy-hits" })?
                .0,
        );
        Ok(())
    }
    fn class_scores(&self) -> Vec<String> {
        Vec::new()
    }
    fn finish(&self, _: Option<&dyn Fn(SampleIndex) -> u32>) -> Result<Vec<Score>, MetricError> {
        let hits = self.0.values().filter(|hit| **hit).count() as u64;
        let n = self.0.len() as u64;
        Ok(vec![Score {
            metric: "hits".into(),
            value: Some(hits as f64 / n as f64),
            n,
            hits: Some(hits),
            interval: None,
            optimistic: None,
            pessimistic: None,
        }])
    }
    fn finish_with_intervals(&self, _: u32, _: u64) -> Result<Vec<Score>, MetricError> {
        self.finish(None)
    }
    fn details(
        &self,
        sample_id: &dyn Fn(SampleIndex) -> String,
    ) -> Result<Vec<Detail>, MetricError> {
        let mut bytes = b"sample,score\n".to_vec();
        for (sample, hit) in &self.0 {
            let row = format!("{},{}\n", sample_id(*sample), u8::from(*hit));
            bytes.extend_from_slice(row.as_bytes());
        }
        let detail = |name: &str, bytes| Detail {
            name: name.into(),
            format: "csv",
            bytes,
        };
        Ok(vec![
            detail("per-image", bytes),
            detail("per-class", b"class,hits\na,1\nb,\n".to_vec()),
        ])
    }
}
