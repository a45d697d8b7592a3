//! Which authors are programs.

use crate::blame::Author;
use crate::names::Login;

/// Accounts that are programs and do not say so: GitHub's own, dependency updaters, release tools,
/// and what writes code for whoever asks it to.
/// Compared without case, with `-`, `_` and spaces alike.
const BOTS: &[&str] = &[
    "aider",
    "allcontributors",
    "azure pipelines",
    "bors",
    "circleci",
    "claude",
    "claude code",
    "codecov",
    "codex",
    "copilot",
    "copilot swe agent",
    "cursor agent",
    "dependabot",
    "dependabot preview",
    "devin ai",
    "devin ai integration",
    "gemini cli",
    "gemini code assist",
    "github",
    "github action",
    "github actions",
    "github copilot",
    "gitlab ci",
    "google labs jules",
    "greenkeeper",
    "homu",
    "imgbot",
    "jenkins",
    "mergify",
    "openai codex",
    "opencode",
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
    "noreply@anthropic.com",
    "noreply@openai.com",
    "cursoragent@cursor.com",
    "noreply@aider.chat",
    "aider@aider.chat",
    "amp@ampcode.com",
    "copilot@github.com",
];

/// Whether a commit's author is a program, by name and address.
pub fn is_bot(author: &Author) -> bool {
    let email = author.email.trim().to_ascii_lowercase();
    let login = author.noreply().map(|noreply| noreply.login);
    // With GitHub's own address some commit whose name says who they are.
    let is_somebody = email == "noreply@github.com" && author.name.split_whitespace().count() > 1;
    (BOT_ADDRESSES.contains(&email.as_str()) && !is_somebody)
        || is_bot_name(&author.name)
        || login.is_some_and(|it| is_bot_name(it.as_str()))
}

/// Whether a repository's settings name somebody as a program (`bots`): by name or login, compared
/// as other names of programs are, or by address.
pub fn is_named_bot(bots: &[String], author: &Author, login: Option<&Login>) -> bool {
    let noreply = author.noreply().map(|noreply| noreply.login);
    let logins = [login, noreply.as_ref()];
    let names = logins.into_iter().flatten().map(Login::as_str).chain([author.name.as_str()]);
    let names: Vec<String> = names.map(squeezed).filter(|name| !name.is_empty()).collect();
    bots.iter().any(|bot| {
        let is_address = author.email.trim().eq_ignore_ascii_case(bot.trim());
        (is_address && !bot.trim().is_empty()) || names.contains(&squeezed(bot.trim_start_matches('@')))
    })
}

/// A name without case, and with `-`, `_` and spaces alike.
fn squeezed(name: &str) -> String {
    let name = name.trim().to_lowercase();
    name.split(['-', '_', ' ']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
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
    fn the_settings_name_further_ones_by_name_login_or_address() {
        let bots = ["Deploy Robot", "@acme-sync", "robots@acme.dev"].map(str::to_owned);
        let named = |name: &str, email: &str| is_named_bot(&bots, &author(name, email), None);
        assert!(named("deploy-robot", "x@acme.dev") && named("X", "Robots@acme.dev"));
        assert!(named("X", "1+acme-sync@users.noreply.github.com"));
        assert!(is_named_bot(&bots, &Author::default(), Some(&"Acme-Sync".into())));
        assert!(!named("Deploy", "ada@acme.dev") && !named("", "") && !named("X", "robots@acme.com"));
        assert!(!is_named_bot(&[String::new()], &Author::default(), None));
    }

    #[test]
    fn programs_are_told_from_people() {
        for (name, email) in [
            ("dependabot[bot]", "49699333+dependabot[bot]@users.noreply.github.com"),
            ("GitHub", "noreply@github.com"),
            ("GitHub Actions", "noreply@github.com"),
            ("Web", "noreply@github.com"),
            ("Amp", "amp@ampcode.com"),
            ("Renovate Bot", "bot@renovateapp.com"),
            ("renovate", "renovate@example.com"),
            ("github-actions", "x@example.com"),
            ("GitHub Actions", "actions@example.com"),
            ("acme-release-bot", "ci@example.com"),
            ("Release Script", "ci@example.com"),
            ("Somebody", "41898282+github-actions[bot]@users.noreply.github.com"),
            ("Somebody", "GitHub-Actions@github.com"),
            ("bot", "x@example.com"),
            ("Claude", "noreply@anthropic.com"),
            ("claude", "claude@acme.dev"),
            ("Claude Opus", "noreply@anthropic.com"),
            ("Copilot", "198982749+Copilot@users.noreply.github.com"),
            ("Cursor Agent", "cursoragent@cursor.com"),
            ("aider (gpt-4o)", "noreply@aider.chat"),
        ] {
            assert!(is_bot(&author(name, email)), "{name} <{email}>");
        }
        for (name, email) in [
            ("Ada Lovelace", "ada@example.com"),
            ("Grace Talbot", "talbot@example.com"),
            ("Jean Abbot", "1+abbot@users.noreply.github.com"),
            ("Robot", "robot@example.com"),
            ("Jenkins Jones", "jones@example.com"),
            ("Ada Lovelace", "noreply@github.com"),
            ("Claude Shannon", "claude@acme.dev"),
            ("Devin Jones", "devin@acme.dev"),
            ("", ""),
        ] {
            assert!(!is_bot(&author(name, email)), "{name} <{email}>");
        }
    }
}
