//! Types and traits that every room of dyno shares.
//!
//! The program is a pipeline over plain data: *sample → tensor → outputs → prediction → score /
//! latency → record*. This crate holds the data and the traits of the arrows; the arrows themselves
//! live in the crates above it. It reads no flags, no environment and no files.

mod annotation;
mod availability;
mod backend;
mod boxes;
mod canonical;
mod dataset;
mod decoder;
mod engine;
mod event;
mod framework;
mod importer;
mod label_match;
mod labels;
mod metric;
mod model;
mod overlay;
mod plan;
mod prediction;
mod preprocess;
mod priors;
mod recipe;
mod record;
mod reporter;
mod source;
mod strict;
mod table;
mod tables;
mod tensor;

pub use annotation::{Annotation, AnnotationKind, ImageAnnotation, ObjectAnnotation};
pub use availability::{
    Absence, Availability, Capability, Library, Presence, Problem, Reason, Remedy, Tried,
};
pub use backend::{Backend, BackendError};
pub use boxes::{Cxcywh, Xywh, Xyxy};
pub use canonical::{CanonicalError, canonical_json, canonical_sha256, sha256_hex};
pub use dataset::{
    Dataset, DatasetError, DatasetFacts, DatasetKind, DatasetName, DatasetRequest, ExifOrientation,
    InputData, NameSource, Sample, SampleEntry, SampleIndex, SampleInput, SampleSet,
};
pub use decoder::{DecodeError, Decoder, DecoderContext, DecoderKind, Geometry, ThresholdSet};
pub use engine::{EngineStages, ExecutionFacts, Model, Provider, Slot};
pub use event::{
    Event, PROTOCOL, PerformanceDone, QUESTION_SCHEMA, Question, SampleFailure, SampleResult,
    Shard, ShardOrigin,
};
pub use framework::{Framework, UnknownFramework};
pub use importer::{ImportError, ImportFacts, ImportOptions, ImportSays, Imported, Importer};
pub use label_match::{AmbiguousLabel, LabelMatch, match_labels};
pub use labels::{
    Label, LabelId, LabelMap, LabelScheme, coco80_to_coco91, coco91_to_coco80,
    imagenet1000_to_imagenet1001, imagenet1001_to_imagenet1000,
};
pub use metric::{Detail, Metric, MetricContext, MetricError, MetricKind};
pub use model::{
    DecoderSpec, InputSpec, MODEL_SCHEMA, ModelSpec, NO_DECODER, Named, Origin, Purpose, Reference,
    Thresholds,
};
pub use overlay::{DecoderOverlay, OverlayError, ThresholdOverlay};
pub use plan::{
    AccuracyPlan, Bindings, Division, ExecutionPlan, LabelPlan, ModelPlan, PLAN_SCHEMA,
    PerformancePlan, Plan, PlanFile, PlanFormatError, PlanSpec, ShardRange,
};
pub use prediction::{Detection, Prediction, PredictionKind, RankedClass, Ranking};
pub use preprocess::{
    Anchor, ChannelOrder, CropSize, Kernel, Normalize, PadValue, PreprocessStep, ResizeMode,
    Rounding,
};
pub use priors::PriorGrid;
pub use recipe::{Recipe, RecipeError, RecipeFit, ResolvedRecipe};
pub use record::{
    AccuracyResult, Artifact, Board, DetailRef, Disturbance, Execution, Interval, LatencyNs,
    Lineage, MAX_RECORD_BYTES, Machine, Measurement, MeasurementResult, MemoryBytes, Percentile,
    PerformanceResult, PlanRecord, ProcessRun, RECORD_SCHEMA, Record, RecordError, RecordFile,
    RecordParts, SampleSetRecord, Scenario, ScenarioName, Score, SensorTrace, Series,
    SeriesDifference, Stage, Subject, Timed, Tool, Trial, Validity, ValidityCode, ValidityStatus,
    Warning, WarningCode,
};
pub use reporter::{Artifacts, NoArtifacts, Records, ReportError, Reporter, Sink};
pub use source::{FileRole, ModelContent, ModelFile, ModelSource, OpenConfig, Precision};
pub use strict::unknown_keys;
pub use table::{Row, UnknownName, lookup, nearest};
pub use tables::Tables;
pub use tensor::{
    DType, Dimension, HostBuffer, IoSpec, Layout, NamedTensor, Quantization, Tensor, TensorData,
    TensorError, TensorInfo, TensorSet, TensorSlice, TensorSliceMut, TensorView,
};
