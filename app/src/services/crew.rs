//! Which of this process's workers run.

use domain::finding::Finding;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The workers of one process. All clones count the same ones.
#[derive(Clone, Debug, Default)]
pub struct Crew(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// How many are to run; none where this process leaves the work to others, or stops.
    wanted: AtomicUsize,
    running: AtomicUsize,
}

/// A worker that runs, for as long as it does, however it ends.
#[derive(Debug)]
pub struct OnDuty(Crew);

impl Crew {
    /// So many are to run from now on.
    pub fn want(&self, workers: usize) {
        self.0.wanted.store(workers, Ordering::Release);
    }

    /// One more runs.
    pub fn begin(&self) -> OnDuty {
        self.0.running.fetch_add(1, Ordering::AcqRel);
        OnDuty(self.clone())
    }

    /// What is wrong where some do not run.
    pub fn finding(&self) -> Option<Finding> {
        let (wanted, running) = (self.0.wanted.load(Ordering::Acquire), self.0.running.load(Ordering::Acquire));
        let missing = wanted.checked_sub(running).filter(|missing| *missing > 0)?;
        let what = format!("{missing} of this server's {wanted} workers do not run");
        let todo = "They begin anew within a second. If it stays, restart the server, and report it with what its log \
                    says.";
        Some(Finding::warning("background work", what, todo))
    }
}

impl Drop for OnDuty {
    fn drop(&mut self) {
        self.0.0.running.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_counts_until_it_ends_however_that_is() {
        let crew = Crew::default();
        assert_eq!(crew.finding(), None, "this process does no work");
        crew.want(2);
        let said = |crew: &Crew| crew.finding().map(|finding| finding.what);
        assert_eq!(said(&crew).as_deref(), Some("2 of this server's 2 workers do not run"));
        let first = crew.begin();
        let second = crew.clone();
        let ended = std::thread::spawn(move || {
            let _second = second.begin();
            panic!("a fault of the program");
        });
        assert!(ended.join().is_err());
        assert_eq!(said(&crew).as_deref(), Some("1 of this server's 2 workers do not run"));
        let third = crew.begin();
        assert_eq!(said(&crew), None);
        drop((first, third));
        crew.want(0);
        assert_eq!(said(&crew), None, "it stops");
    }
}
