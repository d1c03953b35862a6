//! Tests on real data.
