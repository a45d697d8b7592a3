//! The status block of an issue, which is kept up to date.

use super::detail::{DETAILS, Detail};
use super::engine::{RenderError, render};
use super::facts::facets;
use super::format::{thousands, when};
use domain::names::Login;
use domain::repository::Repository;
use domain::status::{BEGIN, END, SPARK_DAYS, State, Status, sparkline};
use minijinja::context;
use minijinja::value::Serde;

/// Characters of the block: an issue was filed with at most 60,000, and stays below GitHub's 65,536
/// however its block grows.
const MOST_CHARS: usize = 4_000;

/// The block, from marker to marker, in GitHub's Markdown.
///
/// # Errors
/// [`RenderError`] where the template is faulty.
pub fn status_block(status: &Status, repository: &Repository) -> Result<String, RenderError> {
    let mut made = String::new();
    for detail in &DETAILS {
        made = block(status, repository, detail)?;
        if made.chars().count() <= MOST_CHARS {
            break;
        }
    }
    Ok(made)
}

fn block(status: &Status, repository: &Repository, detail: &Detail) -> Result<String, RenderError> {
    let counts = &status.counts;
    let (state, commit, at) = match &status.state {
        State::Open => ("open", None, None),
        State::Known => ("known", None, None),
        State::Resolved { commit, at } => ("resolved", commit.as_ref(), Some(when(*at))),
    };
    let values = context! {
        total => thousands(counts.total),
        once => counts.total == 1,
        first => when(counts.first_seen_at),
        last => when(counts.last_seen_at),
        state,
        at,
        commit => commit.map(|commit| context! { short => commit.short(), url => repository.commit_url(commit) }),
        regressions => status.regressions,
        owner => status.owner.as_ref().map(Login::as_str),
        spark => (status.days.len() == SPARK_DAYS && counts.total > 1).then(|| sparkline(&status.days)),
        busiest => thousands(status.days.iter().copied().max().unwrap_or(0)),
        rows => Serde(facets(counts, detail)),
    };
    Ok(format!("{BEGIN}\n{}\n{END}", render("issue/status.md", values)?.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;
    use domain::commit::CommitId;
    use domain::timestamp::Timestamp;

    fn say(status: &Status) -> String {
        status_block(status, &sample::repository()).expect("renders")
    }

    #[test]
    fn the_block_says_how_often_where_and_what_became_of_it() {
        let mut days = vec![0; SPARK_DAYS];
        (days[12], days[13]) = (4, 1_200);
        let mut status = Status { counts: sample::alert().counts, days, ..Status::default() };
        let text = say(&status);
        assert!(text.starts_with("<!-- flawless:status -->\n**1,204 occurrences**"), "{text}");
        assert!(text.ends_with("\n<!-- /flawless:status -->"), "{text}");
        for said in [
            "2026-11-22 11:31 UTC",
            "`▁▁▁▁▁▁▁▁▁▁▁▁▂█`",
            "1,200 on the busiest",
            "| Releases | shop@&#8203;2.4.1 |",
            "| Servers | web-3, web-1 |",
            "Open.",
        ] {
            assert!(text.contains(said), "{said}:\n{text}");
        }
        assert!(!text.contains("came back"), "{text}");
        status.state = State::Resolved {
            commit: Some(CommitId::new("5".repeat(40))),
            at: Timestamp::from_millis(1_795_000_000_000),
        };
        status.regressions = 2;
        status.owner = Some("grace".into());
        let text = say(&status);
        assert!(
            text.contains("Resolved on 2026-11-18 11:06 UTC as of [5555555](https://github.com/acme/shop/commit/"),
            "{text}"
        );
        assert!(text.contains("It came back twice.") && text.contains("It belongs to grace."), "{text}");
        status.state = State::Known;
        assert!(say(&status).contains("A known error: counted, and nobody is told."));
    }

    #[test]
    fn once_is_said_as_once() {
        let mut status = Status { counts: sample::alert().counts, days: vec![0; SPARK_DAYS], ..Status::default() };
        status.counts.total = 1;
        let text = say(&status);
        assert!(text.contains("**1 occurrence**") && !text.contains('▁'), "{text}");
    }
}
