//! The status block in an issue's text: what it says, and how it is put in the place of the one
//! before.

use super::alert::{Alert, Counts};
use super::commit::CommitId;
use super::names::Login;
use crate::timestamp::Timestamp;

/// Days that the sparkline shows.
pub const SPARK_DAYS: usize = 14;
/// What the block begins with. Hidden in what people read.
pub const BEGIN: &str = "<!-- flawless:status -->";
/// What it ends with.
pub const END: &str = "<!-- /flawless:status -->";

/// What became of a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Somebody has to do something about it.
    #[default]
    Open,
    /// It is whitelisted.
    Known,
    /// Its issue was closed without a label.
    Resolved {
        /// As of this commit; `None`: by time.
        commit: Option<CommitId>,
        /// When.
        at: Timestamp,
    },
}

/// What the status block says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// How often and where.
    pub counts: Counts,
    /// Occurrences of each of the last [`SPARK_DAYS`] days (UTC), oldest first, the last the day of
    /// the latest occurrence.
    pub days: Vec<u64>,
    /// What became of it.
    pub state: State,
    /// How often it came back.
    pub regressions: u64,
    /// Login of whom a person gave it to.
    pub owner: Option<Login>,
}

impl Status {
    /// What an issue's status block says at first.
    pub fn of_new(alert: &Alert) -> Self {
        Self { counts: alert.counts.clone(), days: alert.days.clone(), ..Self::default() }
    }
}

/// A row of blocks, one a day: the highest day is full, a day with anything at all is more than
/// nothing.
pub fn sparkline(days: &[u64]) -> String {
    const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let top = days.iter().copied().max().unwrap_or(0).max(1);
    let height = |count: u64| match count {
        0 => 0,
        // From the second block to the last.
        _ => usize::try_from((u128::from(count) * 7).div_ceil(u128::from(top))).unwrap_or(7).clamp(1, 7),
    };
    days.iter().map(|&count| BLOCKS[height(count)]).collect()
}

/// The text with `block` (which has [`BEGIN`] and [`END`]) in the place of the block that it has.
/// `None`: it has none, a person took it out. All else stays as it is.
pub fn replace_block(body: &str, block: &str) -> Option<String> {
    let begin = find_line(body, BEGIN, 0)?;
    let end = find_line(body, END, begin)? + END.len();
    Some(format!("{}{block}{}", &body[..begin], &body[end..]))
}

/// Where a line is that says `marker` and nothing else. Within a line, code that others named
/// stands as it is: an exception can be called like our marker.
fn find_line(body: &str, marker: &str, from: usize) -> Option<usize> {
    let is_alone = |at: usize| {
        let (before, after) = (&body[..at], &body[at + marker.len()..]);
        (before.is_empty() || before.ends_with('\n'))
            && (after.is_empty() || after.starts_with('\n') || after.starts_with("\r\n"))
    };
    body[from..].match_indices(marker).map(|(at, _)| from + at).find(|&at| is_alone(at))
}

/// Whether the text has this very block already, whatever line ends a browser left in it.
pub fn has_block(body: &str, block: &str) -> bool {
    body.replace("\r\n", "\n").contains(block)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sparkline_shows_every_day_with_anything() {
        assert_eq!(sparkline(&[0, 1, 1_000, 500, 0]), "▁▂█▅▁");
        assert_eq!(sparkline(&[0, 0]), "▁▁");
        assert_eq!(sparkline(&[3, 3, 1]), "██▄");
        assert_eq!(sparkline(&[u64::MAX, 1]), "█▂");
    }

    #[test]
    fn only_the_block_changes_and_a_block_taken_out_stays_out() {
        let block = |text: &str| format!("{BEGIN}\n{text}\n{END}");
        let body = format!("marker\nmine\r\n{}\r\nmine, too <!-- x -->", block("old"));
        let new = replace_block(&body, &block("new")).expect("there is a block");
        assert_eq!(new, format!("marker\nmine\r\n{}\r\nmine, too <!-- x -->", block("new")));
        assert_eq!(replace_block("marker\nmine", &block("new")), None);
        assert_eq!(replace_block(&format!("{BEGIN}\nno end"), &block("new")), None);
        let forged = format!("**`{BEGIN}`** in `{END}`\n\n{}\n\nmine", block("old"));
        let new_forged = replace_block(&forged, &block("new")).expect("there is a block");
        assert_eq!(new_forged, format!("**`{BEGIN}`** in `{END}`\n\n{}\n\nmine", block("new")));
        assert_eq!(replace_block(&format!("**`{BEGIN}`** in `{END}`"), &block("new")), None);
        assert!(has_block(&new.replace('\n', "\r\n"), &block("new")));
        assert!(!has_block(&new, &block("old")));
    }
}
