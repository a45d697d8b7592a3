//! Addresses that nobody reads: of machines, of documents, and what a program puts where it knows
//! none.

use super::address::is_address;

/// What stands before the `@` of addresses by which machines commit, whatever the host. Compared
/// without `-`, `_`, `.` and `+`.
const MACHINES: &[&str] = &[
    "autobuild",
    "automation",
    "azuredevops",
    "buildbot",
    "build",
    "buildkite",
    "ci",
    "cibot",
    "circleci",
    "deploy",
    "deployer",
    "donotreply",
    "ec2user",
    "githubactions",
    "gitlabci",
    "jenkins",
    "jenkinsci",
    "localhost",
    "mailerdaemon",
    "nobody",
    "none",
    "noreply",
    "null",
    "release",
    "releases",
    "root",
    "runner",
    "semanticrelease",
    "svcci",
    "teamcity",
    "travis",
    "ubuntu",
    "unknown",
    "vagrant",
    "wwwdata",
];

/// The same where no name of two words or more stands beside it: people give such addresses to what
/// they sign up for (`Ada Lovelace <github@lovelace.dev>`), and some are called so.
const MACHINES_WITHOUT_NAME: &[&str] = &["builder", "github", "gitlab"];

/// Ends of hosts' names that no mail server of the world looks up.
const NOWHERE: &[&str] = &[
    "arpa",
    "corp",
    "home",
    "internal",
    "intranet",
    "invalid",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "onion",
    "private",
    "test",
    "workgroup",
];

/// Domains of documents and of what git suggests: nobody reads what is sent there.
const PLACEHOLDERS: &[&str] = &["example.com", "example.net", "example.org", "domain.com", "yourdomain.com"];

/// Whether an address is no person's: a machine's, by its name or its host, or none at all. What
/// stands in a commit made on a person's own machine without a setting (`ada@macbook.local`) is
/// one as well: it says who, but reaches nobody.
pub fn is_unread(email: &str) -> bool {
    let email = email.trim().to_lowercase();
    let Some((local, host)) = email.rsplit_once('@') else { return true };
    let host = host.trim_end_matches('.');
    let ends_nowhere = host.rsplit('.').next().is_none_or(|last| NOWHERE.contains(&last));
    // A host without a dot is one of the network in which the commit was made.
    !is_address(&email) || !host.contains('.') || ends_nowhere || is_noreply(local, host) || is_machine_name(local)
}

/// Whether somebody's address is a machine's by its name, wherever it is: `ci@acme.example` may be
/// read, but not by whoever wrote the commit.
pub fn is_machines(name: &str, email: &str) -> bool {
    let email = email.trim().to_lowercase();
    let is_account = |host: &str| host.starts_with("users.noreply.");
    let has_full_name = name.split_whitespace().count() > 1;
    let is_machine = |local: &str| {
        is_machine_name(local) || (!has_full_name && MACHINES_WITHOUT_NAME.contains(&squeezed(local).as_str()))
    };
    email.rsplit_once('@').is_some_and(|(local, host)| !is_account(host) && is_machine(local))
}

/// Whether an address stands for any: those of documents. Mail is sent there only where the same
/// person has no other.
pub fn is_placeholder(email: &str) -> bool {
    let email = email.trim().to_lowercase();
    email.rsplit_once('@').is_some_and(|(_, host)| PLACEHOLDERS.contains(&host))
}

/// Whether a name before an `@` is a machine's: `ci`, `root`, `jenkins`.
fn is_machine_name(local: &str) -> bool {
    // Jenkins is a family name as well: `jenkins.jones`.
    let is_jenkins = local.strip_prefix("jenkins").is_some_and(|rest| rest.starts_with(['+', '-', '_']));
    let first = local.split(['+', '.', '-', '_']).next().unwrap_or_default();
    MACHINES.contains(&squeezed(local).as_str()) || is_jenkins || first == "noreply"
}

fn squeezed(local: &str) -> String {
    local.chars().filter(|c| !matches!(c, '-' | '_' | '.' | '+')).collect()
}

fn is_noreply(local: &str, host: &str) -> bool {
    let is_part = |label: &str| matches!(label, "noreply" | "no-reply" | "donotreply" | "do-not-reply");
    is_part(local) || local.starts_with("no-reply") || host.split('.').any(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_and_hosts_that_no_mail_reaches_are_known() {
        for email in [
            "ci@acme.dev",
            "root@web1",
            "root@web1.acme.dev",
            "jenkins@build.acme.dev",
            "jenkins-ci.prod@acme.dev",
            "ada@macbook.local",
            "ada@macbook.localdomain",
            "ada@(none)",
            "noreply@acme.dev",
            "no-reply@acme.dev",
            "No-Reply+deploy@acme.dev",
            "donotreply@acme.dev",
            "ada@laptop",
            "ada@localhost.localdomain",
            "ubuntu@ip-10-0-0-1.eu-west-1.compute.internal",
            "runner@fv-az123-45",
            "1+ada@users.noreply.github.com",
            "ada@users.noreply.git.acme.dev",
            "ada@build.invalid",
            "ada@10.0.0.1",
            "ada",
            "",
        ] {
            assert!(is_unread(email), "{email}");
        }
        for email in [
            "ada@acme.dev",
            "ada@example.com",
            "cicero@acme.dev",
            "ci.anderson@acme.dev",
            "roots@acme.dev",
            "ada@local.acme.dev",
            "ada@acme.technology",
            "reply@acme.dev",
        ] {
            assert!(!is_unread(email), "{email}");
        }
    }

    #[test]
    fn an_address_that_is_named_after_a_tool_may_be_a_persons() {
        for (name, email) in [
            ("Ada Lovelace", "github@lovelace.dev"),
            ("Ada Lovelace", "gitlab@lovelace.dev"),
            ("Bob Builder", "builder@acme.dev"),
            ("Jenkins Jones", "jenkins.jones@acme.dev"),
            ("Jenkins", "jenkins.jones@acme.dev"),
        ] {
            assert!(!is_machines(name, email) && !is_unread(email), "{name} {email}");
        }
        for (name, email) in [
            ("GitLab", "gitlab@acme.dev"),
            ("builder", "builder@acme.dev"),
            ("", "github@acme.dev"),
            ("Ada Lovelace", "ci@acme.dev"),
            ("Jenkins Server", "jenkins-ci.prod@acme.dev"),
            ("Jenkins", "jenkins+prod@acme.dev"),
        ] {
            assert!(is_machines(name, email), "{name} {email}");
        }
    }

    #[test]
    fn addresses_of_documents_are_known() {
        for email in ["ada@example.com", "You@Example.org"] {
            assert!(is_placeholder(email), "{email}");
        }
        for email in ["ada@acme.dev", "ada@my-example.com", "ada@shop.example"] {
            assert!(!is_placeholder(email), "{email}");
        }
    }
}
