//! Tests of `imagenet`.
