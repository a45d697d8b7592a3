//! A frame as it counts for a fingerprint: without what each process or build puts into names.

use domain::fingerprint::FingerprintBuilder;
use domain::lasting_name::{is_reflection, lasting, lasting_path};

/// What a fingerprint is made of, of one frame.
pub(super) struct FrameParts<'a> {
    pub(super) filename: Option<&'a str>,
    pub(super) abs_path: Option<&'a str>,
    pub(super) module: Option<&'a str>,
    pub(super) function: Option<&'a str>,
    pub(super) line: Option<u32>,
    pub(super) context_line: Option<&'a str>,
}

/// Adds a frame of the exception that was added last.
pub(super) fn add_frame(fingerprint: &mut FingerprintBuilder, frame: &FrameParts<'_>) {
    if frame.module.is_some_and(is_reflection) {
        return;
    }
    let filename = frame.filename.map(lasting_path);
    let abs_path = frame.abs_path.map(lasting_path);
    let function = frame.function.map(lasting);
    fingerprint.frame(filename.as_deref(), abs_path.as_deref(), function.as_deref(), frame.line, frame.context_line);
    if FingerprintBuilder::is_told_by_module(abs_path.as_deref().or(filename.as_deref()))
        && let Some(module) = frame.module
    {
        fingerprint.module(&lasting(module));
    }
}
