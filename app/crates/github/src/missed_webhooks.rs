//! Webhooks that GitHub could not deliver: it does not try again by itself, but it keeps them, and
//! does when asked to.

use super::client::{As, GitHub, Method};
use super::error::GitHubError;
use domain::timestamp::Timestamp;
use serde::Deserialize;
use std::ops::ControlFlow;

/// Deliveries looked through at one time: with 100 a page, the requests that an hour's look may
/// cost are 20.
const MOST: usize = 2_000;

/// One try to deliver a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookDelivery {
    /// GitHub's number of the try.
    pub id: u64,
    /// The webhook's own id, the same at each try: what stands in `X-GitHub-Delivery`.
    pub guid: String,
    /// `issues`.
    pub event: String,
    /// When it was made, by GitHub's clock.
    pub at: Timestamp,
    /// It was answered by 2xx.
    pub is_delivered: bool,
}

#[derive(Deserialize)]
struct DeliveryAnswer {
    id: u64,
    guid: String,
    delivered_at: String,
    status_code: i64,
    event: String,
}

impl GitHub {
    /// The tries since a moment, the latest first. GitHub keeps those of three days.
    ///
    /// # Errors
    /// GitHub is out of reach.
    pub async fn hook_deliveries(&self, since: Timestamp) -> Result<Vec<HookDelivery>, GitHubError> {
        let what = "the webhooks' deliveries";
        let mut all = Vec::new();
        let first = self.send(As::App, Method::Get, "/app/hook/deliveries?per_page=100", None).await?;
        let since = self.earliest(since);
        self.pages(As::App, first, what, |page: Vec<DeliveryAnswer>| {
            for it in page {
                let at = it.delivered_at.parse::<jiff::Timestamp>().map_or(Timestamp::MAX, Timestamp::from);
                if at < since || all.len() >= MOST {
                    return ControlFlow::Break(());
                }
                let is_delivered = (200..300).contains(&it.status_code);
                all.push(HookDelivery { id: it.id, guid: it.guid, event: it.event, at, is_delivered });
            }
            ControlFlow::Continue(())
        })
        .await?;
        Ok(all)
    }

    /// Asks for one more try. It comes under the id that it had.
    ///
    /// # Errors
    /// GitHub is out of reach, or keeps it no more.
    pub async fn redeliver(&self, id: u64) -> Result<(), GitHubError> {
        let path = format!("/app/hook/deliveries/{id}/attempts");
        self.send(As::App, Method::Post, &path, None).await?.accepted("the webhook's delivery", None)?;
        Ok(())
    }
}
