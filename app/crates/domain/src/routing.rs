//! Routing: which addresses are told of a line, and why each.

use super::address::is_address;
use super::alert::Recipient;
use super::blame::Author;
use super::settings::{EmailSettings, KnownError, Settings};

/// Addresses that are mailed of one line: more people than look after one. Whoever writes to a
/// repository names who watches it, and a mail to each of a thousand addresses would be a flood,
/// behind which all others wait.
pub const MOST_TOLD: usize = 50;

/// What routing looks at.
#[derive(Debug)]
pub struct Route<'a> {
    /// The repository's settings.
    pub settings: &'a Settings,
    /// Path of the culprit line; empty where nothing could be blamed.
    pub path: &'a str,
    /// Paths of all own frames of the traceback.
    pub passed_through: &'a [String],
    /// Who is told of the line: its author, mostly.
    pub author: Option<&'a Author>,
    /// Why them, in a sentence to themselves; `None` where there is nothing to say but that nobody
    /// could be blamed.
    pub why: Option<&'a str>,
    /// A person gave the line to somebody else of whom no address is known: GitHub tells them, and
    /// the author gets no more mail about it.
    pub reassigned: bool,
    /// The known error behind the mail, where it is one.
    pub known: Option<&'a KnownError>,
    /// Who runs this server, where nobody was found who can be told, and they want to hear of it.
    pub operator: Option<Operator<'a>>,
}

/// Who runs this server.
#[derive(Clone, Copy, Debug)]
pub struct Operator<'a> {
    /// Their address.
    pub address: &'a str,
    /// The repository of which they are told: they may run it for many.
    pub repository: &'a str,
}

/// What the default contact is told where nobody is blamed.
const NOBODY_ELSE: &str =
    "You are the default contact: it is not known who wrote the code that failed (why: see below).";

impl Operator<'_> {
    /// Why a mail came to them, and what to do so that the next one does not.
    fn why(&self) -> String {
        format!(
            "Nobody of {} can be told of this error, so it comes to you, once, as who runs this server \
             (OPERATOR_EMAIL). Set email.default_contact in the repository's .github/flawless.yml: what is nobody's \
             goes there from then on.",
            self.repository
        )
    }
}

/// Everybody who gets a mail, the author first, each address once, and no more than [`MOST_TOLD`].
pub fn recipients(route: &Route<'_>) -> Vec<Recipient> {
    let settings = route.settings;
    let mut told: Vec<Recipient> = Vec::new();
    let author = route.author.filter(|_| !route.reassigned);
    if let Some(author) = author
        && let Some(address) = address_of(&settings.email, author)
    {
        match disowned_to(settings, &address, route.path) {
            Some(other) => add(&mut told, "", &other, format!("{address} passed {} on to you.", route.path)),
            None => add(&mut told, &author.name, &address, route.why.unwrap_or("You wrote this line.").to_owned()),
        }
    }
    for watcher in &settings.watchers {
        let own = covers(&watcher.path, route.path);
        let through = watcher.all_errors && route.passed_through.iter().any(|path| covers(&watcher.path, path));
        if own || through {
            add(&mut told, "", &watcher.email, format!("You watch {}.", watcher.path));
        }
    }
    for address in route.known.iter().flat_map(|known| &known.email_recipients) {
        add(&mut told, "", address, "This known error names you as a recipient.".to_owned());
    }
    let why = match author {
        _ if route.reassigned => None,
        // Those who watch or are named with the known error don't look after it by that.
        None => Some(route.why.unwrap_or(NOBODY_ELSE).to_owned()),
        Some(author) if told.is_empty() && author.email.is_empty() => {
            Some(format!("You are the default contact: no address of {} is known.", named(author)))
        }
        Some(author) if told.is_empty() => Some(format!(
            "You are the default contact: mail to {} can't be delivered at <{}>.",
            named(author),
            author.email
        )),
        Some(_) => None,
    };
    if let Some((contact, why)) = settings.email.default_contact.as_ref().zip(why) {
        add(&mut told, "", contact, why);
    }
    if let Some(operator) = route.operator.filter(|_| told.is_empty() && !route.reassigned) {
        add(&mut told, "", operator.address, operator.why());
    }
    told
}

fn named(author: &Author) -> &str {
    if author.name.trim().is_empty() { "whoever should be told" } else { &author.name }
}

fn add(told: &mut Vec<Recipient>, name: &str, address: &str, why: String) {
    let there = |one: &Recipient| one.email.as_deref().is_some_and(|email| email.eq_ignore_ascii_case(address));
    if told.len() < MOST_TOLD && !told.iter().any(there) {
        told.push(Recipient { name: name.to_owned(), email: Some(address.to_owned()), login: None, why });
    }
}

/// The address that mail to an author goes to: remapped by the full address, else by its local
/// part, then with the company's domain where the file says so. `None`: mail can't reach them.
pub fn address_of(settings: &EmailSettings, author: &Author) -> Option<String> {
    let email = author.email.trim();
    let local = email.rsplit_once('@').map_or(email, |(local, _)| local);
    let remapped = [email, local].iter().find_map(|key| {
        settings.remap.iter().find(|(from, _)| from.eq_ignore_ascii_case(key)).map(|(_, to)| to.clone())
    });
    let address = match (&remapped, &settings.domain) {
        (Some(to), _) if to.contains('@') => to.clone(),
        (Some(local), Some(domain)) => format!("{local}@{domain}"),
        (Some(local), None) => local.clone(),
        (None, Some(domain)) if author.noreply().is_none() && (settings.ignore_vcs_domain || !email.contains('@')) => {
            format!("{local}@{domain}")
        }
        (None, _) => email.to_owned(),
    };
    // Whoever runs a domain that only their own mail server knows says so in the settings.
    let is_said = remapped.is_some() || settings.domain.is_some() && address != email;
    if is_said && is_address(&address) {
        return Some(address);
    }
    let author = Author { name: author.name.clone(), email: address };
    author.deliverable_email().map(str::to_owned)
}

/// Who is told instead of somebody who disowned the path: the most specific entry wins.
fn disowned_to(settings: &Settings, address: &str, path: &str) -> Option<String> {
    settings
        .disowned
        .iter()
        .filter(|entry| entry.email.eq_ignore_ascii_case(address) && covers(&entry.path, path))
        .max_by_key(|entry| entry.path.trim_matches('/').len())
        .map(|entry| entry.designated_email.clone())
}

/// Whether a file or directory covers a path.
pub(super) fn covers(entry: &str, path: &str) -> bool {
    let entry = entry.trim_start_matches("./").trim_matches('/');
    !path.is_empty()
        && (entry.is_empty() || path == entry || path.strip_prefix(entry).is_some_and(|rest| rest.starts_with('/')))
}

#[cfg(test)]
mod tests {
    use super::super::settings::{Disowned, Watcher};
    use super::*;

    fn author(email: &str) -> Author {
        Author { name: "Ada".into(), email: email.into() }
    }

    fn addresses(settings: &Settings, path: &str, through: &[&str], author: Option<&Author>) -> Vec<String> {
        let passed_through: Vec<String> = through.iter().map(|path| (*path).to_owned()).collect();
        let route = Route {
            settings,
            path,
            passed_through: &passed_through,
            author,
            why: None,
            reassigned: false,
            known: None,
            operator: None,
        };
        recipients(&route).into_iter().filter_map(|one| one.email).collect()
    }

    #[test]
    fn the_author_is_told_and_the_default_contact_where_there_is_none() {
        let mut settings = Settings::default();
        settings.email.default_contact = Some("oncall@x.com".into());
        assert_eq!(addresses(&settings, "a.py", &[], Some(&author("ada@x.com"))), ["ada@x.com"]);
        assert_eq!(addresses(&settings, "", &[], None), ["oncall@x.com"]);
        let hidden = author("1+ada@users.noreply.github.com");
        assert_eq!(addresses(&settings, "a.py", &[], Some(&hidden)), ["oncall@x.com"]);
        settings.email.default_contact = None;
        assert_eq!(addresses(&settings, "a.py", &[], Some(&hidden)), [""; 0]);
    }

    #[test]
    fn the_default_contact_hears_of_what_has_no_author_whoever_watches() {
        let mut settings = Settings {
            watchers: vec![Watcher { email: "w@x.com".into(), path: "lib".into(), all_errors: true }],
            ..Settings::default()
        };
        settings.email.default_contact = Some("oncall@x.com".into());
        assert_eq!(addresses(&settings, "/usr/lib/json.py", &["lib/a.py"], None), ["w@x.com", "oncall@x.com"]);
        let ada = author("ada@x.com");
        let route = Route {
            settings: &settings,
            path: "a.py",
            passed_through: &[],
            author: Some(&ada),
            why: None,
            reassigned: true,
            known: None,
            operator: None,
        };
        assert!(recipients(&route).is_empty(), "GitHub tells who it was given to");
    }

    #[test]
    fn who_runs_the_server_hears_of_what_nobody_else_is_told_of() {
        let mut settings = Settings::default();
        let told = |settings: &Settings, reassigned: bool| {
            let route = Route {
                settings,
                path: "shop/a.py",
                passed_through: &[],
                author: None,
                why: None,
                reassigned,
                known: None,
                operator: Some(Operator { address: "root@x.com", repository: "acme/shop" }),
            };
            recipients(&route)
        };
        let alone = told(&settings, false);
        assert_eq!((alone.len(), alone[0].email.as_deref()), (1, Some("root@x.com")));
        assert!(alone[0].why.starts_with("Nobody of acme/shop can be told of this error"), "{}", alone[0].why);
        assert!(alone[0].why.contains("Set email.default_contact in the repository's .github/flawless.yml"));
        assert!(told(&settings, true).is_empty());
        settings.watchers = vec![Watcher { email: "w@x.com".into(), path: "shop".into(), all_errors: false }];
        assert_eq!(told(&settings, false)[0].email.as_deref(), Some("w@x.com"));
        settings.watchers.clear();
        settings.email.default_contact = Some("oncall@x.com".into());
        assert_eq!(told(&settings, false).len(), 1);
        assert_eq!(told(&settings, false)[0].email.as_deref(), Some("oncall@x.com"));
    }

    #[test]
    fn addresses_are_remapped_and_moved_to_the_companys_domain() {
        let mut email = EmailSettings { domain: Some("x.com".into()), ..EmailSettings::default() };
        email.remap.insert("Old@X.com".into(), "new@y.com".into());
        email.remap.insert("ada".into(), "lovelace".into());
        assert_eq!(address_of(&email, &author("old@x.com")).as_deref(), Some("new@y.com"));
        assert_eq!(address_of(&email, &author("ada@home.org")).as_deref(), Some("lovelace@x.com"));
        assert_eq!(address_of(&email, &author("bob@home.org")).as_deref(), Some("bob@home.org"));
        email.ignore_vcs_domain = true;
        assert_eq!(address_of(&email, &author("bob@home.org")).as_deref(), Some("bob@x.com"));
        assert_eq!(address_of(&email, &author("1+bob@users.noreply.github.com")), None);
        email.domain = Some("corp.local".into());
        assert_eq!(address_of(&email, &author("bob@home.org")).as_deref(), Some("bob@corp.local"));
        assert_eq!(address_of(&EmailSettings::default(), &author("bob@corp.local")), None);
    }

    #[test]
    fn nobody_has_mail_sent_to_a_thousand_addresses() {
        let watcher = |n: usize| Watcher { email: format!("w{n}@x.com"), path: "lib".into(), all_errors: false };
        let settings = Settings { watchers: (0..1_000).map(watcher).collect(), ..Settings::default() };
        let author = Author { name: "Ada".into(), email: "ada@x.com".into() };
        let route = Route {
            settings: &settings,
            path: "lib/a.py",
            passed_through: &[],
            author: Some(&author),
            why: None,
            reassigned: false,
            known: None,
            operator: None,
        };
        let told = recipients(&route);
        assert_eq!((told.len(), told[0].email.as_deref()), (MOST_TOLD, Some("ada@x.com")));
    }

    #[test]
    fn the_most_specific_disowned_path_wins_and_watchers_are_told_once() {
        let disowned = |path: &str, to: &str| Disowned {
            email: "ada@x.com".into(),
            path: path.into(),
            designated_email: to.into(),
        };
        let settings = Settings {
            disowned: vec![disowned("shop/", "parent@x.com"), disowned("shop/cart", "child@x.com")],
            watchers: vec![
                Watcher { email: "CHILD@x.com".into(), path: "shop".into(), all_errors: false },
                Watcher { email: "dir@x.com".into(), path: "shop".into(), all_errors: false },
                Watcher { email: "through@x.com".into(), path: "tools/x.py".into(), all_errors: true },
                Watcher { email: "never@x.com".into(), path: "tools/x.py".into(), all_errors: false },
            ],
            ..Settings::default()
        };
        let told = addresses(&settings, "shop/cart/a.py", &["tools/x.py"], Some(&author("ada@x.com")));
        assert_eq!(told, ["child@x.com", "dir@x.com", "through@x.com"]);
        assert_eq!(addresses(&settings, "shopping/a.py", &[], Some(&author("ada@x.com"))), ["ada@x.com"]);
    }
}
