//! Secrets that were found once, wherever they stand again: as they are, cut, or encoded.

use super::FILTERED;
use super::cut::Cut;
use super::random::is_no_word;
use super::values::is_plain;
use super::vocabulary::COMMON;
use crate::report::UNCUT;
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// Shorter secrets are hidden where their name stands, but not looked for elsewhere: `1234` is in
/// too many texts.
const MIN_SECRET: usize = 6;

/// Secrets of one report that are looked for in every form, of which there are a dozen: the first,
/// which are those of the raised exception and its innermost frames. Of further ones, what they
/// are, and escaped.
const MAX_IN_EVERY_FORM: usize = 64;

/// Bytes of what is looked for at once, which the time to make ready for them is in proportion to:
/// 20 ms. A report has no more variables. Where it has more secrets than that, its messages are
/// hidden altogether.
const MAX_FORMS: usize = 256 * 1024;

/// Of a longer secret its beginning is looked for; where that stands, the rest is compared.
const MAX_LENGTH: usize = 256;

/// Of a still longer one, no more is kept: no message is longer when it comes here.
const MAX_KEPT: usize = 8 << 10;

/// Characters that are compared beyond [`MAX_LENGTH`] at each place, for each byte of a text: of
/// what repeats itself, each place could be compared with the whole secret.
const MOST_COMPARED: usize = 16;

/// Characters of a secret that tell it where the rest was cut off.
const TELLING: usize = 10;

/// A secret shorter than this may be a word, and is hidden in the names of files and functions only
/// if it looks like none.
const MIN_IN_NAMES: usize = 8;

/// What was found so far.
#[derive(Default)]
pub(super) struct Secrets {
    found: Vec<String>,
    known: HashSet<String>,
    /// Texts that were cut: how much of each was kept, and what stood behind that.
    cuts: Vec<(String, usize, String)>,
}

/// What is looked for: one form of a secret.
struct Form {
    secret: usize,
    kind: Kind,
    /// What follows of a long one, in each of the ways of writing that begin alike.
    rests: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The whole of it, as it is or escaped.
    Whole,
    /// Its beginning.
    Head,
    /// Its end.
    Tail,
    /// Within text that base64 or hexadecimal digits stand for: the rest of that is as secret.
    Inside,
}

/// Looks for all of them at once.
pub(super) struct Again {
    secrets: Vec<String>,
    forms: Vec<Form>,
    automaton: AhoCorasick,
    /// There are too many to look for all of them.
    is_full: bool,
    /// Where a secret begins that a text's cut went through, and where the text does end.
    cut_through: HashMap<String, Range<usize>>,
}

impl Secrets {
    /// Keeps a secret, so that it is hidden elsewhere too, unless it is too short or too common to
    /// tell.
    pub(super) fn remember(&mut self, value: &str) {
        let value = unquoted(value.trim());
        if value.len() >= MIN_SECRET
            && !is_plain(value)
            && !value.starts_with(['<', '[', '{', '('])
            && !COMMON.iter().any(|word| value.eq_ignore_ascii_case(word))
            && !self.known.contains(value)
        {
            let value = value[..value.floor_char_boundary(value.len().min(MAX_KEPT))].to_owned();
            self.known.insert(value.clone());
            self.found.push(value);
        }
    }

    /// Keeps what stood behind the cut of a text: a secret that is known from elsewhere may go
    /// through it.
    pub(super) fn remember_cut(&mut self, cut: &Cut, rest: &str) {
        let rest = &rest[..rest.floor_char_boundary(rest.len().min(UNCUT))];
        self.cuts.push((cut.text.clone(), cut.kept, rest.to_owned()));
    }

    /// Ready to look for them; `None`: there are none.
    pub(super) fn again(self) -> Option<Again> {
        if self.found.is_empty() {
            return None;
        }
        let mut texts: Vec<String> = Vec::new();
        let mut forms: Vec<Form> = Vec::new();
        // Where what is long begins, for others may begin alike.
        let mut long: HashMap<String, usize> = HashMap::new();
        let (mut left, mut is_full) = (MAX_FORMS, false);
        'all: for (secret, value) in self.found.iter().enumerate() {
            for (mut text, kind) in forms_of(value, secret < MAX_IN_EVERY_FORM) {
                // What is hidden stays as it is, whatever an application takes for a secret.
                if FILTERED.to_ascii_lowercase().contains(&text.to_ascii_lowercase()) {
                    continue;
                }
                let rest = text.split_off(text.floor_char_boundary(text.len().min(MAX_LENGTH)));
                if let Some(same) = long.get(&text).filter(|_| !rest.is_empty()) {
                    forms[*same].rests.push(rest);
                    continue;
                }
                match left.checked_sub(text.len()) {
                    Some(less) => left = less,
                    None => {
                        is_full = true;
                        break 'all;
                    }
                }
                if !rest.is_empty() {
                    long.insert(text.clone(), texts.len());
                }
                texts.push(text);
                forms.push(Form { secret, kind, rests: vec![rest] });
            }
        }
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::LeftmostLongest)
            .kind(Some(AhoCorasickKind::NoncontiguousNFA))
            .prefilter(true)
            .build(texts)
            .ok()?;
        // What begins alike has an order, so that what agrees most is next to where a text would
        // be.
        for form in &mut forms {
            form.rests.sort_by(|one, other| folded(one).cmp(folded(other)));
        }
        let mut again = Again { secrets: self.found, forms, automaton, is_full, cut_through: HashMap::new() };
        again.look_at_cuts(self.cuts);
        Some(again)
    }
}

/// The forms in which a secret may stand again, the likely ones or every one.
fn forms_of(secret: &str, every: bool) -> Vec<(String, Kind)> {
    let mut forms = vec![(secret.to_owned(), Kind::Whole)];
    let mut add = |text: String, kind: Kind| {
        if text.len() >= MIN_SECRET && !forms.iter().any(|(known, _)| *known == text) {
            forms.push((text, kind));
        }
    };
    if !secret.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        let json = serde_json::to_string(secret).unwrap_or_default();
        add(json.trim_matches('"').to_owned(), Kind::Whole);
        add(secret.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n"), Kind::Whole);
        let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        add(form.replace('+', "%20"), Kind::Whole);
        add(form, Kind::Whole);
        add(secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;"), Kind::Whole);
    }
    if !every {
        return forms;
    }
    for shift in 0..3 {
        let padded = [&b"\0\0\0"[..shift], secret.as_bytes()].concat();
        let encoded = STANDARD_NO_PAD.encode(padded);
        // What depends on its neighbours is left off on both sides.
        let first = [0, 2, 3][shift];
        let last = encoded.len() - usize::from(!(secret.len() + shift).is_multiple_of(3));
        if let Some(core) = encoded.get(first..last).filter(|core| core.len() >= 7) {
            add(core.to_owned(), Kind::Inside);
            add(core.replace('+', "-").replace('/', "_"), Kind::Inside);
        }
    }
    add(hex::encode(secret), Kind::Inside);
    if secret.len() >= TELLING + 2 && is_no_word(secret) {
        let head = secret.floor_char_boundary(TELLING);
        let tail = secret.ceil_char_boundary(secret.len() - TELLING);
        add(secret[..head].to_owned(), Kind::Head);
        add(secret[tail..].to_owned(), Kind::Tail);
    }
    forms
}

impl Form {
    /// How many bytes of what stands behind its beginning belong to it: the most that any of the
    /// rests agrees with, of so many characters. That is one of the two next to it in their order.
    fn rest_in(&self, behind: &str, limit: usize) -> usize {
        let behind_folded = || folded(behind).take(limit);
        let at = self.rests.partition_point(|rest| folded(rest).take(limit).lt(behind_folded()));
        let next = self.rests[at.saturating_sub(1)..].iter().take(2);
        next.map(|rest| agreeing(rest.chars(), behind.chars(), limit)).max().unwrap_or(0)
    }
}

impl Again {
    /// A message without them. Where there are too many to look for, nothing of it is sure to be
    /// none.
    pub(super) fn hidden_in_message(&self, text: &str) -> Option<String> {
        if self.is_full { Some(FILTERED.to_owned()) } else { self.hidden(text, false) }
    }

    /// The text without them; `None`: it has none. In a name of code only what looks like no word
    /// is hidden.
    pub(super) fn hidden(&self, text: &str, is_name: bool) -> Option<String> {
        let mut ranges = self.ranges(text, is_name);
        if let Some(last) = self.cut_through.get(text) {
            add(&mut ranges, last.clone());
        }
        (!ranges.is_empty()).then(|| replaced(text, &ranges))
    }

    /// Finds out which secrets the cuts went through. Of texts that look alike now, one's tells for
    /// all.
    fn look_at_cuts(&mut self, cuts: Vec<(String, usize, String)>) {
        for (text, kept, rest) in cuts {
            let whole = text[..kept].to_owned() + &rest;
            let across = self.ranges(&whole, false).into_iter().find(|range| range.start < kept && kept < range.end);
            if let Some(range) = across {
                let known = self.cut_through.entry(text).or_insert(kept..kept);
                known.start = known.start.min(range.start);
            }
        }
    }

    /// Where they are, in order and not overlapping.
    fn ranges(&self, text: &str, is_name: bool) -> Vec<Range<usize>> {
        let mut ranges: Vec<Range<usize>> = Vec::new();
        let mut work = MOST_COMPARED * text.len() + MAX_KEPT;
        for hit in self.automaton.find_iter(text) {
            let form = &self.forms[hit.pattern().as_usize()];
            let secret = &self.secrets[form.secret];
            if is_name && (secret.len() < MIN_IN_NAMES || !is_no_word(secret)) {
                continue;
            }
            let limit = work.clamp(MAX_LENGTH, MAX_KEPT);
            let agreed = hit.end() + form.rest_in(&text[hit.end()..], limit);
            work = work.saturating_sub(agreed - hit.start());
            if let Some(range) = extended(text, hit.start()..agreed, form.kind, secret, limit) {
                work = work.saturating_sub(range.len());
                add(&mut ranges, range);
            }
        }
        ranges
    }
}

/// All that belongs to the secret; `None` where it is merely part of a longer word.
fn extended(text: &str, hit: Range<usize>, kind: Kind, secret: &str, limit: usize) -> Option<Range<usize>> {
    let (before, after) = (&text[..hit.start], &text[hit.end..]);
    let is_encoded = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '-' | '_');

    match kind {
        Kind::Whole => {
            let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
            let grows =
                (word(before.chars().next_back()) && word(text[hit.clone()].chars().next()) && !is_escaped(before))
                    || (word(after.chars().next()) && word(text[hit.clone()].chars().next_back()));
            // A long drawn value is no part of anything else.
            (!grows || (secret.len() >= 16 && is_no_word(secret))).then_some(hit)
        }
        Kind::Head => {
            let end = hit.end + agreeing(secret[hit.len().min(secret.len())..].chars(), after.chars(), limit);
            let is_whole_word = !text[end..].starts_with(char::is_alphanumeric);
            (is_whole_word || end - hit.start >= 16).then_some(hit.start..end)
        }
        Kind::Tail => {
            let rest = &secret[..secret.len() - hit.len().min(secret.len())];
            let start = hit.start - agreeing(rest.chars().rev(), before.chars().rev(), limit);
            let is_whole_word = !text[..start].ends_with(char::is_alphanumeric);
            (is_whole_word || hit.end - start >= 16).then_some(start..hit.end)
        }
        Kind::Inside => {
            let start = hit.start - before.chars().rev().take(MAX_LENGTH).take_while(is_encoded).count();
            let end = hit.end + after.chars().take(MAX_LENGTH).take_while(is_encoded).count();
            Some(start..end)
        }
    }
}

/// Adds what was found behind the others; a secret's end reaches back over what was found before.
fn add(ranges: &mut Vec<Range<usize>>, mut range: Range<usize>) {
    while let Some(last) = ranges.pop_if(|last| range.start < last.end) {
        range = range.start.min(last.start)..range.end.max(last.end);
    }
    ranges.push(range);
}

/// A text in one case, to compare it.
fn folded(text: &str) -> impl Iterator<Item = u8> {
    text.bytes().map(|byte| byte.to_ascii_lowercase())
}

/// How many bytes of a text agree with what is compared, in whatever case: of so many characters at
/// most.
fn agreeing(one: impl Iterator<Item = char>, other: impl Iterator<Item = char>, limit: usize) -> usize {
    one.zip(other).take(limit).take_while(|(a, b)| a.eq_ignore_ascii_case(b)).map(|(a, _)| a.len_utf8()).sum()
}

/// `\n` before a word, in a representation.
fn is_escaped(before: &str) -> bool {
    before.ends_with("\\n") || before.ends_with("\\t") || before.ends_with("\\r")
}

/// The text with what is in these ranges hidden; they are in order and do not overlap.
pub(super) fn replaced(text: &str, ranges: &[Range<usize>]) -> String {
    let mut result = String::with_capacity(text.len() + ranges.len() * FILTERED.len());
    let mut at = 0;
    for range in ranges {
        result.push_str(&text[at..range.start]);
        result.push_str(FILTERED);
        at = range.end;
    }
    result.push_str(&text[at..]);
    result
}

/// A Python or JSON string representation without its prefix and quotes.
pub(super) fn unquoted(value: &str) -> &str {
    let inner = value.strip_prefix(['b', 'r', 'u']).unwrap_or(value);
    for quote in ['\'', '"'] {
        if let Some(inner) = inner.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return inner;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(secrets: &[&str], text: &str) -> String {
        let mut known = Secrets::default();
        secrets.iter().for_each(|secret| known.remember(secret));
        known.again().and_then(|again| again.hidden(text, false)).unwrap_or_else(|| text.to_owned())
    }

    /// Of mixed characters that don't repeat.
    fn drawn(length: usize) -> String {
        (0_u32..)
            .flat_map(|n| format!("{:x}Z", n.wrapping_mul(2_654_435_761)).into_bytes())
            .take(length)
            .map(char::from)
            .collect()
    }

    #[test]
    fn a_long_secret_is_hidden_to_its_end_however_it_is_written() {
        for length in [200, 257, 1_000, 4_000] {
            let secret = format!("{}/&'Kd83hQ0x7w", drawn(length));
            let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
            let base64 = STANDARD_NO_PAD.encode(&secret);
            for written in [secret.clone(), form, hex::encode(&secret), base64, secret.to_ascii_uppercase()] {
                let text = format!("it was {written}, twice {written}.");
                assert_eq!(hidden(&[&secret], &text), format!("it was {FILTERED}, twice {FILTERED}."));
            }
            let cut = &secret[..secret.len() - 5];
            assert_eq!(hidden(&[&secret], &format!("it was {cut}…")), format!("it was {FILTERED}…"));
            let cut = &secret[5..];
            assert_eq!(hidden(&[&secret], &format!("it was …{cut}")), format!("it was …{FILTERED}"));
        }
    }

    #[test]
    fn of_secrets_that_begin_alike_the_one_that_stands_there_is_hidden_to_its_end() {
        let alike = drawn(700);
        let secrets: Vec<String> = (0..40).map(|n| format!("{alike}{:?}-end", (n * 7) % 40)).collect();
        let known: Vec<&str> = secrets.iter().map(String::as_str).collect();
        for secret in &secrets {
            for written in [secret.clone(), secret.to_ascii_uppercase()] {
                assert_eq!(hidden(&known, &format!("it was {written}.")), format!("it was {FILTERED}."));
            }
        }
    }

    #[test]
    fn what_is_hidden_is_not_hidden_again() {
        for secret in ["\u{fffd}Filtered]", "filtered", "Xq7Filtered"] {
            assert_eq!(hidden(&[secret], "token=[Filtered] x"), "token=[Filtered] x", "{secret}");
        }
    }

    #[test]
    fn an_end_that_reaches_back_over_another_secret_is_hidden_with_it() {
        let secrets = ["q9.hun-ter2.Lm9Rt4Vb7N", "hun-ter2"];
        assert_eq!(hidden(&secrets, "it was 9.hun-ter2.Lm9Rt4Vb7N"), format!("it was {FILTERED}"));
    }
}
