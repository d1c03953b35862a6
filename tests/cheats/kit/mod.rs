//! What the tests of ill will share: the quickstart's packages and pictures as JSON, limits around
//! a process, and writers of small files that no library would write.

mod data;
mod jpeg;
mod limits;
mod onnx;

pub(crate) use data::{
    CLASSIFIER, DETECTOR, annotations, detector, edit, evidence, first_picture, json, manifest,
    measurement, pictures, record, runs, shapes, text,
};
pub(crate) use jpeg::Jpeg;
pub(crate) use limits::{HANGS, Limits, children, ended, kill, limited, open_to_all, started};
pub(crate) use onnx::{Message, chain, free_size, with_nan, with_random};
