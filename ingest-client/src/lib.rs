//! Reports errors to Flawless.
