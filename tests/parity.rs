//! Real models on real photographs: the values of the reference pipeline, the independent metric,
//! all engines.

mod coco;
mod imagenet;
mod models;
mod voc;
