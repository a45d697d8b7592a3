//! Issues and comments on GitHub.

use super::reply_of;
use super::turn::Turn;
use crate::steps::{Failure, Services};
use domain::alert::{Recipient, Reply};
use domain::command::OUR_LABEL;
use domain::repository::Forge;
use github::{GitHub, GitHubError, IssueState, NewIssue};
use render;
use store::deliveries::Delivery;
use store::lines::Line;
use store::repositories::RepositoryRow;

/// How long a comment waits for the issue that it belongs under.
const ISSUE_PATIENCE_MS: i64 = 24 * 3_600_000;
/// How long an issue waits for GitHub to say who its person is, while it takes issues: then it goes to whom git knows.
const LOOK_UP_PATIENCE_MS: i64 = 30 * 60_000;

/// Files the line's issue, or finds the one that an earlier attempt filed, and assigns it. The receipt is its number.
/// Filing and assigning are two writes, so they take two turns.
pub(super) async fn issue(
    services: &Services,
    turn: &Turn<'_>,
    row: &RepositoryRow,
    line: &Line,
    delivery: &Delivery,
    now_ms: i64,
) -> Result<String, Failure> {
    let (github, forge) = forge_of(services, row)?;
    let place = Place { github: &github, forge, name: &row.repository.full_name };
    let told = match place.whose(services, row, line, delivery.created_at_ms + LOOK_UP_PATIENCE_MS, now_ms).await {
        // The issue matters more than whom it is assigned to.
        Err(Failure::GiveUp(why)) => {
            tracing::warn!(repository = %place.name, why, "nobody could be found to assign the issue to");
            recipient(line, None)
        }
        other => other?,
    };
    let login = told.login.clone();
    let number = match line.issue {
        Some(number) => number,
        None => {
            let marker = services.marker(line);
            let earlier = if delivery.attempts > 0 {
                // An earlier attempt may have filed it and died, or lost the answer.
                let since = delivery.created_at_ms;
                github.find_issue(forge.installation, place.name, OUR_LABEL.name, &marker, since).await?
            } else {
                None
            };
            let number = match earlier {
                Some(found) => found.number,
                None => {
                    let latest = store::tracebacks::latest_of_line(&services.store, line.id, i64::MAX).await?;
                    // Read again: who is told may just have been found.
                    let line = store::lines::by_id(&services.store, line.id).await?.unwrap_or_else(|| line.clone());
                    let text = render::issue(&services.alert(row, &line, latest, told, now_ms).await?)?;
                    let new = NewIssue { title: text.title, body: text.body, labels: labels(row) };
                    turn.take().await?;
                    github.create_issue(forge.installation, place.name, &new).await?.number
                }
            };
            store::lines::set_issue(&services.store, line.id, Some(number)).await?;
            number
        }
    };
    if let Some(login) = login {
        place.assign(turn, number, &login).await?;
    }
    Ok(number.to_string())
}

/// Labels of a new issue: ours, and the repository's own.
pub(super) fn labels(row: &RepositoryRow) -> Vec<String> {
    let own = row.settings.issues.labels.iter().filter(|label| **label != OUR_LABEL.name).cloned();
    std::iter::once(OUR_LABEL.name.to_owned()).chain(own).collect()
}

/// Comments on the line's issue, unless an earlier attempt did. A regression opens it again first, in a turn of its own.
pub(super) async fn comment(
    services: &Services,
    turn: &Turn<'_>,
    row: &RepositoryRow,
    line: &Line,
    delivery: &Delivery,
    now_ms: i64,
) -> Result<String, Failure> {
    let reply = reply_of(delivery)?;
    let marker = format!("{}:{}", services.marker(line), delivery.id);
    let body = render::reply(&reply, &marker, &row.repository)?;
    let (github, forge) = forge_of(services, row)?;
    let name = &row.repository.full_name;
    let Some(number) = line.issue else {
        return if now_ms - delivery.created_at_ms < ISSUE_PATIENCE_MS {
            Err(Failure::retry("the line's issue is not filed yet"))
        } else {
            Err(Failure::GiveUp("the line has no issue".to_owned()))
        };
    };
    if matches!(reply, Reply::Regressed { .. })
        && let IssueState::Present(issue) = github.issue(forge.installation, name, number).await?
        && !issue.open
    {
        turn.take().await?;
        github.reopen_issue(forge.installation, name, number).await?;
    }
    let earlier = if delivery.attempts > 0 {
        let since = delivery.created_at_ms;
        github.find_comment(forge.installation, name, number, &marker, since).await?
    } else {
        None
    };
    let id = match earlier {
        Some(id) => id,
        None => {
            turn.take().await?;
            match github.comment(forge.installation, name, number, &body).await {
                Ok(id) => id,
                Err(error) => {
                    let there = async || github.issue(forge.installation, name, number).await;
                    if matches!(error, GitHubError::Gone(_)) && !matches!(there().await?, IssueState::Present(_)) {
                        // Deleted, and no webhook said so: the next report files anew.
                        store::lines::record_issue_gone(&services.store, line.id).await?;
                    }
                    return Err(error.into());
                }
            }
        }
    };
    if matches!(reply, Reply::CarriedOver { .. }) {
        // Whoever edited the line has it now, unless a person gave it to somebody. Last of all: it is tried once.
        let place = Place { github: &github, forge, name };
        if let Ok(Recipient { login: Some(login), .. }) = place.whose(services, row, line, now_ms, now_ms).await
            && let IssueState::Present(issue) = github.issue(forge.installation, name, number).await?
            && !issue.assignees.iter().any(|account| account.login.eq_ignore_ascii_case(&login))
        {
            place.assign(turn, number, &login).await?;
        }
    }
    Ok(id.to_string())
}

/// GitHub and its side of the repository.
pub(super) fn forge_of<'a>(services: &Services, row: &'a RepositoryRow) -> Result<(GitHub, &'a Forge), Failure> {
    match (services.app.github(), &row.repository.forge) {
        (Some(github), Some(forge)) => Ok((github, forge)),
        // An App that is there again files it.
        (None, _) => Err(Failure::retry("the repository is GitHub's, but there is no App to speak for us")),
        (Some(_), None) => Err(Failure::GiveUp("a plain git repository has no issues".to_owned())),
    }
}

/// Whose issue it is, as its body says.
pub(super) fn recipient(line: &Line, login: Option<String>) -> Recipient {
    let person = line.told.as_ref().map(|told| &told.person);
    let author = line.author_name.as_deref();
    let why = match (&line.owner_login, person, author) {
        (Some(owner), ..) => format!("{owner} was given this line."),
        (None, Some(person), author) => person.why_them(author),
        (None, None, Some(author)) => format!("{author} wrote this line."),
        (None, None, None) => "No author of this line could be found.".to_owned(),
    };
    let name = person.map(|person| person.name()).filter(|name| !name.is_empty()).or(author);
    Recipient { name: name.unwrap_or_default().to_owned(), email: None, login, why }
}

struct Place<'a> {
    github: &'a GitHub,
    forge: &'a Forge,
    name: &'a str,
}

impl Place<'_> {
    /// Assigns an issue. Where GitHub would not have it, the issue goes on without.
    async fn assign(&self, turn: &Turn<'_>, number: u64, login: &str) -> Result<(), Failure> {
        turn.take().await?;
        match self.github.assign(self.forge.installation, self.name, number, login).await {
            Ok(true) => {}
            Ok(false) => tracing::warn!(repository = %self.name, number, login, "GitHub did not assign the issue"),
            Err(error) if error.is_permanent() => {
                tracing::warn!(repository = %self.name, number, login, %error, "the issue could not be assigned");
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Whose issue it is: whom a person gave the line to, else who is told of it, if GitHub lets the issue be assigned to them.
    async fn whose(
        &self,
        services: &Services,
        row: &RepositoryRow,
        line: &Line,
        patient_until_ms: i64,
        now_ms: i64,
    ) -> Result<Recipient, Failure> {
        let told = match &line.told {
            Some(told) if told.is_complete => told.clone(),
            _ => {
                let latest = store::tracebacks::latest_of_line(&services.store, line.id, i64::MAX).await?;
                let found = match &latest {
                    Some(latest) => store::attributions::of_fingerprint(&services.store, latest.fingerprint).await?,
                    None => None,
                };
                match services.look_for_person_of(row, line, found.as_ref(), now_ms).await? {
                    // The mail did without; the issue has time.
                    (_, Some(error)) if now_ms < patient_until_ms => return Err(error.into()),
                    (told, _) => told,
                }
            }
        };
        let login = line.owner_login.clone().or_else(|| told.person.who.as_ref()?.login.clone());
        let login = match login.filter(|_| row.settings.issues.assign) {
            Some(login) if self.github.is_assignable(self.forge.installation, self.name, &login).await? => Some(login),
            _ => None,
        };
        Ok(recipient(&Line { told: Some(told), ..line.clone() }, login))
    }
}
