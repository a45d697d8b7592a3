//! Whether a report is sent now, waits, or is refused; and the turn of those that waited.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use sentry::types::Dsn;

use super::clock::{Deadline, now_ms};
use super::parcel::Parcel;
use super::post::{Outcome, post};
use super::spool::{self, Spool};
use super::{NO_SPOOL, say};

/// One report may take this long: enough for a megabyte over a slow line, and half of what `run`
/// may take.
const REQUEST_TIME: Duration = Duration::from_secs(5);

/// What became of a fresh report.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Accepted,
    /// It waits; that was said.
    Spooled,
    /// The server's words; it is kept nowhere.
    Refused(String),
    /// It could neither be sent nor kept; that was said.
    Lost,
}

/// What became of those that waited.
#[derive(Debug)]
pub(super) enum Backlog {
    Done {
        sent: usize,
        refused: usize,
        waiting: usize,
        /// Which servers could not be reached, and why.
        away: Vec<String>,
    },
    /// Another process has the turn.
    Busy,
    /// The spool can't be used; that was said.
    Unreadable,
}

/// Sends a fresh report, or keeps it.
pub(super) fn deliver(parcel: &Parcel, spool: Option<&Spool>, deadline: Deadline) -> Fate {
    let why = match attempt(parcel, deadline) {
        Outcome::Accepted => return Fate::Accepted,
        Outcome::Refused(words) => return Fate::Refused(words),
        Outcome::Failed(why) => why,
    };
    match keep(parcel, spool) {
        Ok(()) => {
            say(&format!("the report can't be sent now ({why}), and waits for the next time"));
            Fate::Spooled
        }
        Err(fault) => {
            say(&format!("the report can't be sent ({why}), and it can't be kept: {fault}"));
            Fate::Lost
        }
    }
}

/// Keeps a refused report for a person to look at: nobody else has what the command said.
pub(super) fn set_aside(parcel: &Parcel, words: &str, spool: Option<&Spool>) {
    let kept = spool.ok_or_else(|| NO_SPOOL.to_owned()).and_then(|spool| {
        let aside = spool.add(parcel, now_ms()).and_then(|(path, _)| spool.set_aside(&path, words));
        aside.map_err(|error| at(spool.directory(), &error))
    });
    match kept {
        Ok(path) => say(&format!("the server refuses the report: {words}; it is kept as {}", path.display())),
        Err(fault) => say(&format!("the server refuses the report: {words}; it can't be kept: {fault}")),
    }
}

/// Sends what waits, oldest first, until the deadline. A server that does not answer is asked once,
/// and holds up no other's reports. That it is still away is left to the caller to say: cron makes
/// a mail of every word of a job that worked.
pub(super) fn flush(spool: &Spool, deadline: Deadline) -> Backlog {
    send_waiting(spool, deadline).unwrap_or_else(|error| {
        say(&format!("waiting reports can't be sent: {}", at(spool.directory(), &error)));
        Backlog::Unreadable
    })
}

fn send_waiting(spool: &Spool, deadline: Deadline) -> io::Result<Backlog> {
    if spool.waiting()?.is_empty() {
        return Ok(Backlog::Done { sent: 0, refused: 0, waiting: 0, away: Vec::new() });
    }
    let Some(_turn) = spool.turn()? else { return Ok(Backlog::Busy) };
    spool.tidy(now_ms())?;
    let (mut sent, mut refused) = (0, 0);
    let mut away: Vec<((String, u16), String)> = Vec::new();
    // Listed again, now that nobody else sends.
    for path in spool.waiting()? {
        if deadline.left().is_none() {
            break;
        }
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            // Dropped by a process that needed the room.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        let Some(parcel) = Parcel::from_bytes(&bytes) else {
            aside(spool, &path, "it is no report that this version can read")?;
            refused += 1;
            continue;
        };
        if away.iter().any(|(known, _)| *known == server(&parcel.dsn)) {
            continue;
        }
        match attempt(&parcel, deadline) {
            Outcome::Accepted => {
                spool::remove(&path)?;
                sent += 1;
            }
            Outcome::Refused(words) => {
                aside(spool, &path, &words)?;
                refused += 1;
            }
            Outcome::Failed(why) => away.push((server(&parcel.dsn), why)),
        }
    }
    let away = away.into_iter().map(|((host, port), why)| format!("{host}:{port}: {why}")).collect();
    Ok(Backlog::Done { sent, refused, waiting: spool.waiting()?.len(), away })
}

fn attempt(parcel: &Parcel, deadline: Deadline) -> Outcome {
    match deadline.left() {
        Some(left) => post(parcel, left.min(REQUEST_TIME)),
        None => Outcome::Failed("no time was left".to_owned()),
    }
}

fn keep(parcel: &Parcel, spool: Option<&Spool>) -> Result<(), String> {
    let spool = spool.ok_or(NO_SPOOL)?;
    let (_, dropped) = spool.add(parcel, now_ms()).map_err(|error| at(spool.directory(), &error))?;
    if dropped > 0 {
        say(&format!(
            "{dropped} of the oldest waiting reports dropped: the spool holds {} of them, or {} MiB",
            spool::MAX_REPORTS,
            spool::MAX_BYTES >> 20
        ));
    }
    Ok(())
}

fn aside(spool: &Spool, path: &Path, reason: &str) -> io::Result<()> {
    match spool.set_aside(path, reason) {
        Ok(aside) => say(&format!("a waiting report is refused: {reason}; it is kept as {}", aside.display())),
        // Dropped meanwhile.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    Ok(())
}

fn server(dsn: &Dsn) -> (String, u16) {
    (dsn.host().to_owned(), dsn.port())
}

fn at(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}
