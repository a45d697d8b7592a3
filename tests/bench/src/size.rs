//! How much of everything a run does.

use crate::event::Lines;
use std::time::Duration;

/// New lines of a second, of those that fail beside repeats.
const NEW: u64 = 10;

/// How much of everything.
pub(crate) struct Size {
    /// Lines that fail all the time.
    pub(crate) hot: usize,
    /// How long each load of repeats goes on.
    pub(crate) span: Duration,
    /// How often each.
    pub(crate) turns: usize,
    pub(crate) connections: Vec<usize>,
    /// Lines that are known, of a server that has grown.
    pub(crate) grown: usize,
    /// Requests of each page.
    pub(crate) pages: usize,
    /// How long new lines come beside repeats.
    pub(crate) alerts: Duration,
    /// How long one key floods.
    pub(crate) flood: Duration,
    /// How long 20,000 new shapes a minute come.
    pub(crate) shapes: Duration,
    pub(crate) soak: Duration,
    pub(crate) kills: u64,
    /// Commits of the long history.
    pub(crate) commits: usize,
    /// Lines of it that are asked for.
    pub(crate) blamed: usize,
}

impl Size {
    /// A whole run, or a quick one, but for what was asked for.
    pub(crate) fn of(
        quick: bool,
        seconds: Option<u64>,
        turns: Option<usize>,
        soak: Option<u64>,
        kills: Option<u64>,
    ) -> Self {
        let soak = Duration::from_secs(60 * soak.unwrap_or(0));
        let turns = turns.unwrap_or(if quick { 1 } else { 3 }).max(1);
        if quick {
            let half = Duration::from_millis(500);
            return Self {
                hot: 20,
                span: seconds.map_or(half, Duration::from_secs),
                turns,
                connections: vec![16],
                grown: 1_000,
                pages: 3,
                alerts: half,
                flood: half / 2,
                shapes: half / 2,
                soak,
                kills: kills.unwrap_or(2),
                commits: 300,
                blamed: 5,
            };
        }
        let span = seconds.unwrap_or(4);
        Self {
            hot: 1_000,
            span: Duration::from_secs(span),
            turns,
            connections: vec![16, 64, 256],
            grown: 1_000_000,
            pages: 100,
            alerts: Duration::from_secs(span * 5),
            flood: Duration::from_secs(span * 2),
            shapes: Duration::from_secs(span * 10),
            soak,
            kills: kills.unwrap_or(10),
            commits: 80_000,
            blamed: 100,
        }
    }

    /// The lines of the repository: those that fail all the time, and as many as fail for the first
    /// time.
    pub(crate) fn lines(&self) -> Lines {
        let new = (self.alerts.as_secs() + 1) * NEW;
        Lines { hot: self.hot, lines: self.hot + usize::try_from(new).unwrap_or(usize::MAX).max(self.hot) }
    }
}
