//! Python's tracebacks of other processes, quoted within one another, and the calls that led to a
//! record which could not be logged.

use super::{Reader, exception};
use domain::report::Exception;

/// Tracebacks of other processes, quoted within one another.
const MAX_QUOTES: usize = 3;
/// What `logging` says of a record that it could not write.
pub(super) const NOT_LOGGED: &str = "--- Logging error ---";
/// What it says above the calls that the record came from.
pub(super) const CALL_STACK: &str = "Call stack:";

impl Reader<'_> {
    /// An exception that stands for one of another process, whose traceback it quotes.
    pub(super) fn remote(&self, depth: usize) -> Option<Exception> {
        let remote = exception(self.text(depth)?).filter(|exception| exception.kind.ends_with("RemoteTraceback"))?;
        self.ahead(1, depth).filter(|text| is_quote(text)).and(Some(remote))
    }

    /// The quoted traceback's calls are this exception's; what led to it stays before it.
    pub(super) fn quoted(&mut self, depth: usize, exceptions: &mut Vec<Exception>) {
        let Some(mut remote) = self.remote(depth).filter(|_| self.quotes < MAX_QUOTES) else { return };
        self.at += 2;
        self.quotes += 1;
        self.skip_blank(depth);
        exceptions.extend(self.chain(depth));
        self.quotes -= 1;
        self.skip_blank(depth);
        if self.text(depth).is_some_and(is_quote) {
            self.at += 1;
        }
        let Some(raised) = exceptions.pop() else { return };
        remote.value = Some(match raised.value {
            Some(value) => format!("{}: {value}", raised.kind),
            None => raised.kind,
        });
        remote.frames = raised.frames;
        remote.id = raised.id;
        exceptions.push(remote);
    }

    /// The calls that led to a record which could not be written: outside of the exception's own,
    /// unless the record was to tell of another, which is the one that counts.
    pub(super) fn call_stack(&mut self, exceptions: &mut Vec<Exception>) {
        let mut outer = Vec::new();
        if self.text(0) == Some(CALL_STACK) {
            self.at += 1;
            outer = self.frames(0);
        }
        match &mut exceptions[..] {
            [.., told, _] if told.source.as_deref() == Some("__context__") => {
                (told.parent, told.source) = (None, None);
                exceptions.pop();
            }
            [.., last] => drop(last.frames.splice(..0, outer)),
            [] => {}
        }
    }
}

/// The line that begins and ends a quoted text.
pub(super) fn is_quote(text: &str) -> bool {
    matches!(text.trim(), "\"\"\"" | "'''")
}
