//! Preprocessing steps, recipes, decoders and non-maximum suppression.
