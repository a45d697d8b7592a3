//! The frames of an event's exceptions: which of those that were sent are kept, and which the
//! exception's message says.

use crate::lenient::Text;
use crate::limits::{MAX_INNER_FRAMES, MAX_OUTER_FRAMES};
use crate::named_place::{Reader, named_place};
use crate::native::application_frames;
use crate::php_functions::inner_calls;
use crate::quoted::{REMOTE_TRACEBACK, is_quotation, quoted_frames};
use crate::ruby_methods::is_called_in_c;
use crate::sentry_fields::{RawException, RawFrame, Stacktrace};
use domain::report::{Exception, Frame, Platform};
use serde_json::value::RawValue;

/// How the names of PHP's files end.
const PHP: &str = ".php";

/// The frames that are kept, outermost first: of native code the application's, of PHP those that
/// are code of their place, and of these the outer and inner ones.
pub(super) fn kept_frames<'e, 'a>(
    stacktrace: &'e Stacktrace<'a>,
    platform: Platform,
) -> impl DoubleEndedIterator<Item = &'e RawFrame<'a>> {
    let frames = stacktrace.frames.0.as_slice();
    let length = match platform {
        Platform::Native => application_frames(frames.iter().map(|frame| frame.function.get())),
        Platform::Other => {
            let path = |frame: &'e RawFrame<'a>| frame.abs_path.get().or_else(|| frame.filename.get());
            let calls = frames.iter().rev().map(|frame| (path(frame), frame.line.line(), frame.function.get()));
            let is_php = frames.last().and_then(path).is_some_and(|path| path.ends_with(PHP));
            if is_php { frames.len() - inner_calls(calls) } else { frames.len() }
        }
        _ => frames.len(),
    };
    let frames = &frames[..length];
    let (outer, inner) = if length > MAX_OUTER_FRAMES + MAX_INNER_FRAMES {
        (&frames[..MAX_OUTER_FRAMES], &frames[length - MAX_INNER_FRAMES..])
    } else {
        frames.split_at(0)
    };
    let is_own = move |(at, frame): &(usize, &RawFrame<'a>), frames: &'e [RawFrame<'a>]| {
        platform != Platform::Ruby || at.checked_sub(1).is_none_or(|caller| !is_c_method(frame, &frames[caller]))
    };
    let own_of = move |frames: &'e [RawFrame<'a>]| {
        frames.iter().enumerate().filter(move |frame| is_own(frame, frames)).map(|(_, frame)| frame)
    };
    own_of(outer).chain(own_of(inner))
}

/// Whether a frame of Ruby's is a method written in C, which has its caller's place: `Integer#/` at
/// the line of `Cart#total`.
fn is_c_method(frame: &RawFrame<'_>, caller: &RawFrame<'_>) -> bool {
    let same = |one: &Text<'_>, other: &Text<'_>| one.get() == other.get();
    frame.line.line().is_some()
        && frame.line.line() == caller.line.line()
        && same(&frame.abs_path, &caller.abs_path)
        && same(&frame.filename, &caller.filename)
        && is_called_in_c(frame.function.get(), caller.function.get())
}

/// Frames that an exception's message says beside those that were sent: a traceback that it quotes,
/// where the exception is of Python, and the place that it names. None for nearly all.
pub(super) fn read_of_message(exception: &RawException<'_>, platform: Platform) -> (Vec<Frame>, Option<Frame>) {
    let Some(kind) = exception.kind.get() else { return (Vec::new(), None) };
    let (message, frames) = (exception.value.get(), &exception.stacktrace.frames.0);
    let quoted = match platform {
        Platform::Python if frames.is_empty() || !is_quotation(kind) => quoted_frames(kind, message),
        _ => Vec::new(),
    };
    let read = frames.iter().map(|frame| Reader {
        path: frame.abs_path.get().or_else(|| frame.filename.get()),
        variables: frame.vars.map(RawValue::get),
        code: frame.context_line.get(),
    });
    let named = named_place(kind, message, read).filter(|named| {
        let innermost = frames.last();
        // Some clients have a frame for it already.
        innermost.is_none_or(|last| last.line.line() != named.line || !ends_alike(last, named))
    });
    (quoted, named)
}

fn ends_alike(frame: &RawFrame<'_>, named: &Frame) -> bool {
    let path = named.filename.as_deref().unwrap_or_default();
    [&frame.abs_path, &frame.filename].into_iter().filter_map(Text::get).any(|one| one.ends_with(path))
}

/// An exception with the frames that its message says, and behind it the exception that it
/// quotes, if it does.
pub(super) fn with_message_read(
    raw: &RawException<'_>,
    mut exception: Exception,
    platform: Platform,
) -> impl Iterator<Item = Exception> + use<> {
    let (quoted, named) = read_of_message(raw, platform);
    let mut remote = None;
    if is_quotation(&exception.kind) {
        exception.frames.extend(quoted);
    } else if !quoted.is_empty() {
        let (kind, source) = (REMOTE_TRACEBACK.to_owned(), Some("__cause__".to_owned()));
        remote = Some(Exception { kind, source, parent: exception.id, frames: quoted, ..Exception::default() });
    }
    exception.frames.extend(named);
    std::iter::once(exception).chain(remote)
}

#[cfg(test)]
mod tests {
    use crate::sentry_event::{fingerprint_of, parse};
    use domain::report::{Platform, Report};
    use serde_json::{Value, json};

    fn report(event: &Value) -> Report {
        let json = event.to_string();
        let mut scratch = String::new();
        let event = parse(json.as_bytes(), &mut scratch).unwrap();
        let fingerprint = event.fingerprint(&event.batched());
        let report = event.into_report();
        assert_eq!(fingerprint_of(&report), fingerprint);
        report
    }

    fn functions(platform: &str, frames: &[(&str, u32, &str)]) -> Vec<String> {
        let frame = |(path, line, function): &(&str, u32, &str)| json!({"filename": path, "lineno": line, "function": function});
        let frames: Vec<Value> = frames.iter().map(frame).collect();
        let report =
            report(&json!({"platform": platform, "exception": {"type": "E", "stacktrace": {"frames": frames}}}));
        report.exceptions[0].frames.iter().filter_map(|frame| frame.function.clone()).collect()
    }

    #[test]
    fn of_ruby_a_method_in_c_is_no_frame_of_its_callers_line() {
        let total = ("cart.rb", 5, "Cart#total");
        assert_eq!(functions("ruby", &[total, ("cart.rb", 5, "Integer#/")]), ["Cart#total"]);
        let blocks = [total, ("cart.rb", 5, "Array#each"), ("cart.rb", 5, "block in Cart#total")];
        assert_eq!(functions("ruby", &blocks), ["Cart#total", "block in Cart#total"]);
        let older = [("cart.rb", 9, "<main>"), ("cart.rb", 5, "total"), ("cart.rb", 5, "sum")];
        assert_eq!(functions("ruby", &older), ["<main>", "total"]);
        assert_eq!(functions("ruby", &[total, total, ("tax.rb", 5, "Tax.of")]).len(), 3, "recursion, and another file");
        assert_eq!(functions("python", &[total, ("cart.rb", 5, "Integer#/")]).len(), 2);
    }

    #[test]
    fn of_php_its_own_function_is_no_frame_of_its_caller_s_line() {
        let price = ("src/Cart.php", 15, "Shop\\Cart::price");
        let main = ("public/index.php", 4, "main");
        assert_eq!(functions("php", &[main, price, ("src/Cart.php", 15, "intdiv")]), ["main", price.2]);
        assert_eq!(functions("php", &[main, price, ("src/Cart.php", 15, "PDO::query")]), ["main", price.2]);
        let closure = ("src/Cart.php", 15, "Shop\\Cart::{closure}");
        let mapped = [price, ("[internal]", 0, "array_map"), closure];
        assert_eq!(functions("php", &mapped), [price.2, "array_map", closure.2]);
        assert_eq!(functions("php", &[price, closure]).len(), 2, "the application's own");
        assert_eq!(functions("php", &[price, price]).len(), 2, "recursion");
        assert_eq!(functions("php", &[price, ("src/Tax.php", 15, "Shop\\Tax::of")]).len(), 2, "another file");
        let handling = [
            price,
            ("vendor/HandleExceptions.php", 256, "Laravel\\HandleExceptions::{closure}"),
            ("src/Cart.php", 15, "Laravel\\HandleExceptions::handleError"),
        ];
        assert_eq!(functions("php", &handling), [price.2], "of a warning");
        assert_eq!(functions("python", &[price, ("src/Cart.php", 15, "intdiv")]).len(), 2);
    }

    const WORKER: &str = "\"\"\"\nTraceback (most recent call last):\n  File \"/srv/jobs/LINE.py\", line 9, in of\n    x\nKeyError: 'CHF'\n\"\"\"";

    #[test]
    fn a_worker_s_frames_are_part_of_report_and_fingerprint() {
        let event = |file: &str, remote: &str| {
            let worker = WORKER.replace("LINE", file);
            json!({"platform": "python", "exception": {"values": [{"type": remote, "module": "multiprocessing.pool", "value": worker},
                {"type": "KeyError", "value": "'CHF'", "stacktrace": {"frames": [{"filename": "nightly.py", "lineno": 12}]}}]}})
        };
        let read = report(&event("rates", "RemoteTraceback"));
        assert_eq!(read.exceptions[0].frames[0].path(), Some("/srv/jobs/rates.py"));
        assert_eq!(read.headline(), "KeyError: 'CHF'");
        assert_ne!(fingerprint_of(&read), fingerprint_of(&report(&event("taxes", "RemoteTraceback"))));
        let other = report(&event("rates", "ValueError"));
        assert!(other.exceptions[0].frames.is_empty());
        // A worker's traceback within the message of what was raised.
        let quoting =
            WORKER.replace("LINE", "rates").replace("\"\"\"\nTraceback", "Caught KeyError\nOriginal Traceback");
        let loader = json!({"platform": "python", "exception": {"type": "KeyError", "value": quoting,
            "stacktrace": {"frames": [{"filename": "train.py", "lineno": 3}]}}});
        let read = report(&loader);
        assert_eq!(read.exceptions.len(), 2);
        assert_eq!(domain::culprit::frames_in_order(&read), [(0, 0), (1, 0)]);
        assert_eq!(read.platform, Platform::Python);
    }

    #[test]
    fn the_place_that_a_message_names_is_the_innermost_frame() {
        let event = |value: &str, frames: Value| {
            report(
                &json!({"platform": "python", "exception": {"type": "SyntaxError", "value": value, "stacktrace": {"frames": frames}}}),
            )
        };
        let importing = json!([{"filename": "app.py", "lineno": 2, "context_line": "import cart"}]);
        let read = event("invalid syntax (cart.py, line 3)", importing.clone());
        let innermost = read.exceptions[0].frames.last().unwrap();
        assert_eq!((innermost.path(), innermost.line, innermost.is_named), (Some("cart.py"), Some(3), true));
        let other = event("invalid syntax (tax.py, line 3)", importing.clone());
        assert_ne!(fingerprint_of(&read), fingerprint_of(&other));
        let known = event("invalid syntax (cart.py, line 3)", json!([{"filename": "/srv/cart.py", "lineno": 3}]));
        assert_eq!(known.exceptions[0].frames.len(), 1, "the client has a frame for it");
        assert_eq!(event("invalid syntax", importing).exceptions[0].frames.len(), 1);
        assert_eq!(event("invalid syntax (cart.py, line 3)", json!(null)).exceptions[0].frames.len(), 1);
    }
}
