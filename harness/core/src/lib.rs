//! Types and traits that every room of dyno shares.
//!
//! The program is a pipeline over plain data: *sample → tensor → outputs → prediction → score /
//! latency → record*. This crate holds the data and the traits of the arrows; the arrows themselves
//! live in the crates above it. It reads no flags, no environment and no files.

mod annotation;
mod backend;
mod boxes;
mod canonical;
mod dataset;
mod decoder;
mod event;
mod framework;
mod importer;
mod label_match;
mod labels;
mod metric;
mod model;
mod plan;
mod prediction;
mod preprocess;
mod record;
mod reporter;
mod session;
mod table;
mod tensor;

pub use annotation::{Annotation, ImageAnnotation, ObjectAnnotation};
pub use backend::{
    Availability, Backend, BackendError, Check, FileRole, ModelContent, ModelFile, ModelSource,
    Precision, SessionConfig,
};
pub use boxes::{Cxcywh, Xywh, Xyxy};
pub use canonical::{CanonicalError, canonical_json, canonical_sha256, sha256_hex};
pub use dataset::{
    Dataset, DatasetError, DatasetFacts, DatasetKind, DatasetRequest, InputData, Sample,
    SampleEntry, SampleIndex, SampleInput, SampleSet,
};
pub use decoder::{DecodeError, Decoder, DecoderContext, DecoderKind, Geometry, ThresholdSet};
pub use event::{Event, PerformanceResult, SampleFailure, SampleResult, Shard};
pub use framework::{Framework, UnknownFramework};
pub use importer::{ImportError, Importer};
pub use label_match::{LabelMatch, match_labels};
pub use labels::{
    Label, LabelId, LabelMap, LabelScheme, coco80_to_coco91, coco91_to_coco80,
    imagenet1000_to_imagenet1001, imagenet1001_to_imagenet1000,
};
pub use metric::{Metric, MetricContext, MetricError, MetricKind};
pub use model::{
    DecoderSpec, InputSpec, MODEL_SCHEMA, ModelSpec, Named, Origin, Purpose, Reference, Thresholds,
};
pub use plan::{
    AccuracyPlan, Bindings, ExecutionPlan, LabelPlan, ModelPlan, PerformancePlan, Pipeline, Plan,
    PlanFile, PlanSpec,
};
pub use prediction::{Detection, Prediction, RankedClass, Ranking};
pub use preprocess::{
    Anchor, ChannelOrder, CropSize, Kernel, Normalize, PadValue, PreprocessStep, ResizeMode,
    Rounding,
};
pub use record::{
    Artifact, Board, BoundNs, Execution, Interval, LatencyNs, Machine, Measurement,
    MeasurementKind, MemoryBytes, PlanRecord, RECORD_SCHEMA, Record, RecordError, RecordFile,
    SampleSetRecord, Scenario, Score, Sensor, StageNs, Subject, Timed, Tool, Validity,
    ValidityCode, ValidityStatus, Warning, WarningCode,
};
pub use reporter::{Report, ReportError, Reporter};
pub use session::{Completion, Engine, EngineStages, ExecutionFacts, QueryToken, Session};
pub use table::{Row, UnknownName, lookup, nearest};
pub use tensor::{
    DType, Dimension, IoSpec, Layout, NamedTensor, Quantization, Tensor, TensorData, TensorError,
    TensorInfo, TensorSet, TensorSlice, TensorView,
};
