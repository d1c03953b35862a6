//! The program as a user meets it: verbs, exit codes, standard output and standard error.
//!
//! What people read is compared with snapshots (`tests/snapshots`), whole: exit code and both
//! streams.

mod convert;
mod doctor;
mod elsewhere;
mod files;
mod interrupted;
mod listings;
mod manifest;
mod providers;
mod run;
mod runtimes;
mod verify;
mod words;

const DETECTOR: &str = "run dyno/shapes-detector --dataset coco:pictures";
/// The null engine in the shape of the detector.
const NULL: &str =
    "--backend null --set inputs=images:f32:1x3x128x128 --set outputs=output:f32:1x336x11";
