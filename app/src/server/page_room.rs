//! Room for pages: how many are made at a time, and how many bytes of them wait to be taken.

use super::client::ClientGroup;
use super::turns::{Bounds, NoTurn, Turn, Turns};
use axum::body::Bytes;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Pages made at a time, and how many wait for that: each has rows of the database in its hands,
/// some megabytes of the largest, and may wait for GitHub. A browser asks for one or two.
const MADE: Bounds = Bounds { at_once: 16, of_lane: 128, in_all: 128, longest: Duration::from_secs(10) };

/// Pages rendered at a time: the largest take 0.1 s of a core, and there may be no more than two.
const RENDERED_AT_ONCE: usize = 2;

/// Bytes of pages that nobody took yet, beyond which no more are rendered: beside those of
/// [`super::budget`] they fit into a server of 256 MB.
const UNSENT: usize = 32 << 20;
/// Those of one client: some of the largest, or hundreds of usual ones, and not all there is room
/// for.
const UNSENT_OF_ONE: usize = UNSENT / 4;

/// Room for the pages of all.
#[derive(Debug)]
pub(super) struct PageRoom {
    making: Arc<Turns<()>>,
    rendering: Arc<Semaphore>,
    unsent: Arc<Mutex<Unsent>>,
}

/// A page that is being made.
pub(super) type Making = Turn<()>;

/// Bytes that wait to be taken.
#[derive(Debug, Default)]
struct Unsent {
    in_all: usize,
    /// Of those who have any.
    by_client: HashMap<ClientGroup, usize>,
}

/// A page that is being sent; it counts until the last of its bytes is written, or its connection
/// is gone.
struct Sent {
    text: String,
    client: ClientGroup,
    unsent: Arc<Mutex<Unsent>>,
}

impl Default for PageRoom {
    fn default() -> Self {
        let making = Arc::new(Turns::new(MADE));
        Self { making, rendering: Arc::new(Semaphore::new(RENDERED_AT_ONCE)), unsent: Arc::default() }
    }
}

impl PageRoom {
    /// Waits until one more page may be made.
    ///
    /// # Errors
    /// Too many wait.
    pub(super) async fn turn(&self, client: ClientGroup) -> Result<Making, NoTurn> {
        self.making.take((), client).await
    }

    /// Whether this client, or all, left so much of what they asked for that there is no room for
    /// more.
    pub(super) fn is_full_for(&self, client: ClientGroup) -> bool {
        let unsent = lock(&self.unsent);
        unsent.in_all >= UNSENT || unsent.by_client.get(&client).is_some_and(|bytes| *bytes >= UNSENT_OF_ONE)
    }

    /// Does what takes long in a thread that may be kept busy, a few at a time; `None` where it
    /// panicked. The page's turn ends with the work, not with the request: a client that hangs up
    /// ends only that one.
    pub(super) async fn render<T: Send + 'static>(
        &self,
        making: Option<Arc<Making>>,
        render: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let one_of_few = Arc::clone(&self.rendering).acquire_owned().await.ok()?;
        let work = move || {
            let _until_it_is_done = (one_of_few, making);
            render()
        };
        tokio::task::spawn_blocking(work).await.inspect_err(|panic| tracing::error!(%panic, "a page")).ok()
    }

    /// The bytes of a page, counted until they are sent.
    pub(super) fn counted(&self, client: ClientGroup, text: String) -> Bytes {
        let mut unsent = lock(&self.unsent);
        unsent.in_all += text.len();
        *unsent.by_client.entry(client).or_default() += text.len();
        Bytes::from_owner(Sent { text, client, unsent: Arc::clone(&self.unsent) })
    }
}

fn lock(unsent: &Mutex<Unsent>) -> MutexGuard<'_, Unsent> {
    // Nothing under it can panic half-way.
    unsent.lock().unwrap_or_else(PoisonError::into_inner)
}

impl AsRef<[u8]> for Sent {
    fn as_ref(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        let mut unsent = lock(&self.unsent);
        unsent.in_all -= self.text.len();
        if let Some(bytes) = unsent.by_client.get_mut(&self.client) {
            *bytes -= self.text.len();
            if *bytes == 0 {
                unsent.by_client.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    #[test]
    fn who_takes_nothing_has_a_share_and_no_more() {
        let room = PageRoom::default();
        let client = |number: u8| ClientGroup(IpAddr::from([192, 0, 2, number]));
        let page = |number: u8| room.counted(client(number), "x".repeat(UNSENT_OF_ONE / 2));
        let mut pages = vec![page(1)];
        assert!(!room.is_full_for(client(1)));
        pages.push(page(1));
        assert!(room.is_full_for(client(1)) && !room.is_full_for(client(2)));
        // A part of it is left to be written.
        let rest = pages.remove(0).slice(9..);
        assert!(room.is_full_for(client(1)));
        drop(rest);
        assert!(!room.is_full_for(client(1)));
        pages.extend((2..=8).map(page));
        assert!(room.is_full_for(client(9)), "there is none for anybody");
        drop(pages);
        assert!(!room.is_full_for(client(1)));
        assert!(lock(&room.unsent).by_client.is_empty() && lock(&room.unsent).in_all == 0);
    }
}
