//! Secrets that are known by what stands around them rather than by a maker's prefix: blocks of
//! keys, schemes of `Authorization`, commands, SQL, and tokens without any prefix.

use super::random::{is_no_word, is_random, is_random_or_hex};
use super::rules::Rules;
use super::shape::{Check, Shape, anything, shape};
use super::{commands, told, urls};
use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// A scheme's credential, and not the next parameter: `bearer expires_in=3599`.
fn credential(value: &str) -> bool {
    is_no_word(value) && !value.trim_end_matches('=').bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

/// What was drawn for a link: hexadecimal digits are fewer in one than in a hash.
fn is_of_link(value: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| value.as_bytes().iter().any(kind);
    let is_hex = value.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_random_or_hex(value) || (is_hex && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic))
}

static SHAPES: LazyLock<Vec<Shape>> = LazyLock::new(|| {
    let mut shapes = vec![
        // RFC 7468, RFC 9580, and age's armor: https://github.com/C2SP/C2SP/blob/main/age.md. To
        // the end of the text where it was cut short, from its beginning where that was cut off.
        shape(
            &["-----begin", "---- begin"],
            r"(?s)-{4,5} ?BEGIN (?:[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?|PGP MESSAGE|AGE ENCRYPTED FILE) ?-{4,5}.*?(?:-{4,5} ?END (?:[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?|PGP MESSAGE|AGE ENCRYPTED FILE) ?-{4,5}|\z)",
            anything,
        ),
        shape(
            &["-----end"],
            r"(?:[A-Za-z0-9+/=]|\s|\\n){24,}-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----",
            anything,
        ),
        // https://the.earth.li/~sgtatham/putty/0.83/htmldoc/AppendixC.html
        shape(&["putty-user-key"], r"(?s)PuTTY-User-Key-File-\d:.*?(?:Private-MAC: ?[0-9a-f]+|\z)", anything),
        // RFC 7519, RFC 7516: a header that is a JSON object, in base64.
        shape(&["eyj"], r"(?-u:\b)eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*){0,3}", anything),
        shape(&["eyjhbgci", "eyj0exai"], r"eyJ(?:hbGci|0eXAi)[A-Za-z0-9_-]{16,}", anything),
        // RFC 6750, RFC 7617; RFC 4559, whose credentials are long.
        shape(
            &["bearer", "basic"],
            r"(?i)(?-u:\b)(?:bearer|basic)(?:[ \t]|%20|\+)+([A-Za-z0-9._~+/:-]{6,}={0,2})",
            credential,
        ),
        shape(
            &["negotiate", "ntlm"],
            r"(?i)(?-u:\b)(?:negotiate|ntlm)(?:[ \t]|%20|\+)+([A-Za-z0-9._~+/:-]{16,}={0,2})",
            credential,
        ),
        shape(
            &["token ", "apikey ", "api-key ", "bot ", "key "],
            r"(?i)(?-u:\b)(?:token|apikey|api-key|bot|key)[ \t]+([A-Za-z0-9._~+/-]{16,}={0,2})",
            is_random,
        ),
        // crypt(5), RFC 9106, Django's, RFC 2307.
        shape(
            &["$2", "$argon2", "$1$", "$5$", "$6$", "$y$", "pbkdf2_", "scrypt", "{ssha", "{crypt}"],
            r"\$(?:2[abxy]|argon2\w{1,2}|[156y])\$[./A-Za-z0-9$=,+-]{20,}|pbkdf2_sha\d+\$\d+\$[^\s'\x22]{20,}|(?:scrypt|pbkdf2):[\w:]+\$[^\s'\x22]{20,}|\{(?:SSHA\d*|CRYPT)\}[A-Za-z0-9+/=$.]{16,}",
            anything,
        ),
        // A JSON Web Key's private members: RFC 7518, section 6.
        shape(&["kty"], r#"\\?"(?:d|p|q|dp|dq|qi|k)\\?"\s*:\s*\\?"([A-Za-z0-9_-]{16,})"#, anything),
        // Entra's client secrets, Azure DevOps, HCP Terraform, Mailchimp, New Relic, AWS' session
        // tokens, extended private keys (BIP 32).
        shape(&["q~"], r"(?-u:\b)[A-Za-z0-9_~.-]{3}\dQ~[A-Za-z0-9_~.-]{31,34}", anything),
        shape(&["azdo"], r"(?-u:\b)[A-Za-z0-9]{70,80}AZDO[A-Za-z0-9]{4}", anything),
        shape(&[".atlasv1."], r"(?-u:\b)[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{32,}", anything),
        shape(&["-us"], r"(?-u:\b)[0-9a-f]{32}-us\d{1,2}(?-u:\b)", anything),
        shape(&["nral"], r"(?-u:\b)(?:[a-z]{2}\d\dxx[0-9a-f]{30}|[0-9a-f]{36})NRAL", anything),
        shape(&["xprv"], r"(?-u:\b)[xyz]prv[1-9A-HJ-NP-Za-km-z]{80,}", anything),
        // Stripe's client secrets, which its reference says should not be logged:
        // https://docs.stripe.com/api/payment_intents/object#payment_intent_object-client_secret
        shape(&["_secret_"], r"(?-u:\b)[a-z]{2,8}_[A-Za-z0-9]{8,60}_secret_[A-Za-z0-9]{16,}", anything),
        // Asana's tokens; its reference calls them opaque, so this is what they were found to be.
        shape(&["0/", "1/", "2/"], r"(?-u:\b)[0-2]/(?:\d{10,20}/)?\d{10,20}:[0-9a-f]{32}(?-u:\b)", anything),
        // A link that lets in whoever has it: reset, confirm, invite, magic link.
        shape(
            &["reset", "confirm", "verif", "activat", "invit", "magic", "unlock/", "unsubscribe/", "accept/", "token/"],
            r"(?i)/(?:[\w-]*reset[\w-]*|(?:confirm|verify)[\w-]*|verification|activat(?:e|ion)|invit(?:e|es|ation|ations)|magic[\w-]*|unlock|unsubscribe|accept|token)/(?:[A-Za-z0-9_-]{1,12}/)?([A-Za-z0-9_-]{16,})",
            is_of_link,
        ),
        // The key that belongs to an id that stands beside it.
        shape(&["akia", "asia"], r"(?:^|[^A-Za-z0-9/+])([A-Za-z0-9/+]{40})(?:$|[^A-Za-z0-9/+=])", is_random),
    ];
    shapes.extend(commands::shapes());
    shapes.extend(told::shapes());
    shapes
});

/// The shapes' hints, and which shape each belongs to.
static HINTS: LazyLock<(AhoCorasick, Vec<usize>)> = LazyLock::new(|| {
    let hints: Vec<(&str, usize)> =
        SHAPES.iter().enumerate().flat_map(|(at, shape)| shape.hints.iter().map(move |hint| (*hint, at))).collect();
    let automaton = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .kind(Some(AhoCorasickKind::DFA))
        .build(hints.iter().map(|(hint, _)| hint))
        .expect("some fifty short texts fit");
    (automaton, hints.into_iter().map(|(_, shape)| shape).collect())
});

/// Tokens without a prefix, as whole words: Telegram's and Discord's bots, Vault's of old,
/// Mailgun's, Okta's, Firebase's, and Bitcoin's keys:
/// <https://en.bitcoin.it/wiki/Wallet_import_format>.
static WORDS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?-u:^(?:bot)?(?:\d{8,10}:AA[A-Za-z0-9_-]{33}",
        r"|[MNO][A-Za-z0-9_-]{22,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}",
        r"|[sb]\.[A-Za-z0-9]{24}",
        r"|[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8}",
        r"|00[A-Za-z0-9_-]{40}",
        r"|AAAA[A-Za-z0-9_-]{7}:APA91b[A-Za-z0-9_-]{60,}",
        r"|[KL][1-9A-HJ-NP-Za-km-z]{51}|5[HJK][1-9A-HJ-NP-Za-km-z]{49})$)"
    ))
    .expect("a constant pattern, compiled by the tests")
});

/// Characters of the shortest and the longest word among [`WORDS`].
const WORD: std::ops::RangeInclusive<usize> = 26..=300;

/// Finds secrets by their shapes.
pub(super) fn find(text: &str, rules: &Rules, found: &mut Vec<Range<usize>>) {
    // The shortest of all, `-u a:bc`, has seven.
    if text.len() < 7 {
        return;
    }
    urls::find(text, found);
    let (automaton, owners) = &*HINTS;
    let mut wanted = 0_u128;
    for hit in automaton.find_overlapping_iter(text) {
        wanted |= 1 << owners[hit.pattern().as_usize()];
    }
    while wanted != 0 {
        let shape = &SHAPES[wanted.trailing_zeros() as usize];
        wanted &= wanted - 1;
        for groups in shape.regex().captures_iter(text) {
            match shape.check {
                Check::Value(check) => {
                    let secret = groups.iter().flatten().last().map(|group| group.range());
                    found.extend(secret.filter(|range| check(&text[range.clone()])));
                }
                Check::Name => found.extend(told::values(text, &groups, rules)),
            }
        }
    }
    if text.len() >= *WORD.start() {
        words(text, found);
    }
}

fn words(text: &str, found: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b':');
    let mut at = 0;
    while at < bytes.len() {
        let length = bytes[at..].iter().take_while(|byte| is_word(**byte)).count();
        let word = &text[at..at + length];
        if WORD.contains(&length) {
            let word = word.trim_end_matches(['.', ':', '-']);
            if word.bytes().any(|byte| byte.is_ascii_digit()) && WORDS.is_match(word) && !word.starts_with("00000000") {
                found.push(at..at + word.len());
            }
        }
        at += length + 1;
        while at < bytes.len() && !text.is_char_boundary(at) {
            at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SHAPES;

    #[test]
    fn every_pattern_can_be_used_and_all_of_them_are_one_number() {
        SHAPES.iter().for_each(|shape| assert!(shape.regex().captures_len() > 0, "{}", shape.pattern));
        assert!(SHAPES.len() <= u128::BITS as usize, "{}", SHAPES.len());
    }
}
