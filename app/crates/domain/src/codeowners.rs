//! Who owns a file, by the rules that GitHub documents for CODEOWNERS.
//!
//! <https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners>

mod pattern;

use crate::names::Login;
use pattern::{Steps, matches};

/// Where GitHub looks for the file, first found first.
pub const PLACES: [&str; 3] = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"];

/// GitHub does not read a larger file: 3 MB.
pub const MOST_BYTES: usize = 3 << 20;

/// Bytes of one line, its owners included: the longest path that systems know, and more people than
/// anybody asks. Longer lines are passed over, as those that GitHub finds wrong.
const LONGEST_LINE: usize = 8 << 10;

/// An owner as the file names one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// `@login`.
    User(Login),
    /// `@org/team`.
    Team {
        /// The organization's login.
        org: Login,
        /// The team's short name.
        slug: String,
    },
    /// `name@example.com`.
    Email(String),
}

impl Owner {
    /// The owner as written.
    pub fn name(&self) -> String {
        match self {
            Self::User(login) => format!("@{login}"),
            Self::Team { org, slug } => format!("@{org}/{slug}"),
            Self::Email(email) => email.clone(),
        }
    }

    fn parse(word: &str) -> Option<Self> {
        let usable = |part: &str| !part.is_empty() && !part.contains(['@', '/']);
        if let Some(name) = word.strip_prefix('@') {
            return match name.split_once('/') {
                Some((org, slug)) => {
                    (usable(org) && usable(slug)).then(|| Self::Team { org: org.into(), slug: slug.to_owned() })
                }
                None => usable(name).then(|| Self::User(name.into())),
            };
        }
        let (local, domain) = word.split_once('@')?;
        (usable(local) && usable(domain)).then(|| Self::Email(word.to_owned()))
    }
}

/// The line of the file that says whose a path is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned {
    /// The pattern as written.
    pub pattern: String,
    /// One-based line of the file.
    pub line: usize,
    /// Its owners, in their order; empty: the path is nobody's.
    pub owners: Vec<Owner>,
}

/// A file that is too much to be read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMuch;

/// The last line that matches a path from the repository's root; `None` where none does. Lines that
/// GitHub finds wrong are passed over, as it does. It takes up to some tenths of a second, so it is
/// nothing for a thread on which others wait.
///
/// # Errors
/// The file is larger than GitHub reads, or its patterns take more steps than a file may.
pub fn owners_of(text: &str, path: &str) -> Result<Option<Owned>, TooMuch> {
    owners_within(text, path, &mut Steps::of_a_file())
}

fn owners_within(text: &str, path: &str, steps: &mut Steps) -> Result<Option<Owned>, TooMuch> {
    if text.len() > MOST_BYTES {
        return Err(TooMuch);
    }
    steps.take(text.len())?;
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let last = text.lines().count();
    for (after, line) in text.lines().rev().enumerate() {
        let Some((pattern, owners)) = rule(line) else { continue };
        if matches(&pattern, &parts, steps)? {
            return Ok(Some(Owned { pattern, line: last - after, owners }));
        }
    }
    Ok(None)
}

/// The pattern and owners of a line. `None`: it is empty, a comment, or nothing that GitHub
/// understands.
fn rule(line: &str) -> Option<(String, Vec<Owner>)> {
    if line.len() > LONGEST_LINE {
        return None;
    }
    let mut words = words(line).into_iter();
    let pattern = words.next()?;
    // Negation, character ranges and an escaped # at the beginning do not work in this file.
    if pattern.starts_with('!') || pattern.starts_with("\\#") || pattern.contains(['[', ']']) || pattern.contains("***")
    {
        return None;
    }
    let owners = words.map(|word| Owner::parse(&word)).collect::<Option<Vec<_>>>()?;
    Some((pattern, owners))
}

/// The words of a line up to a comment. A space after a backslash belongs to its word; the
/// backslash stays.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut escaped = false;
    for c in line.chars() {
        match c {
            _ if escaped => {
                word.push(c);
                escaped = false;
            }
            '\\' => {
                word.push(c);
                escaped = true;
            }
            '#' if word.is_empty() => break,
            c if c.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            c => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of GitHub's documentation, in its order.
    const EXAMPLE: &str = "\
# This is a comment.
*       @global-owner1 @global-owner2
*.js    @js-owner #This is an inline comment.
*.go docs@example.com
*.txt @octo-org/octocats
/build/logs/ @doctocat
docs/* docs@example.com
apps/ @octocat
/docs/ @doctocat
/scripts/ @doctocat @octocat
**/logs @octocat
/apps/ @octocat
/apps/github
";

    fn owners(text: &str, path: &str) -> String {
        match owners_of(text, path).unwrap() {
            None => "no line".to_owned(),
            Some(owned) if owned.owners.is_empty() => "nobody".to_owned(),
            Some(owned) => owned.owners.iter().map(Owner::name).collect::<Vec<_>>().join(" "),
        }
    }

    #[test]
    fn the_example_of_the_documentation_says_what_it_says_there() {
        for (path, expected) in [
            ("README.md", "@global-owner1 @global-owner2"),
            ("src/deep/app.js", "@js-owner"),
            ("main.go", "docs@example.com"),
            ("notes/a.txt", "@octo-org/octocats"),
            ("build/logs/today.txt", "@octocat"),
            ("src/build/logs/today.xml", "@octocat"),
            ("docs/getting-started.md", "@doctocat"),
            ("docs/build-app/troubleshooting.md", "@doctocat"),
            ("sub/apps/x.py", "@octocat"),
            ("scripts/deploy/run.sh", "@doctocat @octocat"),
            ("deeply/nested/logs/x", "@octocat"),
            ("apps/web/x.py", "@octocat"),
            ("apps/github/x.py", "nobody"),
            ("apps/github", "nobody"),
        ] {
            assert_eq!(owners(EXAMPLE, path), expected, "{path}");
        }
    }

    #[test]
    fn patterns_match_as_github_says() {
        // Pattern, a path, whether it matches.
        for (pattern, path, expected) in [
            ("*", "a/b/c", true),
            ("*.js", "a/b.js", true),
            ("*.js", "a/b.jsx", false),
            ("docs/*", "docs/a.md", true),
            ("docs/*", "docs/a/b.md", false),
            ("docs/*", "x/docs/a.md", false),
            ("docs/**", "docs/a/b.md", true),
            ("docs/**/*.md", "docs/b.md", true),
            ("docs/**/*.md", "docs/a/c/b.md", true),
            ("apps/", "x/y/apps/z", true),
            ("apps/", "apps", false),
            ("/apps/", "x/apps/z", false),
            ("/apps", "apps/x/y", true),
            ("apps/web", "apps/web/x", true),
            ("apps/web", "x/apps/web", false),
            ("**/logs", "logs/x", true),
            ("**/logs", "a/b/logs", true),
            ("**/logs", "a/catalogs", false),
            ("**", "a", true),
            ("/**", "a/b", true),
            ("/*", "a", true),
            ("/*", "a/b", false),
            ("/", "a", false),
            ("a/**/z", "a/z", true),
            ("a/**/z", "a/b/c/z", true),
            ("a/**/z", "a/bz", false),
            ("file?.py", "file1.py", true),
            ("file?.py", "file10.py", false),
            ("Shop/", "shop/x.py", false),
            ("with\\ space/", "with space/x", true),
            ("a\\*b", "a*b", true),
            ("a\\*b", "axb", false),
            ("src/*/test_*.py", "src/a/test_b.py", true),
            ("src/*/test_*.py", "src/a/b/test_b.py", false),
            ("src/*/gen", "src/a/gen/x.py", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
        ] {
            let found = owners_of(&format!("{pattern} @x\n"), path).unwrap().is_some();
            assert_eq!(found, expected, "{pattern} on {path}");
        }
    }

    #[test]
    fn the_last_line_wins_and_wrong_lines_are_passed_over() {
        assert_eq!(owners("*.py @a\n/shop/ @b\n", "shop/x.py"), "@b");
        assert_eq!(owners("/shop/ @b\n*.py @a\n", "shop/x.py"), "@a");
        assert_eq!(owners("* @a\r\n/shop/\r\n", "shop/x.py"), "nobody");
        for wrong in
            ["!*.py @b", "[a-z].py @b", "\\#x.py @b", "*.py b", "*.py @", "*.py @b/", "*.py @b/c/d", "*.py @b @@c"]
        {
            assert_eq!(owners(&format!("* @a\n{wrong}\n"), "x.py"), "@a", "{wrong}");
        }
        assert_eq!(owners("\u{feff}# top\n\n   \n* @a # why\n", "x"), "@a");
        assert_eq!(owners("* @a #@b\n", "x"), "@a");
        assert_eq!(owners("a#b @a\n", "a#b"), "@a");
        assert_eq!(owners("", "x"), "no line");
        let owned = owners_of("# one\n*.py @a/b c@d.org\n", "x.py").unwrap().unwrap();
        assert_eq!((owned.pattern.as_str(), owned.line), ("*.py", 2));
        assert_eq!(owned.owners[0], Owner::Team { org: "a".into(), slug: "b".into() });
        assert_eq!(owned.owners[1], Owner::Email("c@d.org".into()));
    }

    #[test]
    fn characters_are_what_a_question_mark_and_a_star_stand_for() {
        for (pattern, path, expected) in [
            ("caf?.py", "café.py", true),
            ("caf??.py", "café.py", false),
            ("*é.py", "créé.py", true),
            ("*?é", "éé", true),
            ("*?é", "é", false),
            ("a\\é", "aé", true),
            ("**/**/a/**/*", "x/a/b/c", true),
            ("**/a/b/*", "a/b/a/b/c", true),
            ("a/**/b/*", "a/b/x/b", false),
            ("a/**/b/**", "a/b", false),
        ] {
            let found = owners_of(&format!("{pattern} @x\n"), path).unwrap().is_some();
            assert_eq!(found, expected, "{pattern} on {path}");
        }
    }

    #[test]
    fn a_file_that_github_does_not_read_owns_nothing() {
        let mut text = "* @a\n".to_owned();
        text.push_str(&"# filler\n".repeat(MOST_BYTES / 9 + 1));
        assert_eq!(owners_of(&text, "x"), Err(TooMuch));
        let long = format!("{} @a\n", "a".repeat(LONGEST_LINE));
        assert_eq!(owners_of(&long, &"a".repeat(LONGEST_LINE)), Ok(None));
    }

    /// Steps that a file takes, and whether they were enough.
    fn steps(text: &str, path: &str) -> (usize, bool) {
        let mut steps = Steps::of_a_file();
        let found = owners_within(text, path, &mut steps);
        (pattern::MOST_STEPS - steps.0, found.is_ok())
    }

    #[test]
    fn no_pattern_tries_every_way() {
        // Each takes the product of what it has and what the path has, at most.
        for (pattern, path) in [
            (format!("{}b", "a*".repeat(60)), "a".repeat(5_000)),
            (format!("{}b", "**/a/".repeat(60)), "a/".repeat(500)),
            (format!("**/{}zz", "*/".repeat(4_080)), format!("{}f.py", "a/".repeat(1_900))),
            (format!("{}zz", "**/*/".repeat(1_000)), format!("{}f.py", "a/".repeat(1_900))),
        ] {
            let (taken, is_enough) = steps(&format!("{pattern} @a\n"), &path);
            assert!(is_enough && taken <= 2 * pattern.len() * path.len().min(500), "{taken} for {pattern:.20}");
        }
    }

    #[test]
    fn a_file_made_to_be_read_slowly_ends_at_its_budget() {
        let line = format!("**/{}zz o@x.com\n", "*/".repeat(950));
        let text = line.repeat(MOST_BYTES / line.len());
        let path = format!("{}f.py", "a/".repeat(1_900));
        assert_eq!(owners_of(&text, &path), Err(TooMuch));
        // What is honest comes to its end: the largest file, and a path as deep as any.
        let honest = "/services/payments/**/*_handler.py @acme/payments-core @ada\n";
        let (taken, is_enough) = steps(&honest.repeat(MOST_BYTES / honest.len()), &"services/payments/a/".repeat(4));
        assert!(is_enough && taken < 20_000_000, "{taken}");
    }
}
