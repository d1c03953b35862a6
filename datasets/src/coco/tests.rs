//! Tests of `coco`.
