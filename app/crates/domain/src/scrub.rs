//! Hides secrets in a report before anyone else sees it: by their names, by their form, and
//! wherever they occur again.
//!
//! Clients filter by the names of top-level variables only: the same card number stays in the
//! caller's variable and in the exception's message. So what was found once is hidden in the rest
//! of the report as well. Every text of a report is looked at, lines of code too, for what ran need
//! not be what is in the repository; the repository's own text is nobody's report.
//!
//! Tables: `vocabulary` has the names, `forms` the makers' tokens, `shapes` what surroundings
//! tell, `commands` what the place of an argument does, `told` what validators repeat. What a table
//! can't say is in `assigned`, `beside`, `columns`, `layout`, `markup` and `values` (how
//! applications write a value behind, beside or below its name), `sql` and `parameters` (what a
//! statement's marks stand for), `cut` (where a text ends), `told_apart` (what is no word of a
//! sentence), `numbers` (what check digits prove), and `tree` (values that have members).

mod again;
mod assigned;
mod beside;
mod classes;
mod columns;
mod commands;
mod cut;
mod decoded;
mod forms;
mod identity_numbers;
mod layout;
mod markup;
mod names;
mod numbers;
mod parameters;
mod patterns;
mod prose;
mod random;
mod rules;
mod settings;
mod shape;
mod shapes;
mod sql;
mod ties;
mod tokens;
mod told;
mod told_apart;
mod tree;
mod urls;
mod values;
mod vocabulary;
mod walk;
mod words;

pub use rules::Rules;
pub use settings::ScrubSettings;

use crate::report::Report;
use again::{Secrets, replaced};
use cut::Limit;
use patterns::Searches;
use std::borrow::Cow;
use std::ops::Range;
use walk::{Slot, each_slot};

/// What stands in a secret's place: the word that the Sentry clients use too.
pub const FILTERED: &str = "[Filtered]";

/// No secret with its name is shorter: `pw=x`.
const MIN_TEXT: usize = 4;

/// No maker's token is shorter.
const MIN_TOKEN: usize = 16;

/// No number that proves itself has fewer digits.
const MIN_DIGITS: usize = 7;

/// One secret in a text.
struct Found {
    /// Byte range of the secret, without its quotes.
    range: Range<usize>,
    /// Whether it is surely a value, so that it may be looked for elsewhere: quoted, or assigned.
    sure: bool,
}

/// What a text is, and so how far it may be taken for prose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// A message or a value.
    Text,
    /// A line of code: only what is written out in it is a secret, not what is assigned.
    Code,
    /// The name of a file, a function, a server: a secret only where it is sure.
    Name,
}

/// Hides the report's secrets, each behind [`FILTERED`].
///
/// By name: variables, nested keys, headers, parameters of query strings, forms and URLs, and
/// `name=value` or `'name': 'value'` inside any text. By form: numbers of cards, accounts and
/// persons, keys, tokens, credentials, user and password of a URL. What was found is then hidden
/// wherever else it occurs in the report. `None`, booleans and empty values stay, for they are
/// often the error itself.
///
/// Answers whether every pattern of the settings was looked for to its end: where they take too
/// much, the rest of a text is hidden.
pub fn scrub(report: &mut Report, rules: &Rules) -> bool {
    hide_all(report, rules, false)
}

/// As [`scrub`], and then cuts each text to what is kept of it ([`crate::report::MAX_TEXT`] and its
/// like): a report comes with some more, for what tells a secret may stand behind it.
pub fn scrub_and_cut(report: &mut Report, rules: &Rules) -> bool {
    hide_all(report, rules, true)
}

fn hide_all(report: &mut Report, rules: &Rules, cuts: bool) -> bool {
    let mut scrubbing = Scrubbing { rules, cuts, secrets: Secrets::default(), searches: Searches::of_a_report() };
    each_slot(report, &mut |slot| match slot {
        Slot::Text { text, place, limit } => scrubbing.text(text, place, limit),
        Slot::Named { name, text } => scrubbing.named_text(name, text),
        Slot::Map(map) => scrubbing.map(map),
        Slot::Headers(headers) => scrubbing.keys_of(headers),
        Slot::Value(value) => scrubbing.value(None, value, 0),
        Slot::Code(lines) => walk::hide_blocks(lines),
    });
    let is_whole = !scrubbing.searches.is_spent();
    let Some(again) = scrubbing.secrets.again() else { return is_whole };
    each_slot(report, &mut |slot| match slot {
        Slot::Text { text, place: Place::Text, .. } => hide(text, again.hidden_in_message(text)),
        Slot::Text { text, .. } => hide(text, again.hidden(text, true)),
        Slot::Named { text, .. } => hide(text, again.hidden(text, false)),
        Slot::Map(map) => tree::hide_again_in_map(&again, map),
        Slot::Headers(headers) => tree::rename_keys(headers, |key| again.hidden(key, true)),
        Slot::Value(value) => tree::hide_again(&again, value),
        Slot::Code(_) => {}
    });
    is_whole
}

/// A text that leaves by itself, without its secrets.
pub fn scrub_text<'t>(text: &'t str, rules: &Rules) -> Cow<'t, str> {
    one(text, rules, Place::Text, None)
}

/// The name of a server, an environment, a release or a type, without secrets, and cut as those of
/// reports are.
pub fn scrub_name<'t>(name: &'t str, rules: &Rules) -> Cow<'t, str> {
    one(name, rules, Place::Name, Some(Limit::NAME))
}

fn one<'t>(text: &'t str, rules: &Rules, place: Place, limit: Option<Limit>) -> Cow<'t, str> {
    let found = find(text, rules, place, &mut Searches::of_a_report());
    match hidden(text, &found, limit) {
        Some(hidden) => Cow::Owned(hidden),
        None => Cow::Borrowed(text),
    }
}

/// The text without what was found in it, and no longer than the limit; `None`: it stays.
fn hidden(text: &str, found: &[Found], limit: Option<Limit>) -> Option<String> {
    let cut = limit.and_then(|limit| limit.applied(text, found));
    cut.map(|cut| cut.text).or_else(|| (!found.is_empty()).then(|| without(text, found)))
}

fn hide(text: &mut String, hidden: Option<String>) {
    if let Some(hidden) = hidden {
        *text = hidden;
    }
}

/// A report that is being scrubbed.
struct Scrubbing<'r> {
    rules: &'r Rules,
    /// Whether texts are cut to what is kept of them.
    cuts: bool,
    secrets: Secrets,
    searches: Searches,
}

impl Scrubbing<'_> {
    /// Hides the secrets of a text, and keeps them in mind.
    fn text(&mut self, text: &mut String, place: Place, limit: Limit) {
        let found = find(text, self.rules, place, &mut self.searches);
        for secret in found.iter().filter(|found| found.sure) {
            self.secrets.remember(&text[secret.range.clone()]);
        }
        match self.cuts.then(|| limit.applied(text, &found)).flatten() {
            Some(cut) => {
                self.secrets.remember_cut(&cut, &text[cut.end..]);
                *text = cut.text;
            }
            None => hide(text, hidden(text, &found, None)),
        }
    }
}

/// The text with what was found hidden.
fn without(text: &str, found: &[Found]) -> String {
    let ranges: Vec<_> = found.iter().map(|found| found.range.clone()).collect();
    replaced(text, &ranges)
}

/// All secrets of a text, in order and not overlapping.
fn find(text: &str, rules: &Rules, place: Place, searches: &mut Searches) -> Vec<Found> {
    let mut found = Vec::new();
    if is_clean(text) && rules.patterns().is_empty() {
        return found;
    }
    find_plain(text, rules, place, searches, &mut found);
    if let Some(decoded) = decoded::decoded(text) {
        let mut inside = Vec::new();
        find_plain(&decoded.text, rules, place, searches, &mut inside);
        found.extend(inside.into_iter().map(|it| Found { range: decoded.original(&it.range), ..it }));
    }
    if found.is_empty() {
        return found;
    }
    found.retain(|it| {
        let secret = text[it.range.clone()].trim();
        !secret.is_empty() && secret != FILTERED && !rules.keeps_value(secret)
    });
    merged(found)
}

/// The look that spares most texts, which are short, the others: nothing ties a value to a name in
/// it, and it is too short for a token. What settings add may be shorter, and is looked for where
/// there is any.
fn is_clean(text: &str) -> bool {
    let ties = |byte: &u8| matches!(byte, b'=' | b':' | b' ' | b',' | b'<' | b'@' | b'%' | b'&' | b'\\' | b'\n');
    text.len() < MIN_TEXT
        || (text.len() < MIN_TOKEN
            && !text.bytes().any(|byte| ties(&byte))
            && text.bytes().filter(u8::is_ascii_digit).count() < MIN_DIGITS)
}

fn find_plain(text: &str, rules: &Rules, place: Place, searches: &mut Searches, found: &mut Vec<Found>) {
    assigned::find(text, rules, place, found);
    let mut ranges = Vec::new();
    tokens::find(text, &mut ranges);
    shapes::find(text, rules, &mut ranges);
    numbers::find(text, &mut ranges);
    found.extend(ranges.into_iter().filter(|range| !range.is_empty()).map(|range| Found { range, sure: true }));
    for pattern in rules.patterns() {
        patterns::find(text, pattern, searches, found);
    }
}

/// What overlaps, as one: each part of it is secret.
fn merged(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_by_key(|found| (found.range.start, found.range.end));
    let mut merged: Vec<Found> = Vec::with_capacity(found.len());
    for next in found {
        match merged.last_mut() {
            Some(last) if next.range.start < last.range.end => {
                let is_same = next.range.end <= last.range.end;
                last.sure |= next.sure && !is_same && next.range.start == last.range.start;
                last.range.end = last.range.end.max(next.range.end);
            }
            _ => merged.push(next),
        }
    }
    merged
}

#[cfg(test)]
mod tests;
