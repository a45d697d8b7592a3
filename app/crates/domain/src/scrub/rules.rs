//! What is secret in one repository's reports: what is known everywhere, and what its settings add
//! and take back.

use super::settings::{ScrubSettings, compiled};
use super::vocabulary::HINTS;
use super::words::words;
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use regex::Regex;
use std::sync::LazyLock;

static BUILT_IN: LazyLock<Rules> = LazyLock::new(|| Rules::of(&ScrubSettings::default()));

/// What is secret, ready to be looked for.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Finds where a name that announces a secret may stand.
    hints: AhoCorasick,
    /// Names that the settings add, as words.
    added: Vec<Vec<String>>,
    /// Names that the settings take back, as words written as one.
    kept_names: Vec<String>,
    /// Values that the settings take back.
    kept_values: Vec<String>,
    /// Forms that the settings add.
    patterns: Vec<Regex>,
}

impl Rules {
    /// What is secret without any settings.
    pub fn built_in() -> &'static Self {
        &BUILT_IN
    }

    /// What is secret where these are the settings. A pattern that can't be used is left out:
    /// settings with one are never in force.
    pub fn of(settings: &ScrubSettings) -> Self {
        let added: Vec<Vec<String>> =
            settings.names.iter().map(|name| words(name)).filter(|words| !words.is_empty()).collect();
        let own = added.iter().map(|words| words[0].clone());
        let hints: Vec<String> = HINTS.iter().map(|hint| (*hint).to_owned()).chain(own).collect();
        Self {
            hints: automaton(&hints),
            added,
            kept_names: settings.keep.iter().map(|name| words(name).concat()).collect(),
            kept_values: settings.keep.iter().map(|value| value.trim().to_owned()).collect(),
            patterns: settings.patterns.iter().filter_map(|pattern| compiled(pattern).ok()).collect(),
        }
    }

    /// Where a name that announces a secret may stand in a text: byte offsets, in order.
    pub(super) fn hints<'t>(&self, text: &'t str) -> impl Iterator<Item = usize> + use<'_, 't> {
        self.hints.find_iter(text).map(|found| found.start())
    }

    /// Whether the name is worth a closer look.
    pub(super) fn may_be_secret(&self, name: &str) -> bool {
        self.hints.is_match(name)
    }

    /// Whether the settings add this name: its words stand in it, in a row.
    pub(super) fn adds_name(&self, name: &[String]) -> bool {
        self.added.iter().any(|added| {
            name.windows(added.len()).any(|row| row == added.as_slice())
                || (name.len() == 1 && name[0] == added.concat())
                || (added.len() == 1 && name.concat() == added[0])
        })
    }

    /// Whether the settings take this name back.
    pub(super) fn keeps_name(&self, name: &[String]) -> bool {
        !self.kept_names.is_empty() && self.kept_names.contains(&name.concat())
    }

    /// Whether the settings take this value back.
    pub(super) fn keeps_value(&self, value: &str) -> bool {
        self.kept_values.iter().any(|kept| kept == value.trim())
    }

    /// The forms that the settings add.
    pub(super) fn patterns(&self) -> &[Regex] {
        &self.patterns
    }
}

/// Finds any of these texts, in whatever case; of several that begin at one place, the longest.
pub(super) fn automaton(texts: &[String]) -> AhoCorasick {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::LeftmostLongest)
        .kind(Some(AhoCorasickKind::DFA))
        .build(texts)
        .expect("a few hundred short texts fit")
}
