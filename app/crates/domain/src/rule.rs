//! The rules in force for a repository, from its file, from labels and from pages, made ready to be
//! asked.

use super::heuristic::Heuristic;
use super::identity::squeeze;
use super::ids::RuleId;
use super::path_expression::anchored;
use super::report::Exception;
use super::routing::covers as covers_path;
use super::setting_sizes::MOST_ENTRIES;
use super::settings::{CodePattern, KnownError, Settings, is_over};
use crate::timestamp::Timestamp;
use crate::type_name::is_called;
use fancy_regex::Regex;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The shortest text, squeezed, that may stand for a longer one: `)` or `x` would match nearly
/// everything.
const SHORTEST_FRAGMENT: usize = 4;

/// Rules in force that people made in a repository on pages, by links and in terminals: as many as
/// its file may have, for each is read and compared with whatever is attributed. A label's rule has
/// an issue to itself, and those are few.
pub const MOST_MADE: usize = MOST_ENTRIES;

/// What an entry of a repository's whitelist covers, and what that means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Counted, alerted only as its thresholds say.
    KnownError(KnownError),
    /// Its caller is blamed.
    LibraryCode {
        /// The code.
        pattern: CodePattern,
        /// `YYYY-MM-DD`: the last day (UTC) on which this holds.
        until: Option<String>,
    },
}

impl Rule {
    /// A rule of a kind, by what was said of it: of library code, only what it covers and until
    /// when.
    pub fn new(kind: RuleKind, said: KnownError) -> Self {
        match kind {
            RuleKind::KnownError => Self::KnownError(said),
            RuleKind::LibraryCode => Self::LibraryCode { pattern: said.pattern(), until: said.until },
        }
    }

    /// The entries of a repository's file.
    pub fn of_file(settings: &Settings) -> Vec<Self> {
        let known = settings.known_errors.iter().cloned().map(Self::KnownError);
        let blocks = settings.building_blocks.iter().cloned();
        known.chain(blocks.map(|pattern| Self::LibraryCode { pattern, until: None })).collect()
    }

    /// Which of them it is.
    pub fn kind(&self) -> RuleKind {
        match self {
            Self::KnownError(_) => RuleKind::KnownError,
            Self::LibraryCode { .. } => RuleKind::LibraryCode,
        }
    }

    /// The code that it covers.
    pub fn pattern(&self) -> CodePattern {
        match self {
            Self::KnownError(known) => known.pattern(),
            Self::LibraryCode { pattern, .. } => pattern.clone(),
        }
    }

    /// The file in which it covers anything.
    pub fn file(&self) -> &str {
        match self {
            Self::KnownError(known) => &known.file,
            Self::LibraryCode { pattern, .. } => &pattern.file,
        }
    }

    /// The last day on which it holds, `YYYY-MM-DD`.
    pub fn until(&self) -> Option<&str> {
        match self {
            Self::KnownError(known) => known.until.as_deref(),
            Self::LibraryCode { until, .. } => until.as_deref(),
        }
    }

    /// Whether its last day is over.
    pub fn is_over(&self, now: Timestamp) -> bool {
        is_over(self.until(), now)
    }
}

/// What a rule does, without what it covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleKind {
    /// Counted, alerted only as its thresholds say.
    KnownError,
    /// Its caller is blamed.
    LibraryCode,
}

impl RuleKind {
    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::KnownError => "known_error",
            Self::LibraryCode => "library_code",
        }
    }

    /// From what is stored.
    pub fn from_stored(text: &str) -> Option<Self> {
        [Self::KnownError, Self::LibraryCode].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Where a rule that a person made came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleSource {
    /// A label on an issue.
    Label,
    /// A page, by somebody who had signed in.
    Page,
    /// The link out of a mail.
    Mail,
    /// A terminal.
    Terminal,
}

impl RuleSource {
    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Label => "label",
            Self::Page => "page",
            Self::Mail => "mail",
            Self::Terminal => "terminal",
        }
    }

    /// From what is stored.
    pub fn from_stored(text: &str) -> Option<Self> {
        [Self::Label, Self::Page, Self::Mail, Self::Terminal].into_iter().find(|origin| origin.as_str() == text)
    }
}

/// A rule that a label or a person made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeRule {
    /// Our number of it.
    pub id: RuleId,
    /// What it covers, and what that means.
    pub rule: Rule,
    /// The issue whose label made it.
    pub issue: Option<u64>,
}

/// The code at a frame, as rules see it.
#[derive(Clone, Copy, Debug)]
pub struct CodeAt<'a> {
    /// Path in the repository, or as the client named it when [`Self::inside`] is false.
    pub path: &'a str,
    /// Whether the path is one of the repository.
    pub inside: bool,
    /// Function name as the client named it.
    pub function: &'a str,
    /// Text of the line; empty where unknown.
    pub code: &'a str,
}

impl CodePattern {
    /// Whether this covers the code. File exact (for code outside the repository: the end of its
    /// path), function exact or its last part, text contained either way with white space squeezed.
    /// What the frame lacks matches nothing.
    pub fn matches(&self, at: CodeAt<'_>) -> bool {
        let (code, here) = (self.code.as_deref().map(squeeze), squeeze(at.code));
        covers((&self.file, self.function.as_deref(), code.as_deref()), at, &here)
    }

    /// The same, of a pattern whose code is squeezed, and the code's text squeezed.
    fn covers_squeezed(&self, at: CodeAt<'_>, here: &str) -> bool {
        covers((&self.file, self.function.as_deref(), self.code.as_deref()), at, here)
    }

    /// Whether what this covers is still in the file, whose text this is. Names that are no names
    /// in the text, such as `<module>`, are taken to be.
    pub fn stands_in(&self, text: &str) -> bool {
        let code = self.code.as_deref().is_none_or(|code| text.lines().any(|line| same_code(code, line)));
        let name = self.function.as_deref().and_then(|name| name.rsplit(['.', ':', '#']).next());
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let function = name.filter(|name| !name.is_empty() && name.chars().all(is_word)).is_none_or(|name| {
            text.match_indices(name)
                .any(|(at, _)| !text[..at].ends_with(is_word) && !text[at + name.len()..].starts_with(is_word))
        });
        code && function
    }

    /// How much the pattern says, to be compared: the file, a function or a text in it, or both;
    /// among equals the longer text, then the longer name of a function (`Cart.total` says more
    /// than `total`). The most specific entry wins.
    pub fn specificity(&self) -> (usize, usize, usize) {
        let said = |text: &Option<String>| text.as_deref().map_or(0, |text| squeeze(text).len());
        (
            usize::from(self.function.is_some()) + usize::from(self.code.is_some()),
            said(&self.code),
            said(&self.function),
        )
    }
}

/// Whether a file, a function and a squeezed text in it cover the code, whose text is given
/// squeezed as well: each frame of a report is compared with each entry of a file.
fn covers((file, function, code): (&str, Option<&str>, Option<&str>), at: CodeAt<'_>, here: &str) -> bool {
    let file = file.trim_start_matches("./");
    let same_file = at.path == file
        || (!at.inside && at.path.strip_suffix(file).is_some_and(|before| before.ends_with(['/', '\\'])));
    same_file
        && function.is_none_or(|function| same_function(function, at.function))
        && code.is_none_or(|code| same_squeezed(code, here))
}

/// `Order.parse` is also known as `parse`, `shop::pricing::discount` as `discount`.
fn same_function(wanted: &str, function: &str) -> bool {
    let wanted = wanted.trim();
    wanted == function
        || function.strip_suffix(wanted).is_some_and(|before| !wanted.is_empty() && before.ends_with(['.', ':', '#']))
}

fn same_code(wanted: &str, code: &str) -> bool {
    same_squeezed(&squeeze(wanted), &squeeze(code))
}

fn same_squeezed(wanted: &str, code: &str) -> bool {
    if wanted.is_empty() || code.is_empty() {
        return false;
    }
    wanted == code
        || (wanted.len() >= SHORTEST_FRAGMENT && code.contains(wanted))
        || (code.len() >= SHORTEST_FRAGMENT && wanted.contains(code))
}

/// A known error that matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownMatch {
    /// What is known.
    pub entry: KnownError,
    /// The rule behind it; `None`: the repository's file.
    pub rule: Option<RuleId>,
}

/// All rules of a repository.
#[derive(Debug, Default)]
pub struct Rules {
    /// The repository's file.
    pub settings: Settings,
    only: Vec<Regex>,
    /// Each with its squeezed code.
    known: Vec<(KnownMatch, Option<String>)>,
    /// Each with its code squeezed.
    blocks: Vec<(CodePattern, Option<RuleId>)>,
    /// The third parties of the file, with their code squeezed.
    third_parties: Vec<CodePattern>,
    issues: BTreeMap<RuleId, u64>,
    off: Vec<Heuristic>,
}

impl Rules {
    /// Puts a repository's file and its made rules together, those left out whose last day is over.
    /// A regular expression that does not compile is left out here, because validation of the file
    /// has refused it before.
    pub fn new(settings: Settings, made: Vec<MadeRule>, now: Timestamp) -> Self {
        let squeezed =
            |pattern: &CodePattern| CodePattern { code: pattern.code.as_deref().map(squeeze), ..pattern.clone() };
        let third_parties = settings.third_party_whitelist.iter().map(squeezed).collect();
        let only = settings.only_blame_filepaths_matching.iter().filter_map(|text| anchored(text).ok()).collect();
        let issues = made.iter().filter_map(|rule| Some((rule.id, rule.issue?))).collect();
        let of_file = Rule::of_file(&settings).into_iter().map(|rule| (rule, None));
        let made = made.into_iter().map(|made| (made.rule, Some(made.id)));
        let (mut known, mut blocks) = (Vec::new(), Vec::new());
        for (rule, id) in of_file.chain(made).filter(|(rule, _)| !rule.is_over(now)) {
            match rule {
                Rule::KnownError(entry) => known.push(KnownMatch { entry, rule: id }),
                Rule::LibraryCode { pattern, .. } => blocks.push((pattern, id)),
            }
        }
        // The most specific entry wins; among equals the one in the file, which is read first. How
        // specific each is, is worked out once, not at each comparison: that reads all its text.
        known.sort_by_cached_key(|found: &KnownMatch| std::cmp::Reverse(found.entry.pattern().specificity()));
        blocks.sort_by_cached_key(|(pattern, _): &(CodePattern, Option<RuleId>)| {
            std::cmp::Reverse(pattern.specificity())
        });
        let known = known.into_iter().map(|known| {
            let code = known.entry.code.as_deref().map(squeeze);
            (known, code)
        });
        let known = known.collect();
        let blocks = blocks.iter().map(|(pattern, rule)| (squeezed(pattern), *rule)).collect();
        Self { settings, only, known, blocks, third_parties, issues, off: Vec::new() }
    }

    /// The same rules, without some rules of thumb: what each of those is worth is measured so.
    pub fn without(mut self, off: &[Heuristic]) -> Self {
        self.off.extend_from_slice(off);
        self
    }

    /// Where a made rule comes from, in words.
    pub fn source(&self, rule: RuleId) -> String {
        match self.issues.get(&rule) {
            Some(issue) => format!("the rule from issue #{issue}"),
            None => "a rule that somebody made on the page".to_owned(),
        }
    }

    /// Whether a rule of thumb is in force.
    pub fn uses(&self, heuristic: Heuristic) -> bool {
        !self.off.contains(&heuristic)
    }

    /// The most specific known error that covers the code.
    pub fn known_error(&self, at: CodeAt<'_>) -> Option<&KnownMatch> {
        let here = squeeze(at.code);
        let found = self.known.iter().find(|(known, code)| {
            covers((&known.entry.file, known.entry.function.as_deref(), code.as_deref()), at, &here)
        });
        found.map(|(known, _)| known)
    }

    /// Whether the code is library code of the repository; the rule that says so, if it is not the
    /// file.
    pub fn library_code(&self, at: CodeAt<'_>) -> Option<Option<RuleId>> {
        let here = squeeze(at.code);
        self.blocks.iter().find(|(pattern, _)| pattern.covers_squeezed(at, &here)).map(|(_, rule)| *rule)
    }

    /// Whether the settings say that a file is the repository's own, whatever it looks like.
    pub fn is_own(&self, path: &str) -> bool {
        self.settings.own_code.iter().any(|entry| covers_path(entry, path))
    }

    /// Whether a traceback that passes here is dropped.
    pub fn third_party(&self, at: CodeAt<'_>) -> bool {
        let here = squeeze(at.code);
        self.third_parties.iter().any(|pattern| pattern.covers_squeezed(at, &here))
    }

    /// Whether a repository path may be blamed. An expression that takes too many steps does not
    /// match.
    pub fn may_blame(&self, path: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|regex| regex.is_match(path).unwrap_or(false))
    }

    /// Whether exceptions of this type are ignored.
    pub fn ignores(&self, exception: &Exception) -> bool {
        let ignored = &self.settings.ignored_exceptions;
        let whole = if ignored.is_empty() { return false } else { exception.dotted_name() };
        // As it was sent, too: a name may have a dot or more that is no separator.
        ignored.iter().any(|name| is_called(&whole, name) || *name == exception.kind)
    }

    /// Whether a deployed path is in a package directory.
    pub fn in_package_directory(&self, path: &str) -> bool {
        self.settings
            .report_runtime_package_directory_names
            .iter()
            .any(|name| format!("/{}", path.replace('\\', "/")).contains(&format!("/{}/", name.trim_matches('/'))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at<'a>(path: &'a str, function: &'a str, code: &'a str) -> CodeAt<'a> {
        CodeAt { path, inside: true, function, code }
    }

    fn pattern(file: &str, function: Option<&str>, code: Option<&str>) -> CodePattern {
        CodePattern { file: file.into(), function: function.map(Into::into), code: code.map(Into::into) }
    }

    #[test]
    fn a_pattern_covers_what_it_says_and_no_more() {
        let whole = pattern("shop/cart.py", None, None);
        assert!(whole.matches(at("shop/cart.py", "total", "x")));
        assert!(!whole.matches(at("other/shop/cart.py", "total", "x")));
        let function = pattern("shop/cart.py", Some("total"), None);
        assert!(function.matches(at("shop/cart.py", "total", "")));
        assert!(function.matches(at("shop/cart.py", "Cart.total", "")));
        assert!(!function.matches(at("shop/cart.py", "subtotal", "")));
        let line = pattern("shop/cart.py", Some("total"), Some("price =  items[sku]"));
        assert!(line.matches(at("shop/cart.py", "total", "    price = items[sku]  # now")));
        assert!(!line.matches(at("shop/cart.py", "total", "price = 0")));
    }

    #[test]
    fn a_blank_or_tiny_text_does_not_match_everything() {
        let line = pattern("a.py", None, Some("total(x)"));
        assert!(!line.matches(at("a.py", "f", "")), "a frame without text");
        assert!(!line.matches(at("a.py", "f", ")")), "a fragment that is in everything");
        assert!(!pattern("a.py", None, Some(")")).matches(at("a.py", "f", "total(x)")));
    }

    #[test]
    fn code_outside_the_repository_is_named_by_the_end_of_its_path() {
        let pool = pattern("sqlalchemy/pool.py", Some("do_get"), None);
        let outside = CodeAt { path: "/usr/lib/x/sqlalchemy/pool.py", inside: false, function: "do_get", code: "" };
        assert!(pool.matches(outside));
        assert!(!pool.matches(CodeAt { path: "/usr/lib/x/notsqlalchemy/pool.py", ..outside }));
    }

    #[test]
    fn the_most_specific_known_error_wins() {
        let entry = |code: Option<&str>, max| KnownError {
            file: "a.py".into(),
            code: code.map(Into::into),
            max_alert_threshold: Some(max),
            ..KnownError::default()
        };
        let settings =
            Settings { known_errors: vec![entry(None, 1), entry(Some("x = y()"), 2)], ..Settings::default() };
        let rules = Rules::new(settings, Vec::new(), Timestamp::UNIX_EPOCH);
        let found = rules.known_error(at("a.py", "f", "x = y()")).expect("matches");
        assert_eq!(found.entry.max_alert_threshold, Some(2));
    }

    #[test]
    fn what_left_the_file_is_missed() {
        let text = "def total(items):\n    price =  items[sku]\n";
        assert!(pattern("a.py", Some("Cart.total"), Some("price = items[sku]")).stands_in(text));
        assert!(pattern("a.py", None, None).stands_in(text));
        assert!(pattern("a.py", Some("<module>"), None).stands_in(text));
        assert!(!pattern("a.py", Some("tot"), None).stands_in(text));
        assert!(!pattern("a.py", Some("total"), Some("price = prices[sku]")).stands_in(text));
    }

    #[test]
    fn path_expressions_are_anchored_at_the_start() {
        let settings = Settings { only_blame_filepaths_matching: vec!["src/|lib/".into()], ..Settings::default() };
        let rules = Rules::new(settings, Vec::new(), Timestamp::UNIX_EPOCH);
        assert!(rules.may_blame("src/a.py") && rules.may_blame("lib/a.py"));
        assert!(!rules.may_blame("tests/src/a.py"));
    }

    #[test]
    fn package_directories_are_whole_components() {
        let rules = Rules::default();
        assert!(rules.in_package_directory("/srv/venv/lib/python3.11/site-packages/requests/api.py"));
        assert!(rules.in_package_directory("/home/x/.cargo/registry/src/serde/lib.rs"));
        assert!(!rules.in_package_directory("/srv/app/my_node_modules/x.js"));
    }
}
