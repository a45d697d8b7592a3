//! Whether the clock is right: beside the database's, GitHub's, and what it said before.

use domain::finding::{Finding, Level, minutes};
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use render::when;
use store::clock::{Known, UNNOTICED};
use store::{Store, StoreError};

/// How far this machine's clock may be from the database's, which is followed by all that is due:
/// signatures, TLS and the log go by this one.
const FROM_DATABASE: SignedDuration = SignedDuration::from_secs(60);
/// How far this machine's clock may be from GitHub's, which refuses what is dated by one that is a
/// minute ahead of it.
const FROM_GITHUB: SignedDuration = SignedDuration::from_secs(30);

/// What time it is.
#[derive(Clone, Copy, Debug)]
pub struct Clocks {
    /// By the clock that is gone by.
    pub now: Timestamp,
    /// By this machine's own.
    pub machine: Timestamp,
}

/// What is wrong with the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockFault {
    /// This machine's is ahead of the database's by so much.
    FromDatabase(SignedDuration),
    /// This machine's is ahead of GitHub's by so much.
    FromGitHub(SignedDuration),
    /// It is so much earlier than it was, and nobody has put the rows right.
    Back(SignedDuration),
    /// It was set back then, and it will be as late again as it was at that other moment.
    WasBack(Timestamp, Timestamp),
}

/// What is wrong by the database.
pub(super) async fn of_database(store: &Store, clocks: Clocks) -> Result<Vec<ClockFault>, StoreError> {
    let theirs = store::clock::of_server(store).await?;
    let known = store::clock::known(store).await?;
    let ahead = theirs.map(|theirs| clocks.machine - theirs).filter(|ahead| ahead.abs() > FROM_DATABASE);
    Ok(ahead.map(ClockFault::FromDatabase).into_iter().chain(of_known(known, clocks.now)).collect())
}

/// What is wrong by what was written down of the time.
fn of_known(known: Known, now: Timestamp) -> Option<ClockFault> {
    if let Some(latest) = known.latest.filter(|latest| *latest > now + UNNOTICED) {
        return Some(ClockFault::Back(latest - now));
    }
    let set_back = known.set_back.filter(|it| it.until > now)?;
    Some(ClockFault::WasBack(set_back.at, set_back.until))
}

/// What is wrong where GitHub's clock says this, and this machine's that.
pub fn of_github(theirs: Timestamp, machine: Timestamp) -> Option<ClockFault> {
    let ahead = machine - theirs;
    (ahead.abs() > FROM_GITHUB).then_some(ClockFault::FromGitHub(ahead))
}

impl ClockFault {
    /// In words.
    pub fn finding(&self) -> Finding {
        let (level, what, todo) = match *self {
            Self::FromDatabase(ahead) => (
                Level::Warning,
                format!("this machine's clock is {} the database's", apart(ahead)),
                "Set both by NTP. What is due goes by the database's clock; signatures, TLS and the log by this one.",
            ),
            Self::FromGitHub(ahead) => (
                Level::Warning,
                format!(
                    "this machine's clock differs from GitHub's by {} s: it is {} it",
                    ahead.abs().as_secs(),
                    apart(ahead)
                ),
                "Set it by NTP. Where GitHub refuses what is dated by it, GitHub is asked by its own time; TLS, the log \
                 and all that is dated here go by this one. If it is right, a proxy on the way to GitHub writes dates \
                 of its own.",
            ),
            Self::Back(by) => (
                Level::Warning,
                format!("the clock is {} behind the latest moment that the database knows of", minutes(by)),
                "Is it right now? A server that works puts right within a second what it puts off.",
            ),
            Self::WasBack(at, until) => (
                Level::Warning,
                format!("the clock was set back at {}, and had been {} before", when(at), when(until)),
                "What happened before is dated up to that moment; what was put off goes on as if it had not been. Is \
                 the clock right now? Set it by NTP.",
            ),
        };
        Finding { about: "clock".to_owned(), level, what, todo: Some(todo.to_owned()) }
    }
}

/// `5 min ahead of`, `2 h behind`.
fn apart(ahead: SignedDuration) -> String {
    let by = if ahead.abs() < SignedDuration::from_mins(2) {
        format!("{} s", ahead.abs().as_secs())
    } else {
        minutes(ahead.abs())
    };
    if ahead.is_positive() { format!("{by} ahead of") } else { format!("{by} behind") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::timestamp::HOUR;
    use store::clock::SetBack;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
    const SECOND: SignedDuration = SignedDuration::from_secs(1);

    #[test]
    fn a_clock_that_was_set_back_is_told_until_it_is_as_late_again() {
        let known = |latest, set_back| Known { latest: Some(latest), set_back };
        assert_eq!(of_known(known(NOW + UNNOTICED, None), NOW), None, "daemons that keep time do so");
        assert_eq!(of_known(known(NOW + HOUR, None), NOW), Some(ClockFault::Back(HOUR)));
        let set_back = SetBack { at: NOW, until: NOW + HOUR };
        let told = ClockFault::WasBack(NOW, NOW + HOUR);
        assert_eq!(of_known(known(NOW, Some(set_back)), NOW + HOUR - SECOND), Some(told));
        assert_eq!(of_known(known(NOW, Some(set_back)), NOW + HOUR), None);
    }

    #[test]
    fn a_clock_that_is_off_is_told_with_which_way_and_how_far() {
        assert_eq!(of_github(NOW, NOW + FROM_GITHUB), None);
        let fault = of_github(NOW, NOW - FROM_GITHUB - SECOND).expect("too far");
        assert_eq!(fault.finding().what, "this machine's clock differs from GitHub's by 31 s: it is 31 s behind it");
        let ahead = ClockFault::FromDatabase(3 * HOUR).finding();
        assert_eq!(ahead.what, "this machine's clock is 3 h ahead of the database's");
    }
}
