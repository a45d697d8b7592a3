//! Webhooks: whether GitHub sent one, and what it says.

use super::moment::moment;
use domain::event::{Event, HookAccount, HookIssue, HookRepository, IssueAction};
use domain::names::{Login, RepositoryName};
use domain::timestamp::Timestamp;

use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::Sha256;

/// Bytes of an HMAC-SHA256.
const SIGNATURE_BYTES: usize = 32;

/// The events that are read and have to be asked for: those of `app.yml`.
const ASKED_FOR: [&str; 3] = ["issues", "push", "repository"];
/// The events that are read and come to every App.
const UNASKED: [&str; 2] = ["installation", "installation_repositories"];

/// Why a delivery is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HookError {
    /// We have no secret: anybody could sign with an empty one.
    #[error("no webhook secret is set (WEBHOOK_SECRET), so deliveries can't be checked")]
    NoSecret,
    /// The header is missing: the App's settings on GitHub hold no secret.
    #[error("no X-Hub-Signature-256 header: set the webhook secret in the App's settings on GitHub")]
    Unsigned,
    /// The header is not `sha256=` and 64 hexadecimal digits.
    #[error("X-Hub-Signature-256 is not of the form sha256=HEX")]
    Malformed,
    /// The signature is another's.
    #[error(
        "X-Hub-Signature-256 does not match: the webhook secret here is not the one in the App's settings on GitHub"
    )]
    WrongSignature,
    /// `application/x-www-form-urlencoded`.
    #[error("the body is form-encoded: choose content type application/json in the App's webhook settings on GitHub")]
    FormEncoded,
    /// The body is not what this event's body should be.
    #[error("the body of this `{event}` can't be read: {why}")]
    Unreadable {
        /// `X-GitHub-Event`.
        event: String,
        /// What is wrong.
        why: String,
    },
}

/// Checks GitHub's signature over the body, in constant time, before anything is parsed.
///
/// See <https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries>.
pub fn verify(secret: &str, signature_header: Option<&str>, body: &[u8]) -> Result<(), HookError> {
    if secret.is_empty() {
        return Err(HookError::NoSecret);
    }
    let header = signature_header.ok_or(HookError::Unsigned)?.trim();
    let signature = header.strip_prefix("sha256=").and_then(|digits| hex::decode(digits).ok());
    let signature = signature.filter(|bytes| bytes.len() == SIGNATURE_BYTES).ok_or(HookError::Malformed)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map_err(|_| HookError::NoSecret)?;
    mac.update(body);
    mac.verify_slice(&signature).map_err(|_| HookError::WrongSignature)
}

/// What a delivery says. `event_name` is `X-GitHub-Event`. Everything that we don't act on is
/// [`Event::Ignored`].
pub fn parse(event_name: &str, body: &[u8]) -> Result<Event, HookError> {
    // For every event: the first one after a wrong setting is a ping.
    if body.starts_with(b"payload=") {
        return Err(HookError::FormEncoded);
    }
    if !ASKED_FOR.contains(&event_name) && !UNASKED.contains(&event_name) {
        return Ok(Event::Ignored);
    }
    let unreadable = |why: String| HookError::Unreadable { event: event_name.to_owned(), why };
    let payload: Payload = serde_json::from_slice(body).map_err(|error| unreadable(error.to_string()))?;
    let action = payload.action.clone().unwrap_or_default();
    let event = match event_name {
        "push" => payload.push(),
        "issues" => payload.issue(&action),
        "repository" => payload.repository(&action),
        _ => payload.installation(event_name, &action),
    };
    event.map_err(|missing| unreadable(format!("`{missing}` is missing")))
}

/// The parts of all payloads that mean something to us. Unknown fields are ignored, all known ones
/// may be missing: GitHub's deliveries keep neither to its schemas nor to its examples.
#[derive(Deserialize)]
struct Payload {
    #[serde(default)]
    action: Option<String>,
    #[serde(default, rename = "ref")]
    git_ref: Option<String>,
    #[serde(default)]
    repository: Option<Repository>,
    #[serde(default)]
    issue: Option<Issue>,
    #[serde(default)]
    label: Option<Label>,
    #[serde(default)]
    assignee: Option<Account>,
    #[serde(default)]
    sender: Option<Account>,
    #[serde(default)]
    installation: Option<Installation>,
    #[serde(default)]
    repositories: Option<Vec<Repository>>,
    #[serde(default)]
    repositories_added: Option<Vec<Repository>>,
    #[serde(default)]
    repositories_removed: Option<Vec<Repository>>,
}

#[derive(Deserialize)]
struct Repository {
    id: u64,
    full_name: RepositoryName,
    #[serde(default)]
    private: Option<bool>,
}

#[derive(Deserialize)]
struct Issue {
    number: u64,
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    labels: Option<Vec<Label>>,
    #[serde(default)]
    assignees: Option<Vec<Account>>,
    #[serde(default)]
    pull_request: Option<serde::de::IgnoredAny>,
    #[serde(default, deserialize_with = "moment")]
    updated_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "moment")]
    closed_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Label {
    name: String,
}

#[derive(Deserialize)]
struct Account {
    id: u64,
    login: Login,
    #[serde(default, rename = "type")]
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Installation {
    id: u64,
}

/// What a delivery lacks, by the field's name.
type Missing = &'static str;

impl Payload {
    fn push(self) -> Result<Event, Missing> {
        let git_ref = self.git_ref.clone().ok_or("ref")?;
        Ok(Event::Push { repository: self.the_repository()?, git_ref })
    }

    fn issue(mut self, action: &str) -> Result<Event, Missing> {
        let assignee = self.assignee.take().map(Account::hook);
        let label = self.label.take().map(|label| label.name);
        let action = match (action, label, assignee) {
            ("closed", ..) => IssueAction::Closed,
            ("reopened", ..) => IssueAction::Reopened,
            ("labeled", Some(label), _) => IssueAction::Labeled(label),
            ("unlabeled", Some(label), _) => IssueAction::Unlabeled(label),
            ("assigned", _, Some(account)) => IssueAction::Assigned(account),
            ("unassigned", _, Some(account)) => IssueAction::Unassigned(account),
            ("edited", ..) => IssueAction::Edited,
            ("deleted" | "transferred", ..) => IssueAction::Gone,
            // Also a label or assignee that is not named, as of deleted accounts: nothing can be
            // learnt from it.
            _ => return Ok(Event::Ignored),
        };
        let issue = self.issue.take().ok_or("issue")?.hook();
        let sender = self.sender.take().map_or_else(ghost, Account::hook);
        Ok(Event::Issue { repository: self.the_repository()?, action, issue, sender })
    }

    fn repository(self, action: &str) -> Result<Event, Missing> {
        match action {
            "renamed" | "transferred" | "privatized" | "publicized" | "edited" | "archived" | "unarchived" => {
                Ok(Event::RepositoryChanged { repository: self.the_repository()? })
            }
            "deleted" => Ok(Event::RepositoryDeleted { repository: self.the_repository()? }),
            _ => Ok(Event::Ignored),
        }
    }

    fn installation(self, event_name: &str, action: &str) -> Result<Event, Missing> {
        let installation = self.installation.as_ref().ok_or("installation")?.id;
        let named = |list: Option<Vec<Repository>>| {
            list.unwrap_or_default().into_iter().map(|repository| repository.hook(Some(installation))).collect()
        };
        Ok(match (event_name, action) {
            ("installation", "created" | "unsuspend" | "new_permissions_accepted") => {
                Event::Installed { installation, repositories: named(self.repositories) }
            }
            ("installation", "deleted") => Event::Uninstalled { installation },
            ("installation", "suspend") => Event::Suspended { installation },
            ("installation_repositories", "added") => {
                Event::Installed { installation, repositories: named(self.repositories_added) }
            }
            ("installation_repositories", "removed") => {
                Event::RepositoriesRemoved { installation, repositories: named(self.repositories_removed) }
            }
            _ => Event::Ignored,
        })
    }

    fn the_repository(self) -> Result<HookRepository, Missing> {
        let installation = self.installation.map(|installation| installation.id);
        Ok(self.repository.ok_or("repository")?.hook(installation))
    }
}

impl Repository {
    fn hook(self, installation: Option<u64>) -> HookRepository {
        HookRepository { id: self.id, full_name: self.full_name, private: self.private, installation }
    }
}

impl Issue {
    fn hook(self) -> HookIssue {
        HookIssue {
            number: self.number,
            // An unknown state is taken as open: that commands nothing.
            open: self.state.as_deref() != Some("closed"),
            labels: self.labels.unwrap_or_default().into_iter().map(|label| label.name).collect(),
            assignees: self.assignees.unwrap_or_default().into_iter().map(Account::hook).collect(),
            is_pull_request: self.pull_request.is_some(),
            updated_at: self.updated_at,
            closed_at: self.closed_at,
        }
    }
}

impl Account {
    fn hook(self) -> HookAccount {
        HookAccount { id: self.id, login: self.login, kind: self.kind.unwrap_or_else(|| "User".to_owned()) }
    }
}

/// Whom GitHub shows in the place of a deleted account.
fn ghost() -> HookAccount {
    HookAccount { id: 10_137, login: "ghost".into(), kind: "User".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// The example of GitHub's documentation.
    const BODY: &[u8] = b"Hello, World!";
    const SECRET: &str = "It's a Secret to Everybody";
    const SIGNATURE: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    #[test]
    fn only_githubs_signature_is_taken() {
        assert_eq!(verify(SECRET, Some(SIGNATURE), BODY), Ok(()));
        assert_eq!(verify(SECRET, Some(SIGNATURE), b"Hello, World?"), Err(HookError::WrongSignature));
        assert_eq!(verify("other", Some(SIGNATURE), BODY), Err(HookError::WrongSignature));
        assert_eq!(verify(SECRET, None, BODY), Err(HookError::Unsigned));
        assert_eq!(verify("", Some(SIGNATURE), BODY), Err(HookError::NoSecret));
        let sha1 = format!("sha1={}", "0".repeat(64));
        let short = "sha256=75";
        let no_hex = format!("sha256={}", "g".repeat(64));
        let wide = format!("sha256={}", "é".repeat(32));
        for malformed in ["", "sha256=", short, &sha1, &no_hex, &wide, &SIGNATURE[7..]] {
            assert_eq!(verify(SECRET, Some(malformed), BODY), Err(HookError::Malformed), "{malformed}");
        }
    }

    #[test]
    fn a_form_is_refused_with_what_to_do_about_it() {
        let error = parse("ping", b"payload=%7B%22zen%22").expect_err("refused");
        assert!(error.to_string().contains("application/json"), "{error}");
    }

    #[test]
    fn each_event_that_the_app_asks_for_is_read_and_the_other_way_round() {
        let mut asked = crate::manifest::Manifest::new("https://errors.acme.org").events();
        asked.sort();
        assert_eq!(asked, ASKED_FOR);
        let means_something = |name: &str| {
            TABLE.lines().any(|line| line.trim().starts_with(&format!("{name}/")) && !line.ends_with(": Ignored"))
        };
        for name in ASKED_FOR.iter().chain(&UNASKED) {
            assert!(means_something(name), "{name}");
        }
    }

    #[test]
    fn a_broken_body_names_what_is_missing() {
        let said = |event: &str, body: &str| parse(event, body.as_bytes()).expect_err("refused").to_string();
        assert!(said("push", "{").contains("EOF"));
        assert!(said("push", r#"{"ref":"refs/heads/main"}"#).contains("`repository` is missing"));
        assert!(said("issues", r#"{"action":"closed"}"#).contains("`issue` is missing"));
        assert!(said("installation", r#"{"action":"deleted"}"#).contains("`installation` is missing"));
        assert_eq!(parse("issues", b"{}"), Ok(Event::Ignored));
        assert_eq!(parse("workflow_run", b"not even JSON"), Ok(Event::Ignored));
    }

    #[test]
    fn a_deleted_sender_is_the_ghost_and_null_lists_are_empty() {
        let body = br#"{"action":"closed","issue":{"number":1,"labels":null,"assignees":null,"state":"closed"},
            "repository":{"id":1,"full_name":"a/b"},"sender":null}"#;
        let Ok(Event::Issue { sender, issue, .. }) = parse("issues", body) else { panic!("an issue") };
        assert_eq!((sender.login.as_str(), issue.open, issue.labels.len()), ("ghost", false, 0));
    }

    /// The words of an event that matter here, so that the table below stays readable.
    fn told(event: &Event) -> String {
        let name = |repository: &HookRepository| {
            let installation = repository.installation.map_or(String::new(), |id| format!("@{id}"));
            format!("{}={}{installation}", repository.id, repository.full_name)
        };
        let names = |list: &[HookRepository]| list.iter().map(name).collect::<Vec<_>>().join(",");
        match event {
            Event::Push { repository, git_ref } => format!("Push {} {git_ref}", name(repository)),
            Event::Issue { repository, action, issue, sender } => {
                let action = match action {
                    IssueAction::Assigned(account) => format!("Assigned {}", account.login),
                    IssueAction::Unassigned(account) => format!("Unassigned {}", account.login),
                    other => format!("{other:?}"),
                };
                let state = if issue.open { "open" } else { "closed" };
                format!("Issue {} #{} {state} {action} by {}", name(repository), issue.number, sender.login)
            }
            Event::Installed { installation, repositories } => {
                format!("Installed {installation} [{}]", names(repositories))
            }
            Event::RepositoriesRemoved { installation, repositories } => {
                format!("RepositoriesRemoved {installation} [{}]", names(repositories))
            }
            Event::Uninstalled { installation } => format!("Uninstalled {installation}"),
            Event::Suspended { installation } => format!("Suspended {installation}"),
            Event::RepositoryChanged { repository } => {
                format!("RepositoryChanged {} private={:?}", name(repository), repository.private)
            }
            Event::RepositoryDeleted { repository } => format!("RepositoryDeleted {}", name(repository)),
            Event::Ignored => "Ignored".to_owned(),
        }
    }

    /// Every real payload that we keep, and what it has to mean.
    const TABLE: &str = r#"
        installation/created-1: Installed 957387 [186853002=Codertocat/Hello-World@957387]
        installation/created-2: Installed 957387 [186853002=Codertocat/Hello-World@957387]
        installation/deleted-1: Uninstalled 2
        installation/deleted-2: Uninstalled 2
        installation/new_permissions_accepted-1: Installed 957387 [186853002=Codertocat/Hello-World@957387]
        installation/suspend-1: Suspended 16598467
        installation/unsuspend-1: Installed 16598467 []
        installation_repositories/added-1: Installed 957387 [186853007=Codertocat/Space@957387]
        installation_repositories/added-2: Installed 957387 [186853007=Codertocat/Space@957387]
        installation_repositories/removed-1: RepositoriesRemoved 2 [1296269=octocat/Hello-World@2]
        issue_comment/created-1: Ignored
        issue_comment/created-2: Ignored
        issue_comment/created-3: Ignored
        issue_comment/created-4: Ignored
        issue_comment/created-5: Ignored
        issue_comment/deleted-1: Ignored
        issue_comment/deleted-2: Ignored
        issue_comment/edited-1: Ignored
        issue_comment/edited-2: Ignored
        issues/assigned-1: Issue 186853002=Codertocat/Hello-World #1 open Assigned Codertocat by Codertocat
        issues/assigned-2: Issue 186853002=Codertocat/Hello-World@1 #1 open Assigned Codertocat by Codertocat
        issues/assigned-3: Issue 186853002=Codertocat/Hello-World #1 open Assigned Codertocat by Codertocat
        issues/closed-1: Issue 186853002=Codertocat/Hello-World@777 #1 closed Closed by Codertocat
        issues/deleted-1: Issue 186853002=Codertocat/Hello-World@1 #1 closed Gone by Codertocat
        issues/demilestoned-1: Ignored
        issues/demilestoned-2: Ignored
        issues/edited-1: Issue 186853002=Codertocat/Hello-World #1 open Edited by Codertocat
        issues/edited-2: Issue 186853002=Codertocat/Hello-World #1 open Edited by Codertocat
        issues/edited-3: Issue 186853002=Codertocat/Hello-World #1 open Edited by Codertocat
        issues/labeled-1: Issue 186853002=Codertocat/Hello-World #1 open Labeled("bug") by Codertocat
        issues/labeled-2: Issue 186853002=Codertocat/Hello-World #1 open Labeled("bug") by Codertocat
        issues/locked-1: Ignored
        issues/locked-2: Ignored
        issues/milestoned-1: Ignored
        issues/milestoned-2: Ignored
        issues/opened-1: Ignored
        issues/opened-2: Ignored
        issues/opened-3: Ignored
        issues/opened-4: Ignored
        issues/pinned-1: Ignored
        issues/reopened-1: Issue 186853002=Codertocat/Hello-World@1 #1 open Reopened by Codertocat
        issues/transferred-1: Issue 17273051=octo-org/octo-repo #1 open Gone by Codertocat
        issues/unassigned-1: Issue 186853002=Codertocat/Hello-World #1 open Unassigned Codertocat by Codertocat
        issues/unassigned-2: Issue 186853002=Codertocat/Hello-World #1 open Unassigned Codertocat by Codertocat
        issues/unlabeled-1: Issue 186853002=Codertocat/Hello-World #1 open Unlabeled("bug") by Codertocat
        issues/unlabeled-2: Issue 186853002=Codertocat/Hello-World #1 open Unlabeled("bug") by Codertocat
        issues/unlocked-1: Ignored
        issues/unlocked-2: Ignored
        issues/unpinned-1: Ignored
        label/created-1: Ignored
        label/created-2: Ignored
        label/created-3: Ignored
        label/deleted-1: Ignored
        label/deleted-2: Ignored
        label/edited-1: Ignored
        ping/_-1: Ignored
        ping/_-2: Ignored
        ping/_-3: Ignored
        ping/_-4: Ignored
        push/_-1: Push 186853002=Codertocat/Hello-World refs/tags/simple-tag
        push/_-2: Push 186853002=Codertocat/Hello-World refs/tags/simple-tag
        push/_-3: Push 186853002=Codertocat/Hello-World refs/tags/simple-tag
        push/_-4: Push 186853002=Codertocat/Hello-World@1 refs/tags/simple-tag
        push/_-5: Push 186853002=Codertocat/Hello-World@1 refs/heads/master
        push/_-6: Push 186853002=Codertocat/Hello-World@1 refs/heads/master
        push/_-7: Push 186853002=Codertocat/Hello-World refs/tags/simple-tag
        repository/created-1: Ignored
        repository/created-2: Ignored
        repository/edited-1: RepositoryChanged 186853261=Octocoders/Hello-World private=Some(false)
        repository/edited-2: RepositoryChanged 186853261=Octocoders/Hello-World private=Some(false)
        repository/privatized-1: RepositoryChanged 186853002=Codertocat/Hello-World private=Some(true)
        repository/privatized-2: RepositoryChanged 186853002=Codertocat/Hello-World private=Some(true)
        repository/publicized-1: RepositoryChanged 186853002=Codertocat/Hello-World private=Some(false)
        repository/publicized-2: RepositoryChanged 186853002=Codertocat/Hello-World private=Some(false)
        repository/publicized-3: RepositoryChanged 186853002=Codertocat/Hello-World private=Some(false)
        repository/renamed-1: RepositoryChanged 186853261=Octocoders/Hello-World@1 private=Some(false)
        repository/transferred-1: RepositoryChanged 186853261=Octocoders/Hello-World private=Some(false)
        repository/transferred-2: RepositoryChanged 186853261=Octocoders/Hello-World@1 private=Some(false)
        repository/transferred-3: RepositoryChanged 186853261=Octocoders/Hello-World private=Some(false)
    "#;

    #[test]
    fn every_real_payload_means_what_it_should() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/data/webhooks");
        let mut lines = Vec::new();
        for event in std::fs::read_dir(&folder).expect("the payloads").map(|entry| entry.expect("an event").path()) {
            let event_name = event.file_name().expect("a name").to_string_lossy().into_owned();
            for file in std::fs::read_dir(&event).expect("the event").map(|entry| entry.expect("a payload").path()) {
                let body = std::fs::read(&file).expect("a payload");
                let parsed = parse(&event_name, &body).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
                let file = file.file_stem().expect("a name").to_string_lossy().into_owned();
                lines.push(format!("{event_name}/{file}: {}", told(&parsed)));
            }
        }
        lines.sort();
        let expected: Vec<&str> = TABLE.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        assert_eq!(lines, expected);
    }
}
