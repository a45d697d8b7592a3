//! `scrub:` in a repository's settings: what else is hidden in its reports, and what is not.

use super::words::{MAX_NAME, words};
use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

/// Entries of each list: a repository names what is its own, and every text is compared with all.
const MAX_ENTRIES: usize = 100;

/// Patterns: each is another look at every text of a new report.
const MAX_PATTERNS: usize = 20;

/// Characters of a pattern or a kept text: those of known forms have fewer than a hundred.
const MAX_LENGTH: usize = 500;

/// Bytes that a pattern may need once it is compiled: `\w{1000}` would take more than all else.
const MAX_COMPILED: usize = 256 * 1024;

/// Texts that have nothing in common but that they are ordinary: short ones and long ones. What
/// matches all of either would hide everything.
const ORDINARY: [[&str; 4]; 2] = [
    ["error", "file", "shop", "and"],
    ["the order could not be saved", "no such file or directory", "division by zero", "list index out of range"],
];

/// What a repository adds to scrubbing, and what it takes back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScrubSettings {
    /// Names that hold secrets as well, as words: `customer_ref` is `customerRef` too.
    pub names: Vec<String>,
    /// Regular expressions for what is secret by its form; of one with a group, the first group.
    pub patterns: Vec<String>,
    /// Names that hold no secret here, and values that are none: `session_id`, a test card.
    pub keep: Vec<String>,
}

impl ScrubSettings {
    /// What is wrong with it: the key within `scrub`, and a sentence.
    pub fn faults(&self) -> Vec<(String, String)> {
        let mut faults = Vec::new();
        for (key, list, most) in [
            ("names", &self.names, MAX_ENTRIES),
            ("patterns", &self.patterns, MAX_PATTERNS),
            ("keep", &self.keep, MAX_ENTRIES),
        ] {
            if list.len() > most {
                faults.push((key.to_owned(), format!("there are {} entries; {most} are the most", list.len())));
            }
        }
        let named = |key: &str, at: usize, text: String| (format!("{key}[{at}]"), text);
        for (at, name) in self.names.iter().enumerate() {
            let text = match words(name) {
                words if words.concat().chars().count() < 2 => "it has to have two letters or more".to_owned(),
                _ if name.len() > MAX_NAME => format!("it is longer than {MAX_NAME} bytes: no name of a variable is"),
                _ => continue,
            };
            faults.push(named("names", at, text));
        }
        for (at, pattern) in self.patterns.iter().enumerate() {
            if let Err(text) = compiled(pattern) {
                faults.push(named("patterns", at, text));
            }
        }
        for (at, kept) in self.keep.iter().enumerate() {
            if kept.trim().is_empty() || kept.len() > MAX_LENGTH {
                let text = format!("it has to be a name or a value of 1 to {MAX_LENGTH} bytes");
                faults.push(named("keep", at, text));
            }
        }
        faults
    }
}

/// A pattern, ready to use, or why it is not used. No search for it can take more than linear time:
/// that is why look-around and back-references are none.
pub(super) fn compiled(pattern: &str) -> Result<Regex, String> {
    if pattern.len() > MAX_LENGTH {
        return Err(format!("it is longer than {MAX_LENGTH} bytes"));
    }
    let regex = RegexBuilder::new(pattern).size_limit(MAX_COMPILED).dfa_size_limit(8 * MAX_COMPILED).build();
    let regex = regex.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "it takes too much memory: repeat less often, as in {1,50}".to_owned(),
        error => {
            let text = error.to_string();
            let why = text.lines().last().unwrap_or_default().trim().trim_start_matches("error: ");
            format!("{pattern:?} is no regular expression that can be used here: {why}")
        }
    })?;
    if regex.is_match("") {
        return Err(format!("{pattern:?} matches the empty text, so it would hide everything"));
    }
    if let Some([one, another, ..]) = ORDINARY.iter().find(|texts| texts.iter().all(|text| regex.is_match(text))) {
        return Err(format!(
            "{pattern:?} matches any ordinary text, as {one:?} and {another:?}, so it would hide everything; write what \
             only secrets have, as cust_[0-9]{{8}}"
        ));
    }
    Ok(regex)
}
