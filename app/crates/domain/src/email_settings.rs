//! `email:` in a repository's settings: how addresses are made from commits.

use super::address::{fault_of_address, is_address, is_domain};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How addresses are made from commits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EmailSettings {
    /// Full address, or local part, to the address to be used.
    pub remap: BTreeMap<String, String>,
    /// Told of what can't be blamed, once.
    pub default_contact: Option<String>,
    /// The company's domain.
    pub domain: Option<String>,
    /// Put `domain` in place of the domain that the commit has.
    pub ignore_vcs_domain: bool,
}

impl EmailSettings {
    /// What is wrong with it: the key within `email`, and a sentence.
    pub fn faults(&self) -> Vec<(String, String)> {
        let mut faults = Vec::new();
        let mut say = |key: &str, text: String| faults.push((key.to_owned(), text));
        if let Some(text) = self.default_contact.as_deref().and_then(fault_of_address) {
            say("default_contact", text);
        }
        if let Some(domain) = self.domain.as_ref().filter(|domain| !is_domain(domain) || !domain.contains('.')) {
            say("domain", format!("{domain:?} is no domain; write it as example.com"));
        }
        if self.ignore_vcs_domain && self.domain.is_none() {
            let text = "it puts email.domain in the place of the commit's domain, and there is no email.domain";
            say("ignore_vcs_domain", text.to_owned());
        }
        for (from, to) in &self.remap {
            if let Some(text) = self.fault_of_entry(from, to) {
                say(&format!("remap.{from}"), text);
            }
        }
        faults
    }

    /// What is wrong with an entry of `remap`. What it is for may be any address that a commit can
    /// have, also one that gets no mail.
    fn fault_of_entry(&self, from: &str, to: &str) -> Option<String> {
        if from.trim().is_empty() || from.contains(['<', '>']) {
            return Some("write the address of the commit by itself, or what stands before its @".to_owned());
        }
        if to.contains('@') {
            return fault_of_address(to);
        }
        if !is_address(&format!("{to}@example.com")) {
            return Some(format!("{to:?} is no address; write it as name@example.com"));
        }
        self.domain
            .is_none()
            .then(|| format!("{to:?} has no domain, and there is no email.domain; write {to}@example.com"))
    }
}
