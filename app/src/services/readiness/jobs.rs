//! Whether jobs are done in time: by this server's workers, and by those of others.

use domain::finding::{Finding, minutes};
use domain::job::Job;
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use store::jobs::{Held, Oldest};
use store::{Store, StoreError};

/// A job that is due for longer has nobody to do it: a step takes seconds, and clones that keep all
/// workers busy some minutes.
const WAITS_TOO_LONG: SignedDuration = SignedDuration::from_mins(10);
/// A job that has been under way for longer does not get to its end: the first clone of a large
/// repository takes less.
const RUNS_TOO_LONG: SignedDuration = SignedDuration::from_hours(1);
/// Whoever works on a job says so every 40 seconds: twice was missed.
const SILENT_TOO_LONG: SignedDuration = SignedDuration::from_secs(85);

/// The jobs that wait or run for longest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waits {
    /// The one that is due for longest, and for how long.
    pub due: Option<(Job, SignedDuration)>,
    /// The one that has been under way, or due, for longest, by somebody who is heard of.
    running: Option<(Job, SignedDuration)>,
    /// The one whose holder has been silent for longest, where that is too long.
    silent: Option<(Job, SignedDuration)>,
    /// How many jobs are held by somebody who has been silent for too long.
    pub unheard: usize,
}

/// Looks at the rows.
pub(super) async fn waits(store: &Store, now: Timestamp) -> Result<Waits, StoreError> {
    Ok(Waits::of(&store::jobs::oldest(store, now).await?, now))
}

impl Waits {
    fn of(oldest: &Oldest, now: Timestamp) -> Self {
        let (unheard, heard): (Vec<&Held>, Vec<&Held>) =
            oldest.held.iter().partition(|held| held.silent_for > SILENT_TOO_LONG);
        let silent = unheard.iter().max_by_key(|held| held.silent_for).map(|held| (held.job, held.silent_for));
        let running = heard.iter().min_by_key(|held| held.since).map(|held| (held.job, now - held.since));
        let due = oldest.waiting.map(|waiting| (waiting.job, now - waiting.since));
        Self { due, running, silent, unheard: unheard.len() }
    }

    /// What of that is too long.
    pub(super) fn findings(&self) -> Vec<Finding> {
        let over = |one: Option<(Job, SignedDuration)>, most| one.filter(|(_, age)| *age > most);
        let due = over(self.due, WAITS_TOO_LONG).map(|(job, age)| {
            let what = format!("the job that is due for longest, {}, waits for {}", job.what(), minutes(age));
            let todo = "Its workers are busy, or stuck: the server's log says at what. Does a server run, and does it \
                        go on after a restart?";
            Finding::warning("background work", what, todo)
        });
        let running = over(self.running, RUNS_TOO_LONG).map(|(job, age)| {
            let what = format!("a job, {}, has been under way for {}", job.what(), minutes(age));
            Finding::warning("background work", what, "The server's log says at what it is; a restart begins it anew.")
        });
        let silent = self.silent.map(|(job, age)| {
            let held = match self.unheard {
                1 => format!("a job, {}, is held", job.what()),
                more => format!("{more} jobs, one of them {}, are held", job.what()),
            };
            let what = format!("{held} by a server that has not been heard of for {}", minutes(age));
            let todo = "That server is frozen, dead, or cut off from the database: look for it. Another one takes \
                        over each job two minutes after the last word.";
            Finding::warning("background work", what, todo)
        });
        [due, running, silent].into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ids::{DeliveryId, RepositoryId};
    use store::jobs::Waiting;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
    const MAIL: Job = Job::Deliver(DeliveryId(1));
    const FETCH: Job = Job::Fetch(RepositoryId(1));
    const SECOND: SignedDuration = SignedDuration::from_secs(1);

    fn said(oldest: &Oldest) -> Vec<String> {
        Waits::of(oldest, NOW).findings().into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn what_waits_or_runs_for_too_long_is_said_by_its_kind() {
        let due = |since| Oldest { waiting: Some(Waiting { job: MAIL, since }), held: Vec::new() };
        assert_eq!(said(&due(NOW - WAITS_TOO_LONG)), [""; 0]);
        let late = said(&due(NOW - WAITS_TOO_LONG - SECOND));
        assert_eq!(late, ["the job that is due for longest, sending a message, waits for 10 min"]);
        let held = |since, silent_for| Held { job: FETCH, since, silent_for };
        let one = |held| Oldest { waiting: None, held: vec![held] };
        assert_eq!(said(&one(held(NOW - RUNS_TOO_LONG, SignedDuration::ZERO))), [""; 0]);
        let long = said(&one(held(NOW - RUNS_TOO_LONG - SECOND, SignedDuration::ZERO)));
        assert_eq!(long, ["a job, bringing a mirror up to date, has been under way for 60 min"]);
        assert_eq!(said(&one(held(NOW, -SECOND))), [""; 0], "another's clock says nothing");
        let unheard = [held(NOW, SILENT_TOO_LONG + SECOND), held(NOW, 2 * SILENT_TOO_LONG)];
        let said = said(&Oldest { waiting: None, held: unheard.to_vec() });
        let words = "2 jobs, one of them bringing a mirror up to date, are held by a server that has not been heard of \
                     for 2 min";
        assert_eq!(said, [words]);
    }
}
