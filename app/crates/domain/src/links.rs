//! Addresses of our own pages, signed where an e-mail's reader is to open them without signing in.

use super::alert::Place;
use super::ids::RepositoryId;
use super::names::RepositoryName;
use super::repository::Repository;
use super::signature::{LINK_LIFE, Signer};
use crate::timestamp::Timestamp;

/// Stands in a link between the number of its repository and the signature: neither has it, and
/// an address needs no escape for it.
const SEPARATOR: char = '_';

/// What a signed link may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkPurpose {
    /// Read a line's latest traceback.
    View,
    /// Whitelist a line.
    Whitelist,
    /// Say that a line is not theirs.
    NotMe,
}

impl LinkPurpose {
    fn name(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Whitelist => "whitelist",
            Self::NotMe => "not_me",
        }
    }
}

/// Makes addresses below the server's public one.
#[derive(Clone, Debug)]
pub struct Linker {
    base: String,
    signer: Signer,
}

impl Linker {
    /// `base` is the public address, with or without a slash at its end.
    pub fn new(base: &str, signer: Signer) -> Self {
        Self { base: base.trim_end_matches('/').to_owned(), signer }
    }

    /// The public address of the server, without a slash at its end.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// A DSN, `http(s)://KEY@HOST[/PREFIX]/PROJECT`: the form that SDKs insist on.
    pub fn dsn(&self, key: &str, project: RepositoryId) -> String {
        match self.base.split_once("://") {
            Some((scheme, rest)) => format!("{scheme}://{key}@{rest}/{project}"),
            None => format!("{key}@{}/{project}", self.base),
        }
    }

    /// Latest traceback of a line; signed, for a while from `signed_at` on, where that is given.
    pub fn traceback(
        &self,
        repository: &Repository,
        place: &Place,
        at: Timestamp,
        signed_at: Option<Timestamp>,
    ) -> String {
        let mut fields = self.place_fields(repository, place);
        fields.push(("timestamp", at.as_seconds().to_string()));
        self.address("/view_traceback", fields, LinkPurpose::View, repository, place, signed_at)
    }

    /// The form that whitelists a line.
    pub fn whitelist(&self, repository: &Repository, place: &Place, signed_at: Option<Timestamp>) -> String {
        let fields = vec![
            ("repo", repository.full_name.to_string()),
            ("filename", place.path.clone()),
            ("function_name", place.function.clone()),
            ("code_fragment", place.code.clone()),
        ];
        self.address("/add_known_error", fields, LinkPurpose::Whitelist, repository, place, signed_at)
    }

    /// The form by which somebody says that a line is not theirs.
    pub fn not_me(&self, repository: &Repository, place: &Place, signed_at: Option<Timestamp>) -> String {
        let fields = self.place_fields(repository, place);
        self.address("/not_me", fields, LinkPurpose::NotMe, repository, place, signed_at)
    }

    /// A repository's report of the week that holds this moment.
    pub fn week(&self, repository: Option<&RepositoryName>, at: Timestamp) -> String {
        let mut fields = vec![("timestamp", at.as_seconds().to_string())];
        if let Some(repository) = repository {
            fields.insert(0, ("repo", repository.to_string()));
        }
        format!("{}/get_weekly_error_report?{}", self.base, query(&fields))
    }

    /// The repository that a link was signed for: `None` unless its signature is ours for this
    /// purpose, name and place, and not expired. Names are changed and taken by others, so the
    /// signature is for the number as well, and says it: a link goes on to open its repository,
    /// whatever that is called now, and nothing of another one that has the name.
    pub fn signed_for(
        &self,
        purpose: LinkPurpose,
        repository: &RepositoryName,
        place: &Place,
        expires: &str,
        signature: &str,
        now: Timestamp,
    ) -> Option<RepositoryId> {
        let at = Timestamp::from_seconds(expires.parse().ok()?);
        let (number, signature) = signature.split_once(SEPARATOR)?;
        let id = RepositoryId(number.parse().ok()?);
        let fields = signed_fields(number, repository, place, expires);
        (now <= at && self.signer.verify(purpose.name(), &fields, signature)).then_some(id)
    }

    fn place_fields(&self, repository: &Repository, place: &Place) -> Vec<(&'static str, String)> {
        vec![
            ("repo", repository.full_name.to_string()),
            ("filename", place.path.clone()),
            ("function_name", place.function.clone()),
            ("line_number", place.line.to_string()),
            ("text", place.code.clone()),
        ]
    }

    fn address(
        &self,
        route: &str,
        mut fields: Vec<(&'static str, String)>,
        purpose: LinkPurpose,
        repository: &Repository,
        place: &Place,
        signed_at: Option<Timestamp>,
    ) -> String {
        if let Some(now) = signed_at {
            let expires = (now + LINK_LIFE).as_seconds().to_string();
            let number = repository.id.to_string();
            let signed = signed_fields(&number, &repository.full_name, place, &expires);
            let signature = self.signer.sign(purpose.name(), &signed);
            fields.push(("expires", expires));
            fields.push(("signature", format!("{number}{SEPARATOR}{signature}")));
        }
        format!("{}{route}?{}", self.base, query(&fields))
    }
}

/// The line number is left out: the line moves while the mail lies in somebody's inbox.
fn signed_fields<'a>(
    number: &'a str,
    repository: &'a RepositoryName,
    place: &'a Place,
    expires: &'a str,
) -> [&'a str; 6] {
    [number, repository.as_str(), &place.path, &place.function, &place.code, expires]
}

/// `a=b&c=d`, percent-encoded as forms are.
pub fn query(fields: &[(&str, String)]) -> String {
    let mut out = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in fields {
        out.append_pair(name, value);
    }
    out.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    const NOW: Timestamp = Timestamp::from_seconds(1_000);
    const SECOND: SignedDuration = SignedDuration::from_secs(1);

    fn place() -> Place {
        Place { path: "shop/a b.py".into(), function: "f".into(), line: 3, code: "x = y[\"&\"]".into() }
    }

    #[test]
    fn a_dsn_is_of_the_form_that_sdks_insist_on() {
        let dsn = |base: &str| Linker::new(base, Signer::new(&[1; 32])).dsn("ab12", RepositoryId(7));
        assert_eq!(dsn("https://flawless.example"), "https://ab12@flawless.example/7");
        assert_eq!(dsn("http://127.0.0.1:3000/errors/"), "http://ab12@127.0.0.1:3000/errors/7");
    }

    fn shop() -> Repository {
        Repository {
            id: RepositoryId(7),
            full_name: "acme/shop".into(),
            clone_url: String::new(),
            github: None,
            public: false,
            default_branch: None,
            head: None,
        }
    }

    #[test]
    fn a_link_is_good_for_its_repository_place_purpose_and_time() {
        let linker = Linker::new("https://flawless.example/", Signer::new(&[1; 32]));
        let link = linker.whitelist(&shop(), &place(), Some(NOW));
        let url = url::Url::parse(&link).expect("a URL");
        let get = |name: &str| {
            url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).expect("there")
        };
        assert_eq!(get("code_fragment"), place().code);
        let (expires, signature) = (get("expires"), get("signature"));
        let check = |purpose, repository: &str, place: &Place, now| {
            linker.signed_for(purpose, &repository.into(), place, &expires, &signature, now)
        };
        let its = Some(RepositoryId(7));
        assert_eq!(check(LinkPurpose::Whitelist, "acme/shop", &place(), NOW), its);
        assert_eq!(check(LinkPurpose::View, "acme/shop", &place(), NOW), None);
        assert_eq!(check(LinkPurpose::Whitelist, "acme/other", &place(), NOW), None);
        assert_eq!(check(LinkPurpose::Whitelist, "acme/shop", &Place { path: "b.py".into(), ..place() }, NOW), None);
        assert_eq!(check(LinkPurpose::Whitelist, "acme/shop", &place(), NOW + LINK_LIFE + SECOND), None);
        assert_eq!(check(LinkPurpose::Whitelist, "acme/shop", &Place { line: 9, ..place() }, NOW), its, "lines move");
        let (_, bare) = signature.split_once(SEPARATOR).expect("the number is said");
        for forged in [format!("8_{bare}"), format!("07_{bare}"), bare.to_owned(), String::new()] {
            let (purpose, name) = (LinkPurpose::Whitelist, "acme/shop".into());
            assert_eq!(linker.signed_for(purpose, &name, &place(), &expires, &forged, NOW), None, "{forged}");
        }
    }
}
