//! What stands around a value without quotes that tells it from a word of a sentence, and from a
//! name in code: a connection string's quotes, an object's braces, a list of words.

use super::beside::Tie;
use super::ties::Named;
use super::values::NEAR;
use super::vocabulary::Class;
use super::words::words;
use std::ops::Range;

/// Words of a seed phrase, at most: BIP 39 has 24 and 25 with a word of one's own.
const MAX_PHRASE: usize = 25;

/// Letters of one of its words: BIP 39 has three to eight, lists of Diceware somewhat longer ones.
const PHRASE_WORD: std::ops::RangeInclusive<usize> = 3..=12;

/// What follows the name of an option where a sentence speaks of it.
#[rustfmt::skip]
pub(super) const SMALL_WORDS: &[&str] = &[
    "a", "and", "are", "argument", "as", "before", "but", "can", "cannot", "flag", "for", "from", "has", "in", "instead",
    "is", "may", "must", "needs", "not", "option", "options", "or", "parameter", "requires", "should", "switch", "to", "was", "with",
];

/// Words of sentences that no list of words for phrases has.
const ARTICLES: [&str; 5] = ["the", "this", "that", "your", "expected"];

/// What is near before this place, and what is near behind it.
pub(super) fn near(text: &str, start: usize, end: usize) -> (&str, &str) {
    let from = text.floor_char_boundary(start.saturating_sub(NEAR));
    let to = text.floor_char_boundary(text.len().min(end + NEAR));
    (&text[from..start], &text[end..to])
}

/// `connect("host=db password=x")`: in code, a quote that opens before the name and closes behind
/// the value has it written out.
pub(super) fn is_in_quotes(text: &str, named: &Named, value: &Range<usize>) -> bool {
    // `password=:word`, `password=@word2`, `password=%s`: what a statement is given.
    let is_mark = text[value.start..].starts_with([':', '@', '%', '?']);
    if is_mark || text[named.name.end..value.start].trim() != "=" {
        return false;
    }
    let (before, after) = near(text, named.name.start, value.end);
    let Some(at) = before.rfind(['"', '\'', '`']) else { return false };
    let quote = char::from(before.as_bytes()[at]);
    // `"""x` in Python.
    let head = before[..at].strip_suffix([quote, quote].iter().collect::<String>().as_str()).unwrap_or(&before[..at]);
    let opens = head.chars().next_back().is_none_or(|c| " \t([{=,:+&|!rbfuLN$@".contains(c));
    let inside = &before[at + 1..];
    // Not as what follows a quote that closes.
    let begins = inside.is_empty() || !inside.starts_with([',', ')', ']', '}', ';', ' ', ':', '+', '.']);
    opens && begins && after.contains(quote)
}

/// `{User:app Password:letmein Name:x}`, `{password: letmein, user: x}`, `password: letmein  # the
/// db`: a word behind a colon that goes on as no sentence does.
pub(super) fn is_no_sentence(text: &str, named: &Named, value: &Range<usize>) -> bool {
    let (before, after) = near(text, named.name.start, value.end);
    let is_password = named.class == Class::Password;
    let line = after.lines().next().unwrap_or_default();
    // A comment of YAML.
    if is_password && line.trim_start() != line && line.trim_start().starts_with("# ") {
        return true;
    }
    let next = line.strip_prefix([',', ';']).map(str::trim_start);
    if next.is_some_and(|next| is_password && begins_with_name(next)) {
        return true;
    }
    let open = before.rfind(['{', '}']).filter(|at| before[*at..].starts_with('{'));
    let is_in_braces = open.is_some_and(|at| !before[at..].contains('\n'));
    let is_glued = value.start == named.name.end + 1;
    is_in_braces
        && (line.starts_with('}')
            || next.is_some_and(begins_with_name)
            || (is_glued && line.strip_prefix(' ').is_some_and(begins_with_name)))
}

/// `name: x`, `"name"=x`: what stands next in an object.
fn begins_with_name(text: &str) -> bool {
    let text = text.trim_start_matches(['"', '\'', ':']);
    let name =
        text.bytes().take(60).take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.')).count();
    name > 0 && text[name..].trim_start_matches(['"', '\'']).starts_with([':', '='])
}

/// The words of a seed or pass phrase up to the end of its line: `MNEMONIC=abandon ability able`.
pub(super) fn phrase(text: &str, named: &Named, value: &Range<usize>) -> Option<Range<usize>> {
    if named.class != Class::Password || !matches!(named.tie, Tie::Assigned | Tie::Colon | Tie::Option) {
        return None;
    }
    let name = words(&text[named.name.clone()]);
    // `seed phrase: x`: the name is the last word alone.
    let is_phrase = |word: &String| matches!(word.as_str(), "mnemonic" | "passphrase" | "phrase" | "seedphrase");
    let is_seed = |two: &[String]| two[0] == "seed" && two[1] == "words";
    if !name.iter().any(is_phrase) && !name.windows(2).any(is_seed) {
        return None;
    }
    let line = near(text, value.start, value.start).1.lines().next().unwrap_or_default();
    let written = line.trim_end_matches([' ', '\t', '"', '\'', '.']);
    let each = || written.split(' ');
    let is_word = |word: &str| {
        PHRASE_WORD.contains(&word.len())
            && word.bytes().all(|byte| byte.is_ascii_lowercase())
            && !SMALL_WORDS.contains(&word)
            && !ARTICLES.contains(&word)
    };
    let count = each().count();
    ((3..=MAX_PHRASE).contains(&count) && each().all(is_word)).then(|| value.start..value.start + written.len())
}

#[cfg(test)]
mod tests {
    use crate::scrub::{FILTERED, Place, Rules, one, scrub_text};

    #[test]
    fn connection_strings_in_code_are_written_out() {
        let in_code = |text: &str| one(text, Rules::built_in(), Place::Code, None).replace(FILTERED, "#");
        for (text, expected) in [
            (
                "conn = psycopg2.connect(\"host=db user=app password=hunter2x\")",
                "conn = psycopg2.connect(\"host=db user=app password=#\")",
            ),
            ("s = \"Server=db;User Id=sa;Password=Hunter2!x;\";", "s = \"Server=db;User Id=sa;Password=#;\";"),
            (
                "String url = \"jdbc:mysql://h/x?user=a&password=hunter2x\";",
                "String url = \"jdbc:mysql://h/x?user=a&password=#\";",
            ),
            ("r = get('https://h/?token=hunter2x&a=1')", "r = get('https://h/?token=#&a=1')"),
            ("open(`host=db password=hunter2x`)", "open(`host=db password=#`)"),
        ] {
            assert_eq!(in_code(text), expected);
        }
        for text in [
            "f(\"a\", password=word2x, b=\"c\")",
            "f(\"\", password=word2x)",
            "f(' ', password=word2x, ' ')",
            "url = \"host=db password=%s\" % pw1",
            "url = f\"host=db password={pw1x}\"",
            "url = \"host=db password=\" + settings.pw1 + \" x\"",
            "url = \"/login?token=:token1\"",
            "assert \"password=changeme\" in text",
            "token=session_id_2 # it's",
        ] {
            assert_eq!(in_code(text), text);
        }
    }

    #[test]
    fn letters_behind_a_colon_are_a_value_where_no_sentence_goes_on() {
        for (text, expected) in [
            ("{User:app Password:letmeinnow DBName:x}", "{User:app Password:# DBName:x}"),
            ("{user: app, password: openupplease, host: db}", "{user: app, password: #, host: db}"),
            ("{user: app, password: openupplease}", "{user: app, password: #}"),
            ("user: app, password: openupplease, host: db", "user: app, password: #, host: db"),
            ("password: swordfishes  # the db", "password: #  # the db"),
            ("MNEMONIC=abandonq ability abley aboutz", "MNEMONIC=#"),
            ("passphrase: correcta horsea batterya staplea\nuser: x", "passphrase: #\nuser: x"),
            ("seed phrase: abandonq ability abley aboutz", "seed phrase: #"),
            ("WALLET_MNEMONIC: abandonq ability abley aboutz", "WALLET_MNEMONIC: #"),
        ] {
            assert_eq!(scrub_text(text, Rules::built_in()).replace(FILTERED, "#"), expected);
        }
        for text in [
            "{error: invalid token: expected a comma}",
            "invalid token: unexpected, wanted a comma",
            "password: too short, at least eight",
            "passphrase: must not be empty",
            "passphrase: the given one differs",
            "invalid token: braces # 3",
        ] {
            assert_eq!(scrub_text(text, Rules::built_in()), text);
        }
    }
}
