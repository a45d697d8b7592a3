//! How much of a report is kept: bounds for a client that sends too much.

use crate::domain::report::{Frame, Report};
use std::borrow::Cow;
use std::io::Write;

/// Innermost frames kept of an exception: where it was raised, and what led there.
pub(super) const INNERMOST_FRAMES: usize = 100;
/// Outermost frames kept of an exception: where a runaway recursion began.
pub(super) const OUTERMOST_FRAMES: usize = 50;
/// Exceptions kept from the end of a report: the one that was raised, and what it belongs to.
pub(super) const LAST_EXCEPTIONS: usize = 40;
/// Exceptions kept from the beginning: the root causes.
pub(super) const FIRST_EXCEPTIONS: usize = 10;
/// Characters kept of a variable's value: what the original Flawless kept.
const VALUE_CHARS: usize = 250;
/// Characters kept of an exception's value or a message: a failed SQL statement may be long.
pub(super) const MESSAGE_CHARS: usize = 4_000;
/// Bytes kept of paths, function names and other names.
pub(super) const NAME_BYTES: usize = 500;
/// Bytes kept of a source line. Longer lines are minified, and no person wrote them.
pub(super) const LINE_BYTES: usize = 1_000;
/// Short values that make up additional information worth keeping in a report that is too large.
const SHORT_VALUES: usize = 6;
/// Bytes of a report as JSON, uncompressed. The largest recorded, a recursion of 50 frames with all variables, has 26 kB.
pub(super) const REPORT_BYTES: usize = 256 * 1024;

/// Frames of each exception that keep their variables and surroundings when a report is too large.
const DETAILED_FRAMES: usize = 10;
/// Outermost and innermost frames of each exception that are kept when nothing else is left to take.
const BARE_FRAMES: (usize, usize) = (5, 10);

/// The beginning of a name or source line, at most so many bytes, no character cut in two.
pub(super) fn head(text: &str, bytes: usize) -> &str {
    if text.len() <= bytes {
        return text;
    }
    let end = (0..=bytes).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    &text[..end]
}

/// A text of at most so many characters, with a note of how many there were.
pub(super) fn clip(text: Cow<'_, str>, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        None => text.into_owned(),
        Some((end, _)) => format!("{}… ({} characters)", &text[..end], text.chars().count()),
    }
}

/// Takes the middle out of an exception's frames, where there are too many.
pub(super) fn clip_frames(frames: &mut Vec<Frame>, outermost: usize, innermost: usize) {
    if frames.len() > outermost + innermost {
        frames.drain(outermost..frames.len() - innermost);
    }
}

/// Makes a report no larger than [`REPORT_BYTES`], by taking away what is missed least, until it fits.
pub(super) fn fit(report: &mut Report) {
    let steps: [fn(&mut Report); 6] =
        [bare_outer_frames, drop_large_additional, drop_request_body, bare_all_frames, drop_middle_frames, drop_rest];
    for step in steps {
        if size(report) <= REPORT_BYTES {
            return;
        }
        step(report);
    }
}

fn bare(frame: &mut Frame) {
    frame.vars.clear();
    frame.pre_context.clear();
    frame.post_context.clear();
}

fn bare_outer_frames(report: &mut Report) {
    for exception in &mut report.exceptions {
        let outer = exception.frames.len().saturating_sub(DETAILED_FRAMES);
        exception.frames[..outer].iter_mut().for_each(bare);
    }
}

fn drop_large_additional(report: &mut Report) {
    report.additional.retain(|_, value| value.to_string().len() <= VALUE_CHARS * SHORT_VALUES);
}

fn drop_request_body(report: &mut Report) {
    if let Some(request) = &mut report.request {
        request.data = None;
        request.headers.clear();
    }
}

fn bare_all_frames(report: &mut Report) {
    report.exceptions.iter_mut().flat_map(|exception| &mut exception.frames).for_each(bare);
}

fn drop_middle_frames(report: &mut Report) {
    for exception in &mut report.exceptions {
        clip_frames(&mut exception.frames, BARE_FRAMES.0, BARE_FRAMES.1);
    }
}

/// What is left has bounds of its own: one exception of short values always fits.
fn drop_rest(report: &mut Report) {
    report.additional.clear();
    report.request = None;
    let raised = report.exceptions.len().saturating_sub(1);
    for exception in &mut report.exceptions[..raised] {
        exception.frames.clear();
        exception.value = exception.value.take().map(|value| clip(Cow::Owned(value), VALUE_CHARS));
    }
}

/// Bytes as JSON.
fn size(report: &Report) -> usize {
    struct Count(usize);
    impl Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // A report is plain data, so that writing it can't fail; if it did, it would count as too large.
    serde_json::to_writer(&mut count, report).map_or(usize::MAX, |()| count.0)
}
