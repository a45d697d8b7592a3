//! Addresses of our own pages: they come before those of a repository that has such a name.

use domain::names::RepositoryName;

/// The first part of each: nobody's repositories may be called so who can choose the name.
pub const FIRST_PARTS: [&str; 21] = [
    "add_known_error",
    "api",
    "auth",
    "check_health",
    "doctor",
    "get_weekly_error_report",
    "handovers",
    "healthz",
    "installed",
    "login",
    "metrics",
    "not_me",
    "readyz",
    "rules",
    "sessions",
    "setup",
    "static",
    "tunnel",
    "verdicts",
    "view_traceback",
    "why_no_line",
];

/// Those of two parts, which hide the page of a repository on GitHub that is called so; `*`: of any
/// name.
pub const OF_TWO_PARTS: [(&str, &str); 10] = [
    ("auth", "github"),
    ("auth", "logout"),
    ("handovers", "end"),
    ("rules", "edit"),
    ("rules", "end"),
    ("sessions", "end"),
    ("setup", "callback"),
    ("setup", "forget"),
    ("setup", "install"),
    ("static", "*"),
];

/// What is wrong with a name that somebody chooses, where its addresses are ours.
pub fn fault_of_name(name: &RepositoryName) -> Option<String> {
    let (owner, _) = name.as_str().split_once('/')?;
    FIRST_PARTS.iter().any(|part| part.eq_ignore_ascii_case(owner)).then(|| {
        format!(
            "{name} can't be its name, because the server has pages of its own below /{owner}: choose another one with \
             --name OWNER/NAME, whose OWNER is none of {}",
            FIRST_PARTS.join(", ")
        )
    })
}

/// Whether a page of ours stands in the place of this repository's.
pub fn hide(name: &RepositoryName) -> bool {
    let Some((owner, name)) = name.as_str().split_once('/') else { return false };
    OF_TWO_PARTS.iter().any(|(first, second)| *first == owner && (*second == "*" || *second == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_ours_are_told_from_others() {
        let fault = |name: &str| fault_of_name(&name.into());
        for ours in ["auth/github", "static/style.css", "api/shop", "Login/x"] {
            assert!(fault(ours).is_some_and(|text| text.contains("add_known_error, api, auth")), "{ours}");
        }
        assert_eq!((fault("acme/auth"), fault("authors/shop")), (None, None));
        let hidden = ["auth/github", "static/any"].map(|name| hide(&name.into()));
        let open = ["auth/shop", "api/shop", "Static/any", "acme/static"].map(|name| hide(&name.into()));
        assert_eq!((hidden, open), ([true; 2], [false; 4]));
    }
}
