//! What is known of a line beside its code: one list, each fact with the media that show it and who
//! may read it.
//!
//! The templates of mail, issue and page loop over what this leaves for them, so a new fact is an
//! entry here, and none of them can show what its readers may not know.

use super::detail::Detail;
use super::format::{day, file_line, known_function, thousands, when};
use domain::alert::{Alert, Counts, TracedException, TracedFrame};
use serde::Serialize;

/// What a text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Medium {
    /// A mail to somebody who is told of the line.
    Mail,
    /// The line's issue on GitHub.
    Issue,
    /// The page of the line's latest traceback.
    Page,
}

const EVERYWHERE: &[Medium] = &[Medium::Mail, Medium::Issue, Medium::Page];
const NOT_IN_ISSUES: &[Medium] = &[Medium::Mail, Medium::Page];
const IN_MAILS: &[Medium] = &[Medium::Mail];
const IN_ISSUES: &[Medium] = &[Medium::Issue];
const ON_PAGES: &[Medium] = &[Medium::Page];

/// Who may read a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Privacy {
    /// Whoever may read the repository's issues: everybody, where it is public.
    Open,
    /// What an exception said: in an issue only where the alert allows it.
    Message,
    /// Local variables, request data, signed links: never in an issue.
    Private,
}

impl Privacy {
    /// Whether a text for this medium may say it.
    pub(super) fn allows(self, medium: Medium, alert: &Alert) -> bool {
        match self {
            Self::Open => true,
            Self::Message => medium != Medium::Issue || alert.message_in_issue,
            Self::Private => medium != Medium::Issue,
        }
    }
}

/// Something known, before it is asked who reads it.
struct Fact<T> {
    privacy: Privacy,
    media: &'static [Medium],
    what: Option<T>,
}

impl<T> Fact<T> {
    fn new(privacy: Privacy, media: &'static [Medium], what: Option<T>) -> Self {
        Self { privacy, media, what }
    }

    fn open(media: &'static [Medium], what: Option<T>) -> Self {
        Self::new(Privacy::Open, media, what)
    }

    fn private(media: &'static [Medium], what: Option<T>) -> Self {
        Self::new(Privacy::Private, media, what)
    }

    /// What there is to say in this medium.
    fn within(self, medium: Medium, alert: &Alert) -> Option<T> {
        let shown = self.media.contains(&medium) && self.privacy.allows(medium, alert);
        self.what.filter(|_| shown)
    }
}

/// A piece of a sentence.
#[derive(Clone, Debug, Serialize)]
pub struct Part {
    /// What kind of text it is.
    pub kind: PartKind,
    /// The text, cut and visible.
    pub text: String,
    /// Where it leads.
    pub url: Option<String>,
}

/// What a piece of a sentence is, which decides how it is set off and escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PartKind {
    /// Words of ours.
    Words,
    /// Words of ours that matter less.
    Aside,
    /// Text that others chose.
    Text,
    /// Somebody's name.
    Name,
    /// A name of a machine's: a commit, a release.
    Code,
    /// The number of an issue or a pull request.
    Number,
}

/// A sentence, ready to be escaped.
pub type Sentence = Vec<Part>;

fn words(text: &'static str) -> Part {
    Part { kind: PartKind::Words, text: text.to_owned(), url: None }
}

fn part(kind: PartKind, text: String) -> Part {
    Part { kind, text, url: None }
}

fn linked(kind: PartKind, text: String, url: Option<&String>) -> Part {
    Part { url: url.cloned(), ..part(kind, text) }
}

/// Where the line comes from and whose it is, in paragraphs.
pub(super) fn paragraphs(alert: &Alert, detail: &Detail, medium: Medium) -> Vec<Vec<Sentence>> {
    let paragraphs = [
        vec![Fact::open(EVERYWHERE, author(alert, detail)), Fact::open(ON_PAGES, no_author(alert))],
        vec![Fact::open(EVERYWHERE, pull(alert, detail)), Fact::open(EVERYWHERE, first_release(alert, detail))],
        vec![Fact::open(ON_PAGES, told(alert, detail))],
        vec![Fact::open(IN_MAILS, no_issue(alert, detail))],
    ];
    let shown = |facts: Vec<Fact<Sentence>>| -> Vec<Sentence> {
        facts.into_iter().filter_map(|fact| fact.within(medium, alert)).collect()
    };
    paragraphs.into_iter().map(shown).filter(|paragraph| !paragraph.is_empty()).collect()
}

/// "Last changed by Ada Lovelace on 2026-11-02 in 9f2c1e7: Look prices up once"
fn author(alert: &Alert, detail: &Detail) -> Option<Sentence> {
    let blame = alert.blame.as_ref()?;
    let name = if blame.author.name.trim().is_empty() { &blame.author.email } else { &blame.author.name };
    let mut said = vec![
        words("Last changed by "),
        part(PartKind::Name, detail.code(name)),
        words(" on "),
        part(PartKind::Text, day(blame.written_at())),
        words(" in "),
        linked(PartKind::Code, blame.commit.short().to_owned(), alert.links.commit.as_ref()),
    ];
    if let Some(since) = blame.came_later_at() {
        said.extend([words(", here since "), part(PartKind::Text, day(since))]);
    }
    let summary = detail.code(&blame.summary);
    if !summary.is_empty() {
        said.extend([words(": "), part(PartKind::Text, summary)]);
    }
    Some(said)
}

/// Of rows from before the reason was kept.
fn no_author(alert: &Alert) -> Option<Sentence> {
    let said = || vec![part(PartKind::Aside, "Git could not say who wrote it.".to_owned())];
    (alert.blame.is_none() && alert.no_line.is_empty()).then(said)
}

/// "It came with pull request #12, Faster carts (merged on 2026-11-03)."
fn pull(alert: &Alert, detail: &Detail) -> Option<Sentence> {
    let pull = alert.pull.as_ref()?;
    let number = linked(PartKind::Number, pull.number.to_string(), alert.links.pull.as_ref());
    let mut said = vec![words("It came with pull request "), number];
    let title = detail.code(&pull.title);
    if !title.trim().is_empty() {
        said.extend([words(", "), part(PartKind::Text, title)]);
    }
    if let Some(merged_at) = pull.merged_at {
        said.extend([words(" (merged on "), part(PartKind::Text, day(merged_at)), words(")")]);
    }
    said.push(words("."));
    Some(said)
}

/// "No issue could be filed: GitHub takes none in this repository, because it is archived."
fn no_issue(alert: &Alert, detail: &Detail) -> Option<Sentence> {
    Some(vec![part(PartKind::Text, detail.value(alert.no_issue.as_ref()?))])
}

/// "It first failed in release shop@2.4.1."
fn first_release(alert: &Alert, detail: &Detail) -> Option<Sentence> {
    let release = part(PartKind::Code, detail.code(alert.first_release.as_ref()?));
    Some(vec![words("It first failed in release "), release, words(".")])
}

/// "Told: Ada Lovelace"
fn told(alert: &Alert, detail: &Detail) -> Option<Sentence> {
    let said = || vec![words("Told: "), part(PartKind::Name, detail.code(&alert.told.name))];
    (!alert.told.name.is_empty()).then(said)
}

/// Facts in rows, under a heading.
#[derive(Clone, Debug, Serialize)]
pub struct Section {
    /// What the facts are of.
    pub kind: SectionKind,
    /// The heading.
    pub title: &'static str,
    /// The rows; in more than one group where each has a place of its own.
    pub groups: Vec<Group>,
}

/// What the facts of a section are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SectionKind {
    /// Of the line, over all its reports.
    Line,
    /// Of the one report that is shown.
    Report,
}

/// Some rows of a section.
#[derive(Clone, Debug, Serialize)]
pub struct Group {
    /// The frame whose variables these are: `shop/cart.py:42`.
    pub place: Option<String>,
    /// Its function, where known.
    pub function: Option<String>,
    /// The rows.
    pub rows: Vec<Pair>,
    /// Rows left out.
    pub left_out: usize,
}

/// A name and what it stands for.
#[derive(Clone, Debug, Serialize)]
pub struct Pair {
    /// The name.
    pub name: String,
    /// The text.
    pub value: String,
}

/// The facts that stand in rows, in their order.
pub(super) fn sections(alert: &Alert, detail: &Detail, medium: Medium) -> Vec<Section> {
    use SectionKind::{Line, Report};
    let facts = [
        Fact::private(NOT_IN_ISSUES, section(Report, "Local variables", locals(&alert.traceback, detail))),
        Fact::private(NOT_IN_ISSUES, section(Report, "Request", rows(pairs(&alert.request, detail)))),
        Fact::private(NOT_IN_ISSUES, section(Report, "Additional information", rows(pairs(&alert.additional, detail)))),
        // An issue says this in its status, which is kept up to date.
        Fact::open(NOT_IN_ISSUES, section(Line, "How often", rows(counts(&alert.counts, detail)))),
    ];
    facts.into_iter().filter_map(|fact| fact.within(medium, alert)).collect()
}

fn section(kind: SectionKind, title: &'static str, groups: Vec<Group>) -> Option<Section> {
    (!groups.is_empty()).then_some(Section { kind, title, groups })
}

fn rows(rows: Vec<Pair>) -> Vec<Group> {
    if rows.is_empty() { Vec::new() } else { vec![Group { place: None, function: None, rows, left_out: 0 }] }
}

/// Variables of own frames: the culprit's, then from the innermost outwards.
fn locals(chain: &[TracedException], detail: &Detail) -> Vec<Group> {
    let own = chain.iter().rev().flat_map(|exception| exception.frames.iter().rev());
    let mut frames: Vec<&TracedFrame> = own.filter(|frame| frame.own && !frame.vars.is_empty()).collect();
    frames.sort_by_key(|frame| !frame.culprit);
    frames.into_iter().take(detail.frames_with_vars).map(|frame| locals_of(frame, detail)).collect()
}

fn locals_of(frame: &TracedFrame, detail: &Detail) -> Group {
    Group {
        place: Some(file_line(&detail.code(&frame.path), frame.line)),
        function: known_function(&frame.function).map(|name| detail.code(&name)),
        rows: pairs(&frame.vars, detail),
        left_out: frame.vars.len().saturating_sub(detail.pairs),
    }
}

fn pairs(pairs: &[(String, String)], detail: &Detail) -> Vec<Pair> {
    let shown = pairs.iter().take(detail.pairs);
    shown.map(|(name, value)| Pair { name: detail.code(name), value: detail.value(value) }).collect()
}

/// How often, since when and where.
fn counts(counts: &Counts, detail: &Detail) -> Vec<Pair> {
    let often = [
        ("Occurrences", thousands(counts.total)),
        ("First seen", when(counts.first_seen_at)),
        ("Last seen", when(counts.last_seen_at)),
    ];
    let often = often.into_iter().map(|(name, value)| Pair { name: name.to_owned(), value });
    often.chain(facets(counts, detail)).collect()
}

/// Where it happened, and what: the status of an issue says this, too.
pub(super) fn facets(counts: &Counts, detail: &Detail) -> Vec<Pair> {
    let named = [
        ("Environments", detail.names(&counts.environments)),
        ("Releases", detail.names(&counts.releases)),
        ("Servers", detail.names(&counts.servers)),
        // One type is what the headline says already.
        ("Exceptions", detail.names(&counts.exceptions).filter(|_| counts.exceptions.len() > 1)),
    ];
    named.into_iter().filter_map(|(name, value)| Some(Pair { name: name.to_owned(), value: value? })).collect()
}

/// A page to go to.
#[derive(Clone, Debug, Serialize)]
pub struct LinkView {
    /// What is there.
    pub label: &'static str,
    /// Where it is.
    pub url: String,
    /// What an issue's reader should know before going there.
    pub note: &'static str,
}

/// Pages to go to, in their order.
pub(super) fn links(alert: &Alert, medium: Medium) -> Vec<LinkView> {
    /// Who reads an issue may not be somebody who may see our pages.
    const FOR_THOSE: &str = "with the latest traceback of each line, for those who may see them";
    let links = &alert.links;
    let link = |label, url: &Option<String>, note| url.clone().map(|url| LinkView { label, url, note });
    let facts = [
        Fact::open(EVERYWHERE, link("Why nobody is blamed", &links.why_no_line, "")),
        // The page begins with it.
        Fact::open(ON_PAGES, link("The issue", &links.issue, "")),
        // Signed links open what they lead to for whoever has them.
        Fact::private(IN_MAILS, link("Latest occurrence", &links.occurrence, "")),
        Fact::open(NOT_IN_ISSUES, link("The commit", &links.commit, "")),
        Fact::open(IN_MAILS, link("The pull request", &links.pull, "")),
        Fact::open(NOT_IN_ISSUES, link("All errors this week", &links.week, "")),
        Fact::open(IN_ISSUES, link("All errors of this week", &links.week, FOR_THOSE)),
        Fact::open(IN_MAILS, link("The issue", &links.issue, "")),
        Fact::private(NOT_IN_ISSUES, link("Whitelist this line", &links.whitelist, "")),
        Fact::private(NOT_IN_ISSUES, link("Not me", &links.not_me, "")),
    ];
    facts.into_iter().filter_map(|fact| fact.within(medium, alert)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detail::DETAILS;
    use crate::sample;

    #[test]
    fn locals_of_the_culprit_come_first_and_library_frames_show_none() {
        let groups = locals(&sample::alert().traceback, &DETAILS[0]);
        let places: Vec<&str> = groups.iter().filter_map(|group| group.place.as_deref()).collect();
        assert_eq!(places, ["shop/cart.py:42", "shop/views.py:17"]);
    }

    #[test]
    fn what_is_private_is_kept_from_issues_wherever_it_is_listed() {
        let mut alert = sample::alert();
        let shown = |fact: Fact<()>, medium, alert: &Alert| fact.within(medium, alert).is_some();
        for message_in_issue in [true, false] {
            alert.message_in_issue = message_in_issue;
            assert!(!shown(Fact::private(EVERYWHERE, Some(())), Medium::Issue, &alert));
            let message = Fact::new(Privacy::Message, EVERYWHERE, Some(()));
            assert_eq!(shown(message, Medium::Issue, &alert), message_in_issue);
            assert!(shown(Fact::open(EVERYWHERE, Some(())), Medium::Issue, &alert));
            assert!(shown(Fact::private(EVERYWHERE, Some(())), Medium::Mail, &alert));
        }
        assert!(!shown(Fact::open(IN_MAILS, Some(())), Medium::Page, &alert));
        assert!(sections(&alert, &DETAILS[0], Medium::Issue).is_empty());
        assert_eq!(links(&alert, Medium::Issue).len(), 1);
    }
}
