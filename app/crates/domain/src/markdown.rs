//! Text that others chose, made harmless before it stands in Markdown on GitHub or in front of a
//! person.

use std::fmt::Write as _;

/// Shortest fence that CommonMark knows.
const SHORTEST_FENCE: usize = 3;

/// Breaks what GitHub would turn into a mention, a reference or a link, and can't be seen. GitHub
/// looks for those in the rendered text, so an entity for the sign itself (`&#64;`) would not
/// stop it.
const BREAK: &str = "&#8203;";

/// The text with every character that deceives the eye written out: control characters, the marks
/// that reverse the order of what follows ("trojan source"), line separators and tag characters.
/// Line ends become `\n`; tabs stay.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' => {
                chars.next_if_eq(&'\n');
                out.push('\n');
            }
            '\n' | '\t' => out.push(c),
            _ if deceives(c) => push_code_point(&mut out, c),
            _ => out.push(c),
        }
    }
    out
}

/// The same in one line: line ends and runs of white space become one space.
pub fn one_line(text: &str) -> String {
    visible(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first `most` characters, with an ellipsis as the last of them where something was cut off.
pub fn clip(text: &str, most: usize) -> String {
    if text.chars().nth(most).is_none() {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(most.saturating_sub(1)).collect();
    out.push('…');
    out
}

/// Plain text in one line that means nothing to Markdown, to HTML or to GitHub: no emphasis, no
/// link, no mention of a person, no reference to an issue, no column of a table.
pub fn plain(text: &str) -> String {
    let text = one_line(text);
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    let mut before = ' ';
    let mut rest = text.as_str();
    while let Some(c) = rest.chars().next() {
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

/// Characters that aren't seen but change what is: control characters, marks of direction,
/// separators, tags.
fn deceives(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            | '\u{2028}' | '\u{2029}' | '\u{e0000}'..='\u{e007f}')
}

/// `\u{202e}`, as most languages write it.
fn push_code_point(out: &mut String, c: char) {
    let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
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
    fn what_deceives_the_eye_is_written_out() {
        assert_eq!(visible("a\u{202e}b\u{2066}c\u{0}d\u{1b}[31m"), "a\\u{202e}b\\u{2066}c\\u{0}d\\u{1b}[31m");
        assert_eq!(visible("one\r\ntwo\rthree\n\tfour"), "one\ntwo\nthree\n\tfour");
        assert_eq!(visible("a\u{2028}b\u{200f}"), "a\\u{2028}b\\u{200f}");
        for c in ('\u{202a}'..='\u{202e}').chain('\u{2066}'..='\u{2069}').chain('\u{7f}'..='\u{9f}') {
            assert!(!visible(&c.to_string()).contains(c), "{:x}", u32::from(c));
        }
        assert_eq!(visible("naïve 漢字 👩‍💻"), "naïve 漢字 👩‍💻", "honest text stays as it is");
        assert_eq!(one_line("  a\r\n\t b \n"), "a b");
    }

    #[test]
    fn plain_text_mentions_nobody_and_refers_to_nothing() {
        assert_eq!(plain("@ada and @org/team"), "@&#8203;ada and @&#8203;org/team");
        assert_eq!(plain("ada@example.com"), "ada@&#8203;example.com");
        assert_eq!(plain("fixes #1, GH-2, gh-3, a/b#4"), "fixes #&#8203;1, GH-&#8203;2, gh-&#8203;3, a/b#&#8203;4");
        assert_eq!(plain("https://github.com/a/b/issues/1"), "https:&#8203;//github.com/a/b/issues/1");
        assert_eq!(plain("www.example.com"), "www&#8203;.example.com");
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

    #[test]
    fn clipping_counts_characters_and_says_so() {
        assert_eq!(clip("abc", 3), "abc");
        assert_eq!(clip("abcd", 3), "ab…");
        assert_eq!(clip("äöüß", 3), "äö…");
    }
}
