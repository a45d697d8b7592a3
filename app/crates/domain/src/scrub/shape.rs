//! One shape of a secret: a pattern, what tells that it is worth a try, and what else has to hold.

use regex::Regex;
use std::sync::OnceLock;

/// One shape: its last group, or all of it, is the secret.
pub(super) struct Shape {
    /// One of these is in every text that has it, in whatever case.
    pub(super) hints: &'static [&'static str],
    pub(super) pattern: &'static str,
    /// The pattern, made when a text first has a hint: many a program never meets most of them.
    regex: OnceLock<Regex>,
    /// What else the secret has to be.
    pub(super) check: Check,
}

/// What a shape alone does not tell.
pub(super) enum Check {
    /// The value does.
    Value(fn(&str) -> bool),
    /// The name in the shape does: the groups `n` and `v`.
    Name,
}

/// A shape whose value has to be this as well.
pub(super) fn shape(hints: &'static [&'static str], pattern: &'static str, check: fn(&str) -> bool) -> Shape {
    Shape { hints, pattern, regex: OnceLock::new(), check: Check::Value(check) }
}

/// A shape that has the secret's name in it.
pub(super) fn naming(hints: &'static [&'static str], pattern: &'static str) -> Shape {
    Shape { hints, pattern, regex: OnceLock::new(), check: Check::Name }
}

impl Shape {
    /// The pattern, made.
    pub(super) fn regex(&self) -> &Regex {
        self.regex.get_or_init(|| Regex::new(self.pattern).expect("a constant pattern, compiled by a test"))
    }
}

/// For shapes that tell enough.
pub(super) fn anything(_: &str) -> bool {
    true
}
