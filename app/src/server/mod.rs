//! The HTTP side, by axum.
