//! Whether webhooks arrive.

use super::Doctor;
use crate::services::vitals::Vitals;
use domain::finding::{Finding, minutes};
use domain::timestamp::{DAY, Timestamp};
use github::{GitHub, HookDelivery};
use jiff::SignedDuration;
use std::collections::BTreeMap;

/// So long after an installation the first webhook has come, where GitHub reaches us.
const FIRST_HOOK: SignedDuration = SignedDuration::from_mins(10);
/// Failed webhooks are looked for so far back.
const HOOKS_SINCE: SignedDuration = DAY;
/// What its findings are about.
const ABOUT: &str = "webhooks";

impl Doctor {
    /// Whether any came.
    pub(super) fn arriving(&self, vitals: &Vitals, is_installed: bool, now: Timestamp) -> Finding {
        match &vitals.last_hook_at {
            Ok(Some(at)) => Finding::fine(ABOUT, format!("the last one came {} ago", minutes(now - *at))),
            Ok(None) if is_installed && is_awaited(vitals, now) => self.unreachable(),
            Ok(None) => Finding::fine(ABOUT, "none came yet"),
            Err(error) => Finding::failure(ABOUT, error.to_string(), "Look at the database."),
        }
    }

    fn unreachable(&self) -> Finding {
        let todo = format!(
            "See that {}/api/github/webhooks can be reached from GitHub, and that it stands in the App's settings.",
            self.site.linker.base()
        );
        Finding::failure(ABOUT, "none ever came, though the App is installed", todo)
    }
}

/// Whether the first repository of GitHub's is watched for so long that something must have
/// happened.
fn is_awaited(vitals: &Vitals, now: Timestamp) -> bool {
    let rows = vitals.repositories.as_deref().unwrap_or_default();
    let since = rows.iter().filter(|row| row.repository.github.is_some()).map(|row| row.created_at).min();
    since.is_some_and(|since| now - since > FIRST_HOOK)
}

/// How many GitHub could not deliver lately.
pub(super) async fn lost(github: &GitHub, now: Timestamp) -> Finding {
    match github.hook_deliveries(now - HOOKS_SINCE).await {
        Ok(tries) => of_tries(&tries),
        // Not every server that speaks GitHub's language knows of them.
        Err(error) => Finding::fine(ABOUT, format!("which ones were lost can't be asked: {error}")),
    }
}

fn of_tries(tries: &[HookDelivery]) -> Finding {
    let mut delivered: BTreeMap<&str, bool> = BTreeMap::new();
    for one in tries {
        *delivered.entry(&one.guid).or_default() |= one.is_delivered;
    }
    let (all, failed) = (delivered.len(), delivered.values().filter(|delivered| !**delivered).count());
    let what = format!("of {all} within a day, {failed} did not arrive");
    if failed == 0 {
        return Finding::fine(ABOUT, what);
    }
    let todo =
        "They are asked for again every hour; the App's settings on GitHub show why they failed, under Advanced.";
    Finding::warning(ABOUT, what, todo)
}
