//! The issue of an alert, in GitHub's Markdown.

use super::alert::{AlertView, CallView, Step};
use super::detail::{DETAILS, Detail};
use super::engine::{RenderError, render, render_words};
use super::facts::Medium;
use super::format::{function, headline};
use super::status::status_block;
use domain::alert::Alert;
use domain::command::{COMMANDS, CommandSpec, LabelCommand};
use domain::markdown::code_span;
use domain::names::Login;
use domain::status::Status;
use minijinja::value::Serde;
use minijinja::{Value, context};
use std::fmt::Write as _;

/// GitHub refuses bodies over 65,536 characters (422). It counts characters, not bytes; the rest is
/// margin.
const MOST_BODY_CHARS: usize = 60_000;

/// GitHub's limit for titles.
const MOST_TITLE_CHARS: usize = 256;

/// Addresses beyond this are no real ones: browsers and servers refuse them.
const MOST_URL_BYTES: usize = 2_000;

/// A rendered issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// One line, at most 256 characters.
    pub title: String,
    /// Markdown, at most 65,536 characters. Its first line is the hidden marker.
    pub body: String,
}

/// The issue of an alert: never local variables, request data or a signed link, which would open
/// both to whoever reads the issue; what the exceptions said only where the alert allows it.
///
/// # Errors
/// [`RenderError`] where a template is faulty, whatever the alert.
pub fn issue(alert: &Alert) -> Result<Issue, RenderError> {
    let mut made = String::new();
    for (at, detail) in DETAILS.iter().enumerate() {
        made = body(alert, detail, at > 0)?;
        if made.chars().count() <= MOST_BODY_CHARS {
            break;
        }
    }
    Ok(Issue { title: title(alert), body: made })
}

fn title(alert: &Alert) -> String {
    let exception = if alert.exception.trim().is_empty() { "Error" } else { &alert.exception };
    headline(exception, function(&alert.place).as_deref(), &alert.place.path, MOST_TITLE_CHARS)
}

fn body(alert: &Alert, detail: &Detail, shortened: bool) -> Result<String, RenderError> {
    let view = AlertView::new(alert, detail, Medium::Issue, shortened);
    let values = context! {
        marker => alert.marker.as_str(),
        status => Value::from_safe_string(status_block(&Status::of_new(alert), &alert.repository)?),
        permalink => permalink(alert),
        language => language(&alert.place.path),
        snippet => snippet(&view),
        traceback => traceback(&view),
        unassigned => unassigned(alert, detail),
        commands => commands(alert)?,
        alert => Serde(view),
    };
    render("issue/issue.md", values)
}

/// How each command is given, in the words of its entry. Where no line was found there is no code
/// whose caller could be blamed.
fn commands(alert: &Alert) -> Result<Vec<Value>, RenderError> {
    let mut frames = alert.traceback.iter().flat_map(|exception| &exception.frames);
    let has_line = alert.no_line.is_empty() || frames.any(|frame| frame.culprit);

    let help = |spec: &CommandSpec| {
        Some((spec.help?, context! { label => Value::from_safe_string(code_span(spec.label.name)) }))
    };
    let given = COMMANDS.iter().filter(|spec| has_line || spec.command != LabelCommand::LibraryCode);
    given.filter_map(help).map(|(words, values)| render_words(words, values)).collect()
}

/// The address that GitHub shows as code when it stands alone on a line: a range around the line,
/// at the commit that ran.
fn permalink(alert: &Alert) -> Option<String> {
    let snippet = &alert.snippet;
    let last = snippet.first.checked_add(u32::try_from(snippet.lines.len()).ok()?)?.checked_sub(1)?;
    let around = || {
        let url = alert.repository.line_url(alert.revision.as_ref()?, &alert.place.path, snippet.first)?;
        (last > snippet.first).then(|| format!("{url}-L{last}"))
    };
    around().or_else(|| alert.links.line.clone()).filter(|url| url.len() <= MOST_URL_BYTES)
}

/// Who it should be, where nobody could be assigned.
fn unassigned(alert: &Alert, detail: &Detail) -> Option<String> {
    if alert.told.login.is_some() {
        return None;
    }
    let author = alert.blame.as_ref().map(|blame| blame.author.name.as_str());
    let login = alert.author_login.as_ref().map(Login::as_str);
    let mut names = [Some(alert.told.name.as_str()), login, author].into_iter().flatten();
    names.find(|name| !name.trim().is_empty()).map(|name| detail.code(name))
}

/// The lines as text, the failing one marked.
fn snippet(view: &AlertView) -> String {
    let mut out = String::new();
    for line in &view.snippet {
        let mark = if line.culprit { '>' } else { ' ' };
        let _ = writeln!(out, "{mark} {} | {}", line.number, line.text);
    }
    out
}

/// The traceback as Python prints it, whatever the language: readers know the form. `>` marks the
/// failing line.
fn traceback(view: &AlertView) -> String {
    let mut out = String::new();
    for exception in &view.traceback {
        if let Some(relation) = &exception.relation {
            let _ = writeln!(out, "\n{relation}\n");
        }
        if !exception.steps.is_empty() {
            out.push_str("Traceback (most recent call last):\n");
        }
        for step in &exception.steps {
            match step {
                Step::Call(call) => push_call(&mut out, call),
                Step::Fold { calls } => {
                    let _ = writeln!(out, "  … {calls} {} left out …", if *calls == 1 { "call" } else { "calls" });
                }
            }
        }
        match &exception.value {
            Some(value) => {
                // Indented, no further line of a message looks like one of the traceback.
                let _ = writeln!(out, "{}: {}", exception.name, value.replace('\n', "\n        "));
            }
            None => {
                let _ = writeln!(out, "{}", exception.name);
            }
        }
    }
    out
}

fn push_call(out: &mut String, call: &CallView) {
    let mark = if call.culprit { "> " } else { "  " };
    let _ = write!(out, "{mark}File \"{}\"", call.path);
    if call.line > 0 {
        let _ = write!(out, ", line {}", call.line);
    }
    if let Some(function) = &call.function {
        let _ = write!(out, ", in {}", function);
    }
    out.push('\n');
    if let Some(code) = &call.code {
        let _ = writeln!(out, "{mark}  {}", code);
    }
}

/// The name by which GitHub colours a file's code; empty where it has no colour.
fn language(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, end)| end) {
        Some("py" | "pyi") => "python",
        Some("js" | "mjs" | "cjs" | "jsx") => "javascript",
        Some("ts" | "tsx" | "mts") => "typescript",
        Some("rb") => "ruby",
        Some("java") => "java",
        Some("kt") => "kotlin",
        Some("go") => "go",
        Some("rs") => "rust",
        Some("php") => "php",
        Some("cs") => "csharp",
        Some("c" | "h") => "c",
        Some("cc" | "cpp" | "hpp") => "cpp",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;
    use domain::status::{BEGIN, END};

    #[test]
    fn every_command_is_explained() {
        let body = issue(&sample::alert()).expect("renders").body;
        for spec in COMMANDS {
            assert!(body.contains(&format!("`{}`", spec.label.name)), "{} is not named", spec.label.name);
        }
    }

    #[test]
    fn no_issue_says_variables_request_or_signed_links() {
        let body = issue(&sample::alert()).expect("renders").body;
        for secret in ["18.40", "Customer 8812", "scrubbed", "premium", "sig=", "checkout?step"] {
            assert!(!body.contains(secret), "{secret}");
        }
    }

    #[test]
    fn hostile_text_mentions_nobody_and_fits() {
        let mut alert = sample::tests::hostile_alert();
        for message_in_issue in [true, false] {
            alert.message_in_issue = message_in_issue;
            let issue = issue(&alert).expect("renders");
            assert!(issue.title.chars().count() <= MOST_TITLE_CHARS && !issue.title.contains(['\n', '\u{202e}']));
            let size = issue.body.chars().count();
            assert!(size <= MOST_BODY_CHARS, "{size} characters");
            assert!(issue.body.starts_with("<!-- flawless line 12 of 3f9a -->\n"));
            assert!(issue.body.contains("### How to answer") && issue.body.contains("shortened to fit"));
            // The entities that escaping itself writes are no references.
            let outside = outside_code(&issue.body).replace("&#124;", "").replace("&#8203;", "~");
            assert_eq!((outside.matches(BEGIN).count(), outside.matches(END).count()), (1, 1), "one status, ours");
            let outside = outside.replace(BEGIN, "").replace(END, "");
            for bad in ["@ada", "@org", "#1", "GH-7", "://h/", "<b>", "-->\n\n", "\u{202e}", "\0"] {
                assert!(!outside.contains(bad), "{bad:?} in\n{outside}");
            }
            assert_eq!(outside.matches("<!--").count(), 1, "one marker, ours");
        }
    }

    #[test]
    fn the_last_resort_fits_whatever_stands_in_it() {
        // Each sign that grows most when it is escaped, in every field.
        for sign in ["#", "\u{202e}", "|", "`", "漢"] {
            let mut alert = sample::tests::hostile_alert();
            let text = sign.repeat(5_000);
            let fill = |slot: &mut String| slot.clone_from(&text);
            fill(&mut alert.exception);
            fill(&mut alert.place.path);
            fill(&mut alert.place.function);
            alert.message = Some(text.clone());
            alert.verdict.iter_mut().for_each(fill);
            alert.snippet.lines.iter_mut().for_each(fill);
            alert.counts.servers.iter_mut().for_each(fill);
            alert.counts.releases.iter_mut().for_each(fill);
            for exception in &mut alert.traceback {
                exception.value = Some(text.clone());
                exception.name.clone_from(&text);
                for frame in &mut exception.frames {
                    frame.path.clone_from(&text);
                    frame.code = Some(text.clone());
                }
            }
            let size = body(&alert, &DETAILS[3], true).expect("renders").chars().count();
            assert!(size <= MOST_BODY_CHARS, "{size} characters of {sign:?}");
        }
    }

    #[test]
    fn a_plain_repository_has_no_permalink() {
        let mut alert = sample::alert();
        alert.repository.github = None;
        alert.links.line = None;
        assert_eq!(permalink(&alert), None);
        alert = sample::alert();
        alert.snippet.lines.truncate(1);
        assert!(permalink(&alert).is_some_and(|url| url.ends_with("#L42")));
    }

    /// The body without its fences and code spans: what GitHub looks at for mentions and
    /// references.
    fn outside_code(body: &str) -> String {
        let mut outside = String::new();
        let mut fence: Option<String> = None;
        for line in body.lines() {
            let ticks: String = line.chars().take_while(|c| *c == '`').collect();
            match &fence {
                Some(open) if ticks.len() >= open.len() && line.trim_matches('`').is_empty() => fence = None,
                Some(_) => {}
                None if ticks.len() >= 3 && !line[ticks.len()..].contains('`') => fence = Some(ticks),
                None => {
                    outside.push_str(&without_spans(line));
                    outside.push('\n');
                }
            }
        }
        assert_eq!(fence, None, "a fence stays open:\n{body}");
        outside
    }

    fn without_spans(line: &str) -> String {
        let mut out = String::new();
        let mut rest = line;
        while let Some(c) = rest.chars().next() {
            let ticks = rest.len() - rest.trim_start_matches('`').len();
            if c == '\\' {
                let next = rest.char_indices().nth(2).map_or(rest.len(), |(at, _)| at);
                out.push_str(&rest[..next]);
                rest = &rest[next..];
            } else if ticks > 0 {
                rest = after_span(&rest[ticks..], ticks).unwrap_or(&rest[ticks..]);
            } else {
                out.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
        out
    }

    /// What follows a code span that a run of so many backticks opened.
    fn after_span(text: &str, ticks: usize) -> Option<&str> {
        let mut at = 0;
        while let Some(found) = text[at..].find('`') {
            let start = at + found;
            let run = text[start..].len() - text[start..].trim_start_matches('`').len();
            if run == ticks {
                return Some(&text[start + run..]);
            }
            at = start + run;
        }
        None
    }
}
