//! `/metrics`, which Prometheus reads: what was counted of requests, and what the database knows.

use crate::server::budget::Budget;
use crate::server::connections::{Closed, Connections};
use crate::server::meters::{Counted, Meters};
use crate::server::page_error::PageError;
use crate::server::state::AllClocks;
use crate::server::visitor::MetricsReader;
use crate::services::readiness::{Readiness, Seen};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::timestamp::Timestamp;
use std::fmt::{Display, Write};
use std::sync::Arc;
use store::Store;
use store::jobs::QueueState;
use store::repositories::RepositoryRow;

/// `GET /metrics`, for Prometheus: `Authorization: Bearer METRICS_TOKEN`, or the admin token.
pub(super) async fn metrics(
    State(meters): State<Arc<Meters>>,
    State(budget): State<Arc<Budget>>,
    State(connections): State<Arc<Connections>>,
    State(store): State<Store>,
    State(readiness): State<Readiness>,
    AllClocks(clocks): AllClocks,
    reader: Result<MetricsReader, PageError>,
) -> Response {
    if let Err(error) = reader {
        return refused(&error);
    }
    let mut out = Text::default();
    write_counted(&meters.read(), &mut out);
    write_load(&budget, &connections, &mut out);
    let seen = readiness.recent(clocks).await;
    write_seen(&seen, &mut out);
    write_store(&store, clocks.now, &mut out).await;
    let kind =
        [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    (kind, out.0).into_response()
}

/// A machine asks, whose log shows a line.
fn refused(error: &PageError) -> Response {
    if matches!(error, PageError::TooManyTokens) {
        let retry = [(header::RETRY_AFTER, "60")];
        return (StatusCode::TOO_MANY_REQUESTS, retry, "too many wrong tokens: wait a minute\n").into_response();
    }
    let challenge = [(header::WWW_AUTHENTICATE, "Bearer realm=\"metrics\"")];
    let text = "Authorization: Bearer METRICS_TOKEN (or ADMIN_TOKEN) is needed\n";
    (StatusCode::UNAUTHORIZED, challenge, text).into_response()
}

/// What was counted of requests.
fn write_counted(counted: &Counted, out: &mut Text) {
    out.family("flawless_build_info", "gauge", "The version that runs.");
    out.sample("flawless_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    out.family("flawless_reports_accepted_total", "counter", "Reports stored or counted.");
    out.sample("flawless_reports_accepted_total", &[], counted.new + counted.repeated);
    out.family(
        "flawless_reports_repeated_total",
        "counter",
        "Those of a fingerprint that was known, and only counted.",
    );
    out.sample("flawless_reports_repeated_total", &[], counted.repeated);
    out.family(
        "flawless_reports_resent_total",
        "counter",
        "Reports whose id was taken within a day already: answered, not counted.",
    );
    out.sample("flawless_reports_resent_total", &[], counted.resent);
    out.family("flawless_items_ignored_total", "counter", "Requests without an error in them.");
    out.sample("flawless_items_ignored_total", &[], counted.ignored);
    out.family("flawless_reports_refused_total", "counter", "Requests of clients that were refused.");
    for (reason, count) in counted.refused {
        out.sample("flawless_reports_refused_total", &[("reason", reason)], count);
    }
    out.family("flawless_webhooks_total", "counter", "Webhooks by what became of them.");
    for (result, count) in counted.webhooks {
        out.sample("flawless_webhooks_total", &[("result", result)], count);
    }
}

/// What is under way now, and what was refused or closed because it was too much.
fn write_load(budget: &Budget, connections: &Connections, out: &mut Text) {
    out.family("flawless_in_flight_bytes", "gauge", "Bytes of requests' bodies that are held, unpacked ones included.");
    out.sample("flawless_in_flight_bytes", &[], budget.held());
    out.family(
        "flawless_in_flight_refused_total",
        "counter",
        "Requests that were refused because too many bytes were.",
    );
    out.sample("flawless_in_flight_refused_total", &[], budget.refused());
    out.family("flawless_connections", "gauge", "Connections that are open.");
    out.sample("flawless_connections", &[], connections.count());
    out.family("flawless_connections_closed_total", "counter", "Connections that the server closed or did not begin.");
    for (why, name) in Closed::NAMES {
        out.sample("flawless_connections_closed_total", &[("reason", name)], connections.closed(why));
    }
    out.family("flawless_log_lines_lost_total", "counter", "Lines of the log that nobody took, as of a full pipe.");
    out.sample("flawless_log_lines_lost_total", &[], crate::log::lost_lines());
}

/// What `/readyz` says. A figure that the database did not tell is left out.
fn write_seen(seen: &Seen, out: &mut Text) {
    out.family("flawless_ready", "gauge", "Whether reports can be taken: a write to the database was made in time.");
    out.sample("flawless_ready", &[], u8::from(seen.down.is_none()));
    out.family("flawless_warnings", "gauge", "What else is wrong, by /readyz: /doctor says what to do.");
    out.sample("flawless_warnings", &[], seen.warnings().len());
    out.family("flawless_mirrors_damaged", "gauge", "Mirrors that can't be read, and are to be cloned anew.");
    out.sample("flawless_mirrors_damaged", &[], seen.mirrors.damaged.len());
    let Some(waits) = &seen.waits else { return };
    out.family("flawless_oldest_due_job_seconds", "gauge", "How long the job is due that is due for longest.");
    out.sample("flawless_oldest_due_job_seconds", &[], waits.due.map_or(0, |(_, age)| age.as_secs().max(0)));
    out.family("flawless_jobs_unheard", "gauge", "Jobs of a server that has not been heard of for too long.");
    out.sample("flawless_jobs_unheard", &[], waits.unheard);
}

/// What the database knows. A figure that it does not tell is left out, because 0 would be wrong.
async fn write_store(store: &Store, now: Timestamp, out: &mut Text) {
    out.family("flawless_database_up", "gauge", "Whether the database answers.");
    out.sample("flawless_database_up", &[], u8::from(store.ping().await.is_ok()));
    if let Ok(queue) = store::jobs::queue_state(store).await {
        write_jobs(&queue, now, out);
    }
    if let Ok(waiting) = store::journal::count_waiting(store).await {
        out.family("flawless_journal_batches", "gauge", "Batches of reports whose counts are not added to lines yet.");
        out.sample("flawless_journal_batches", &[], waiting);
    }
    if let Ok(messages) = store::deliveries::outstanding(store).await {
        out.family("flawless_deliveries_pending", "gauge", "Mails, issues and comments that wait.");
        out.sample("flawless_deliveries_pending", &[], messages.waiting);
        out.family("flawless_deliveries_given_up", "gauge", "Mails, issues and comments that were given up.");
        out.sample("flawless_deliveries_given_up", &[], messages.given_up);
        out.family("flawless_mails_failing", "gauge", "Mails that could not be sent yet, and are tried again.");
        out.sample("flawless_mails_failing", &[], messages.failing.map_or(0, |failing| failing.count));
    }
    if let Ok(rows) = store::repositories::list(store).await {
        write_repositories(&rows, out);
    }
    if let Ok(Some(at)) = store::hooks::last_received_at(store).await {
        out.family("flawless_last_webhook_timestamp_seconds", "gauge", "When the last webhook came, in Unix seconds.");
        out.sample("flawless_last_webhook_timestamp_seconds", &[], at.as_seconds());
    }
}

fn write_jobs(queue: &QueueState, now: Timestamp, out: &mut Text) {
    out.family("flawless_jobs", "gauge", "Jobs that wait or run.");
    out.sample("flawless_jobs", &[], queue.length);
    out.family("flawless_jobs_failing", "gauge", "Jobs that failed before and are tried again.");
    out.sample("flawless_jobs_failing", &[], queue.failing);
    let set_aside = "Jobs that are tried once a day only, because each attempt ended the server or panicked.";
    out.family("flawless_jobs_set_aside", "gauge", set_aside);
    out.sample("flawless_jobs_set_aside", &[], queue.set_aside);
    out.family("flawless_oldest_job_seconds", "gauge", "Age of the oldest job.");
    out.sample("flawless_oldest_job_seconds", &[], queue.oldest_at.map_or(0, |at| (now - at).as_secs().max(0)));
}

fn write_repositories(rows: &[RepositoryRow], out: &mut Text) {
    let failing = rows.iter().filter(|row| row.fetch_error.is_some()).count();
    out.family("flawless_repositories", "gauge", "Repositories that are watched.");
    out.sample("flawless_repositories", &[], rows.len());
    out.family("flawless_mirrors_failing", "gauge", "Repositories whose last fetch failed.");
    out.sample("flawless_mirrors_failing", &[], failing);
    let refused = rows.iter().filter(|row| row.refusal.is_some()).count();
    out.family(
        "flawless_repositories_refused",
        "gauge",
        "Repositories in which GitHub takes no issues or comments now.",
    );
    out.sample("flawless_repositories_refused", &[], refused);
}

/// Prometheus' text format: <https://prometheus.io/docs/instrumenting/exposition_formats/>.
#[derive(Debug, Default)]
struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing into a text can't fail, here and below.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// Values of labels are ours: none has a quote, backslash or line break that would have to be
    /// escaped.
    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn samples_are_written_as_prometheus_reads_them() {
        let mut out = Text::default();
        out.family("a_total", "counter", "What it is.");
        out.sample("a_total", &[("kind", "x"), ("state", "y")], 3);
        out.sample("b", &[], 0);
        assert_eq!(
            out.0,
            "# HELP a_total What it is.\n# TYPE a_total counter\na_total{kind=\"x\",state=\"y\"} 3\nb 0\n"
        );
    }
}
