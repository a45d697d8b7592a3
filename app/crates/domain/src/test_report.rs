//! A test report: the line that it fails at, and what it would have led to.

use super::alert::{Place, Recipient};
use super::blame::Blame;
use super::commit::CommitId;
use super::identity::squeeze;
use super::names::Login;
use super::no_line::Reason;
use super::rule::Rules;
use serde::{Deserialize, Serialize};

/// Type of a test report's exception: nobody takes it for one of the application's own.
pub const TEST_EXCEPTION: &str = "FlawlessTestReport";
/// Message of a test report's exception.
pub const TEST_MESSAGE: &str = "sent by hand, to see reports arrive: nothing has failed";

/// A line with fewer characters, squeezed, is a bracket or an `else`: no line to show a blame on.
const TELLING_LINE: usize = 8;
/// Lines before and after the failing one that a test report carries, as SDKs do.
const AROUND: usize = 5;

/// Endings of files with code, and what the Sentry protocol calls the language.
const CODE: &[(&str, &str)] = &[
    ("c", "native"),
    ("cc", "native"),
    ("cpp", "native"),
    ("cs", "csharp"),
    ("ex", "elixir"),
    ("go", "go"),
    ("java", "java"),
    ("js", "node"),
    ("jsx", "node"),
    ("kt", "java"),
    ("mjs", "node"),
    ("php", "php"),
    ("pl", "perl"),
    ("py", "python"),
    ("rb", "ruby"),
    ("rs", "native"),
    ("scala", "java"),
    ("ts", "node"),
    ("tsx", "node"),
];

/// Directories whose code is seldom what fails in production, or is somebody else's.
const ASIDE: &[&str] =
    &["docs", "example", "examples", "node_modules", "spec", "test", "tests", "third_party", "vendor", "vendored"];

/// What a line begins with that does little by itself; a line that does something makes a better
/// example.
const IDLE: &[&str] = &[
    "#",
    "//",
    "/*",
    "*",
    "--",
    "\"\"\"",
    "'''",
    "<!--",
    "<?php",
    "import ",
    "from ",
    "use ",
    "using ",
    "package ",
    "require",
    "include",
    "module ",
    "namespace ",
    "raise",
    "throw ",
];

/// A line of the repository for a test report to fail at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestLine {
    /// The commit that it was read at.
    pub commit: CommitId,
    /// What the Sentry protocol calls its language.
    pub platform: &'static str,
    /// Path from the repository's root.
    pub path: String,
    /// One-based line.
    pub line: u32,
    /// Its text.
    pub code: String,
    /// The lines before it.
    pub before: Vec<String>,
    /// The lines after it.
    pub after: Vec<String>,
}

/// What a test report came to, and what a real one would have led to. Nothing of it was sent or
/// counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestReport {
    /// The line that was blamed; `None`: none could be.
    pub place: Option<Place>,
    /// The commit that was looked at.
    pub revision: Option<CommitId>,
    /// Who wrote the line.
    pub blame: Option<Blame>,
    /// Why no line was blamed, or nobody for it.
    #[serde(default)]
    pub no_line: Option<Reason>,
    /// Why no line was found where that is so; what was looked at, passed over and decided, in
    /// plain sentences.
    pub verdict: Vec<String>,
    /// Who would get a mail.
    pub mails: Vec<Recipient>,
    /// How mail goes out, or why it would not arrive.
    pub mail: Way,
    /// Which issue would be filed.
    pub issue: IssuePlan,
    /// Why nobody would be told at the first such report, where that is so.
    pub silent: Option<String>,
    /// Nor would anybody at a later one: there is no mail and no issue.
    #[serde(default)]
    pub is_never_told: bool,
}

/// Whether a channel is open, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// It is.
    pub open: bool,
    /// How it is.
    pub text: String,
}

/// The issue that a line would get.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum IssuePlan {
    /// None: a plain git repository has no issues.
    #[default]
    None,
    /// A file of the outbox directory, because no App is configured.
    File,
    /// One on GitHub.
    OnGitHub {
        /// Whom it would be assigned to.
        login: Option<Login>,
        /// What keeps it from being filed or assigned.
        trouble: Option<String>,
    },
}

/// The files of a repository that a test report may fail in, the best first: code that may be
/// blamed, near the root.
pub fn test_files(mut files: Vec<String>, rules: &Rules) -> Vec<String> {
    // Settings that let nothing be blamed are found out by trying one of the others.
    if files.iter().any(|path| rules.may_blame(path)) {
        files.retain(|path| rules.may_blame(path));
    }
    let rank = |path: &str| {
        let aside = path.split('/').any(|part| ASIDE.contains(&part.to_ascii_lowercase().as_str()));
        (!is_code(path), aside, path.starts_with('.'), path.split('/').count() == 1, path.split('/').count())
    };
    files.sort_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| a.cmp(b)));
    files
}

/// The line of a file that a test report fails at: the first that does something, else the first
/// with some text.
pub fn test_line(commit: &CommitId, path: &str, lines: &[String]) -> Option<TestLine> {
    let telling = |text: &str| squeeze(text).len() >= TELLING_LINE && text.chars().any(char::is_alphanumeric);
    let does = |text: &str| !IDLE.iter().any(|begin| text.trim_start().starts_with(begin));
    let at = lines
        .iter()
        .position(|text| telling(text) && does(text))
        .or_else(|| lines.iter().position(|text| telling(text)))?;
    Some(TestLine {
        commit: commit.clone(),
        platform: language(path).unwrap_or("other"),
        path: path.to_owned(),
        line: u32::try_from(at + 1).ok()?,
        code: lines[at].clone(),
        before: lines[at.saturating_sub(AROUND)..at].to_vec(),
        after: lines[at + 1..(at + 1 + AROUND).min(lines.len())].to_vec(),
    })
}

fn language(path: &str) -> Option<&'static str> {
    let (_, ending) = path.rsplit_once('.')?;
    CODE.iter().find(|(known, _)| known.eq_ignore_ascii_case(ending)).map(|(_, language)| *language)
}

fn is_code(path: &str) -> bool {
    language(path).is_some()
}

#[cfg(test)]
mod tests {
    use super::super::settings::Settings;
    use super::*;
    use crate::timestamp::Timestamp;

    fn files(paths: &[&str], only: &[&str]) -> Vec<String> {
        let only = only.iter().map(|text| (*text).to_owned()).collect();
        let rules = Rules::new(
            Settings { only_blame_filepaths_matching: only, ..Settings::default() },
            Vec::new(),
            Timestamp::UNIX_EPOCH,
        );
        test_files(paths.iter().map(|path| (*path).to_owned()).collect(), &rules)
    }

    #[test]
    fn code_that_may_be_blamed_comes_first() {
        let all = ["README.md", "tests/a.py", "setup.py", "shop/deep/er.py", "shop/cart.py", ".github/flawless.yml"];
        assert_eq!(files(&all, &[])[..3], ["shop/cart.py", "shop/deep/er.py", "setup.py"]);
        assert_eq!(files(&all, &["shop/deep/"]), ["shop/deep/er.py"]);
        assert_eq!(files(&all, &["src/"]).len(), all.len(), "then the verdict says that settings leave it out");
    }

    #[test]
    fn a_line_that_does_something_is_taken() {
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let text = "#!/usr/bin/env python\n\"\"\"Carts.\"\"\"\nimport os\n\nPRICES = {'apple': 120}\n\ndef f():\n";
        let line = test_line(&CommitId::new("c"), "shop/cart.py", &lines(text)).expect("a line");
        assert_eq!((line.line, line.code.as_str(), line.platform), (5, "PRICES = {'apple': 120}", "python"));
        assert_eq!((line.before.len(), line.after.len()), (4, 2));
        let only_words = test_line(&CommitId::new("c"), "README", &lines("# Title of it\n")).expect("a line");
        assert_eq!((only_words.line, only_words.platform), (1, "other"));
        assert_eq!(test_line(&CommitId::new("c"), "a.py", &lines("\n}\n----------\n")), None);
    }
}
