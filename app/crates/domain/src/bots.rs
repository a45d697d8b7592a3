//! Which authors are programs.

use crate::blame::Author;

/// Accounts that are programs and do not say so: GitHub's own, dependency updaters, release tools.
/// Compared without case, with `-`, `_` and spaces alike.
const BOTS: &[&str] = &[
    "allcontributors",
    "azure pipelines",
    "bors",
    "circleci",
    "codecov",
    "dependabot",
    "dependabot preview",
    "github",
    "github action",
    "github actions",
    "gitlab ci",
    "greenkeeper",
    "homu",
    "imgbot",
    "jenkins",
    "mergify",
    "pre commit ci",
    "pyup",
    "release please",
    "release script",
    "release scripts",
    "renovate",
    "semantic release",
    "snyk",
    "travis ci",
    "web flow",
];

/// Addresses that programs commit with.
const BOT_ADDRESSES: &[&str] = &[
    "noreply@github.com",
    "github-actions@github.com",
    "action@github.com",
    "actions@github.com",
    "support@dependabot.com",
    "bot@renovateapp.com",
    "noreply@renovatebot.com",
    "bors@bors.tech",
];

/// Whether a commit's author is a program, by name and address.
pub fn is_bot(author: &Author) -> bool {
    let email = author.email.trim().to_ascii_lowercase();
    let login = author.noreply().map(|noreply| noreply.login);
    BOT_ADDRESSES.contains(&email.as_str())
        || is_bot_name(&author.name)
        || login.is_some_and(|it| is_bot_name(it.as_str()))
}

/// Whether a login or display name is a program's.
pub fn is_bot_name(name: &str) -> bool {
    let name = name.trim().to_lowercase();
    if name.ends_with("[bot]") || name.starts_with("app/") {
        return true;
    }
    let words: Vec<&str> = name.split(['-', '_', ' ']).filter(|word| !word.is_empty()).collect();
    // `bot` as a word of its own: Talbot and Abbot are people.
    let is_said = words.len() > 1 && words.last() == Some(&"bot") || words == ["bot"];
    is_said || BOTS.contains(&words.join(" ").as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn author(name: &str, email: &str) -> Author {
        Author { name: name.into(), email: email.into() }
    }

    #[test]
    fn programs_are_told_from_people() {
        for (name, email) in [
            ("dependabot[bot]", "49699333+dependabot[bot]@users.noreply.github.com"),
            ("GitHub", "noreply@github.com"),
            ("Renovate Bot", "bot@renovateapp.com"),
            ("renovate", "renovate@example.com"),
            ("github-actions", "x@example.com"),
            ("GitHub Actions", "actions@example.com"),
            ("acme-release-bot", "ci@example.com"),
            ("Release Script", "ci@example.com"),
            ("Somebody", "41898282+github-actions[bot]@users.noreply.github.com"),
            ("Somebody", "GitHub-Actions@github.com"),
            ("bot", "x@example.com"),
        ] {
            assert!(is_bot(&author(name, email)), "{name} <{email}>");
        }
        for (name, email) in [
            ("Ada Lovelace", "ada@example.com"),
            ("Grace Talbot", "talbot@example.com"),
            ("Jean Abbot", "1+abbot@users.noreply.github.com"),
            ("Robot", "robot@example.com"),
            ("Jenkins Jones", "jones@example.com"),
            ("", ""),
        ] {
            assert!(!is_bot(&author(name, email)), "{name} <{email}>");
        }
    }
}
