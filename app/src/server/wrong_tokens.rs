//! Wrong tokens, counted by who sends them.

use super::client::ClientGroup;
use domain::timestamp::Timestamp;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Wrong tokens of one client within a minute that are answered as such: nobody mistypes more
/// often, and a scraper with an old token asks four times.
pub(super) const WRONG_A_MINUTE: u32 = 10;
/// Clients that are counted within a minute, some 100 bytes each. Beyond, a wrong token of another
/// one counts as one too many; nobody whose token is right comes by here.
const CLIENTS: usize = 10_000;

/// Counts wrong tokens. The right one is compared before and never counted, so nobody can lock it
/// out.
#[derive(Debug, Default)]
pub(super) struct WrongTokens(Mutex<Minute>);

#[derive(Debug, Default)]
struct Minute {
    number: i64,
    counts: HashMap<ClientGroup, u32>,
}

impl WrongTokens {
    /// Counts a wrong token of this client. Whether there were too many within this minute.
    pub(super) fn count(&self, client: ClientGroup, now: Timestamp) -> bool {
        // Nothing under this lock can panic half-way.
        let mut minute = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = now.as_seconds().div_euclid(60);
        if minute.number != number {
            *minute = Minute { number, counts: HashMap::new() };
        }
        if minute.counts.len() >= CLIENTS && !minute.counts.contains_key(&client) {
            return true;
        }
        let count = minute.counts.entry(client).or_default();
        *count = count.saturating_add(1);
        if *count == WRONG_A_MINUTE + 1 {
            tracing::warn!(client = %client.0, "more than {WRONG_A_MINUTE} wrong tokens within a minute");
        }
        *count > WRONG_A_MINUTE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{IpAddr, Ipv4Addr};

    fn client(number: u32) -> ClientGroup {
        ClientGroup(IpAddr::V4(Ipv4Addr::from_bits(number)))
    }

    #[test]
    fn each_client_has_its_own_count() {
        let wrong = WrongTokens::default();
        let at = |millis| Timestamp::from_millis(millis);
        for _ in 0..WRONG_A_MINUTE {
            assert!(!wrong.count(client(1), at(60_000)));
        }
        assert!(wrong.count(client(1), at(119_999)));
        assert!(!wrong.count(client(2), at(119_999)), "somebody else");
        assert!(!wrong.count(client(1), at(120_000)), "another minute");
    }

    #[test]
    fn memory_is_bounded() {
        let wrong = WrongTokens::default();
        let now = Timestamp::from_seconds(60);
        for number in 0..u32::try_from(CLIENTS).unwrap() + 10 {
            wrong.count(client(number), now);
        }
        assert_eq!(wrong.0.lock().unwrap().counts.len(), CLIENTS);
        assert!(wrong.count(client(u32::MAX), now), "not counted, so one too many");
    }
}
