//! Everything that a person reads, by minijinja from `web/`.
