//! What a person would read of a story: mails, issues, comments and statuses, with stable words for
//! what differs each time.

use super::fake_github::{Change, IssueChange};
use super::smtp::Received;
use super::story::Story;
use domain::status::{BEGIN, END};
use regex::{Captures, Regex};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::LazyLock;

/// Columns that a headline's text is wrapped at.
const WIDTH: usize = 100;
/// What stands before the text that belongs to a headline.
const INDENT: &str = "    ";
/// From so many on, things that differ in their numbers only are one line.
const ALIKE: usize = 4;

/// Something that a person would read.
struct Entry {
    headline: String,
    text: String,
}

impl Story {
    /// What people got to read since the last look, in short, mails first.
    ///
    /// That is whom a mail is for and why, what a comment says, and which lines of a text are new.
    /// Things that are alike but for their numbers are one line.
    pub fn transcript(&self) -> String {
        let entries = self.taken(|text, words| paragraph(&words.put_into(&paragraphs(text))), in_short);
        folded(&entries.iter().map(Entry::to_string).collect::<Vec<_>>()).collect()
    }

    /// What people got to read since the last look, with all of its text.
    pub fn transcript_in_full(&self) -> String {
        let entries = self.taken(|text, words| words.put_into(text), in_full);
        entries.iter().map(Entry::to_string).collect()
    }

    /// The text of the first mail that nobody looked at. It goes on being new.
    pub fn unread_text(&self) -> String {
        self.smtp.unread().first().expect("a mail").text()
    }

    /// Mails and changes since the last look. Several people's mails come in any order, so they are
    /// sorted.
    fn taken(&self, mail: TextOf<str>, change: TextOf<Change>) -> Vec<Entry> {
        let words = self.stable_words();
        let entry = |headline: String, text: String| Entry::new(words.put_into(&headline), &text);
        let mails = self.mails();
        let mut entries: Vec<Entry> =
            mails.iter().map(|it| entry(mail_headline(it), mail(&it.text(), &words))).collect();
        entries.sort_by(|a, b| (&a.headline, &a.text).cmp(&(&b.headline, &b.text)));
        let changes = self.github.take_issue_changes();
        entries.extend(changes.iter().map(|it| entry(headline(it), change(&it.what, &words))));
        entries.extend(self.outbox(&words).into_iter().map(|(headline, text)| entry(headline, text)));
        entries
    }

    /// What is new in the outbox, whose files stand in for issues and comments where there is no
    /// GitHub: kind and first line of each, and the lines that are new in a file that was there.
    fn outbox(&self, words: &StableWords) -> Vec<(String, String)> {
        let files = std::fs::read_dir(self.folder().join("data/outbox")).into_iter().flatten();
        let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        paths.sort();
        paths.into_iter().filter_map(|path| self.outbox_file(path, words)).collect()
    }

    fn outbox_file(&self, path: PathBuf, words: &StableWords) -> Option<(String, String)> {
        let name = path.file_name()?.to_string_lossy().into_owned();
        let text = words.put_into(&visible(&std::fs::read_to_string(&path).unwrap()));
        let before = self.outbox_read.borrow_mut().insert(path, text.clone());
        let new = before.as_ref().map(|before| added(before, &text)).unwrap_or_default();
        let first = text.trim_start().lines().next().unwrap_or_default();
        let headline = format!("outbox {}: {first}", name.split('-').next().unwrap_or_default());
        (before.as_ref() != Some(&text)).then_some((headline, new))
    }

    fn stable_words(&self) -> StableWords {
        let log = self.repo.git(&["log", "--all", "--reflog", "--format=%H %s"]);
        let commits = log.lines().filter_map(|line| line.split_once(' '));
        StableWords {
            first_day: self.began_at.date(),
            subjects: commits.map(|(id, subject)| (id.to_owned(), subject.to_owned())).collect(),
            folder: self.folder().display().to_string(),
        }
    }
}

/// What of something stands below its headline.
type TextOf<T> = fn(&T, &StableWords) -> String;

fn in_short(change: &Change, words: &StableWords) -> String {
    match change {
        Change::Commented(body) | Change::Deleted(body) => wrapped(&words.put_into(&plain(body))),
        Change::Rewritten { from, to } => added(&words.put_into(&plain(from)), &words.put_into(&plain(to))),
        _ => String::new(),
    }
}

fn in_full(change: &Change, words: &StableWords) -> String {
    match change {
        Change::Opened { body, .. } | Change::Commented(body) | Change::Rewritten { to: body, .. } => {
            words.put_into(&visible(body))
        }
        _ => String::new(),
    }
}

/// Words for what differs from run to run: addresses, signatures, moments of the story, and
/// commits, which are known by their subjects.
struct StableWords {
    /// `2026-11-28`: what is older stands in the story.
    first_day: String,
    /// The subject of each commit, by its id.
    subjects: BTreeMap<String, String>,
    folder: String,
}

impl StableWords {
    fn put_into(&self, text: &str) -> String {
        let text = LOOPBACK.replace_all(text, "http://localhost");
        let text = SIGNED.replace_all(&text, "$1=…");
        let text = MARKER.replace_all(&text, "flawless:INSTALLATION:LINE");
        let text = DAYS.replace_all(&text, "SPARKLINE the last 14 days up to $1, N on the busiest");
        let text = MOMENT.replace_all(&text, |found: &Captures<'_>| match found.get(2) {
            _ if found[1] < *self.first_day => found[0].to_owned(),
            Some(_) => "MOMENT".to_owned(),
            None => "DAY".to_owned(),
        });
        let text = SHA.replace_all(&text, |found: &Captures<'_>| self.commit(&found[0]));
        text.replace(&self.folder, "FOLDER")
    }

    /// `<Add up carts>` for a commit of the story, in full or abbreviated; anything else as it is.
    fn commit(&self, id: &str) -> String {
        let known = self.subjects.range(id.to_owned()..).next().filter(|(known, _)| known.starts_with(id));
        known.map_or_else(|| id.to_owned(), |(_, subject)| format!("<{subject}>"))
    }
}

static LOOPBACK: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"http://127\.0\.0\.1:\d+").unwrap());
static SIGNED: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b(expires|line_id|signature|timestamp)=\w+").unwrap());
static MARKER: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"flawless:[0-9a-f]{12}:\w+").unwrap());
static DAYS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"`?[▁-█]{14}`? the last 14 days up to (.+?), [\d,]+ on the busiest").unwrap());
static MOMENT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\b(\d{4}-\d\d-\d\d)\b([T ]\d\d:\d\d(:\d\d)?( UTC|Z)?)?").unwrap());
static SHA: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b[0-9a-f]{7,40}\b").unwrap());
static HIDDEN: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?m)^<!--.*-->\r?\n?").unwrap());
static LINK: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\[([^\]]+)\]\([^)]+\)").unwrap());
static NUMBER: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\d+").unwrap());

impl Entry {
    fn new(headline: String, text: &str) -> Self {
        let lines = text.trim_end().lines().map(str::trim_end);
        let indented = lines.map(|line| if line.is_empty() { "\n".to_owned() } else { format!("{INDENT}{line}\n") });
        Self { headline, text: indented.collect() }
    }
}

impl std::fmt::Display for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}\n{}", self.headline, self.text)
    }
}

/// Whom a mail is for, and its subject.
fn mail_headline(mail: &Received) -> String {
    let message = mail.parsed();
    format!("mail to {}: {}", mail.to.join(", "), message.subject().unwrap_or_default())
}

/// What was done to an issue; the text of it stands below.
fn headline(change: &IssueChange) -> String {
    let about = format!("{}#{}", change.repository, change.number);
    match &change.what {
        Change::Commented(_) => format!("{about} commented:"),
        Change::Deleted(_) => format!("{about} deleted a comment:"),
        Change::Rewritten { from, to } if around_status(from) == around_status(to) => format!("{about} status:"),
        Change::Rewritten { .. } => format!("{about} rewritten:"),
        _ => change.to_string(),
    }
}

/// A text without its status block, whose beginning and end are lines of their own.
fn around_status(body: &str) -> Option<(&str, &str)> {
    let (before, rest) = body.split_once(&format!("\n{BEGIN}"))?;
    Some((before, rest.split_once(&format!("\n{END}"))?.1))
}

/// Pieces of text, with one in place of all that differ in their numbers only.
fn folded(pieces: &[String]) -> impl Iterator<Item = String> {
    let shapes: Vec<_> = pieces.iter().map(|piece| NUMBER.replace_all(piece, "N")).collect();
    let alike = |shape| shapes.iter().filter(|other| *other == shape).count();
    let fold = |at: usize| match alike(&shapes[at]) {
        ..ALIKE => Some(pieces[at].clone()),
        count => (!shapes[..at].contains(&shapes[at])).then(|| format!("{count} × {}", shapes[at])),
    };
    (0..pieces.len()).filter_map(fold).collect::<Vec<_>>().into_iter()
}

/// What of Markdown people see: no comments.
fn visible(body: &str) -> String {
    HIDDEN.replace_all(body, "").replace("&#8203;", "")
}

/// The same without the addresses of links.
fn plain(body: &str) -> String {
    LINK.replace_all(&visible(body), "$1").into_owned()
}

/// A text whose paragraphs are one line each.
fn paragraphs(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let all = text.trim_start().split("\n\n").map(|it| it.split_whitespace().collect::<Vec<_>>().join(" "));
    all.collect::<Vec<_>>().join("\n")
}

/// The first paragraph of such a text, wrapped.
fn paragraph(text: &str) -> String {
    wrapped(text.lines().next().unwrap_or_default())
}

/// Each line of a text, wrapped.
fn wrapped(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        lines.push(String::new());
        for word in line.split_whitespace() {
            let last = lines.last_mut().unwrap();
            match last.chars().count() + word.chars().count() + INDENT.len() < WIDTH {
                _ if last.is_empty() => last.push_str(word),
                true => *last = format!("{last} {word}"),
                false => lines.push(word.to_owned()),
            }
        }
    }
    lines.join("\n")
}

/// The lines of a rewritten text that were not there before; those that went where none came.
fn added(from: &str, to: &str) -> String {
    let [new, gone] = [(to, from), (from, to)].map(|(these, those)| {
        let has = |line: &&str| those.lines().any(|it| it.trim_end() == line.trim_end());
        these.lines().filter(|line| !has(line) && !line.trim().is_empty()).map(str::to_owned).collect::<Vec<_>>()
    });
    let (sign, lines) = if new.is_empty() { ('-', gone) } else { ('+', new) };
    folded(&lines).map(|line| wrapped(&format!("{sign} {line}")) + "\n").collect()
}
