//! Tracebacks as languages print them.
