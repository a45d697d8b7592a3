//! Numbers that prove themselves by their check digits: payment cards, IBANs, and what states give
//! their people.

use super::{MIN_DIGITS, identity_numbers};
use std::ops::Range;

/// Finds numbers of cards, accounts and persons.
pub(super) fn find(text: &str, found: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    if bytes.iter().filter(|byte| byte.is_ascii_digit()).count() < MIN_DIGITS {
        return;
    }
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_alphanumeric() || (at > 0 && is_inner(bytes, at)) {
            at += 1;
            continue;
        }
        let run = run(bytes, at);
        let before = found.len();
        if run.digits >= MIN_DIGITS {
            candidates(text, &run, found);
        }
        at = if found.len() > before { found[found.len() - 1].end } else { run.first_end.max(at + 1) };
    }
}

/// Whether a payment card has this number.
pub(super) fn is_card_number(text: &str) -> bool {
    let mut digits = Vec::with_capacity(19);
    digits.extend(text.bytes().filter(u8::is_ascii_digit).take(20).map(|byte| byte - b'0'));
    is_card(&digits)
}

/// Letters and digits in groups, with one mark between two.
struct Run {
    start: usize,
    /// End of each group, and the mark before it.
    groups: Vec<(Range<usize>, u8)>,
    first_end: usize,
    digits: usize,
}

/// Groups of one run that are looked at: an IBAN has nine, a card in pairs ten.
const MAX_GROUPS: usize = 17;

/// Characters of one group that are looked at: no number is longer.
const MAX_GROUP: usize = 40;

fn is_inner(bytes: &[u8], at: usize) -> bool {
    bytes[at - 1].is_ascii_alphanumeric()
}

fn run(bytes: &[u8], start: usize) -> Run {
    let mut run = Run { start, groups: Vec::new(), first_end: start, digits: 0 };
    let (mut at, mut mark) = (start, 0);
    while run.groups.len() < MAX_GROUPS {
        let length = bytes[at..].iter().take(MAX_GROUP).take_while(|byte| byte.is_ascii_alphanumeric()).count();
        if length == 0 {
            break;
        }
        let end = at + length;
        run.digits += bytes[at..end].iter().filter(|byte| byte.is_ascii_digit()).count();
        run.groups.push((at..end, mark));
        run.first_end = run.groups[0].0.end;
        match bytes.get(end) {
            Some(b @ (b' ' | b'-' | b'.' | b'/')) => (at, mark) = (end + 1, *b),
            _ => break,
        }
    }
    run
}

/// Tries what begins where the run begins, with as many groups as fit: the longest that proves
/// itself.
fn candidates(text: &str, run: &Run, found: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    if !stands_alone_before(bytes, run.start) {
        return;
    }
    let mut joined = String::with_capacity(40);
    let mut best = None;
    for (index, (group, _)) in run.groups.iter().enumerate() {
        joined.push_str(&text[group.clone()]);
        if joined.len() > MAX_GROUP {
            break;
        }
        let groups = &run.groups[..=index];
        if stands_alone_after(bytes, group.end) && is_number(&joined, groups, text, bytes) {
            best = Some(run.start..group.end);
        }
    }
    found.extend(best);
}

fn is_number(joined: &str, groups: &[(Range<usize>, u8)], text: &str, bytes: &[u8]) -> bool {
    let start = groups[0].0.start;
    let end = groups[groups.len() - 1].0.end;
    let marks_agree = groups.iter().skip(2).all(|(_, mark)| *mark == groups[1].1);
    let is_dotted = groups.iter().any(|(_, mark)| matches!(mark, b'.' | b'/'));
    if joined.bytes().all(|byte| byte.is_ascii_digit()) {
        let digits: Vec<u8> = joined.bytes().map(|byte| byte - b'0').collect();
        let grouped = groups.iter().all(|(group, _)| group.len() >= 2) && !is_dotted;
        if grouped && marks_agree && (13..=19).contains(&digits.len()) && is_card(&digits) {
            return true;
        }
    } else if is_iban(joined) && !is_dotted && !is_file(bytes, start, end) {
        return true;
    }
    identity_numbers::is_one(joined, &text[start..end])
}

/// A name in a path, such as `/exports/FR83….csv`.
fn is_file(bytes: &[u8], start: usize, end: usize) -> bool {
    let before = start.checked_sub(1).map(|at| bytes[at]);
    let dotted = bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_alphabetic);
    dotted || (matches!(before, Some(b'/' | b'\\')) && bytes.get(end) == Some(&b'/'))
}

/// Not inside of a hash, a UUID, a decimal fraction or a longer number.
fn stands_alone_before(bytes: &[u8], start: usize) -> bool {
    match start.checked_sub(1).map(|at| bytes[at]) {
        Some(b'-' | b'.' | b'$' | b'#') => {
            let two_before = start.checked_sub(2).map(|at| bytes[at]);
            !two_before.is_some_and(|byte| byte.is_ascii_alphanumeric()) && bytes[start - 1] != b'#'
        }
        // A telephone number's country.
        Some(b'+') => false,
        _ => true,
    }
}

fn stands_alone_after(bytes: &[u8], end: usize) -> bool {
    match bytes.get(end) {
        Some(byte) if byte.is_ascii_alphanumeric() => false,
        Some(b'-' | b'.') => {
            !bytes.get(end + 1).is_some_and(u8::is_ascii_alphanumeric)
                || (bytes[end] == b'.' && bytes[end + 1].is_ascii_alphabetic())
        }
        _ => true,
    }
}

/// 13 to 19 digits, first digits and a length that an issuer has, and a right check digit. The
/// issuer matters: a tenth of all numbers has a right check digit, so would a tenth of all
/// timestamps. Ranges: ISO/IEC 7812 as the networks publish them.
fn is_card(digits: &[u8]) -> bool {
    if !(13..=19).contains(&digits.len()) || digits.iter().all(|digit| *digit == digits[0]) {
        return false;
    }
    let issuer = digits.iter().take(4).fold(0_u32, |sum, digit| sum * 10 + u32::from(*digit));
    let lengths = match issuer {
        4000..=4999 => &[13, 16, 19][..],
        3400..=3499 | 3700..=3799 => &[15],
        5100..=5599 | 2221..=2720 => &[16],
        2200..=2204 => &[16, 17, 18, 19],
        3000..=3059 | 3095 | 3600..=3699 | 3800..=3999 => &[14, 16, 17, 18, 19],
        3528..=3589 => &[16, 17, 18, 19],
        6000..=6999 | 8100..=8299 => &[16, 17, 18, 19],
        5000..=5099 | 5600..=5999 => &[13, 14, 15, 16, 17, 18, 19],
        9792 => &[16],
        _ => return false,
    };
    lengths.contains(&digits.len()) && identity_numbers::luhn(digits)
}

/// ISO 13616: country, check digits, and up to 30 characters more; its remainder by 97 is 1. The
/// length is the country's.
fn is_iban(text: &str) -> bool {
    let bytes = text.as_bytes();
    if !(15..=34).contains(&bytes.len())
        || !bytes[..2].iter().all(u8::is_ascii_uppercase)
        || !bytes[2..4].iter().all(u8::is_ascii_digit)
        || !bytes[4..].iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    {
        return false;
    }
    let rotated = bytes[4..].iter().chain(&bytes[..4]);
    let remainder = rotated.fold(0_u32, |rest, byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        _ => (rest * 100 + u32::from(byte - b'A') + 10) % 97,
    });
    remainder == 1
}
