//! Tracebacks that an exception quotes in its text: of a worker process, whose exception was raised
//! again where somebody waited for it.

use crate::traceback;
use domain::chain::is_remote_traceback;
use domain::report::Frame;

/// Type of the exception whose frames another one's message quotes.
pub(crate) const REMOTE_TRACEBACK: &str = "RemoteTraceback";

/// Bytes of a text, from its end, that a quoted traceback is looked for in.
const QUOTED_BYTES: usize = 256 * 1024;

/// What stands before a traceback that is quoted in the message of the very exception that was
/// raised again: PyTorch's loaders (`torch/_utils.py`) and processes
/// (`torch/multiprocessing/spawn.py`), and `multiprocessing.managers.RemoteError`.
const QUOTES: [&str; 3] = [
    "Original Traceback (most recent call last):",
    "terminated with the following error:\nTraceback (most recent call last):",
    "---------------------------------------------------------------------------\nTraceback (most recent call last):",
];

/// What every quoted traceback has.
const HEADER: &str = "Traceback (most recent call last):";

/// Whether an exception's text is nothing but a traceback of another process: its frames are that
/// exception's own.
pub(crate) fn is_quotation(kind: &str) -> bool {
    is_remote_traceback(kind)
}

/// The frames of the traceback that an exception without frames is (a pool's `RemoteTraceback`), or
/// that an exception quotes in its message; none for nearly all exceptions, at the cost of a look
/// at the message.
pub(crate) fn quoted_frames(kind: &str, message: Option<&str>) -> Vec<Frame> {
    let Some(message) = message.filter(|message| message.contains(HEADER)) else { return Vec::new() };
    if !is_quotation(kind) && !QUOTES.iter().any(|quote| message.contains(quote)) {
        return Vec::new();
    }
    let start = message.ceil_char_boundary(message.len().saturating_sub(QUOTED_BYTES));
    let mut exceptions = traceback::python_exceptions(&message[start..]);
    // Old clients cut long texts: a traceback without its end does not say where it failed.
    match exceptions.pop() {
        Some(last) if last.value.is_some() || last.kind != "Exception" => last.frames,
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORKER: &str = "\n\"\"\"\nTraceback (most recent call last):\n  File \"/usr/lib/python3.12/multiprocessing/pool.py\", \
        line 125, in worker\n    result = (True, func(*args, **kwds))\n                    ^^^^^^^^^^^^^^^^^^^\n  File \
        \"/srv/jobs/rates.py\", line 9, in of\n    return RATES[currency]\n           ~~~~~^^^^^^^^^^\nKeyError: 'CHF'\n\"\"\"";

    fn innermost(kind: &str, message: &str) -> Option<(String, u32)> {
        let frame = quoted_frames(kind, Some(message)).pop()?;
        Some((frame.path()?.to_owned(), frame.line?))
    }

    #[test]
    fn a_workers_frames_are_read_from_the_text() {
        let expected = Some(("/srv/jobs/rates.py".to_owned(), 9));
        for kind in ["RemoteTraceback", "_RemoteTraceback", "billiard.einfo.RemoteTraceback"] {
            assert_eq!(innermost(kind, WORKER), expected, "{kind}");
        }
        let loader = WORKER
            .trim_matches(['\n', '"'])
            .replace("Traceback (", "Caught KeyError in DataLoader worker process 0.\nOriginal Traceback (");
        assert_eq!(innermost("KeyError", &loader), expected);
        let spawned = WORKER
            .trim_matches(['\n', '"'])
            .replace("Traceback (", "\n\n-- Process 0 terminated with the following error:\nTraceback (");
        assert_eq!(innermost("ProcessRaisedException", &spawned), expected);
        let line = "-".repeat(75);
        let manager = format!("\n{line}\n{}\n{line}", WORKER.trim_matches(['\n', '"']));
        assert_eq!(innermost("RemoteError", &manager), expected);
        // What a worker raised while it handled something else counts.
        let chained = WORKER.replace(
            "KeyError: 'CHF'\n",
            "KeyError: 'CHF'\n\nDuring handling of the above exception, another exception occurred:\n\nTraceback (most recent \
             call last):\n  File \"/srv/jobs/rates.py\", line 12, in of\n    raise Unknown(currency)\nrates.Unknown: CHF\n",
        );
        assert_eq!(innermost("RemoteTraceback", &chained), Some(("/srv/jobs/rates.py".to_owned(), 12)));
    }

    #[test]
    fn what_is_cut_or_only_told_of_is_none() {
        let cut = &WORKER[..WORKER.find("\n    return RATES").unwrap()];
        assert_eq!(innermost("RemoteTraceback", &format!("{cut}...")), None, "it ends before it says where");
        assert_eq!(innermost("RuntimeError", WORKER), None, "any message may quote one");
        assert_eq!(innermost("RemoteTraceback", "no traceback"), None);
        assert!(quoted_frames("RemoteTraceback", None).is_empty());
    }

    #[test]
    fn a_huge_text_is_read_at_its_end() {
        let frame = "  File \"/srv/jobs/deep.py\", line 3, in again\n    again()\n";
        let huge = format!("Traceback (most recent call last):\n{}RecursionError: x\n", frame.repeat(40_000));
        assert!(quoted_frames("RemoteTraceback", Some(&huge)).len() <= 200);
    }
}
