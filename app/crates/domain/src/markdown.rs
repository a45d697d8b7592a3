//! Text that others chose, made harmless before it stands in Markdown on GitHub.

use crate::visible::{deceives, one_line, visible};
use std::fmt::Write as _;

/// Shortest fence that CommonMark knows.
const SHORTEST_FENCE: usize = 3;

/// Breaks what GitHub would turn into a mention, a reference or a link, and can't be seen. GitHub
/// looks for those in the rendered text, so an entity for the sign itself (`&#64;`) would not
/// stop it.
const BREAK: &str = "&#8203;";

/// Lengths of what GitHub takes for the name of a commit and links, where there is such a commit.
const COMMIT_NAMES: std::ops::RangeInclusive<usize> = 7..=40;

/// Plain text in one line that means nothing to Markdown, to HTML or to GitHub: no emphasis, no
/// link, no mention of a person, no reference to an issue or a commit, no emoji by its name, no
/// column of a table.
pub fn plain(text: &str) -> String {
    escaped(text, Commits::AreText)
}

/// The same for a sentence of ours: a commit that it names may become a link.
pub fn sentence(text: &str) -> String {
    escaped(text, Commits::AreLinks)
}

/// What becomes of names of commits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Commits {
    AreText,
    AreLinks,
}

fn escaped(text: &str, commits: Commits) -> String {
    let text = one_line(text);
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    let mut before = ' ';
    let mut rest = text.as_str();
    while let Some(c) = rest.chars().next() {
        if commits == Commits::AreText
            && !before.is_ascii_alphanumeric()
            && let Some(name) = commit_name(rest)
        {
            let (start, end) = name.split_at(name.len() / 2);
            out.extend([start, BREAK, end]);
            before = '0';
            rest = &rest[name.len()..];
            continue;
        }
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // An entity, for a backslash before it would have to get through the splitting of a
            // table's row.
            '|' => out.push_str("&#124;"),
            '@' | '#' => {
                out.push(c);
                out.push_str(BREAK);
            }
            // `https://…`, `www.…`: links of GitHub's own, which also make cross references when
            // they lead to an issue.
            ':' if rest.starts_with("://") => {
                out.push(':');
                out.push_str(BREAK);
            }
            // `:name:` is an emoji, even within `a::x::b`.
            ':' if starts_with_emoji(rest) => {
                out.push(':');
                out.push_str(BREAK);
            }
            '.' if ends_with_word(&out, "www") => {
                out.push_str(BREAK);
                out.push('.');
            }
            // `GH-1` refers to an issue.
            '-' if ends_with_word(&out, "gh") => {
                out.push('-');
                out.push_str(BREAK);
            }
            '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '$' => {
                out.push('\\');
                out.push(c);
            }
            // What starts a list, a rule or a heading when it stands first.
            '-' | '+' | '=' if out.is_empty() => {
                out.push('\\');
                out.push(c);
            }
            '.' | ')' if before.is_ascii_digit() && out.bytes().all(|b| b.is_ascii_digit()) => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
        before = c;
        rest = &rest[c.len_utf8()..];
    }
    out
}

/// The text in one line as inline code, in a run of backticks longer than any inside.
pub fn code_span(text: &str) -> String {
    let text = one_line(text);
    if text.is_empty() {
        return "(empty)".to_owned();
    }
    let ticks = "`".repeat(longest_run(&text) + 1);
    // CommonMark strips one space from both ends when both are there, so a backtick at an end needs
    // a space to lean on.
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{ticks}{pad}{text}{pad}{ticks}")
}

/// The text as a block of code that nothing inside can end. `language` colours it; anything but
/// letters is dropped.
pub fn fence(text: &str, language: &str) -> String {
    let text = visible(text);
    let ticks = "`".repeat((longest_run(&text) + 1).max(SHORTEST_FENCE));
    let language: String = language.chars().filter(char::is_ascii_alphanumeric).collect();
    let end = if text.ends_with('\n') || text.is_empty() { "" } else { "\n" };
    format!("{ticks}{language}\n{text}{end}{ticks}")
}

/// A hidden comment of one line. What could end it early is dropped.
pub fn hidden(text: &str) -> String {
    let text: String = one_line(text).chars().filter(|c| !matches!(c, '<' | '>')).collect();
    format!("<!-- {text} -->")
}

/// An address as the target of a link: only `http` and `https`, and nothing in it that ends the
/// link or the line.
pub fn link_target(url: &str) -> Option<String> {
    if !(url.starts_with("https://") || url.starts_with("http://")) {
        return None;
    }
    let mut out = String::with_capacity(url.len());
    for c in url.chars() {
        match c {
            '(' | ')' | '<' | '>' | '[' | ']' | '\\' | '`' | '"' | '\'' | '|' | '*' | '@' => {
                let _ = write!(out, "%{:02X}", u32::from(c));
            }
            _ if c.is_whitespace() || deceives(c) => {
                let mut bytes = [0; 4];
                for byte in c.encode_utf8(&mut bytes).bytes() {
                    let _ = write!(out, "%{byte:02X}");
                }
            }
            _ => out.push(c),
        }
    }
    Some(out)
}

/// What the text starts with, if that may be the name of a commit: a word of hexadecimal digits.
fn commit_name(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
    let word = &text[..end];
    (COMMIT_NAMES.contains(&end) && word.bytes().all(|b| b.is_ascii_hexdigit())).then_some(word)
}

/// Whether the text starts with a name between colons.
fn starts_with_emoji(text: &str) -> bool {
    let Some((name, _)) = text.get(1..).and_then(|rest| rest.split_once(':')) else { return false };
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'+' | b'-'))
}

/// Whether the text ends with this word of ASCII letters, in either case.
fn ends_with_word(text: &str, word: &str) -> bool {
    let Some(start) = text.len().checked_sub(word.len()) else { return false };
    text.as_bytes()[start..].eq_ignore_ascii_case(word.as_bytes())
}

/// Length of the longest run of backticks.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_mentions_nobody_and_refers_to_nothing() {
        assert_eq!(plain("@ada and @org/team"), "@&#8203;ada and @&#8203;org/team");
        assert_eq!(plain("ada@example.com"), "ada@&#8203;example.com");
        assert_eq!(plain("fixes #1, GH-2, gh-3, a/b#4"), "fixes #&#8203;1, GH-&#8203;2, gh-&#8203;3, a/b#&#8203;4");
        assert_eq!(plain("https://github.com/a/b/issues/1"), "https:&#8203;//github.com/a/b/issues/1");
        assert_eq!(plain("www.example.com"), "www&#8203;.example.com");
    }

    #[test]
    fn plain_text_names_no_commit_and_no_emoji() {
        assert_eq!(plain("web-9f2c1e7ab0"), "web-9f2c1&#8203;e7ab0");
        assert_eq!(plain("at 9f2c1e7."), "at 9f2&#8203;c1e7.");
        let whole = "9f2c1e7ab09f2c1e7ab09f2c1e7ab09f2c1e7ab0";
        assert_eq!(plain(whole), format!("{}&#8203;{}", &whole[..20], &whole[20..]));
        assert_eq!(sentence("at 9f2c1e7, @ada"), "at 9f2c1e7, @&#8203;ada");
        assert_eq!(plain("beef, 9f2c1e, 9f2c1e7g"), "beef, 9f2c1e, 9f2c1e7g", "too short, or no digits of one");
        assert_eq!(plain("a::x::b :bug:"), "a::&#8203;x::b :&#8203;bug:");
        assert_eq!(plain("std::io: no, 12:30:45"), "std::&#8203;io: no, 12:&#8203;30:45");
    }

    #[test]
    fn plain_text_means_nothing_to_markdown() {
        assert_eq!(plain("*a* _b_ `c` ~~d~~ $e$"), "\\*a\\* \\_b\\_ \\`c\\` \\~\\~d\\~\\~ \\$e\\$");
        assert_eq!(plain("![x](http://y) [l](z)"), "!\\[x\\](http:&#8203;//y) \\[l\\](z)");
        assert_eq!(plain("<script>a & b</script>"), "&lt;script&gt;a &amp; b&lt;/script&gt;");
        assert_eq!(plain("<!-- flawless 7 -->"), "&lt;!-- flawless 7 --&gt;");
        assert_eq!(plain("a | b \\| c"), "a &#124; b \\\\&#124; c");
        assert_eq!(plain("# heading"), "#&#8203; heading");
        assert_eq!(plain("- item\r\n- item"), "\\- item - item");
        assert_eq!(plain("12. item"), "12\\. item");
        assert_eq!(plain("1) item"), "1\\) item");
        assert_eq!(plain("version 1.2 (beta)"), "version 1.2 (beta)", "and honest text stays readable");
        assert_eq!(plain("a\n\n> quote"), "a &gt; quote");
        assert_eq!(plain("\u{202e}x"), r"\\u{202e}x");
    }

    #[test]
    fn code_spans_hold_any_backticks() {
        assert_eq!(code_span("a"), "`a`");
        assert_eq!(code_span("a`b"), "``a`b``");
        assert_eq!(code_span("a```b``c"), "````a```b``c````");
        assert_eq!(code_span("`a`"), "`` `a` ``");
        assert_eq!(code_span("`"), "`` ` ``");
        assert_eq!(code_span("@ada\n#1"), "`@ada #1`");
        assert_eq!(code_span(" \n"), "(empty)");
        assert_eq!(code_span("x\u{0}"), "`x\\u{0}`");
    }

    #[test]
    fn nothing_inside_ends_a_fence() {
        assert_eq!(fence("a", "python"), "```python\na\n```");
        assert_eq!(fence("a\n", ""), "```\na\n```");
        assert_eq!(fence("", ""), "```\n```");
        assert_eq!(fence("x = '''\n```\n@ada\n````\n", "py"), "`````py\nx = '''\n```\n@ada\n````\n`````");
        assert_eq!(fence("a\r\nb", "c++\n```"), "```c\na\nb\n```");
        // Every fence that the text could hold is shorter than the one around it.
        for ticks in 0..12 {
            let inside = "`".repeat(ticks);
            let fenced = fence(&format!("{inside}\nout"), "");
            let outer = fenced.lines().next().unwrap_or_default();
            assert!(outer.len() > ticks && fenced.ends_with(outer), "{fenced}");
        }
    }

    #[test]
    fn comments_stay_closed_until_their_end() {
        assert_eq!(hidden("flawless line 7 of a1b2"), "<!-- flawless line 7 of a1b2 -->");
        assert_eq!(hidden("x --> <b>\ny"), "<!-- x -- b y -->");
    }

    #[test]
    fn links_lead_to_the_web_and_end_where_they_should() {
        assert_eq!(link_target("https://h/a(1).py#L2").as_deref(), Some("https://h/a%281%29.py#L2"));
        assert_eq!(link_target("https://h/a b\n<c>|`").as_deref(), Some("https://h/a%20b%0A%3Cc%3E%7C%60"));
        assert_eq!(link_target("https://h/@ada/x").as_deref(), Some("https://h/%40ada/x"), "mentions nobody");
        assert_eq!(link_target("javascript:alert(1)"), None);
        assert_eq!(link_target("/relative"), None);
    }
}
