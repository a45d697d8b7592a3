//! The mails of a line, to whom and why, once it is known who is told.

use super::Chosen;
use crate::services::Failure;
use crate::services::messages::mail;
use domain::alert::MailContent;
use domain::attribution::Attribution;
use domain::delivery::Purpose;
use domain::person::{Person, Step};
use domain::routing::{Operator, Route, address_of, recipients};
use domain::settings::KnownError;
use store::deliveries::NewDelivery;
use store::lines::Line;
use store::repositories::RepositoryRow;

/// Why somebody is told whom a person gave the line to.
const GIVEN: &str = "This line was given to you.";

/// For what mails are sent.
#[derive(Clone, Copy)]
pub struct Occasion<'a> {
    /// What makes the mail another than those that were sent before.
    pub purpose: &'a Purpose,
    /// A sentence before all others.
    pub header: Option<&'a str>,
    /// The known error that covers the line: it may name recipients of its own.
    pub known: Option<&'a KnownError>,
    /// Who runs this server, if they are told where nobody else is.
    pub operator: Option<&'a str>,
}

/// A mail for each who is told of a line: whom was chosen, and who watches.
///
/// # Errors
/// What a mail holds can't be written as JSON.
pub fn mails(
    row: &RepositoryRow,
    line: &Line,
    chosen: &Chosen,
    occasion: Occasion<'_>,
) -> Result<Vec<NewDelivery>, Failure> {
    let passed_through = chosen.passed_through();
    let person = &chosen.told.person;
    let why = why_you(line, person, chosen.attribution.as_ref());
    let line = &Line { told: Some(chosen.told.clone()), ..line.clone() };
    let owner = chosen.owner.as_ref().filter(|owner| address_of(&row.settings.email, owner).is_some());
    let route = Route {
        settings: &row.settings,
        path: &line.place.path,
        passed_through: &passed_through,
        author: owner.or(person.who.as_ref().map(|who| &who.author)),
        why: owner.map(|_| GIVEN).or(why.as_deref()),
        reassigned: line.is_reassigned() && owner.is_none(),
        known: occasion.known,
        operator: occasion
            .operator
            .filter(|_| person.step == Step::Nobody)
            .map(|address| Operator { address, repository: row.repository.full_name.as_str() }),
    };
    let header = occasion.header.map(str::to_owned);
    recipients(&route)
        .into_iter()
        .map(|to| mail(occasion.purpose.clone(), &MailContent { to, header: header.clone() }))
        .collect()
}

/// Why a person is told; nothing where nobody wrote the line and nobody was found.
fn why_you(line: &Line, person: &Person, found: Option<&Attribution>) -> Option<String> {
    let is_told = line.author_email.is_some() || person.step != Step::Nobody;
    let found = found.filter(|_| person.wrote_the_line());
    let why = || match (found.and_then(Attribution::tie), found) {
        (Some((path, other)), _) => {
            format!("You wrote this line, if it is {path}'s: {other} fits equally well (see below).")
        }
        (None, Some(found)) if found.is_doubted => {
            "You wrote the line that has this number now. Another one may have failed (see below).".to_owned()
        }
        _ => person.why_you(),
    };
    is_told.then(why)
}
