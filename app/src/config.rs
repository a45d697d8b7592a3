//! Configuration: `flawless.toml`, overridden by environment variables.
