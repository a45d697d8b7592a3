//! What machines and people put before each line of a traceback: taken off before it is read.
//!
//! The last line that looks like a traceback's decides. What stands before it (a time, a
//! container's name, a tag, a quote's mark) is taken off level by level, from each line that has
//! the same; lines of others, which a log mixes in between, are left out. A line without any is
//! kept as it is.

pub(super) mod colours;
mod element;
mod escaped;
mod folded;
mod hosted;
mod indentation;
mod json;
mod mark;
mod repeated;

use super::{Found, count, record};
use domain::report::Exception;
use element::{Element, Kind};
use std::borrow::Cow;

/// Prefixes before one another: compose's of a syslog's of a time, a level and a logger are five.
const MOST_LEVELS: usize = 10;
/// Streams of a log that are tried, the last one first: a line may look like a traceback's.
const MOST_STREAMS: usize = 4;

/// What wraps a traceback's lines at one level.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Layer {
    /// Something before each line; the text tells one stream from the others.
    Before(Kind, String),
    /// Each line is an object of JSON, or ends in one.
    Json,
    /// Lines in one, their ends written as `\n`, so often.
    Escaped(usize),
    /// The line is an exception as data.
    Record,
}

impl Layer {
    fn kind(&self) -> Option<Kind> {
        match self {
            Self::Before(kind, _) => Some(*kind),
            Self::Json | Self::Escaped(_) | Self::Record => None,
        }
    }
}

/// What is read of the lines, without what stands before them.
pub(super) fn read(lines: &[&str], read: impl Fn(&[&str]) -> Option<Found>) -> Option<Found> {
    let read = |lines: Vec<Cow<'_, str>>| {
        let lines = hosted::as_printed(indentation::taken_off(lines));
        read(&lines.iter().map(AsRef::as_ref).collect::<Vec<_>>())
    };
    let whole = record::joined(folded::unfolded(lines));
    let lines = &whole.iter().map(AsRef::as_ref).collect::<Vec<&str>>()[..];
    let kept = || lines.iter().map(|&line| Cow::Borrowed(line)).collect::<Vec<_>>();
    let mut tried: Vec<Layer> = Vec::new();
    let mut is_plain = false;
    // Each look goes on where the one before it ended: what is below was tried.
    let printed = escaped::printed(lines);
    let mut layers =
        lines.iter().zip(printed).rev().filter(|(_, is_printed)| !is_printed).filter_map(|(line, _)| layer(line, None));
    for _ in 0..MOST_STREAMS {
        match layers.find(|layer| layer.as_ref().is_none_or(|layer| !tried.contains(layer))) {
            Some(Some(Layer::Record)) => return last_record(lines.iter().copied()),
            Some(Some(layer)) => {
                let found = match stream(kept(), &layer) {
                    Stream::Lines(lines) => read(lines),
                    Stream::Record(found) => return Some(found),
                };
                if let Some(found) = found {
                    return Some(match read(kept()).filter(|plain| is_purer(plain, &found)) {
                        Some(plain) => plain,
                        None => found,
                    });
                }
                tried.push(layer);
            }
            at_last => {
                is_plain = at_last.is_some();
                break;
            }
        }
    }
    let plain = read(kept());
    if plain.is_some() && is_plain {
        return plain;
    }
    let repeated = repeated::taken_off(lines).and_then(|(prefix, lines)| Some((prefix, read(lines)?)));
    let Some((prefix, repeated)) = repeated else { return plain };
    let frames = |(_, exceptions): &Found| count(exceptions);
    // A prefix within a frame hides what the frame is of, and its reader may drop it for that.
    let is_better = |plain: &Found| frames(&repeated) >= frames(plain) || has_before(plain, prefix);
    if plain.as_ref().is_none_or(is_better) { Some(repeated) } else { plain }
}

/// Whether a path or a function begins with the prefix: then that was taken for a part of it.
fn has_before((_, exceptions): &Found, prefix: &str) -> bool {
    let frames = exceptions.iter().flat_map(|exception| &exception.frames);
    let mut texts = frames.flat_map(|frame| frame.path().into_iter().chain(frame.function.as_deref()));
    texts.any(|text| repeated::behind(text, prefix).is_some())
}

/// Whether it is the same traceback with less in its messages: then what was taken off told where
/// they end.
fn is_purer((_, one): &Found, (_, other): &Found) -> bool {
    let said = |exceptions: &[Exception]| {
        exceptions.iter().filter_map(|exception| exception.value.as_ref()).map(String::len).sum::<usize>()
    };
    let is_same = |(one, other): (&Exception, &Exception)| one.kind == other.kind && one.frames == other.frames;
    one.len() == other.len() && one.iter().zip(other).all(is_same) && said(one) < said(other)
}

/// What is left within all layers.
enum Stream<'a> {
    Lines(Vec<Cow<'a, str>>),
    Record(Found),
}

/// The last exception that a line has as data.
fn last_record<'a>(lines: impl DoubleEndedIterator<Item = &'a str>) -> Option<Found> {
    lines.rev().find_map(record::read)
}

/// The lines within this layer, and within those that are in it.
fn stream<'a>(lines: Vec<Cow<'a, str>>, layer: &Layer) -> Stream<'a> {
    let mut lines = record::joined(within(lines, layer));
    let mut before = layer.kind();
    for _ in 1..MOST_LEVELS {
        let printed = escaped::printed(&lines);
        let others = lines.iter().zip(printed).filter(|(_, is_printed)| !is_printed).map(|(line, _)| line.as_ref());
        let Some(Some(layer)) = last_layer(others, before) else { break };
        if layer == Layer::Record {
            let last = last_record(lines.iter().map(AsRef::as_ref));
            return last.map_or(Stream::Lines(lines), Stream::Record);
        }
        lines = record::joined(within(lines, &layer));
        before = layer.kind();
    }
    Stream::Lines(lines)
}

/// What the last line of a traceback is wrapped in, `Some(None)`: in nothing.
fn last_layer<'a>(lines: impl DoubleEndedIterator<Item = &'a str>, before: Option<Kind>) -> Option<Option<Layer>> {
    lines.rev().find_map(|line| layer(line, before))
}

/// What a line of a traceback is wrapped in, behind an element of that kind; `None`: it is no such
/// line.
fn layer(line: &str, before: Option<Kind>) -> Option<Option<Layer>> {
    if record::read(line).is_some() {
        return Some(Some(Layer::Record));
    }
    if !mark::may_be_in(line) {
        return None;
    }
    if mark::begins(line) {
        return Some(None);
    }
    if json::text(line).is_some_and(|text| text.lines.iter().any(|line| is_of_traceback(line))) {
        return Some(Some(Layer::Json));
    }
    if let Some((times, _)) = escaped::lines(line) {
        return Some(Some(Layer::Escaped(times)));
    }
    let first = prefixed(line, before)?;
    Some(first.map(|first| Layer::Before(first.kind, first.key.to_owned())))
}

/// The first thing before a line of a traceback, if that is one; as little as possible is taken
/// for a prefix.
fn prefixed(line: &str, mut before: Option<Kind>) -> Option<Option<Element<'_>>> {
    let mut first: Option<Element<'_>> = None;
    let mut rest = line;
    for _ in 0..MOST_LEVELS {
        if mark::begins(rest) {
            return Some(first);
        }
        let element = element::first(rest, before)?;
        rest = element.rest;
        before = Some(element.kind);
        first.get_or_insert(element);
    }
    None
}

/// Whether a line of a traceback is here, whatever is before it.
fn is_of_traceback(line: &str) -> bool {
    mark::may_be_in(line) && prefixed(line, None).is_some() || record::read(line).is_some()
}

/// Lines taken out of a layer, those of other streams left out.
fn within<'a>(lines: Vec<Cow<'a, str>>, layer: &Layer) -> Vec<Cow<'a, str>> {
    match layer {
        Layer::Record => lines,
        Layer::Json => json::taken_out(lines),
        Layer::Escaped(times) => escaped::taken_out(lines, *times),
        Layer::Before(kind, key) => {
            let mut taken = Taken::default();
            for line in lines {
                taken.add(line, *kind, key);
            }
            taken.lines
        }
    }
}

#[derive(Default)]
struct Taken<'a> {
    lines: Vec<Cow<'a, str>>,
    /// What was taken off the last line that had the element: most others have the very same.
    before: String,
    /// The last line goes on in the next one.
    is_cut: bool,
}

impl<'a> Taken<'a> {
    fn add(&mut self, line: Cow<'a, str>, kind: Kind, key: &str) {
        let alike = line.strip_prefix(&self.before).filter(|_| !self.before.is_empty());
        if let Some(rest) = alike.filter(|rest| element::ends_before(kind, rest)) {
            let rest = from(&line, rest);
            self.push(rest, false);
            return;
        }
        let (rest, is_cut) = match element::of_kind(&line, kind) {
            Some(element) if element.key == key => {
                let before = &line[..line.len() - element.rest.len()];
                if before != self.before {
                    self.before.clear();
                    // More of it could belong to what ends with the line, or goes on.
                    if before.ends_with(' ') && !element.rest.is_empty() && !element.is_cut {
                        self.before.push_str(before);
                    }
                }
                (from(&line, element.rest), element.is_cut)
            }
            Some(_) => return,
            // Behind something that only this line has, as a time that is not on each.
            None => match element::within(&line, key) {
                Some(rest) => (from(&line, rest), false),
                None if element::is_chunk(&line) => return,
                None => (line, false),
            },
        };
        self.push(rest, is_cut);
    }

    fn push(&mut self, rest: Cow<'a, str>, is_cut: bool) {
        match self.lines.last_mut().filter(|_| self.is_cut) {
            Some(last) => last.to_mut().push_str(&rest),
            None => self.lines.push(rest),
        }
        self.is_cut = is_cut;
    }
}

/// The end of a line, which is borrowed where the line is.
fn from<'a>(line: &Cow<'a, str>, rest: &str) -> Cow<'a, str> {
    match line {
        Cow::Borrowed(line) => Cow::Borrowed(&line[line.len() - rest.len()..]),
        Cow::Owned(_) => Cow::Owned(rest.to_owned()),
    }
}
