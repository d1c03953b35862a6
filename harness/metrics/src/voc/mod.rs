//! PASCAL VOC's average precision of boxes.

mod curve;
mod details;
mod matching;
mod metric;

pub use metric::VocAp;

#[cfg(test)]
mod tests;
