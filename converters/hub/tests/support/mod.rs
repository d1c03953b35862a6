//! What the tests share: assets, stored arrays, engines, comparison, lists of expected passes.

pub(crate) mod assets;
pub(crate) mod compare;
pub(crate) mod engines;
pub(crate) mod expected;
pub(crate) mod npy;
