//! From a Plan to events to a Record.
