//! A storm's issue in GitHub's Markdown, and the mail that tells one author of their lines in it.

use super::engine::{RenderError, render};
use super::format::{file_line, known_function, occurrences, thousands, when};
use super::issue::Issue;
use super::mail::Mail;
use domain::counted::counted;
use domain::repository::Repository;
use domain::storm::{Storm, StormLine};
use domain::visible::{clip, one_line};
use minijinja::context;
use std::collections::BTreeMap;

/// Lines that the issue lists; fewer where their names are so long that GitHub's 65,536 characters
/// would not hold them.
const LISTED: [usize; 4] = [150, 75, 35, 10];
/// Characters of the issue, with a margin.
const MOST_BODY_CHARS: usize = 60_000;
/// Lines that a mail lists: beyond that nobody reads on, and mail programs cut.
const MOST_MAILED: usize = 50;
/// Authors that the issue names.
const MOST_AUTHORS: usize = 30;
/// Characters of a path, a function or a name in a row.
const MOST_CHARS: usize = 80;

/// What a mail says of one of its reader's lines, beside the line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailedLine {
    /// The line.
    pub line: StormLine,
    /// Why this reader is told of it, one sentence.
    pub why: String,
    /// Its latest occurrence (signed).
    pub occurrence: String,
    /// The form that whitelists it (signed).
    pub whitelist: String,
    /// Its own issue.
    pub issue: Option<String>,
}

/// The issue of a storm. It names people, and mentions nobody: each person is told of their own
/// lines.
///
/// # Errors
/// [`RenderError`] where the template is faulty.
pub fn storm_issue(
    repository: &Repository,
    storm: &Storm,
    lines: &[StormLine],
    marker: &str,
    week: &str,
) -> Result<Issue, RenderError> {
    let mut authors: BTreeMap<String, usize> = BTreeMap::new();
    for line in lines {
        *authors.entry(author(line)).or_default() += 1;
    }
    let mut authors: Vec<_> = authors.into_iter().collect();
    authors.sort_by_key(|(name, count)| (usize::MAX - count, name.clone()));
    let authors_listed: Vec<_> =
        authors.iter().take(MOST_AUTHORS).map(|(name, count)| context! { name => cut(name), count }).collect();
    let rows: Vec<_> = lines
        .iter()
        .take(LISTED[0])
        .map(|line| {
            context! {
                place => cut(&file_line(&line.place.path, line.place.line)),
                url => line_url(repository, line),
                function => known_function(&line.place.function).map(|name| cut(&name)),
                exception => cut(&line.exception),
                author => cut(&author(line)),
                total => thousands(line.total),
                issue => line.issue,
            }
        })
        .collect();
    let mut body = String::new();
    for listed in LISTED {
        let values = context! {
            marker,
            week,
            began => when(storm.began_at),
            ended => storm.ended_at.map(when),
            last => when(storm.last_line_at),
            total => lines.len(),
            more => lines.len().saturating_sub(listed),
            more_authors => authors.len().saturating_sub(MOST_AUTHORS),
            authors => &authors_listed,
            rows => rows.iter().take(listed).cloned().collect::<Vec<_>>(),
        };
        body = render("issue/storm.md", values)?;
        if body.chars().count() <= MOST_BODY_CHARS {
            break;
        }
    }
    Ok(Issue { title: format!("Storm: {} began to fail at once", counted(lines.len(), "line", "lines")), body })
}

/// The mail to one person about their lines of a storm. `no_issue`: why GitHub takes no issue of
/// it, a sentence or two.
///
/// # Errors
/// [`RenderError`] where a template is faulty.
pub fn storm_mail(
    repository: &Repository,
    storm: &Storm,
    lines: &[MailedLine],
    all: usize,
    week: &str,
    no_issue: Option<&str>,
) -> Result<Mail, RenderError> {
    let count = lines.len();
    let concern = counted(count, "line that concerns you", "lines that concern you");
    let subject = one_line(&format!("[{}] Storm: {concern} began to fail", repository.full_name));
    let rows: Vec<_> = lines
        .iter()
        .take(MOST_MAILED)
        .map(|mailed| {
            let line = &mailed.line;
            context! {
                place => file_line(&line.place.path, line.place.line),
                function => known_function(&line.place.function),
                code => clip(&line.place.code, 200),
                headline => clip(&one_line(&line.headline), 300),
                occurrences => occurrences(line.total),
                why => &mailed.why,
                occurrence => &mailed.occurrence,
                whitelist => &mailed.whitelist,
                issue => &mailed.issue,
            }
        })
        .collect();
    let values = context! {
        subject => subject.as_str(),
        repository => repository.full_name.as_str(),
        began => when(storm.began_at),
        no_issue,
        issue => storm.issue.and_then(|number| repository.issue_url(number)),
        all,
        count,
        more => count.saturating_sub(MOST_MAILED),
        week,
        rows,
    };
    Ok(Mail { text: render("email/storm.txt", values.clone())?, html: render("email/storm.html", values)?, subject })
}

fn author(line: &StormLine) -> String {
    line.author.clone().unwrap_or_else(|| "nobody known".to_owned())
}

fn cut(text: &str) -> String {
    clip(&one_line(text), MOST_CHARS)
}

/// The line at the default branch's head: what a person looks at first, though it may have moved
/// since.
fn line_url(repository: &Repository, line: &StormLine) -> Option<String> {
    let head = repository.head.as_ref().filter(|_| line.place.line > 0)?;
    repository.line_url(head, &line.place.path, line.place.line).filter(|url| url.len() <= 300)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;
    use domain::alert::Place;
    use domain::ids::{RepositoryId, StormId};
    use domain::timestamp::Timestamp;

    fn storm() -> Storm {
        Storm {
            id: StormId(1),
            repository: RepositoryId(7),
            began_at: Timestamp::from_millis(1_795_000_000_000),
            last_line_at: Timestamp::from_millis(1_795_000_060_000),
            ended_at: None,
            issue: Some(12),
            attempts: 0,
            unanswered_at: None,
            missed_at: None,
            changed_at: Timestamp::UNIX_EPOCH,
            mails_at: None,
        }
    }

    fn lines(count: usize, length: usize) -> Vec<StormLine> {
        (0..count)
            .map(|n| StormLine {
                place: Place {
                    path: format!("shop/{}{n}.py", "a|`<".repeat(length)),
                    function: format!("f{}{n}", "@x".repeat(length)),
                    line: 7,
                    code: "return prices[sku]".to_owned(),
                },
                exception: "KeyError".repeat(1 + length / 4),
                headline: "KeyError: 'sku-7'".to_owned(),
                author: (n % 3 > 0).then(|| format!("Ada @lovelace {}", n % 3)),
                total: 1_204,
                issue: (n == 0).then_some(13),
                last_seen_at: Timestamp::UNIX_EPOCH,
            })
            .collect()
    }

    #[test]
    fn the_issue_lists_lines_and_authors_and_mentions_nobody() {
        let issue =
            storm_issue(&sample::repository(), &storm(), &lines(4, 0), "m:1", "https://f.test/week").expect("renders");
        assert_eq!(issue.title, "Storm: 4 lines began to fail at once");
        for said in [
            "**4 lines** of this repository",
            "- nobody known: 2",
            "- Ada @&#8203;lovelace 1: 1",
            "/shop/0.py#L7) | f0 | KeyError | nobody known | 1,204 | #13 |",
            "| [shop/1.py:7](",
            "It goes on.",
            "](https://f.test/week)",
        ] {
            assert!(issue.body.contains(said), "{said}:\n{}", issue.body);
        }
        let over = Storm { ended_at: Some(Timestamp::from_millis(1_795_000_900_000)), ..storm() };
        let issue = storm_issue(&sample::repository(), &over, &lines(4, 0), "m:1", "https://f.test/week");
        assert!(issue.expect("renders").body.contains("The storm ended at 2026-11-18"));
    }

    #[test]
    fn no_storm_is_too_large_for_an_issue() {
        let issue = storm_issue(&sample::repository(), &storm(), &lines(5_000, 200), "m:1", "https://f.test/week")
            .expect("renders");
        assert!(issue.body.chars().count() < 65_000, "{}", issue.body.chars().count());
        assert!(issue.body.contains("4925 more"), "{}", issue.body);
    }

    #[test]
    fn the_mail_lists_the_readers_lines() {
        let mailed: Vec<MailedLine> = lines(2, 0)
            .into_iter()
            .map(|line| MailedLine {
                issue: line.issue.map(|number| format!("https://github.com/acme/shop/issues/{number}")),
                line,
                why: "You wrote this line.".to_owned(),
                occurrence: "https://f.test/view".to_owned(),
                whitelist: "https://f.test/known".to_owned(),
            })
            .collect();
        let mail =
            storm_mail(&sample::repository(), &storm(), &mailed, 300, "https://f.test/week", None).expect("renders");
        assert_eq!(mail.subject, "[acme/shop] Storm: 2 lines that concern you began to fail");
        for said in [
            "2 lines of acme/shop that concern you began to fail in a storm",
            "300 lines in all",
            "KeyError: 'sku-7'\n  shop/0.py:7 in f0, 1,204 occurrences\n  return prices[sku]\n  You wrote this line.\n",
            "Whitelist this line:  https://f.test/known",
            "https://github.com/acme/shop/issues/13",
        ] {
            assert!(mail.text.contains(said), "{said}:\n{}", mail.text);
        }
        assert!(mail.html.contains("shop/0.py:7"), "{}", mail.html);
        let one = storm_mail(&sample::repository(), &storm(), &mailed[..1], 300, "https://f.test/week", None)
            .expect("renders");
        assert_eq!(one.subject, "[acme/shop] Storm: 1 line that concerns you began to fail");
        assert!(one.text.starts_with("1 line of acme/shop that concerns you began to fail"), "{}", one.text);
        assert!(one.html.contains("1 line that concerns you") && one.html.contains("It is part of a storm"));
        // Where git could not say, there is no text of the line, and no empty box for it.
        let unknown: Vec<MailedLine> = mailed
            .into_iter()
            .map(|mut mailed| {
                mailed.line.place.code.clear();
                mailed
            })
            .collect();
        let mail =
            storm_mail(&sample::repository(), &storm(), &unknown, 300, "https://f.test/week", None).expect("renders");
        assert!(mail.text.contains("1,204 occurrences\n  You wrote this line.\n"), "{}", mail.text);
        assert!(!mail.html.contains("class=\"block\""), "{}", mail.html);
    }
}
