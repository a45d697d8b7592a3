//! The digest of a report, the same whether it is taken from the wire or from the report made of it.

use super::limits::{LINE_BYTES, NAME_BYTES, head};
use super::sentry_event::Event;
use crate::domain::digest::{Digest, DigestBuilder};
use crate::domain::report::Report;

impl Event<'_> {
    /// The digest of the report that [`Event::into_report`] would make, without making it.
    pub fn digest(&self) -> Digest {
        let platform = self.platform();
        let revision = self.revision();
        let has_frames = self.exceptions.kept.iter().any(|exception| !exception.concerning(platform).is_empty());
        let mut builder = DigestBuilder::new(self.release(), revision.as_deref());
        for exception in &self.exceptions.kept {
            let value = if has_frames { None } else { self.value_of(exception) };
            builder.exception(Some(head(exception.kind_name(), NAME_BYTES)), value.as_deref());
            for frame in exception.concerning(platform) {
                builder.frame(
                    frame.filename.as_deref().map(|text| head(text, NAME_BYTES)),
                    frame.abs_path.as_deref().map(|text| head(text, NAME_BYTES)),
                    frame.function.as_deref().map(|text| head(text, NAME_BYTES)),
                    frame.line.as_u32(),
                    frame.context_line.as_deref().map(|text| head(text, LINE_BYTES)),
                );
            }
        }
        if self.exceptions.kept.is_empty() {
            builder.exception(None, self.message().as_deref());
        }
        builder.finish()
    }
}

/// The digest of a report that came by another way than an event. Taken before secrets are hidden in it.
pub fn digest_of(report: &Report) -> Digest {
    let has_frames = report.exceptions.iter().any(|exception| !exception.frames.is_empty());
    let mut builder = DigestBuilder::new(report.release.as_deref(), report.revision.as_deref());
    for exception in &report.exceptions {
        let value = if has_frames { None } else { exception.value.as_deref() };
        builder.exception(Some(&exception.kind), value);
        for frame in &exception.frames {
            builder.frame(
                frame.filename.as_deref(),
                frame.abs_path.as_deref(),
                frame.function.as_deref(),
                frame.line,
                frame.context_line.as_deref(),
            );
        }
    }
    if report.exceptions.is_empty() {
        builder.exception(None, report.message.as_deref());
    }
    builder.finish()
}
