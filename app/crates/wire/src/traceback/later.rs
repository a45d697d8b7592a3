//! Which of two languages' tracebacks in one text is the last one.

use super::{Found, count};
use domain::report::{Exception, Frame, Platform};

/// The better one of two that different readers found in the same lines: the later one, where they
/// are apart; where they are of the same lines, that with more calls, because text of one language
/// may look like another's here and there, but most of it looks like its own.
pub(super) fn better(lines: &[&str], one: Found, other: Found) -> Found {
    if let Some(is_other) = handed_on(lines, &one, &other) {
        return if is_other { other } else { one };
    }
    let more = count(&other.1) > count(&one.1);
    let is_other = match (region(lines, &one), region(lines, &other)) {
        (Some((begin, end)), Some((other_begin, other_end))) => {
            if other_begin > end {
                more || !is_weak(&other) && !is_within(&one, &other)
            } else if begin > other_end {
                more && (is_weak(&one) || is_within(&other, &one))
            } else {
                more
            }
        }
        _ => more,
    };
    if is_other { other } else { one }
}

/// Whether the second of two is Python's that was raised because of the other, Java's: below
/// `Py4JJavaError: …` that is printed as its message. `None`: they are not such two.
fn handed_on(lines: &[&str], one: &Found, other: &Found) -> Option<bool> {
    let (java, is_other) = match (one.0, other.0) {
        (Platform::Python, Platform::Java) => (other, false),
        (Platform::Java, Platform::Python) => (one, true),
        _ => return None,
    };
    let raised = java.1.last()?;
    let at = lines.iter().rposition(|line| line.contains("Py4JJavaError: "))?;
    let said = lines.get(at + 1)?.strip_prefix(": ")?;
    let is_said = java.1.iter().any(|exception| !exception.kind.is_empty() && said.contains(&exception.kind));
    (is_said || raised.kind == "Exception").then_some(is_other)
}

/// A warning of a script looks like its death, where nobody called.
fn is_weak((platform, exceptions): &Found) -> bool {
    *platform == Platform::Other && count(exceptions) < 2
}

/// Whether the second is of the first's message, which quotes a command's output, or has taken that
/// for its own.
fn is_within(one: &Found, other: &Found) -> bool {
    let (Some(raised), Some(within)) = (one.1.last(), other.1.last()) else { return false };
    let said = raised.value.as_deref().unwrap_or_default();
    let path = within.frames.iter().rev().find_map(|frame| frame.filename.as_deref());
    let is_titled_alike = raised.kind == within.kind
        && within.value.as_deref().is_some_and(|value| value.starts_with(said) || said.starts_with(value));
    is_titled_alike || path.is_some_and(|path| said.contains(path))
}

/// The lines between which a traceback's calls are: of the last ones that have its places.
fn region(lines: &[&str], (_, exceptions): &Found) -> Option<(usize, usize)> {
    let at = |frame: &Frame| {
        let number = frame.line?.to_string();
        let name = frame.filename.as_deref()?.rsplit(['/', '\\']).next()?;
        lines.iter().rposition(|line| line.split_once(name).is_some_and(|(_, rest)| rest.contains(&number)))
    };
    let found: Vec<usize> = outer_and_inner(exceptions).filter_map(at).collect();
    Some((*found.iter().min()?, *found.iter().max()?))
}

/// The frames at both ends of the first exception and of the raised one.
fn outer_and_inner(exceptions: &[Exception]) -> impl Iterator<Item = &Frame> {
    let is_located = |frame: &&Frame| frame.line.is_some();
    [exceptions.first(), exceptions.last()]
        .into_iter()
        .flatten()
        .flat_map(move |exception| {
            [exception.frames.iter().find(is_located), exception.frames.iter().rfind(is_located)]
        })
        .flatten()
}
