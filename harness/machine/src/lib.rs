//! What machine a number was obtained on.
