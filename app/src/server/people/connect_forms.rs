//! What the buttons of the page "Connect an application" do: a test report, another key, a key
//! limited or revoked.

use crate::random::random_id;
use crate::server::form::RepositoryForm;
use crate::server::ingest::{Ingest, IngestError};
use crate::server::page_error::PageError;
use crate::server::repository::Write;
use crate::server::state::Now;
use crate::server::urls::Urls;
use crate::server::visitor::SignedIn;
use crate::services::test_report::find_test_line;
use crate::services::{Epoch, Failure, ingest_keys};
use axum::extract::State;
use axum::response::Redirect;
use domain::ids::RepositoryId;
use domain::key_limits::{KeyLimits, read_budget, read_rate};
use domain::test_report::{TEST_EXCEPTION, TEST_MESSAGE, TestLine};
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use mirror::Mirrors;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use store::ingest_keys::Dropped;
use store::repositories::RepositoryRow;
use store::{Store, StoreError};

/// A second test report has to wait so long for the first: a double click must not ask GitHub and
/// the mail server twice.
const TEST_PAUSE: SignedDuration = SignedDuration::from_secs(5);

/// Says nothing but that a test report is wanted.
#[derive(Debug, Deserialize)]
pub(super) struct TestForm {}

/// `POST /{owner}/{repo}/connect/test`.
pub(super) async fn test(
    State(store): State<Store>,
    State(mirrors): State<Mirrors>,
    State(ingest): State<Arc<Ingest>>,
    State(urls): State<Urls>,
    Now(now): Now,
    _: SignedIn,
    RepositoryForm { row, .. }: RepositoryForm<Write, TestForm>,
) -> Result<Redirect, PageError> {
    send_test(&store, &mirrors, &ingest, &row, now).await?;
    Ok(Redirect::to(&format!("{}#test", urls.connect(&row))))
}

/// What the new key is called, and what it is for.
#[derive(Debug, Deserialize)]
pub(super) struct AddKeyForm {
    #[serde(default)]
    label: String,
    #[serde(default)]
    folder: String,
}

/// `POST /{owner}/{repo}/connect/key`.
pub(super) async fn add_key(
    State(store): State<Store>,
    State(urls): State<Urls>,
    Now(now): Now,
    _: SignedIn,
    RepositoryForm { row, fields, .. }: RepositoryForm<Write, AddKeyForm>,
) -> Result<Redirect, PageError> {
    match ingest_keys::add(&store, &row, Some(&fields.label), Some(&fields.folder), now).await {
        Ok(_) => Ok(Redirect::to(&format!("{}?done=made#keys", urls.connect(&row)))),
        Err(Failure::GiveUp(why)) => Err(PageError::BadRequest(format!("No key was made: {why}."))),
        Err(failure) => Err(failure.into()),
    }
}

/// What a key may bring from now on: numbers as people write them.
#[derive(Debug, Deserialize)]
pub(super) struct LimitKeyForm {
    #[serde(default)]
    key: String,
    #[serde(default)]
    rate: String,
    #[serde(default)]
    budget: String,
}

/// `POST /{owner}/{repo}/connect/limits`.
pub(super) async fn limit_key(
    State(store): State<Store>,
    State(epoch): State<Epoch>,
    State(urls): State<Urls>,
    _: SignedIn,
    RepositoryForm { row, fields, .. }: RepositoryForm<Write, LimitKeyForm>,
) -> Result<Redirect, PageError> {
    must_be_of(&store, &row, &fields.key).await?;
    let read = read_rate(&fields.rate).and_then(|rate| Ok(KeyLimits { rate, budget: read_budget(&fields.budget)? }));
    let limits = read.map_err(|why| PageError::BadRequest(format!("No limit was changed: {why}.")))?;
    if !ingest_keys::limit(&store, &epoch, &fields.key, limits).await? {
        return Err(PageError::BadRequest("That key is revoked: nothing gets in by it.".to_owned()));
    }
    Ok(Redirect::to(&format!("{}?done=limited#keys", urls.connect(&row))))
}

/// The key to be revoked.
#[derive(Debug, Deserialize)]
pub(super) struct RevokeKeyForm {
    #[serde(default)]
    key: String,
}

/// `POST /{owner}/{repo}/connect/revoke`.
pub(super) async fn revoke_key(
    State(store): State<Store>,
    State(epoch): State<Epoch>,
    State(urls): State<Urls>,
    Now(now): Now,
    _: SignedIn,
    RepositoryForm { row, fields, .. }: RepositoryForm<Write, RevokeKeyForm>,
) -> Result<Redirect, PageError> {
    must_be_of(&store, &row, &fields.key).await?;
    let dropped = ingest_keys::revoke(&store, &epoch, &fields.key, now).await?.unwrap_or_default();
    let Dropped { reports, occurrences, lines } = dropped;
    let query = format!("done=revoked&reports={reports}&occurrences={occurrences}&lines={lines}");
    Ok(Redirect::to(&format!("{}?{query}#keys", urls.connect(&row))))
}

/// Who may manage the keys of one repository may not manage another's.
async fn must_be_of(store: &Store, row: &RepositoryRow, key: &str) -> Result<(), PageError> {
    let keys = store::ingest_keys::of_repository(store, row.repository.id).await?;
    let is_own = keys.iter().any(|known| known.key == key);
    is_own.then_some(()).ok_or_else(|| PageError::BadRequest("That is not a key of this repository.".to_owned()))
}

/// Sends a test report by the route that SDKs use, with one of the repository's keys.
async fn send_test(
    store: &Store,
    mirrors: &Mirrors,
    ingest: &Ingest,
    row: &RepositoryRow,
    now: Timestamp,
) -> Result<(), PageError> {
    let id = row.repository.id;
    if is_under_way(store, id, now).await? {
        return Ok(());
    }
    let key = store::ingest_keys::in_force(store, id).await?.into_iter().next().ok_or_else(|| {
        let text = "Every key of this repository is revoked, so no report gets in. Make one first.";
        PageError::BadRequest(text.to_owned())
    })?;
    let line = line_to_fail(store, mirrors, row, now).await;
    let event_id = random_id();
    store::test_reports::insert(store, id, &event_id, now).await?;
    if let Err(error) = send(ingest, id, &key, &envelope(&event_id, line.as_ref()), now).await {
        store::test_reports::delete(store, &event_id).await?;
        let text = format!("The test report was refused: {}.", error.detail());
        // The key's own doing is none of ours.
        let is_ours = error.back_off_s().is_none();
        return Err(if is_ours { PageError::Internal(text) } else { PageError::BadRequest(text) });
    }
    Ok(())
}

/// Whether one was sent a moment ago that has come to nothing yet.
async fn is_under_way(store: &Store, id: RepositoryId, now: Timestamp) -> Result<bool, StoreError> {
    let latest = store::test_reports::latest(store, id).await?;
    Ok(latest.is_some_and(|latest| latest.settled.is_none() && now.is_within(TEST_PAUSE, latest.sent_at)))
}

/// The line that the report says has failed. Without one it is sent all the same: what it comes to
/// says what is wrong with the mirror.
async fn line_to_fail(store: &Store, mirrors: &Mirrors, row: &RepositoryRow, now: Timestamp) -> Option<TestLine> {
    find_test_line(store, mirrors, row, now).await.unwrap_or_else(|failure| {
        tracing::warn!(repository = %row.repository.full_name, %failure, "no line could be chosen for a test report");
        None
    })
}

async fn send(
    ingest: &Ingest,
    project: RepositoryId,
    key: &str,
    envelope: &str,
    now: Timestamp,
) -> Result<(), IngestError> {
    let auth = ingest.enter(project, key, now).await?;
    ingest.take_envelope(auth, envelope.as_bytes(), now).await.map(drop)
}

fn envelope(event_id: &str, line: Option<&TestLine>) -> String {
    format!("{{\"event_id\":\"{event_id}\"}}\n{{\"type\":\"event\"}}\n{}\n", event(event_id, line))
}

/// The event, as an SDK would send it. Where it says it was deployed makes its fingerprint unlike
/// any other's, so that it is looked at each time; and it is found by the end of its path, as real
/// ones are.
fn event(event_id: &str, line: Option<&TestLine>) -> Value {
    let frames: Vec<Value> = line
        .iter()
        .map(|line| {
            json!({
                "filename": line.path, "abs_path": format!("/flawless-test/{event_id}/{}", line.path),
                "function": "(test report)", "lineno": line.line, "context_line": line.code,
                "pre_context": line.before, "post_context": line.after, "in_app": true,
            })
        })
        .collect();
    // Without frames it is the message that makes the fingerprint.
    let value = if frames.is_empty() { format!("{TEST_MESSAGE} ({event_id})") } else { TEST_MESSAGE.to_owned() };
    json!({
        "event_id": event_id, "level": "error", "environment": "flawless-test", "server_name": "flawless",
        "platform": line.map_or("other", |line| line.platform), "release": line.map(|line| line.commit.as_str()),
        "sdk": { "name": "flawless.test", "version": env!("CARGO_PKG_VERSION") },
        "exception": { "values": [{ "type": TEST_EXCEPTION, "value": value, "stacktrace": { "frames": frames } }] },
    })
}
