//! Attempts to make the program say what is not true: each is refused, or named. The data is the
//! quickstart's, the user is one of ill will.

pub(crate) mod kit;

mod before;
mod evidence;
mod failures;
mod interrupt;
mod intervals;
mod names;
mod pictures;
mod repeats;
mod series;
mod subsets;
mod thresholds;
mod timing;
