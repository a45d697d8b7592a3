//! The terms of a known error: what it says beside the code that it covers, as a form asks for it.

use super::address::is_address;
use super::settings::KnownError;
use crate::timestamp::Timestamp;

/// One term: a key of the file, and a field of the form.
#[derive(Clone, Copy, Debug)]
pub struct Term {
    /// Its key in the file and its name in the form.
    pub key: &'static str,
    /// What the form calls it.
    pub label: &'static str,
    /// What the form says of it.
    pub hint: &'static str,
    /// What it is about.
    pub about: About,
    /// A whole number is typed.
    pub numeric: bool,
    /// The term as it is typed; empty where it is left out.
    pub show: fn(&KnownError) -> String,
    /// Takes what was typed, without white space around it; empty: left out.
    pub read: fn(&mut KnownError, &str) -> Result<(), String>,
}

/// What a term is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// When the author is told after all.
    Counts,
    /// Who else is written to, and how: nothing for somebody who only has a link out of a mail.
    Others,
    /// How long the entry is in force; library code has this, too.
    Time,
}

/// Every term, in the order of the form.
pub const TERMS: [Term; 6] = [
    Term {
        key: "min_alert_threshold",
        label: "Once, when it has happened this often",
        hint: "A number, such as 100",
        about: About::Counts,
        numeric: true,
        show: |known| shown(known.min_alert_threshold),
        read: |known, typed| set(&mut known.min_alert_threshold, number(typed)),
    },
    Term {
        key: "alert_every_n_occurrences",
        label: "Again and again, each time it has happened this often",
        hint: "A number, such as 500",
        about: About::Counts,
        numeric: true,
        show: |known| shown(known.alert_every_n_occurrences),
        read: |known, typed| match number(typed)? {
            Some(0) => Err("This has to be 1 or more, or empty.".to_owned()),
            every => set(&mut known.alert_every_n_occurrences, Ok(every)),
        },
    },
    Term {
        key: "max_alert_threshold",
        label: "But never beyond this many",
        hint: "A number, such as 10000",
        about: About::Counts,
        numeric: true,
        show: |known| shown(known.max_alert_threshold),
        read: |known, typed| {
            known.max_alert_threshold = number(typed)?;
            let crossed = known.min_alert_threshold.zip(known.max_alert_threshold).is_some_and(|(min, max)| min > max);
            let text = "This is less than the count above, so nobody would ever be told.";
            if crossed { Err(text.to_owned()) } else { Ok(()) }
        },
    },
    Term {
        key: "email_recipients",
        label: "And tell these as well",
        hint: "Addresses, with commas between them. The author is told in any case",
        about: About::Others,
        numeric: false,
        show: |known| known.email_recipients.join(", "),
        read: |known, typed| set(&mut known.email_recipients, addresses(typed)),
    },
    Term {
        key: "email_header",
        label: "What the mail begins with",
        hint: "Such as: known, but growing",
        about: About::Others,
        numeric: false,
        show: |known| known.email_header.clone().unwrap_or_default(),
        read: |known, typed| set(&mut known.email_header, Ok(given(typed))),
    },
    Term {
        key: "until",
        label: "Only until this day",
        hint: "The last day on which this holds, such as 2026-12-31. Leave it empty for ever",
        about: About::Time,
        numeric: false,
        show: |known| known.until.clone().unwrap_or_default(),
        read: |known, typed| {
            known.until = given(typed);
            let wrong = known.until.as_deref().is_some_and(|day| Timestamp::from_date(day).is_none());
            if wrong { Err("Write the day as 2026-12-31.".to_owned()) } else { Ok(()) }
        },
    },
];

fn set<T>(slot: &mut T, value: Result<T, String>) -> Result<(), String> {
    *slot = value?;
    Ok(())
}

fn shown(number: Option<u64>) -> String {
    number.map(|number| number.to_string()).unwrap_or_default()
}

fn given(typed: &str) -> Option<String> {
    (!typed.is_empty()).then(|| typed.to_owned())
}

fn number(typed: &str) -> Result<Option<u64>, String> {
    let whole = |_| "This has to be a whole number, 0 or more, or empty.".to_owned();
    if typed.is_empty() { Ok(None) } else { typed.parse().map(Some).map_err(whole) }
}

fn addresses(typed: &str) -> Result<Vec<String>, String> {
    let addresses: Vec<String> =
        typed.split([',', ';', ' ']).filter(|part| !part.is_empty()).map(str::to_owned).collect();
    match addresses.iter().find(|address| !is_address(address)) {
        Some(wrong) => Err(format!("{wrong} is no address; write them as one@example.com, two@example.com.")),
        None => Ok(addresses),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    #[test]
    fn addresses_are_checked() {
        assert_eq!(addresses("a@x.com, b@x.com"), Ok(vec!["a@x.com".to_owned(), "b@x.com".to_owned()]));
        assert!(addresses("a@x.com, x@[127.0.0.1]").is_err_and(|text| text.starts_with("x@[127.0.0.1] is no address")));
        assert!(addresses("a@x.com\0").is_err());
    }

    #[test]
    fn every_key_beside_the_place_is_a_term_and_survives_the_form() {
        let all = serde_json::to_value(Settings::with_every_key()).expect("settings are data");
        let keys = all["known_errors"][0].as_object().expect("an entry has keys").keys();
        let mut terms: Vec<&str> = TERMS.iter().map(|term| term.key).collect();
        terms.extend(["file", "function", "code"]);
        terms.sort_unstable();
        assert_eq!(keys.collect::<Vec<_>>(), terms, "a key without its term, or a term without its key");
        let known = KnownError {
            min_alert_threshold: Some(3),
            max_alert_threshold: Some(9),
            alert_every_n_occurrences: Some(2),
            email_recipients: vec!["ada@example.com".to_owned(), "grace@example.com".to_owned()],
            email_header: Some("Growing".to_owned()),
            until: Some("2026-12-31".to_owned()),
            ..KnownError::default()
        };
        let mut read = KnownError::default();
        for term in TERMS {
            let typed = (term.show)(&known);
            assert!(!typed.is_empty(), "{}", term.key);
            (term.read)(&mut read, &typed).expect(term.key);
        }
        assert_eq!(read, known);
    }
}
