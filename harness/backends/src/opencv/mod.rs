//! `opencv`: the module `dnn` of OpenCV, linked.

mod backend;
mod model;
mod net;
mod slot;
mod threads;

pub use backend::OpenCv;
