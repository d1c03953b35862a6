//! Reports rendered from records.
