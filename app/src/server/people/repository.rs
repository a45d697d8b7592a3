//! The page of a repository.

use super::line::{function, issue_link, place, short, status, whose};
use crate::server::form::RepositoryForm;
use crate::server::mirror_view::mirror_view;
use crate::server::page::Page;
use crate::server::page_error::PageError;
use crate::server::repository::{Read, RepositoryWith, Triage};
use crate::server::session::Session;
use crate::server::state::Now;
use crate::server::urls::Urls;
use crate::server::visitor::SignedIn;
use crate::services::Wake;
use crate::services::refusals::{labels_left_out, why_nothing_is_filed};
use axum::extract::State;
use axum::response::Redirect;
use domain::access::Right;
use domain::settings::SETTINGS_FILE;
use domain::timestamp::Timestamp;
use mirror::Mirrors;
use render::views::{
    KeyDsn, LineStatus, NothingFiled, OpenLine, PageLink, RepositoryPage, SettingsError, Untold, UntoldLine,
    WaitingIssues,
};
use render::{thousands, when};
use serde::Deserialize;
use store::lines::Line;
use store::repositories::RepositoryRow;
use store::{Store, StoreError};

/// Open lines shown on a repository's page; the weekly report shows the others.
const LINES_SHOWN: usize = 100;
/// Lines looked through for open ones: known and resolved ones that fail every minute must not hide
/// them.
const LINES_READ: i64 = 2_000;
/// Lines that nobody was told of which are counted one by one: more say the same.
const UNTOLD_READ: i64 = 1_000;
/// Lines that nobody was told of which are named: all open ones stand below.
const UNTOLD_SHOWN: i64 = 5;

/// `GET /{owner}/{repo}`.
pub(super) async fn repository(
    State(store): State<Store>,
    State(mirrors): State<Mirrors>,
    State(urls): State<Urls>,
    Now(now): Now,
    RepositoryWith { session, row, .. }: RepositoryWith<Read>,
) -> Result<Page<RepositoryPage>, PageError> {
    let id = row.repository.id;
    let may_connect = session.right_in(&row) >= Some(Right::Write);
    let keys = if may_connect { store::ingest_keys::of_repository(&store, id).await? } else { Vec::new() };
    let keys = keys.into_iter().filter(|key| key.revoked_at.is_none());
    let lines = store::lines::of_repository(&store, id, LINES_READ).await?;
    let view = RepositoryPage {
        name: row.repository.full_name.to_string(),
        default_branch: row.repository.default_branch.clone(),
        pages: pages_of(&row, &urls, now),
        dsns: keys
            .map(|key| KeyDsn { dsn: urls.linker().dsn(&key.key, id), label: key.label, folder: key.folder })
            .collect(),
        connect_url: urls.connect(&row),
        mirror: mirror_view(&mirrors, &row),
        settings_path: SETTINGS_FILE.to_owned(),
        settings_errors: settings_faults(&row),
        lines: open_lines(&lines, &row, &urls),
        refusal: refusal(&store, &row).await?,
        untold: untold(&store, &row, &urls).await?,
        waiting: waiting(&store, &session, &row, &urls).await?,
        shadow_url: urls.shadow(&row),
        shadow: row.is_shadow(now),
        may_connect,
    };
    Ok(Page(Some(session), view))
}

/// What GitHub refuses in the repository, and how much waits for it.
async fn refusal(store: &Store, row: &RepositoryRow) -> Result<Option<NothingFiled>, StoreError> {
    let (Some(what), Some(refusal)) = (why_nothing_is_filed(row), &row.refusal) else { return Ok(None) };
    let waiting = thousands(store::writes::count_waiting(store, row.repository.id).await?);
    Ok(Some(NothingFiled { what, todo: refusal.reason.todo().to_owned(), waiting }))
}

/// The lines that nobody was told of.
async fn untold(store: &Store, row: &RepositoryRow, urls: &Urls) -> Result<Option<Untold>, StoreError> {
    let found = store::lines::count_untold_of(store, row.repository.id, UNTOLD_READ).await?;
    if found.lines == 0 {
        return Ok(None);
    }
    let lines = store::lines::untold(store, row.repository.id, UNTOLD_SHOWN).await?;
    let count = thousands(found.lines);
    let is_cut = i64::try_from(found.lines).is_ok_and(|read| read == UNTOLD_READ);
    let more = found.lines.saturating_sub(lines.len() as u64);
    Ok(Some(Untold {
        count: if is_cut { format!("{count} or more") } else { count },
        is_one: found.lines == 1,
        lines: lines
            .iter()
            .map(|line| UntoldLine {
                exception: short(&line.exception),
                page: PageLink::new(&place(line), urls.traceback(row, line)),
            })
            .collect(),
        more: (more > 0).then(|| thousands(more)),
        has_default_contact: row.settings.email.default_contact.is_some(),
        settings_path: SETTINGS_FILE.to_owned(),
        went: found.went(),
    }))
}

/// The lines of a storm whose issues wait.
async fn waiting(
    store: &Store,
    session: &Session,
    row: &RepositoryRow,
    urls: &Urls,
) -> Result<Option<WaitingIssues>, StoreError> {
    let lines = store::storms::count_waiting_issues(store, row.repository.id).await?;
    Ok((lines > 0).then(|| WaitingIssues {
        lines: thousands(lines),
        action: urls.storm(row),
        csrf: session.csrf.clone(),
        may_file: session.right_in(row) >= Some(Right::Triage),
    }))
}

/// Says nothing but that the issues are wanted.
#[derive(Debug, Deserialize)]
pub(super) struct FileIssuesForm {}

/// `POST /{owner}/{repo}/storm`: the lines of a storm get their issues now.
pub(super) async fn file_issues(
    State(store): State<Store>,
    State(wake): State<Wake>,
    State(urls): State<Urls>,
    Now(now): Now,
    _: SignedIn,
    RepositoryForm { row, .. }: RepositoryForm<Triage, FileIssuesForm>,
) -> Result<Redirect, PageError> {
    store::storms::file_waiting_issues(&store, row.repository.id, now).await?;
    wake.notify_one();
    tracing::info!(repository = %row.repository.full_name, "the issues of a storm's lines are filed, as a person asked");
    Ok(Redirect::to(&urls.repository(&row)))
}

/// The other pages of a repository, as its own page offers them.
fn pages_of(row: &RepositoryRow, urls: &Urls, now: Timestamp) -> Vec<PageLink> {
    let week = urls.here(&urls.linker().week(Some(&row.repository.full_name), now));
    let pages = [
        PageLink::new("Report of this week", week),
        PageLink::new("Whitelist", urls.whitelist(row)),
        PageLink::new("Handovers", urls.handovers(row)),
        PageLink::new("Shadow mode", urls.shadow(row)),
    ];
    let on_github = row.repository.github.as_ref().map(|on_github| PageLink::new("On GitHub", &on_github.html_url));
    pages.into_iter().chain(on_github).collect()
}

fn open_lines(lines: &[Line], row: &RepositoryRow, urls: &Urls) -> Vec<OpenLine> {
    let open = lines.iter().filter(|line| status(line) == LineStatus::Open);
    open.take(LINES_SHOWN).map(|line| open_line(line, row, urls)).collect()
}

fn open_line(line: &Line, row: &RepositoryRow, urls: &Urls) -> OpenLine {
    OpenLine {
        exception: short(&line.exception),
        place: place(line),
        function: function(line),
        code: short(&line.place.code),
        author: whose(line),
        count: thousands(line.total),
        last_seen: when(line.last_seen_at),
        status: status(line),
        traceback_url: urls.traceback(row, line),
        issue: line.issue.and_then(|number| issue_link(row, number)),
    }
}

/// What is wrong with the settings file, and which of its labels GitHub refuses.
fn settings_faults(row: &RepositoryRow) -> Vec<SettingsError> {
    let faults = row.settings_error.iter().flat_map(|text| text.lines()).map(settings_fault);
    faults.chain(labels_left_out(row).map(|text| SettingsError { line: None, text })).collect()
}

/// A fault as `mirror::settings` says it: `line 12: isues: there is no such key`. Faults stored by
/// older versions say it otherwise.
fn settings_fault(text: &str) -> SettingsError {
    let parts = text.strip_prefix("line ").and_then(|rest| rest.split_once(": "));
    match parts.and_then(|(line, said)| Some((line.parse().ok()?, said))) {
        Some((line, said)) => SettingsError { line: Some(line), text: said.to_owned() },
        None => SettingsError { line: None, text: text.to_owned() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_fault_is_read_from_its_text() {
        let of = |text: &str| (settings_fault(text).line, settings_fault(text).text);
        assert_eq!(of("line 12: isues: no"), (Some(12), "isues: no".to_owned()));
        assert_eq!(of("the file is larger than 64 kB"), (None, "the file is larger than 64 kB".to_owned()));
        assert_eq!(of("line by line: no"), (None, "line by line: no".to_owned()));
    }
}
