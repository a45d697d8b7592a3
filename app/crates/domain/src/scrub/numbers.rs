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
        match &bytes[end..] {
            [b @ (b' ' | b'-' | b'.' | b'/'), ..] => (at, mark) = (end + 1, *b),
            // Spaces that do not break, as typesetters and Excel put them: U+00A0 and U+202F.
            [0xC2, 0xA0, ..] => (at, mark) = (end + 2, b' '),
            [0xE2, 0x80, 0xAF, ..] => (at, mark) = (end + 3, b' '),
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
    } else if is_iban(joined) && !is_dotted && !is_file(bytes, end) {
        return true;
    }
    identity_numbers::is_one(joined, &text[start..end])
}

/// A name in a path, such as `/exports/FR83….csv`.
fn is_file(bytes: &[u8], end: usize) -> bool {
    bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_alphabetic)
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

/// Countries and the length of their IBANs:
/// <https://www.swift.com/standards/data-standards/iban-international-bank-account-number>
#[rustfmt::skip]
const IBANS: &[(&str, usize)] = &[
    ("AD", 24), ("AE", 23), ("AL", 28), ("AT", 20), ("AZ", 28), ("BA", 20), ("BE", 16), ("BG", 22), ("BH", 22),
    ("BI", 27), ("BR", 29), ("BY", 28), ("CH", 21), ("CR", 22), ("CY", 28), ("CZ", 24), ("DE", 22), ("DJ", 27),
    ("DK", 18), ("DO", 28), ("EE", 20), ("EG", 29), ("ES", 24), ("FI", 18), ("FK", 18), ("FO", 18), ("FR", 27),
    ("GB", 22), ("GE", 22), ("GI", 23), ("GL", 18), ("GR", 27), ("GT", 28), ("HN", 28), ("HR", 21), ("HU", 28),
    ("IE", 22), ("IL", 23), ("IQ", 23), ("IS", 26), ("IT", 27), ("JO", 30), ("KW", 30), ("KZ", 20), ("LB", 28),
    ("LC", 32), ("LI", 21), ("LT", 20), ("LU", 20), ("LV", 21), ("LY", 25), ("MC", 27), ("MD", 24), ("ME", 22),
    ("MK", 19), ("MN", 20), ("MR", 27), ("MT", 31), ("MU", 30), ("NI", 28), ("NL", 18), ("NO", 15), ("OM", 23),
    ("PK", 24), ("PL", 28), ("PS", 29), ("PT", 25), ("QA", 29), ("RO", 24), ("RS", 22), ("RU", 33), ("SA", 24),
    ("SC", 31), ("SD", 18), ("SE", 24), ("SI", 19), ("SK", 24), ("SM", 27), ("SO", 23), ("ST", 25), ("SV", 28),
    ("TL", 23), ("TN", 24), ("TR", 26), ("UA", 29), ("VA", 22), ("VG", 24), ("XK", 20), ("YE", 30),
    // Not in the registry, but used.
    ("AO", 25), ("BF", 28), ("BJ", 28), ("CF", 27), ("CG", 27), ("CI", 28), ("CM", 27), ("CV", 25), ("DZ", 26),
    ("GA", 27), ("GQ", 27), ("GW", 25), ("IR", 26), ("KM", 27), ("MA", 28), ("MG", 27), ("ML", 28), ("MZ", 25),
    ("NE", 28), ("SN", 28), ("TD", 27), ("TG", 28),
];

/// ISO 13616: country, check digits, and up to 30 characters more; its remainder by 97 is 1. The
/// length is the country's. In small letters as well, where a bank's name and digits follow: other
/// small letters and digits are a hash's.
fn is_iban(text: &str) -> bool {
    let bytes = text.as_bytes();
    if !(15..=34).contains(&bytes.len()) || !bytes[2..4].iter().all(u8::is_ascii_digit) {
        return false;
    }
    let is_small = bytes[..2].iter().all(u8::is_ascii_lowercase)
        && bytes[8..].iter().all(u8::is_ascii_digit)
        && (bytes[4..8].iter().all(u8::is_ascii_digit) || bytes[4..8].iter().all(u8::is_ascii_lowercase));
    let is_written = bytes[..2].iter().all(u8::is_ascii_uppercase)
        && bytes[4..].iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let is_known = |(country, length): &(&str, usize)| *length == text.len() && text[..2].eq_ignore_ascii_case(country);
    (is_small || is_written) && IBANS.iter().any(is_known) && {
        let rotated = bytes[4..].iter().chain(&bytes[..4]);
        let remainder = rotated.fold(0_u32, |rest, byte| match byte {
            b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
            _ => (rest * 100 + u32::from(byte.to_ascii_uppercase() - b'A') + 10) % 97,
        });
        remainder == 1
    }
}

#[cfg(test)]
mod tests {
    use crate::scrub::{FILTERED, Rules, scrub_text};

    #[test]
    fn accounts_in_any_grouping_and_letters() {
        for text in [
            "DE89370400440532013000",
            "DE89 3704 0044 0532 0130 00",
            "DE89\u{a0}3704\u{a0}0044\u{a0}0532\u{a0}0130\u{a0}00",
            "DE89\u{202f}3704\u{202f}0044\u{202f}0532\u{202f}0130\u{202f}00",
            "GB82-WEST-1234-5698-7654-32",
            "nl91abna0417164300",
        ] {
            assert_eq!(scrub_text(text, Rules::built_in()), FILTERED);
            let path = format!("https://b.test/accounts/{text}/balance");
            let hidden = format!("https://b.test/accounts/{FILTERED}/balance");
            assert_eq!(scrub_text(&path, Rules::built_in()), hidden);
        }
        for text in [
            "DE8937040044053201300",
            "ZZ89370400440532013000",
            "de89f70400440532013000",
            "/exports/DE89370400440532013000.xml",
        ] {
            assert_eq!(scrub_text(text, Rules::built_in()), text);
        }
    }
}
