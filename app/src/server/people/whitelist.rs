//! The whitelist of a repository: what is in force, from where, and what came of it.

use super::known_error_form::still_alerted;
use super::line::{issue_link, place};
use crate::server::page::Page;
use crate::server::page_error::PageError;
use crate::server::query::Query;
use crate::server::repository::{Read, RepositoryWith};
use crate::server::urls::Urls;
use crate::services::standings::{Standing, standings};
use axum::extract::State;
use domain::access::Right;
use domain::ids::{LineId, RuleId};
use domain::links::query;
use domain::rule::{Rule, RuleKind, RuleSource};
use domain::settings::{CodePattern, SETTINGS_FILE};
use mirror::Mirrors;
use render::views::{Covers, EndedEntry, Silenced, Whitelist, WhitelistEntry};
use render::{thousands, when};
use serde::Deserialize;
use std::collections::{BTreeSet, HashMap};
use store::Store;
use store::lines::Line;
use store::repositories::RepositoryRow;
use store::rules::RuleRow;

/// Entries on one page: with more it takes seconds to make and to read.
const SHOWN: usize = 200;
/// Lines listed with an entry.
const LINES_SHOWN: usize = 5;
/// Ended entries listed.
const ENDED_SHOWN: i64 = 100;

/// Where a page of a long whitelist begins.
#[derive(Debug, Deserialize)]
pub(super) struct Slice {
    #[serde(default)]
    from: usize,
}

/// `GET /{owner}/{repo}/whitelist`.
pub(super) async fn whitelist(
    State(store): State<Store>,
    State(mirrors): State<Mirrors>,
    State(urls): State<Urls>,
    RepositoryWith { session, row, .. }: RepositoryWith<Read>,
    Query(Slice { from }): Query<Slice>,
) -> Result<Page<Whitelist>, PageError> {
    let (entries, more) = entries(&row, &store, &mirrors, &urls, from).await?;
    let here = urls.whitelist(&row);
    let view = Whitelist {
        repository_url: urls.repository(&row),
        add_url: urls.page(&format!("/add_known_error?{}", query(&[("repo", row.repository.full_name.to_string())]))),
        end_action: urls.page("/rules/end"),
        csrf: session.csrf.clone(),
        may_edit: session.right_in(&row) >= Some(Right::Triage),
        settings_path: SETTINGS_FILE.to_owned(),
        settings_url: settings_url(&row),
        entries,
        more,
        more_url: format!("{here}?from={}", from.saturating_add(SHOWN)),
        first_url: (from > 0).then_some(here),
        dropped: dropped(&row),
        ended: store::rules::ended(&store, row.repository.id, ENDED_SHOWN).await?.iter().filter_map(ended).collect(),
        repository: row.repository.full_name.into(),
    };
    Ok(Page(Some(session), view))
}

/// The repository's file of settings on GitHub.
fn settings_url(row: &RepositoryRow) -> Option<String> {
    let on_github = row.repository.github.as_ref()?;
    let branch = row.repository.default_branch.as_deref()?;
    Some(format!("{}/blob/{branch}/{SETTINGS_FILE}", on_github.html_url))
}

/// What is in force: what people made, the latest first, and what the repository's file says. So
/// many of it as one page shows, and how many come after those.
async fn entries(
    row: &RepositoryRow,
    store: &Store,
    mirrors: &Mirrors,
    urls: &Urls,
    from: usize,
) -> Result<(Vec<WhitelistEntry>, usize), PageError> {
    let id = row.repository.id;
    let baselines = store::rules::baselines(store, id).await?;
    let of_file = Rule::of_file(&row.settings);
    let mut made = store::rules::in_force(store, id).await?;
    made.reverse();
    let more = (made.len() + of_file.len()).saturating_sub(from.saturating_add(SHOWN));
    let all = made.iter().map(|row| (Some(row), &row.made.rule)).chain(of_file.iter().map(|rule| (None, rule)));
    let shown: Vec<(Option<&RuleRow>, &Rule)> = all.skip(from).take(SHOWN).collect();
    let known = shown.iter().filter(|(_, rule)| rule.kind() == RuleKind::KnownError);
    let files: BTreeSet<&str> = known.map(|(_, rule)| rule.file().trim_start_matches("./")).collect();
    let mut lines = Vec::new();
    for file in files {
        lines.extend(store::lines::of_path(store, id, file).await?);
    }
    let patterns = shown.iter().map(|(_, rule)| rule.pattern()).collect();
    let standings = standings(mirrors, row, patterns).await;
    let views = EntryViews { urls, row, lines: &lines, baselines: &baselines };
    let entries = shown.iter().zip(standings).map(|((made, rule), standing)| match made {
        Some(made) => views.made(made, standing),
        None => views.of_file(rule, standing),
    });
    Ok((entries.collect(), more))
}

/// What the repository's file has dropped.
fn dropped(row: &RepositoryRow) -> Vec<String> {
    let types = row.settings.ignored_exceptions.iter().map(|name| format!("exceptions of the type {name}"));
    let code = row.settings.third_party_whitelist.iter().map(|it| {
        let function = it.function.as_deref().map(|name| format!(", {name}")).unwrap_or_default();
        let code = it.code.as_deref().map(|code| format!(", {code}")).unwrap_or_default();
        format!("tracebacks that pass through {}{function}{code}", it.file)
    });
    types.chain(code).collect()
}

/// What the views of entries are made with.
struct EntryViews<'a> {
    urls: &'a Urls,
    row: &'a RepositoryRow,
    lines: &'a [Line],
    baselines: &'a HashMap<(RuleId, LineId), u64>,
}

impl EntryViews<'_> {
    fn made(&self, rule: &RuleRow, standing: Standing) -> WhitelistEntry {
        let id = rule.made.id;
        let fields = [("repo", self.row.repository.full_name.to_string()), ("rule", id.to_string())];
        let before = |line: LineId| self.baselines.get(&(id, line)).copied().unwrap_or(0);
        WhitelistEntry {
            id: Some(id.0),
            origin: origin(rule),
            when: Some(when(rule.made_at)),
            edited: rule.edited.as_ref().map(|(by, at)| format!("by {by}, {}", when(*at))),
            issue: rule.issue.and_then(|number| issue_link(self.row, number)),
            silenced: self.silenced(&rule.made.rule, true, before),
            edit_url: Some(self.urls.page(&format!("/rules/edit?{}", query(&fields)))),
            end_note: end_note(rule),
            ..self.entry(&rule.made.rule, standing)
        }
    }

    fn of_file(&self, rule: &Rule, standing: Standing) -> WhitelistEntry {
        WhitelistEntry {
            origin: SETTINGS_FILE.to_owned(),
            silenced: self.silenced(rule, false, |_| 0),
            ..self.entry(rule, standing)
        }
    }

    fn entry(&self, rule: &Rule, standing: Standing) -> WhitelistEntry {
        let gone = match standing {
            Standing::There | Standing::Unknown => None,
            Standing::FileGone => Some("This file is not in the default branch any more."),
            Standing::CodeGone => Some("This code is not in the file any more, as the default branch has it."),
        };
        WhitelistEntry {
            id: None,
            covers: covers(rule),
            terms: terms(rule),
            origin: String::new(),
            when: None,
            edited: None,
            issue: None,
            silenced: None,
            gone: gone.map(str::to_owned),
            edit_url: None,
            end_note: String::new(),
        }
    }

    /// What a known error kept from being told, `before` being how often a line had happened when
    /// it was made.
    fn silenced(&self, rule: &Rule, since_made: bool, before: impl Fn(LineId) -> u64) -> Option<Silenced> {
        let pattern = match rule {
            Rule::KnownError(known) => known.pattern(),
            Rule::LibraryCode { .. } => return None,
        };
        let mut covered: Vec<(u64, &Line)> = self
            .lines
            .iter()
            .filter(|line| pattern.matches(line.code_at()))
            .map(|line| (line.total.saturating_sub(before(line.id)), line))
            .collect();
        covered.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        Some(Silenced {
            occurrences: thousands(covered.iter().map(|(count, _)| count).sum()),
            since_made,
            lines: covered
                .iter()
                .take(LINES_SHOWN)
                .map(|(_, line)| (place(line), self.urls.traceback(self.row, line)))
                .collect(),
            more: covered.len().saturating_sub(LINES_SHOWN),
        })
    }
}

fn covers(rule: &Rule) -> Covers {
    let what = match rule {
        Rule::KnownError(_) => "Known error",
        Rule::LibraryCode { .. } => "Library code",
    };
    let CodePattern { file, function, code } = rule.pattern();
    Covers { what: what.to_owned(), file, function, code }
}

/// When somebody is told after all, and who.
fn terms(rule: &Rule) -> Vec<String> {
    let mut terms = still_alerted(rule);
    let Rule::KnownError(known) = rule else { return terms };
    if known.min_alert_threshold.is_none() && known.alert_every_n_occurrences.is_none() {
        terms.insert(0, "It is counted, and nobody is told.".to_owned());
    }
    if !known.email_recipients.is_empty() {
        terms.push(format!("Told as well: {}.", known.email_recipients.join(", ")));
    }
    if let Some(header) = &known.email_header {
        terms.push(format!("The mail begins with: {header}"));
    }
    terms
}

/// `label known-error, by ada`.
fn origin(rule: &RuleRow) -> String {
    let from = match (rule.origin, &rule.label) {
        (RuleSource::Label, Some(label)) => format!("label {label}"),
        (RuleSource::Label, None) => "a label".to_owned(),
        (RuleSource::Page, _) => "the form".to_owned(),
        (RuleSource::Mail, _) => return "the link in a mail".to_owned(),
        (RuleSource::Terminal, _) => return "a terminal".to_owned(),
    };
    format!("{from}, by {}", rule.by)
}

fn end_note(rule: &RuleRow) -> String {
    match (rule.made.rule.kind(), rule.origin) {
        (RuleKind::KnownError, RuleSource::Label) => {
            "The label stays on its issue, which the next report opens again: it is told as before."
        }
        (RuleKind::LibraryCode, RuleSource::Label) => "The label stays on its issue. This code is blamed again.",
        (RuleKind::KnownError, _) => {
            "Its lines are treated as all others again: one that was told before stays told, another is told at its next report."
        }
        (RuleKind::LibraryCode, _) => "This code is blamed again.",
    }
    .to_owned()
}

fn ended(rule: &RuleRow) -> Option<EndedEntry> {
    let (by, at) = rule.ended.clone()?;
    Some(EndedEntry {
        covers: covers(&rule.made.rule),
        origin: origin(rule),
        made: when(rule.made_at),
        ended_by: by,
        ended: when(at),
    })
}
