//! Tests of `voc`.
