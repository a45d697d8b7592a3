//! Rust source as the rules read it: without comments and strings, without the tests at its end, as paths.

/// The source with comments, strings and characters blanked out: same length in lines, same lines.
pub(super) fn blanked(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut out = String::with_capacity(source.len());
    let mut at = 0;
    while at < chars.len() {
        let end = end_of_blank(&chars, at);
        if end == at {
            out.push(chars[at]);
            at += 1;
        } else {
            out.extend(chars[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    out
}

/// Where the comment, string or character that begins at `at` ends; `at` itself where none begins.
fn end_of_blank(chars: &[char], at: usize) -> usize {
    let rest = &chars[at..];
    let word_before = at > 0 && is_word(chars[at - 1]);
    match rest {
        ['/', '/', ..] => at + rest.iter().position(|c| *c == '\n').unwrap_or(rest.len()),
        ['/', '*', ..] => at + block_comment(rest),
        ['"', ..] => at + string(rest),
        ['\'', ..] => at + character(rest),
        // r"…", r#"…"#, br"…", cr"…": raw strings; b"…" and c"…" fall to the string at their quote. r#name is a name.
        ['r', ..] | ['b' | 'c', 'r', ..] if !word_before => {
            let from = rest.iter().position(|c| *c == 'r').map_or(0, |r| r + 1);
            at + raw_string(rest, from).unwrap_or(0)
        }
        _ => at,
    }
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        match &rest[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => {
                (depth, at) = (depth - 1, at + 2);
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    rest.len()
}

fn string(rest: &[char]) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != '"' {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// A character ends with a quote after one character or an escape; anything else is a lifetime.
fn character(rest: &[char]) -> usize {
    match rest {
        ['\'', '\\', _, tail @ ..] => tail.iter().position(|c| *c == '\'').map_or(0, |quote| quote + 4),
        ['\'', _, '\'', ..] => 3,
        _ => 0,
    }
}

fn raw_string(rest: &[char], from: usize) -> Option<usize> {
    let hashes = rest[from..].iter().take_while(|c| **c == '#').count();
    if rest.get(from + hashes) != Some(&'"') {
        return None;
    }
    let close: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let body = from + hashes + 1;
    let length = rest[body..].windows(close.len()).position(|window| window == close);
    Some(length.map_or(rest.len(), |length| body + length + close.len()))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// What ships: the blanked source up to the module of tests at its end. Where `cfg(test)` stands on anything else,
/// the line that it stands on.
pub(super) fn production(blanked: &str) -> Result<&str, usize> {
    const MARK: &str = "#[cfg(test)]";
    let Some(begin) = blanked.find(MARK) else { return Ok(blanked) };
    let line = line_of(blanked, begin);
    let mut after = blanked[begin + MARK.len()..].trim_start();
    // Further attributes of the module.
    while after.starts_with("#[") {
        let end = after.find(']').ok_or(line)?;
        after = after[end + 1..].trim_start();
    }
    // Tests of one file may lend what they make to another's.
    let visibility = ["pub(super) ", "pub(crate) "].into_iter().find_map(|visibility| after.strip_prefix(visibility));
    let module = visibility.unwrap_or(after).strip_prefix("mod ").ok_or(line)?;
    let end = module.find(['{', ';']).ok_or(line)?;
    let rest = if module[end..].starts_with(';') {
        &module[end + 1..]
    } else {
        let length = closing_brace(&module[end..]).ok_or(line)?;
        &module[end + length + 1..]
    };
    if rest.trim().is_empty() { Ok(&blanked[..begin]) } else { Err(line) }
}

fn closing_brace(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// A path as written, such as `crate::store::lines`, with the line that its last name stands on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mention {
    pub(super) names: Vec<String>,
    pub(super) line: usize,
}

/// All paths of two names and more in blanked source, groups (`a::{b, c::d}`) taken apart, and each single name of a
/// `use`.
pub(super) fn mentions(blanked: &str) -> Vec<Mention> {
    let tokens = tokens(blanked);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let after_use = matches!(&tokens[..at], [.., ("use", _)] | [.., ("use", _), ("::", _)]);
        let begins = is_name(tokens[at].0) && !continues(&tokens[..at]) && !KEYWORDS.contains(&tokens[at].0);
        let followed = tokens.get(at + 1).is_some_and(|next| next.0 == "::");
        if begins && (followed || after_use) {
            at = tree(&tokens, at, &mut Vec::new(), &mut found);
        } else if after_use && tokens[at].0 == "{" {
            at = group(&tokens, at, &mut Vec::new(), &mut found);
        } else {
            at += 1;
        }
    }
    found
}

/// Words before a path that begins with `::`.
const KEYWORDS: &[&str] = &["as", "dyn", "else", "for", "if", "impl", "in", "match", "mut", "pub", "return", "use"];

/// Whether the next name goes on with a path rather than beginning one.
fn continues(before: &[Token<'_>]) -> bool {
    match before {
        [.., (name, _), ("::", _)] => *name == ">" || is_name(name) && !KEYWORDS.contains(name),
        _ => false,
    }
}

type Token<'a> = (&'a str, usize);

/// Reads one path at `at`; gives where it ends.
fn tree(tokens: &[Token<'_>], mut at: usize, prefix: &mut Vec<String>, found: &mut Vec<Mention>) -> usize {
    let depth = prefix.len();
    loop {
        prefix.push(tokens[at].0.to_owned());
        let line = tokens[at].1;
        let next = |by: usize| tokens.get(at + by).map_or("", |token| token.0);
        match (next(1), next(2)) {
            ("::", "{") => {
                at = group(tokens, at + 2, prefix, found);
                break;
            }
            ("::", name) if is_name(name) || name == "*" => at += 2,
            _ => {
                found.push(Mention { names: prefix.clone(), line });
                at += 1;
                break;
            }
        }
    }
    prefix.truncate(depth);
    at
}

/// Reads a group at its `{`; gives where it ends.
fn group(tokens: &[Token<'_>], open: usize, prefix: &mut Vec<String>, found: &mut Vec<Mention>) -> usize {
    let mut at = open + 1;
    while at < tokens.len() && tokens[at].0 != "}" {
        match tokens[at].0 {
            "," | "::" => at += 1,
            // The new name is of no interest.
            "as" => at += 2,
            name if is_name(name) || name == "*" => at = tree(tokens, at, prefix, found),
            _ => return at,
        }
    }
    at + 1
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

fn tokens(blanked: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    for (number, line) in blanked.lines().enumerate() {
        let mut rest = line;
        while let Some(first) = rest.chars().next() {
            let length = if is_word(first) {
                rest.find(|c| !is_word(c)).unwrap_or(rest.len())
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            if !first.is_whitespace() {
                tokens.push((&rest[..length], number + 1));
            }
            rest = &rest[length..];
        }
    }
    tokens
}

/// The line of a byte offset, counted from 1.
pub(super) fn line_of(text: &str, offset: usize) -> usize {
    text[..offset].matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(source: &str) -> Vec<String> {
        mentions(&blanked(source)).into_iter().map(|it| format!("{} {}", it.line, it.names.join("::"))).collect()
    }

    #[test]
    fn comments_strings_and_characters_are_blanked_and_lifetimes_are_not() {
        let source = "a /* b /* c */ d */ e // f\n\"g \\\" h\" i r#\"j \" k\"# l '\"' m '\\'' n<'o> p br\"q\\\" r";
        let kept: Vec<String> = blanked(source).split_whitespace().map(str::to_owned).collect();
        assert_eq!(kept, ["a", "e", "i", "l", "m", "n<'o>", "p", "r"]);
        assert_eq!(blanked("\"1\n2\"\n3").lines().count(), 3);
    }

    #[test]
    fn tests_at_the_end_are_cut_off_and_elsewhere_found() {
        assert_eq!(production("fn a() {}\n#[cfg(test)]\nmod tests { fn b() { } }\n"), Ok("fn a() {}\n"));
        assert_eq!(production("fn a() {}\n#[cfg(test)]\n#[allow(x)]\nmod tests;\n"), Ok("fn a() {}\n"));
        assert_eq!(production("fn a() {}\n#[cfg(test)]\npub(super) mod tests { }\n"), Ok("fn a() {}\n"));
        assert_eq!(production("fn a() {}\n#[cfg(test)]\nfn b() {}\n"), Err(2));
        assert_eq!(production("fn a() {}\n#[cfg(test)]\npub fn b() {}\n"), Err(2));
        assert_eq!(production("#[cfg(test)]\nmod tests { }\nfn a() {}\n"), Err(1));
    }

    #[test]
    fn paths_are_taken_apart() {
        let source = "use crate::{a::{self, B as C}, d::*};\nuse serde;\nfn f() -> super::g::H {\n  crate::i::j::<K>()\n}\nuse {l::m, n};";
        let expected = [
            "1 crate::a::self",
            "1 crate::a::B",
            "1 crate::d::*",
            "2 serde",
            "3 super::g::H",
            "4 crate::i::j",
            "6 l::m",
            "6 n",
        ];
        assert_eq!(paths(source), expected);
        assert_eq!(paths("use ::a::b;\nlet c: ::d::E = f::<g::H>::i();"), ["1 a::b", "2 d::E", "2 f", "2 g::H"]);
        assert_eq!(paths("use a::b; // use c::d;\nlet e = \"f::g\";"), ["1 a::b"]);
    }
}
