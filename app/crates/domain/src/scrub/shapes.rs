//! Secrets that are known by what stands around them rather than by a maker's prefix: blocks of
//! keys, schemes of `Authorization`, commands, SQL, and tokens without any prefix.

use super::random::{is_no_word, is_random};
use super::urls;
use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// One shape: its last group, or all of it, is the secret.
struct Shape {
    /// One of these is in every text that has it, in whatever case.
    hints: &'static [&'static str],
    pattern: Regex,
    /// What else the secret has to be.
    check: fn(&str) -> bool,
}

fn shape(hints: &'static [&'static str], pattern: &str, check: fn(&str) -> bool) -> Shape {
    Shape { hints, pattern: Regex::new(pattern).expect("a constant pattern, compiled by the tests"), check }
}

fn anything(_: &str) -> bool {
    true
}

/// Not a number of a port or of a user and group.
fn no_number(value: &str) -> bool {
    !value.bytes().all(|byte| byte.is_ascii_digit() || byte == b':')
}

/// Letters with digits or marks: no word, no count, no path.
fn no_word(value: &str) -> bool {
    value.bytes().any(|byte| byte.is_ascii_alphabetic()) && is_no_word(value) && !value.contains(['/', '(', '['])
}

/// Letters with digits or marks, as base64 has them: no word, no path.
fn no_path(value: &str) -> bool {
    is_no_word(value)
        && value.bytes().any(|b| b.is_ascii_alphabetic())
        && !value.starts_with('/')
        && !value.contains("://")
}

static SHAPES: LazyLock<Vec<Shape>> = LazyLock::new(|| {
    vec![
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
        // RFC 6750, RFC 7617, RFC 4559.
        shape(
            &["bearer", "basic", "negotiate", "ntlm"],
            r"(?i)(?-u:\b)(?:bearer|basic|negotiate|ntlm)(?:[ \t]|%20|\+)+([A-Za-z0-9._~+/:-]{6,}={0,2})",
            is_no_word,
        ),
        shape(
            &["token ", "apikey ", "api-key ", "bot ", "key "],
            r"(?i)(?-u:\b)(?:token|apikey|api-key|bot|key)[ \t]+([A-Za-z0-9._~+/-]{16,}={0,2})",
            is_random,
        ),
        // curl(1), wget(1), smbclient(1): `-u user:password`.
        shape(
            &["-u", "--user", "--proxy-user"],
            r#"(?:^|[\s'",\[(])(?:-u|--user|--proxy-user|-U)[\s'",=]+['"]?[^\s'":,/%]{1,60}[:%]([^\s'"\]]{2,200})"#,
            no_number,
        ),
        // mysql(1), sshpass(1), mongosh, docker-login(1), 7z, zip(1), redis-cli, ldapsearch(1),
        // sqlcmd.
        shape(
            &["mysql", "mariadb", "sshpass", "mongo", "login", "7z", "rar", "mosquitto"],
            r#"(?-u:\b)(?:mysql\w*|mariadb[\w-]*|sshpass|mongo\w*|(?:docker|podman|az|helm|oc)['",\s]+(?:registry\s+)?login|7z[az]?|unrar|rar)['"]?(?:[\s,][^\n|;]{0,300}?)?[\s'",]-[pP](?:['"]?,?\s+['"]?|['"])?([^\s'",\]]{3,200})"#,
            no_number,
        ),
        shape(
            &["redis-cli", "ldap", "sqlcmd", "bcp", "zip", "kinit"],
            r#"(?-u:\b)(?:redis-cli|ldap\w+|sqlcmd|bcp|(?:un)?zip)['"]?(?:[\s,][^\n|;]{0,300}?)?[\s'",]-[awP](?:['"]?,?\s+['"]?|['"])?([^\s'",\]]{3,200})"#,
            no_number,
        ),
        // SQL of MySQL, Oracle, PostgreSQL, SQL Server, Snowflake.
        shape(
            &["identified"],
            r#"(?i)(?-u:\b)IDENTIFIED\s+(?:WITH\s+\S+\s+)?(?:BY|AS)\s+(?:PASSWORD\s+)?\\?['"]([^'"\\]+)"#,
            anything,
        ),
        shape(&["identified"], r"(?i)(?-u:\b)IDENTIFIED\s+BY\s+([^\s'\x22;]+)", no_word),
        shape(&["password"], r#"(?-u:\b)PASSWORD\s*\(?\s*\\?['"]([^'"\\]{1,200})"#, anything),
        // RFC 959, RFC 1939, RFC 3501, RFC 4954, and Redis' AUTH.
        shape(&["pass "], r#"(?m)(?:^|[>:'"\s])PASS +:?([^\s'"]{4,200})"#, no_word),
        shape(&["auth "], r#"(?-u:\b)AUTH +(?:(?:PLAIN|LOGIN|XOAUTH2|[\w.@-]{1,40}) +)?([^\s'"]{5,400})"#, no_path),
        shape(&["login "], r#"(?-u:\b)LOGIN +"?[^\s"]{1,100}"? +"?([^\s"']{4,200})"#, no_word),
        // netrc(5).
        shape(&["machine "], r"(?-u:\b)machine\s+\S+\s+login\s+\S+\s+password\s+(\S+)", anything),
        // Oracle's thin driver and sqlplus.
        shape(
            &["oracle:", "sqlplus", "expdp", "impdp"],
            r#"(?:oracle:\w{2,5}:|(?:sqlplus|expdp|impdp)\s+(?:-\w+\s+){0,3})[\w$#]+/"?([^\s@"]{2,100})"?@"#,
            anything,
        ),
        shape(&["@//"], r#"(?:^|[\s'"=])[\w$#]{1,30}/([^\s@/'"]{2,100})@//?[\w.-]+[:/]"#, anything),
        // openssl-passphrase-options(1).
        shape(&["pass:"], r#"(?-u:\b)pass:([^\s'"]{4,200})"#, no_word),
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
        shape(&["nral"], r"(?-u:\b)[0-9a-f]{36}NRAL", anything),
        shape(&["xprv"], r"(?-u:\b)[xyz]prv[1-9A-HJ-NP-Za-km-z]{80,}", anything),
        // The key that belongs to an id that stands beside it.
        shape(&["akia", "asia"], r"(?:^|[^A-Za-z0-9/+])([A-Za-z0-9/+]{40})(?:$|[^A-Za-z0-9/+=])", is_random),
    ]
});

/// The shapes' hints, and which shape each belongs to.
static HINTS: LazyLock<(AhoCorasick, Vec<usize>)> = LazyLock::new(|| {
    let hints: Vec<(&str, usize)> =
        SHAPES.iter().enumerate().flat_map(|(at, shape)| shape.hints.iter().map(move |hint| (*hint, at))).collect();
    let automaton = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .kind(Some(AhoCorasickKind::ContiguousNFA))
        .build(hints.iter().map(|(hint, _)| hint))
        .expect("some fifty short texts fit");
    (automaton, hints.into_iter().map(|(_, shape)| shape).collect())
});

/// Tokens without a prefix, as whole words: Telegram's and Discord's bots, Vault's of old,
/// Mailgun's, Okta's, Firebase's.
static WORDS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?-u:^(?:bot)?(?:\d{8,10}:AA[A-Za-z0-9_-]{33}",
        r"|[MNO][A-Za-z0-9_-]{22,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}",
        r"|[sb]\.[A-Za-z0-9]{24}",
        r"|[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8}",
        r"|00[A-Za-z0-9_-]{40}",
        r"|AAAA[A-Za-z0-9_-]{7}:APA91b[A-Za-z0-9_-]{60,})$)"
    ))
    .expect("a constant pattern, compiled by the tests")
});

/// Characters of the shortest and the longest word among [`WORDS`].
const WORD: std::ops::RangeInclusive<usize> = 26..=300;

/// Finds secrets by their shapes.
pub(super) fn find(text: &str, found: &mut Vec<Range<usize>>) {
    // The shortest of all, `-u a:bc`, has seven.
    if text.len() < 7 {
        return;
    }
    urls::find(text, found);
    let (automaton, owners) = &*HINTS;
    let mut wanted = 0_u64;
    for hit in automaton.find_overlapping_iter(text) {
        wanted |= 1 << owners[hit.pattern().as_usize()];
    }
    for (at, shape) in SHAPES.iter().enumerate().filter(|(at, _)| wanted & (1 << at) != 0) {
        debug_assert!(at < 64, "the set of shapes is one number");
        for groups in shape.pattern.captures_iter(text) {
            let secret = groups.iter().flatten().last().map(|group| group.range());
            found.extend(secret.filter(|range| (shape.check)(&text[range.clone()])));
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
