//! The rules of a run, on clocks that are moved by hand: nothing here asserts a time of the real
//! clock.

mod common;
mod numbers;
mod rules;
mod several_slots;
