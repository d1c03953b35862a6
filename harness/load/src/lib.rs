//! The load generator: scenarios, clock, recorder, stop rules.
