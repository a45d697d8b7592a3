//! Bodies that arrive: how long they may be and take, and how many bytes all of them may have.

use super::budget::{Budget, Held, NoRoom, Sender};
use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderMap, header};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

/// How long a body may take: the SDKs themselves give up after 30 seconds. A client that sends a
/// byte now and then would hold its connection for ever.
const BODY_TIME: Duration = Duration::from_secs(30);

/// Least room made at once for a body that comes in parts, in bytes.
const MIN_ROOM: usize = 16 << 10;

/// How long a client that is refused may go on sending, and how many bytes: a connection that is
/// closed with bytes unread is reset, and the client never reads why it was refused.
const LINGER: Duration = Duration::from_secs(5);
const LINGER_BYTES: usize = 32 << 20;

/// Bytes of a body that are worked on where they arrive, which takes less than a millisecond: a
/// longer one would keep the thread from other requests, and goes to one that may be kept busy.
pub(super) const INLINE: usize = 128 << 10;
/// The same of a body that is packed, as it is sent: text shrinks to an eighth, so that one that is
/// longer is mostly longer than [`INLINE`] as well. And packed bytes take time of which nothing
/// comes out: 8 MiB of empty blocks of deflate take two seconds, these 4 ms.
pub(super) const INLINE_PACKED: usize = INLINE / 8;

/// Why there is no body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BodyError {
    /// It is longer than its route takes.
    TooLarge,
    /// There are too many bytes in flight.
    NoRoom,
    /// It did not come to its end.
    CutOff(String),
    /// It took too long.
    Slow,
}

/// A body that arrives, counted as it does.
#[derive(Debug)]
pub(super) struct IncomingBody {
    body: Body,
    /// What came, while it is one part: nothing is copied then.
    first: Bytes,
    /// What came, once it is several.
    joined: Vec<u8>,
    held: Held,
    most: usize,
    until: Instant,
    /// The client waits to be asked for its body.
    waits: bool,
}

impl IncomingBody {
    /// Of this request, at most so many bytes.
    ///
    /// # Errors
    /// It announces more, in which case nothing of it is read.
    pub(super) fn open(
        headers: &HeaderMap,
        body: Body,
        most: usize,
        budget: &Arc<Budget>,
        sender: Sender,
    ) -> Result<Self, BodyError> {
        let incoming = Self {
            body,
            first: Bytes::new(),
            joined: Vec::new(),
            held: budget.open(sender),
            most,
            until: Instant::now() + BODY_TIME,
            waits: headers.contains_key(header::EXPECT),
        };
        let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|bytes| bytes > most as u64) {
            incoming.refuse();
            return Err(BodyError::TooLarge);
        }
        Ok(incoming)
    }

    /// What came by now.
    pub(super) fn bytes(&self) -> &[u8] {
        if self.joined.is_empty() { &self.first } else { &self.joined }
    }

    /// Waits for more; `false`: all is there.
    ///
    /// # Errors
    /// It is too long, too slow, or breaks off, or there is no room for it.
    pub(super) async fn more(&mut self) -> Result<bool, BodyError> {
        match timeout_at(self.until, next_part(&mut self.body)).await {
            Ok(Some(Ok(part))) => self.take(part).map(|()| true),
            Ok(Some(Err(error))) => Err(BodyError::CutOff(error.to_string())),
            Ok(None) => Ok(false),
            Err(_) => Err(BodyError::Slow),
        }
    }

    fn take(&mut self, part: Bytes) -> Result<(), BodyError> {
        let length = self.bytes().len();
        if part.len() > self.most - length {
            return Err(BodyError::TooLarge);
        }
        self.held.grow(part.len())?;
        if length == 0 {
            self.first = part;
            return Ok(());
        }
        if self.joined.is_empty() {
            self.joined = Vec::with_capacity((length + part.len()).max(MIN_ROOM));
            self.joined.extend_from_slice(&std::mem::take(&mut self.first));
        }
        if self.joined.capacity() < length + part.len() {
            // It doubles, but never beyond what may come.
            self.joined.reserve_exact(part.len().max(length.min(self.most - length)));
        }
        self.joined.extend_from_slice(&part);
        Ok(())
    }

    /// The whole of it, and what it holds for as long as somebody has it.
    ///
    /// # Errors
    /// As [`Self::more`].
    pub(super) async fn whole(mut self) -> Result<(Bytes, Held), BodyError> {
        loop {
            match self.more().await {
                Ok(true) => {}
                Ok(false) => return Ok(self.into_bytes()),
                Err(error) => {
                    self.refuse();
                    return Err(error);
                }
            }
        }
    }

    fn into_bytes(self) -> (Bytes, Held) {
        (if self.joined.is_empty() { self.first } else { self.joined.into() }, self.held)
    }

    /// Who sends it is known now.
    pub(super) fn is_known(&mut self) {
        self.held.is_known();
    }

    /// Its client is refused: what it still sends is dropped.
    pub(super) fn refuse(self) {
        if !self.waits {
            let Self { body, held, .. } = self;
            drop(held);
            linger(body);
        }
    }
}

impl From<NoRoom> for BodyError {
    fn from(NoRoom: NoRoom) -> Self {
        Self::NoRoom
    }
}

/// Refuses a body of which nothing is wanted.
pub(super) fn refuse(headers: &HeaderMap, body: Body) {
    // Who waits to be asked for it sends nothing.
    if !headers.contains_key(header::EXPECT) {
        linger(body);
    }
}

/// Reads and drops what comes, for a moment.
fn linger(mut body: Body) {
    if body.is_end_stream() {
        return;
    }
    tokio::spawn(async move {
        let drop_all = async {
            let mut left = LINGER_BYTES;
            while let Some(Ok(part)) = next_part(&mut body).await {
                let Some(less) = left.checked_sub(part.len()) else { return };
                left = less;
            }
        };
        let _ = timeout(LINGER, drop_all).await;
    });
}

/// The next part of a body; trailers are nothing to us.
async fn next_part(body: &mut Body) -> Option<Result<Bytes, axum::Error>> {
    loop {
        match poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await? {
            Ok(frame) => {
                if let Ok(part) = frame.into_data() {
                    return Some(Ok(part));
                }
            }
            Err(error) => return Some(Err(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::client::ClientGroup;
    use super::*;

    const MOST: usize = 100_000;

    fn open(headers: &[(header::HeaderName, &str)], body: impl Into<Body>) -> Result<IncomingBody, BodyError> {
        let headers = headers.iter().map(|(name, value)| (name.clone(), value.parse().expect("a value"))).collect();
        let sender = Sender::Known(ClientGroup(std::net::Ipv4Addr::LOCALHOST.into()));
        IncomingBody::open(&headers, body.into(), MOST, &Arc::default(), sender)
    }

    #[tokio::test]
    async fn a_body_that_is_too_long_is_told_from_others() {
        let of_length =
            async |length: usize| open(&[], vec![b'x'; length]).expect("nothing is announced").whole().await;
        assert_eq!(of_length(MOST).await.expect("a body").0.len(), MOST);
        assert_eq!(of_length(MOST + 1).await.map(|_| ()), Err(BodyError::TooLarge));
        let announced = open(&[(header::CONTENT_LENGTH, "100001")], Body::empty());
        assert_eq!(announced.map(|_| ()), Err(BodyError::TooLarge));
        assert!(open(&[(header::CONTENT_LENGTH, "100000")], Body::empty()).is_ok());
    }

    #[tokio::test]
    async fn what_waits_to_be_read_counts_among_what_its_client_sends() {
        let (budget, most) = (Arc::<Budget>::default(), 16 << 20);
        let send = async |client: u8, length: usize| {
            let sender = Sender::Known(ClientGroup(std::net::Ipv4Addr::new(192, 0, 2, client).into()));
            let body = Body::from(vec![b'x'; length]);
            IncomingBody::open(&HeaderMap::new(), body, most, &budget, sender)?.whole().await
        };
        let mut waiting = Vec::new();
        for _ in 0..2 {
            waiting.push(send(1, most).await.expect("there is room"));
        }
        assert_eq!(send(1, 1_000).await.map(|_| ()), Err(BodyError::NoRoom));
        assert!(send(2, 1_000).await.is_ok(), "others have theirs");
        waiting.iter_mut().for_each(|(_, held)| held.arrived());
        assert!(send(1, 1_000).await.is_ok(), "what is read now is the server's");
    }

    #[tokio::test]
    async fn parts_are_joined_within_the_limit() {
        let mut incoming = open(&[], Body::empty()).expect("nothing is announced");
        for _ in 0..10 {
            incoming.take(Bytes::from_static(&[b'x'; 9_999])).expect("it fits");
        }
        assert_eq!((incoming.bytes().len(), incoming.joined.capacity() <= MOST), (99_990, true));
        assert_eq!(incoming.take(Bytes::from_static(b"eleven more")), Err(BodyError::TooLarge));
    }
}
